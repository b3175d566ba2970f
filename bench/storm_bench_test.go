package bench

import (
	"context"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// BenchmarkStorm plays clusters of 5,000 nodes under faults, with kube's scheduler and eviction: an
// iteration is a whole run, on one processor's time but for the collection of garbage.
func BenchmarkStorm(b *testing.B) {
	const week = 7 * 24 * cluster.Hour
	b.Run("nodes=5000/pods=1000000/week", func(b *testing.B) {
		storm(b, "exp(mtbf=34d17h20m,mttr=20m)", week, func() *crowd { // a failure every 10 minutes
			return &crowd{nodes: plainNodes(5000), classes: smallClasses(10), pods: 1_000_000, every: week / 1_000_000, run: 20 * cluster.Hour}
		})
	})
	b.Run("nodes=5000/pods=150000/outage", func(b *testing.B) {
		storm(b, "at 5m outage zone1 for 20m", cluster.Hour, func() *crowd {
			return &crowd{nodes: plainNodes(5000), classes: smallClasses(10), pods: 150_000, run: cluster.Never}
		})
	})
}

// smallClasses are such that two thirds of the nodes have room for all pods.
func smallClasses(n int) []*cluster.Class {
	classes := plainClasses(n)
	for i, c := range classes {
		c.Requests[cluster.CPU] = 20 + int64(i)
	}
	return classes
}

func storm(b *testing.B, faults string, until cluster.Time, from func() *crowd) {
	b.Helper()
	f, err := traces.Opener{}.OpenFaults(faults)
	if err != nil {
		b.Fatal(err)
	}
	policy, err := OpenPolicy(plugins.All, "kube")
	if err != nil {
		b.Fatal(err)
	}
	w := &weather{Storm: Storm{Zones: 3, For: until, Work: sim.Work{Kept: true}}, faults: f, policy: eviction.Kube, settings: eviction.Defaults()}
	out := map[string]float64{}
	for b.Loop() {
		s := cluster.NewState()
		k, err := w.over(from(), 1, nil)
		if err != nil {
			b.Fatal(err)
		}
		c, err := sim.New(s, k.source, k.options)
		if err != nil {
			b.Fatal(err)
		}
		how, err := policy.Options(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		digest, m := cluster.NewDigest(), newStormMeasure(c)
		if err := cluster.Run(context.Background(), c, s, cluster.Recorders{digest, m}, append(k.controllers, scheduler.NewScheduler(how))...); err != nil {
			b.Fatal(err)
		}
		m.metrics(out)
		out["running"] = float64(m.now[lineRunning])
	}
	for _, name := range []string{"nodes_tainted", "evictions", "detect_mean", "recover_mean", "running"} {
		b.ReportMetric(out[name], name)
	}
}
