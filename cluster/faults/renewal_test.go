package faults

import (
	"fmt"
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestRenewalRate counts failures in each quarter of a long run: MTBF and MTTR
// are means.
func TestRenewalRate(t *testing.T) {
	for _, tt := range []struct {
		spec string
		mtbf float64 // hours
		mttr float64
	}{
		{"exp(mtbf=20h,mttr=1h)", 20, 1},
		{"weibull(shape=0.7,mtbf=20h,mttr=1h)", 20, 1},
		{"weibull(shape=4,mtbf=20h,mttr=fixed(mean=1h))", 20, 1},
		{"lognormal(sigma=1,mtbf=20h,mttr=lognormal(sigma=1.2,mean=1h))", 20, 1},
		{"gamma(shape=0.5,mtbf=20h,mttr=gamma(shape=0.5,scale=2h))", 20, 1},
		{"fixed(mtbf=20h,mttr=weibull(shape=0.5,scale=30m))", 20, 1}, // Γ(3) scales
		{"nodes(mtbf=weibull(shape=0.5,scale=10h),mttr=lognormal(sigma=1,median=1h))", 20, math.Exp(0.5)},
	} {
		const hours, count = 400, 3000
		list := all(t, parse(t, tt.spec), Run{Nodes: nodes(count), Seed: 7, Horizon: hours * cluster.Hour})
		var quarters [4]float64
		down := 0.0
		for _, f := range list {
			quarters[int64(f.At)*4/int64(hours*cluster.Hour)]++
			down += (f.Until - f.At).Seconds() / 3600
		}
		near := func(what string, got, want, within float64) {
			t.Helper()
			if math.Abs(got/want-1) > within {
				t.Errorf("%s: %s is %v, want %v", tt.spec, what, got, want)
			}
		}
		near("the mean repair, in hours,", down/float64(len(list)), tt.mttr, 0.05)
		for i, got := range quarters {
			near(fmt.Sprint("the number of failures in quarter ", i), got, count*hours/4/(tt.mtbf+tt.mttr), 0.06)
		}
	}
}

// TestRenewalEquilibrium has repairs that take no time. Then as many nodes fail in
// the first hours as in any other, whatever the distribution; if nodes were new at
// 0, they would be five times as many for the first of these.
func TestRenewalEquilibrium(t *testing.T) {
	for _, mtbf := range []string{"weibull(shape=0.5,mean=20h)", "weibull(shape=4,mean=20h)", "gamma(shape=0.5,mean=20h)", "lognormal(sigma=1,mean=20h)", "fixed(mean=20h)", "20h"} {
		const count = 20_000
		list := all(t, parse(t, "nodes(mtbf="+mtbf+",mttr=fixed(mean=1ms))"), Run{Nodes: nodes(count), Seed: 7, Horizon: 2 * cluster.Hour})
		if got := float64(len(list)); math.Abs(got/(count*2/20)-1) > 0.12 {
			t.Errorf("%s: %v failures in 2 of 20 hours, want about %v", mtbf, got, count*2/20)
		}
	}
}

// TestRenewalTakesTurns looks at each unit by itself: it fails only once it is
// repaired, and all nodes of a zone fail at once.
func TestRenewalTakesTurns(t *testing.T) {
	for _, spec := range []string{"exp(mtbf=1h,mttr=1h)", "zones(mtbf=1h,mttr=1h)", "racks(mtbf=1h,mttr=1h)"} {
		list := all(t, parse(t, spec), Run{Nodes: nodes(120), Seed: 1, Horizon: week})
		until := map[string]cluster.Time{}
		for _, f := range list {
			for _, n := range f.Nodes {
				if f.At <= until[n] {
					t.Fatalf("%s: %s fails before it is up", spec, n)
				}
				until[n] = f.Until
			}
		}
		want := map[string]int{"exp": 1, "zones": 40, "racks": 20}[spec[:len(spec)-len("(mtbf=1h,mttr=1h)")]]
		if len(list[0].Nodes) != want {
			t.Errorf("%s: %d nodes fail together, want %d", spec, len(list[0].Nodes), want)
		}
	}
}

func TestNeverRepaired(t *testing.T) {
	list := all(t, parse(t, "exp(mtbf=1h,mttr=never)"), Run{Nodes: nodes(50), Seed: 1, Horizon: 30 * day})
	if len(list) != 50 || list[0].Until != cluster.Never {
		t.Errorf("%d faults, the first until %v", len(list), list[0].Until)
	}
	if list := all(t, parse(t, "nodes(mtbf=never,mttr=1h)"), Run{Nodes: nodes(50), Seed: 1, Horizon: week}); len(list) != 0 {
		t.Errorf("of what never fails, %v", list)
	}
}

// TestOtherMeansSameDraws has the same quantiles of another distribution: with
// twice the MTBF, each first failure comes twice as late.
func TestOtherMeansSameDraws(t *testing.T) {
	run := Run{Nodes: nodes(20), Seed: 1, Horizon: cluster.Never}
	for i := range run.Nodes {
		run := run
		run.Nodes = run.Nodes[i : i+1]
		a, _ := parse(t, "exp(mtbf=10d,mttr=1h)").Source(run)
		b, _ := parse(t, "exp(mtbf=20d,mttr=1h)").Source(run)
		f, _ := a.Next()
		g, _ := b.Next()
		if d := g.At - 2*f.At; d < -2 || d > 2 {
			t.Errorf("%v and %v", f, g)
		}
	}
}

// TestRenewalMemory takes no memory for a fault: the horizon may be as far away as
// one likes.
func TestRenewalMemory(t *testing.T) {
	s, err := parse(t, "weibull(shape=0.7,mtbf=12h,mttr=1h)").Source(Run{Nodes: nodes(100), Seed: 1, Horizon: cluster.Never})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10_000, func() { _, _ = s.Next() }); n != 0 {
		t.Errorf("%v allocations for a fault", n)
	}
}
