package plugins

import (
	"testing"

	"github.com/berthsim/berth/scheduler"
)

// filterer is a Filter by another name: in a struct, an embedded Filter would be a
// field called Filter, which hides the method.
type filterer = scheduler.Filter

// rung1 hides all of a plugin but what rung 1 asks for: what an author wrote who
// stopped there.
func rung1(pl *scheduler.Plugin) *scheduler.Plugin {
	lower := *pl
	lower.New = func(args scheduler.Args) (any, error) {
		inst, err := pl.New(args)
		f, filters := inst.(scheduler.Filter)
		sc, scores := inst.(scheduler.Scorer)
		al, allocates := inst.(scheduler.Allocator)
		norm, normalizes := inst.(scheduler.Normalizer)
		switch {
		case filters && scores:
			return struct {
				filterer
				scheduler.Scorer
			}{f, sc}, err
		case filters && allocates:
			return struct {
				filterer
				scheduler.Allocator
			}{f, al}, err
		case scores && allocates:
			return struct {
				scheduler.Scorer
				scheduler.Allocator
			}{sc, al}, err
		case normalizes:
			return struct{ scheduler.Normalizer }{norm}, err
		case scores:
			return struct{ scheduler.Scorer }{sc}, err
		case allocates:
			return struct{ scheduler.Allocator }{al}, err
		}
		return inst, err
	}
	return &lower
}

// TestPlacementsDoNotAllocate counts allocations of 100 placements at a time, so
// that one in a hundred would show.
func TestPlacementsDoNotAllocate(t *testing.T) {
	const placements = 100
	count := func(policy *scheduler.Plugin, plugins ...*scheduler.Plugin) float64 {
		w := newTreadmill(t, 200, append(plugins, policy), policy.Name)
		return testing.AllocsPerRun(10, func() {
			for range placements {
				w.place(t)
			}
		}) / placements
	}
	var required []*scheduler.Plugin
	for _, pl := range All {
		if pl.Required {
			required = append(required, pl)
		}
	}
	for _, policy := range []*scheduler.Plugin{LeastAllocated, MostAllocated, BestFit, DotProd, GPUPacking, GPUClustering, FGD, Random} {
		if got := count(policy, NodeResourcesFit, GPUDevices); got > 0 {
			t.Errorf("%s: %.2f allocations a placement, want none", policy.Name, got)
		}
		if got := count(policy, required...); got > 0 {
			t.Errorf("%s with all required plugins: %.2f allocations a placement, want none", policy.Name, got)
		}
		// On rung 1, the function is one for each plugin. NodeResourcesFit stays
		// on rung 2: it makes a text for each node that it refuses.
		limit := 2.0
		if policy == LeastAllocated || policy == MostAllocated {
			limit = 4 // and a list of the resources
		}
		if got := count(rung1(policy), NodeResourcesFit, rung1(GPUDevices)); got > limit {
			t.Errorf("%s on rung 1: %.2f allocations a placement, want at most %v", policy.Name, got, limit)
		}
	}
}
