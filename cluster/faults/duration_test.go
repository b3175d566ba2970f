package faults

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]cluster.Time{
		"0s": 0, "1ns": 1, "5us": 5000, "7ms": 7 * cluster.Millisecond, "40s": 40 * cluster.Second, "1m": cluster.Minute,
		"90m": 90 * cluster.Minute, "1h30m": 90 * cluster.Minute, "30d": 30 * day, "1d2h3m4s5ms6us7ns": day + 2*cluster.Hour +
			3*cluster.Minute + 4*cluster.Second + 5*cluster.Millisecond + 6007, "106751d": 106751 * day, "007s": 7 * cluster.Second,
	} {
		if got, err := ParseDuration(text); got != want || err != nil {
			t.Errorf("%s is %d, %v; want %d", text, got, err, want)
		}
	}
	for text, problem := range map[string]string{
		"": "no duration", "1": "no duration", "s": "no duration", "-1s": "no duration", "1.5h": "no duration", "1m1h": "no duration",
		"1s1s": "no duration", "1w": "no duration", "1 h": "no duration", "106752d": "292 years", "99999999999999999999s": "292 years",
		"106751d24h": "292 years",
	} {
		if got, err := ParseDuration(text); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q is %d, %v; want %s", text, got, err, problem)
		}
	}
}

func FuzzDuration(f *testing.F) {
	f.Add("1d2h", int64(1))
	f.Add("5ms", int64(1<<62))
	f.Fuzz(func(t *testing.T, text string, n int64) {
		if got, err := ParseDuration(text); err == nil {
			n = int64(got)
			if n < 0 || got == cluster.Never {
				t.Errorf("%q is %d", text, n)
			}
		}
		if n < 0 || n == int64(cluster.Never) {
			return
		}
		written := FormatDuration(cluster.Time(n))
		if got, err := ParseDuration(written); err != nil || int64(got) != n {
			t.Errorf("%d is written %s, which is %d, %v", n, written, got, err)
		}
	})
}

func TestDrawnTimes(t *testing.T) {
	for ns, want := range map[float64]cluster.Time{0: 1, 0.2: 1, 1.4: 1, 1.5: 2, 1e10: 1e10, 1e19: cluster.Never} {
		if got := drawn(ns); got != want {
			t.Errorf("%v ns is %d, want %d", ns, got, want)
		}
	}
}
