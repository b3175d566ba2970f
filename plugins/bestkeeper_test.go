package plugins_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// TestBestKeepers normalises random scores: the nodes with the highest score must be those that
// had it before, and no others.
func TestBestKeepers(t *testing.T) {
	s := cluster.NewState()
	rng := rand.New(rand.NewPCG(1, 7))
	keepers := 0
	for _, pl := range plugins.All {
		if pl.New == nil || pl == plugins.ElasticQuota {
			continue // it is a list of others, or needs arguments
		}
		inst, err := pl.New(nil)
		if err != nil {
			t.Errorf("%s: %v", pl.Name, err)
			continue
		}
		keeper, ok := inst.(scheduler.BestKeeper)
		if !ok {
			continue
		}
		keepers++
		for range 5000 {
			scores := make([]int64, 1+rng.IntN(6))
			nodes := make([]cluster.NodeID, len(scores))
			spread := 1 + rng.Int64N(1000)
			for i := range scores {
				scores[i] = rng.Int64N(spread) - spread/2
			}
			before := slices.Clone(scores)
			keeper.Normalize(s, 0, nodes, scores)
			for i := range scores {
				if (before[i] == slices.Max(before)) != (scores[i] == slices.Max(scores)) {
					t.Fatalf("%s makes %v of %v", pl.Name, scores, before)
				}
			}
		}
	}
	if keepers == 0 {
		t.Error("no plugin is a BestKeeper")
	}
}
