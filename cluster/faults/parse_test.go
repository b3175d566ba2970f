package faults

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestParse has specs with what they are in full.
func TestParse(t *testing.T) {
	tests := []struct{ spec, want string }{
		{"none", "none"},
		{" none ", "none"},
		{"exp(mtbf=30d,mttr=1h)", "nodes(mtbf=30d,mttr=1h)"},
		{" exp ( mtbf = 30d , mttr = 60m ) ", "nodes(mtbf=30d,mttr=1h)"},
		{"exp(mttr=exp(mean=1h),mtbf=30d,kind=crash)", "nodes(mtbf=30d,mttr=1h)"},
		{
			"weibull(shape=0.70,mtbf=30d,mttr=lognormal(median=15m,sigma=1.2))",
			"nodes(mtbf=weibull(shape=0.7,mean=30d),mttr=lognormal(sigma=1.2,median=15m))",
		},
		{"gamma(shape=2,mtbf=1h,mttr=gamma(scale=1m,shape=3))", "nodes(mtbf=gamma(shape=2,mean=1h),mttr=gamma(shape=3,scale=1m))"},
		{"fixed(mtbf=1h,mttr=never)", "nodes(mtbf=fixed(mean=1h),mttr=never)"},
		{"zones(mtbf=60d,mttr=30m,kind=partition)", "zones(mtbf=60d,mttr=30m,kind=partition)"},
		{"racks(mtbf=never,mttr=30m,kind=flap,down=1m,period=90s)", "racks(mtbf=never,mttr=30m,kind=flap,period=1m30s,down=1m)"},
		{"exp(mtbf=1d,mttr=1h,kind=late,by=45s)", "nodes(mtbf=1d,mttr=1h,kind=late,by=45s)"},
		{"exp(mtbf=1d,mttr=1h,kind=pressure,signal=disk)", "nodes(mtbf=1d,mttr=1h,kind=pressure,signal=disk)"},
		{
			"correlated(mtbf=7d,share=.1,by=rack,within=2m,mttr=30m)",
			"correlated(mtbf=7d,share=0.1,by=rack,within=2m,mttr=30m)",
		},
		{"correlated(mtbf=7d, share=0.1, by=rack, within=2m)", "correlated(mtbf=7d,share=0.1,by=rack,within=2m,mttr=1h)"},
		{"exp(mtbf=30d)", "nodes(mtbf=30d,mttr=1h)"},
		{"correlated(mtbf=7d,share=1,mttr=30m,kind=hang)", "correlated(mtbf=7d,share=1,by=node,within=0s,mttr=30m,kind=hang)"},
		{"exp(mtbf=30d,mttr=1h)+ zones(mtbf=60d,mttr=30m)", "nodes(mtbf=30d,mttr=1h)+zones(mtbf=60d,mttr=30m)"},
		{"at 40s crash n3 for 10m", "at 40s crash n3 for 10m"},
		{" at 40s crash n3 for 10m ;; at 1h hang n4,n5 for ever;", "at 40s crash n3 for 10m; at 1h hang n4,n5 for ever"},
	}
	for _, tt := range tests {
		m := parse(t, tt.spec)
		if m.String() != tt.want {
			t.Errorf("%s is %s, want %s", tt.spec, m, tt.want)
		}
		if again := parse(t, m.String()); again.String() != tt.want {
			t.Errorf("%s is %s the second time, want %s", tt.spec, again, tt.want)
		}
	}
}

var badSpecs = []struct{ spec, want string }{
	{"", `something is missing before ""; write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h)`},
	{"exp", `"exp" is no model; write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h), or none`},
	{"expo(mtbf=1d)", `there is no model "expo"; write one of exp, weibull, lognormal, gamma, fixed, nodes, racks, zones, correlated`},
	{"never(mtbf=1d)", `there is no model "never"; write one of exp, weibull, lognormal, gamma, fixed, nodes, racks, zones, correlated`},
	{"exp(mtbf=30d", `exp( is not closed; write ) behind its last option`},
	{"exp(mtbf=,mttr=1h)", `something is missing before ",mttr=1h)"; write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h)`},
	{"exp()", `no KEY=VALUE at ")"; write exp(KEY=VALUE,…)`},
	{"exp(mtbf=1d,mttr=)", `something is missing before ")"; write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h)`},
	{"exp(mttr=1d)", `exp has no mtbf; write mtbf=VALUE`},
	{"zones(mttr=1d)", `zones has no mtbf; write mtbf=DURATION or mtbf=DISTRIBUTION`},
	{"exp(mtbf=1d,mtbf=1d,mttr=1h)", `mtbf is given twice; leave one out`},
	{"exp(mtbf=1d,mttr=1h,shape=2)", `exp has no option "shape"; it takes mtbf, mttr, kind`},
	{"exp(mtbf=1d,mttr=1h,kind=late,by=1s,down=1s)", `exp has no option "down"; it takes mtbf, mttr, kind, by`},
	{"exp(mtbf=1d,mttr=1h,kind=fire)", `there is no kind of fault "fire"; write one of crash, hang, partition, flap, late, pressure, shutdown`},
	{"exp(mtbf=1d,mttr=1h,kind=flap)", `exp has no period; write period=VALUE`},
	{"exp(mtbf=1d,mttr=1h,kind=flap,period=1m,down=1m)", `down is not shorter than period; leave the node some time between silences`},
	{"exp(mtbf=1d,mttr=1h,kind=late,by=0s)", `by is 0; give a duration above 0`},
	{"exp(mtbf=1d,mttr=1h,kind=pressure,signal=cpu)", `signal is "cpu"; give one of memory, disk, pid`},
	{"exp(mtbf=1d,mttr=pareto(shape=2,mean=1h))", `there is no distribution "pareto"; write a duration, never, or one of exp, weibull, lognormal, gamma, fixed`},
	{"exp(mtbf=1d,mttr=weibull(mean=1h))", `weibull has no shape; write shape=VALUE`},
	{"exp(mtbf=1d,mttr=weibull(shape=0,mean=1h))", `shape is "0"; give a number from 0.1 to 100`},
	{"exp(mtbf=1d,mttr=lognormal(sigma=NaN,mean=1h))", `sigma is "NaN"; give a number from 0 to 5`},
	{"exp(mtbf=1d,mttr=weibull(shape=1,mean=1h,scale=1h))", `weibull has no option "mean"; it takes shape, scale`},
	{"exp(mtbf=1d,mttr=exp(scale=1h))", `exp has no mean; write mean=VALUE`},
	{"exp(mtbf=1us,mttr=1h)", `mtbf is below 1ms; give a longer duration`},
	{"exp(mtbf=1d,mttr=1ns)", `mttr is below 1ms; give a longer duration`},
	{"exp(mtbf=1d,mttr=fixed(mean=1us))", `mean is below 1ms; give a longer duration`},
	{"exp(mtbf=exp(mean=1d),mttr=1h)", `mtbf is "exp(…)"; give a word`},
	{"exp(mtbf=1.5d,mttr=1h)", `"1.5d" is no duration; write whole numbers of d, h, m, s, ms, us, ns, the longest first, such as 1h30m`},
	{"exp(mtbf=1d,mttr=1h)x", `"x" is behind the end; leave it out, or write + between models`},
	{"exp(mtbf=1d,mttr=1h)+", `something is missing before ""; write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h)`},
	{"exp(mtbf=1d,mttr=1h)+none", `"none" is no model; write NAME(KEY=VALUE,…), such as exp(mtbf=30d,mttr=1h), or none`},
	{"a(b=a(b=a(b=a(b=a(b=a(b=1))))))", `parentheses are nested too deep; write NAME(KEY=VALUE,…), where a value may be a distribution`},
	{"correlated(mtbf=7d,share=2,mttr=30m)", `share is "2"; give a number from 1e-06 to 1`},
	{"correlated(mtbf=7d,share=0,mttr=30m)", `share is "0"; give a number from 1e-06 to 1`},
	{"correlated(mtbf=7d,share=1,by=row,mttr=30m)", `by is "row"; give one of node, rack, zone`},
	{"correlated(mtbf=7d,share=1,mttr=30m,kind=late)", `correlated has no kind late; use nodes(…), racks(…) or zones(…) for that kind`},
	{"at 5s crash n\u200b1 for 1s", `the line has characters that can't be seen; leave them out`},
	{"exp(mtbf=1d,mttr=1h\u200b)", `the spec has characters that can't be seen; leave them out`},
	{"at 5s crash n1 for 0s", `the fault is for no time; give a duration above 0, or: for ever`},
}

func TestParseFails(t *testing.T) {
	for _, tt := range badSpecs {
		_, err := Parse(tt.spec)
		if want := tt.spec + ": " + tt.want; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// FuzzParse reads specs, writes them, reads them back, and plays a few faults.
func FuzzParse(f *testing.F) {
	for _, spec := range models {
		f.Add(spec)
	}
	for _, bad := range badSpecs {
		f.Add(bad.spec)
	}
	f.Add("at 40s crash n3,n4 for 10m; at 1h outage rack r0 for ever kind=flap period=90s down=60s; at 0s outage zone zone for 1s")
	f.Fuzz(func(t *testing.T, spec string) {
		m, err := Parse(spec)
		if err != nil {
			checkError(t, err)
			return
		}
		again, err := Parse(m.String())
		if err != nil || fmt.Sprintf("%#v", again) != fmt.Sprintf("%#v", m) && again.String() != m.String() {
			t.Fatalf("%q is written %q, which is %v, %v", spec, m, again, err)
		}
		s, err := m.Source(Run{Nodes: nodes(4), Seed: 1, Horizon: 100 * cluster.Second})
		if err != nil {
			checkError(t, err)
			return
		}
		for before, i := cluster.Time(0), 0; i < 100; i++ {
			f, err := s.Next()
			if err != nil {
				break
			}
			if f.At < before || f.Until <= f.At || len(f.Nodes) == 0 {
				t.Fatalf("%q: after %d comes %+v", spec, before, f)
			}
			before = f.At
		}
	})
}

// checkError checks that what is wrong is said in one line.
func checkError(t *testing.T, err error) {
	t.Helper()
	var wrong *Error
	if !errors.As(err, &wrong) || wrong.Problem == "" || wrong.Remedy == "" {
		t.Errorf("%#v is not an *Error that says all", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("%q is no line", err)
	}
}
