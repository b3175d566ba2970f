package bench

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// TestDigestsWithoutRankings plays whole runs twice, with what plugins say kept and asked
// anew each time: every decision must be the same.
func TestDigestsWithoutRankings(t *testing.T) {
	for _, tt := range []struct{ trace, policy string }{
		{"synthetic:gpu?nodes=120", "kube"}, {"synthetic:gpu?nodes=120", "fgd"}, {"synthetic:gpu?nodes=120", "gpuclustering:2+leastallocated"},
		{"synthetic:gpu?mode=time&nodes=120&pods=3000", "kube"}, {"synthetic:gpu?mode=time&nodes=120&pods=3000&load=1.2", "mostallocated"},
	} {
		t.Run(tt.trace+" "+tt.policy, func(t *testing.T) {
			tr, err := traces.Opener{}.Open(tt.trace)
			if err != nil {
				t.Fatal(err)
			}
			kept, scans := digestOf(t, tr, tt.policy, true)
			plain, all := digestOf(t, tr, tt.policy, false)
			if kept != plain {
				t.Errorf("the digest is %s, and without rankings %s", kept, plain)
			}
			if scans >= all {
				t.Errorf("with rankings %d decisions looked at all nodes, without %d", scans, all)
			}
		})
	}
}

// digestOf plays a trace, and returns the digest and how many decisions looked at all
// nodes.
func digestOf(t *testing.T, tr *traces.Trace, policy string, ranking bool) (sum string, scans uint64) {
	t.Helper()
	opened, err := OpenPolicy(plugins.All, policy)
	if err != nil {
		t.Fatal(err)
	}
	how, err := opened.Options(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pr := how.Profiles[""]
	pr.SetRanking(ranking)
	s := cluster.NewState()
	s.Seed, s.Mix = 7, tr.Mix
	c, err := sim.New(s, tr.Events(7), sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	digest := cluster.NewDigest()
	if err := cluster.Run(t.Context(), c, s, digest, scheduler.NewScheduler(how)); err != nil {
		t.Fatal(err)
	}
	return digest.Sum(), pr.Work().Scans
}
