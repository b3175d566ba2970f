package eviction

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestParseDrift(t *testing.T) {
	got, err := ParseDrift("drift(base=0.8,spread=0.2,growth=0.05,leaky=0.01,leak=0.5,noise=0.1,period=5m)")
	want := Drift{Base: 800, Spread: 200, Growth: 50, Leaky: 10, Leak: 500, Noise: 100, Period: 5 * cluster.Minute}
	if err != nil || got != want {
		t.Errorf("%+v (%v), want %+v", got, err, want)
	}
	if got, err := ParseDrift("drift()"); err != nil || got != (Drift{Base: 1000, Period: cluster.Minute}) {
		t.Errorf("nothing said: %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                        `usage is ""; write drift(`,
		"drift(base=1":            "write drift(",
		"drift(bass=1)":           `usage has no "bass"; known: base, `,
		"drift(base=x)":           `usage's base is "x"; give a number from 0 to 100`,
		"drift(base=-1)":          `usage's base is "-1"`,
		"drift(base=NaN)":         `usage's base is "NaN"`,
		"drift(base=1,base=2)":    "usage says base twice",
		"drift(period=1ms)":       `usage's period is "1ms"; give a duration from 1s to 24h`,
		"drift(base)":             `usage's base is ""`,
		"drift(base=1,,noise=1a)": `usage's noise is "1a"`,
	} {
		if _, err := ParseDrift(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParseDrift(f *testing.F) {
	f.Add("drift(base=0.8,spread=0.2,growth=0.05,leaky=0.01,leak=0.5,noise=0.1,period=5m)")
	f.Add("drift(")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDrift(text)
		if err == nil && (d.Base < 0 || d.Noise > 1000*mostShare || d.Period < cluster.Second) {
			t.Errorf("%q is %+v", text, d)
		}
	})
}
