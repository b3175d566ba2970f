package schedulertest

import (
	"errors"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Plugins of functions, from which each test makes the one that it needs.
type (
	filter      func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict
	batchFilter struct {
		filter
		batch func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID
	}
	scorer      func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64
	batchScorer struct {
		scorer
		batch func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool
	}
	normalizer struct {
		scorer
		normalize func(scores []int64)
	}
	allocator   func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict)
	preEnqueuer func(s *cluster.State, p cluster.PodID) scheduler.Verdict
)

func (f filter) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	return f(s, p)
}

func (f batchFilter) FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	return f.batch(s, p, nodes)
}

func (f scorer) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 { return f(s, p) }

func (f batchScorer) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	return f.batch(s, p, nodes, out)
}

func (f normalizer) Normalize(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, scores []int64) {
	f.normalize(scores)
}

func (f allocator) Allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	return f(s, p, n)
}

func (f preEnqueuer) PreEnqueue(s *cluster.State, p cluster.PodID) scheduler.Verdict { return f(s, p) }

// A method that doesn't fit its interface would leave a plugin on rung 1.
var (
	_ scheduler.BatchFilter = batchFilter{}
	_ scheduler.BatchScorer = batchScorer{}
	_ scheduler.Normalizer  = normalizer{}
	_ scheduler.Allocator   = allocator(nil)
	_ scheduler.PreEnqueuer = preEnqueuer(nil)
)

var taken = scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"taken"}}

// cpuLeft is how many CPUs n would have left with p on it.
func cpuLeft(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
	return (s.Free(n, cluster.CPU) - s.Class(p).Requests[cluster.CPU]) / 1000
}

// Plugins that keep the contract.

func enoughCPU(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	return func(n cluster.NodeID) (v scheduler.Verdict) {
		if s.Class(p).Requests[cluster.CPU] > s.Free(n, cluster.CPU) {
			return taken
		}
		return v
	}
}

// keepEnoughCPU is a FilterBatch that goes with enoughCPU.
func keepEnoughCPU(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	kept := nodes[:0]
	for _, n := range nodes {
		if enoughCPU(s, p)(n).Code == scheduler.Success {
			kept = append(kept, n)
		}
	}
	return kept
}

func leastCPU(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	return func(n cluster.NodeID) int64 { return max(0, 100-cpuLeft(s, p, n)) }
}

// scoreEach makes a ScoreBatch of a function of one node.
func scoreEach(score func(*cluster.State, cluster.PodID, cluster.NodeID) int64) func(*cluster.State, cluster.PodID, []cluster.NodeID, []int64) bool {
	return func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
		for i, n := range nodes {
			out[i] = score(s, p, n)
		}
		return true
	}
}

func firstGPUs(s *cluster.State, p cluster.PodID, n cluster.NodeID) (a cluster.Allocation, v scheduler.Verdict) {
	want, count := s.Class(p).GPUs, int32(0)
	for i, free := range s.Nodes.GPUFree[n] {
		if count < want.Count && free >= want.Shares {
			a.GPUs = a.GPUs.With(i)
			count++
		}
	}
	if count < want.Count {
		return cluster.Allocation{}, taken
	}
	return a, v
}

// remembering returns a ScoreBatch that goes with leastCPU, and computes a score
// once for each key.
func remembering[K comparable](key func(*cluster.State, cluster.PodID, cluster.NodeID) K) func() any {
	return func() any {
		seen := map[K]int64{}
		return batchScorer{leastCPU, scoreEach(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
			k := key(s, p, n)
			if _, ok := seen[k]; !ok {
				seen[k] = leastCPU(s, p)(n)
			}
			return seen[k]
		})}
	}
}

// plugin makes one whose instances come from instance.
func plugin(instance func() any) *scheduler.Plugin {
	return &scheduler.Plugin{Name: "Tested", New: func(scheduler.Args) (any, error) { return instance(), nil }}
}

// always makes a plugin of which every instance is the same.
func always(inst any) *scheduler.Plugin { return plugin(func() any { return inst }) }

func TestGoodPluginsPass(t *testing.T) {
	type key struct {
		class cluster.ClassID
		stamp uint64
	}
	for name, pl := range map[string]*scheduler.Plugin{
		"rung 0": scheduler.ScoreFunc("Tested", "", func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
			return leastCPU(s, p)(n)
		}),
		"filter":       always(filter(enoughCPU)),
		"nil filter":   always(filter(func(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict { return nil })),
		"batch filter": always(batchFilter{enoughCPU, keepEnoughCPU}),
		"nil scorer":   always(scorer(func(*cluster.State, cluster.PodID) func(cluster.NodeID) int64 { return nil })),
		"scorer":       always(scorer(leastCPU)),
		"allocator":    always(allocator(firstGPUs)),
		"normalizer": always(normalizer{
			func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
				return func(n cluster.NodeID) int64 { return cpuLeft(s, p, n) * 1000 }
			},
			func(scores []int64) {
				for i := range scores {
					scores[i] = min(scores[i]/1000, 100)
				}
			},
		}),
		"remembers by class and stamp": plugin(remembering(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) key {
			return key{s.Pods.Class[p], s.Nodes.Stamp[n]}
		})),
		"a set": {Name: "Tested", Members: []scheduler.Weighted{{Name: "Other", Weight: 1}}},
		"a gate": always(preEnqueuer(func(s *cluster.State, p cluster.PodID) (v scheduler.Verdict) {
			if s.Class(p).GPUs.Count > 0 {
				return taken
			}
			return v
		})),
		"all at once": always(struct {
			batchFilter
			batchScorer
			allocator
		}{batchFilter{enoughCPU, keepEnoughCPU}, batchScorer{leastCPU, scoreEach(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
			return leastCPU(s, p)(n)
		})}, firstGPUs}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			TestPlugin(t, pl)
		})
	}
}

// A fault is a plugin that breaks the contract in one way, and what Check says.
type fault struct {
	name   string
	plugin *scheduler.Plugin
	want   string
}

func checkFaults(t *testing.T, faults []fault) {
	t.Helper()
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.plugin)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check returns %v, which should contain %q", err, tt.want)
			}
		})
	}
}

func TestNoPlugin(t *testing.T) {
	count := 0
	checkFaults(t, []fault{
		{"no name", &scheduler.Plugin{New: always(1).New}, "name"},
		{"no New", &scheduler.Plugin{Name: "Tested"}, "either New or Members"},
		{"no instance", &scheduler.Plugin{Name: "Tested", New: func(scheduler.Args) (any, error) {
			return nil, errors.New("out of order")
		}}, "out of order"},
		{"no second instance", &scheduler.Plugin{Name: "Tested", New: func(scheduler.Args) (any, error) {
			if count++; count > 1 {
				return nil, errors.New("sold out")
			}
			return scorer(leastCPU), nil
		}}, "sold out"},
		{"nothing that a plugin does", always(struct{}{}), "struct {}, which implements none"},
	})
}
