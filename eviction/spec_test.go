package eviction

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestOpen(t *testing.T) {
	p, st, err := Open(Policies, "Kube:grace=20s,rate=1.5,secondary-rate=0,large-zone=7,unhealthy-share=0.6,period=2s,startup-grace=1m")
	want := Settings{
		Period: 2 * cluster.Second, Grace: 20 * cluster.Second, StartupGrace: cluster.Minute,
		Rate: 1.5, LargeZone: 7, UnhealthyShare: 0.6,
	}
	if err != nil || p != Kube || st != want {
		t.Errorf("%v %+v (%v), want %+v", p, st, err, want)
	}
	if p, st, err := Open(Policies, "gangaware"); err != nil || p != GangAware || st != Defaults() {
		t.Errorf("%v %+v (%v)", p, st, err)
	}
	for spec, want := range map[string]string{
		"":                       `unknown eviction policy ""; known: kube, `,
		"cube":                   `unknown eviction policy "cube"; known: kube, `,
		"kube:":                  `unknown option ""; known: period, grace, `,
		"kube:grace":             `grace is ""; give a duration from 100ms to 24h`,
		"kube:grace=50ms":        `grace is "50ms"`,
		"kube:grace=1.05s":       `grace is "1.05s"; give a duration from 100ms to 24h in tenths of a second`,
		"kube:rate=-1":           `rate is "-1"; give a number from 0 to 1000`,
		"kube:rate=NaN":          `rate is "NaN"`,
		"kube:large-zone=-1":     `large-zone is "-1"; give a number of nodes`,
		"kube:grace=20s,speed=1": `unknown option "speed"`,
	} {
		if _, _, err := Open(Policies, spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", spec, err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("kube:grace=20s,rate=1.5,large-zone=7")
	f.Add("kube:=,")
	f.Fuzz(func(t *testing.T, spec string) {
		_, st, err := Open(Policies, spec)
		if err == nil && (st.Period <= 0 || st.Grace <= 0 || !(st.Rate >= 0) || !(st.UnhealthyShare >= 0) || st.LargeZone < 0) {
			t.Errorf("%q is %+v", spec, st)
		}
	})
}
