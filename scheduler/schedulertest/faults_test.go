package schedulertest

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// sorter is a Sorter with a lane for each priority.
type sorter struct {
	lane  func(s *cluster.State, p cluster.PodID) int
	first func(s *cluster.State, heads []cluster.PodID) int
}

func (so sorter) Lane(s *cluster.State, p cluster.PodID) int        { return so.lane(s, p) }
func (so sorter) First(s *cluster.State, heads []cluster.PodID) int { return so.first(s, heads) }

func TestFaultySorters(t *testing.T) {
	byName := func(s *cluster.State, p cluster.PodID) int { return int(s.Pods.Name[p][len(s.Pods.Name[p])-1]) }
	last := func(_ *cluster.State, heads []cluster.PodID) int { return len(heads) - 1 }
	if err := Check(always(sorter{byName, last})); err != nil {
		t.Errorf("one that does: %v", err)
	}
	calls := 0
	checkFaults(t, []fault{
		{"a negative lane", always(sorter{func(*cluster.State, cluster.PodID) int { return -1 }, last}), "Lane says -1"},
		{"too high a lane", always(sorter{func(*cluster.State, cluster.PodID) int { return 1 << 16 }, last}), "Lane says 65536"},
		{"another lane each time", always(sorter{func(*cluster.State, cluster.PodID) int { calls++; return calls }, last}), "and a fresh instance's"},
		{"behind the last", always(sorter{byName, func(_ *cluster.State, heads []cluster.PodID) int { return len(heads) }}), "First chooses 3"},
		{"before the first", always(sorter{byName, func(*cluster.State, []cluster.PodID) int { return -1 }}), "First chooses -1"},
		{"turns", always(sorter{byName, func(_ *cluster.State, heads []cluster.PodID) int { calls++; return calls % len(heads) }}), "and asked again"},
		{"writing", always(sorter{byName, func(s *cluster.State, _ []cluster.PodID) int { s.Now++; return 0 }}), "the State was written to"},
	})
}

func TestFaultyFilters(t *testing.T) {
	saying := func(v scheduler.Verdict) *scheduler.Plugin {
		return always(filter(func(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
			return func(cluster.NodeID) scheduler.Verdict { return v }
		}))
	}
	calls := 0
	checkFaults(t, []fault{
		{"no reason", saying(scheduler.Verdict{Code: scheduler.Unresolvable}), "without a reason"},
		{"a reason to pass", saying(scheduler.Verdict{Reasons: []string{"why not"}}), `with reasons ["why not"]`},
		{"kube's Error", saying(scheduler.Verdict{Code: 1, Reasons: []string{"no"}}), "code 1"},
		{"kube's Wait", saying(scheduler.Verdict{Code: 4, Reasons: []string{"no"}}), "code 4"},
		{"a batch off by one", always(batchFilter{enoughCPU, func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
			return slices.DeleteFunc(nodes, func(n cluster.NodeID) bool {
				return s.Class(p).Requests[cluster.CPU] >= s.Free(n, cluster.CPU)
			})
		}}), "FilterBatch keeps"},
		{"a batch that forgets to filter", always(batchFilter{enoughCPU, func(_ *cluster.State, _ cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
			return nodes
		}}), "FilterBatch keeps"},
		{"a batch that goes over all nodes", always(batchFilter{enoughCPU, func(s *cluster.State, p cluster.PodID, _ []cluster.NodeID) []cluster.NodeID {
			return keepEnoughCPU(s, p, slices.Clone(s.Nodes.Live()))
		}}), "FilterBatch keeps of rows"},
		{"a batch in another order", always(batchFilter{enoughCPU, func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
			kept := keepEnoughCPU(s, p, nodes)
			slices.Sort(kept)
			return kept
		}}), "FilterBatch keeps"},
		{"another answer each time", always(filter(func(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
			return func(cluster.NodeID) (v scheduler.Verdict) {
				if calls++; calls%7 == 0 {
					return taken
				}
				return v
			}
		})), "Filter says"},
		{"another reason each time", always(filter(func(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
			calls++
			v := scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"once", "twice"}[calls%2 : calls%2+1]}
			return func(cluster.NodeID) scheduler.Verdict { return v }
		})), "Filter says"},
		{"remembering who was refused", plugin(func() any {
			refused := map[cluster.NodeID]bool{}
			return filter(func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
				return func(n cluster.NodeID) (v scheduler.Verdict) {
					if refused[n] || enoughCPU(s, p)(n).Code != scheduler.Success {
						refused[n] = true
						return taken
					}
					return v
				}
			})
		}), "a fresh instance's"},
		{"going by rows", always(filter(func(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
			return func(n cluster.NodeID) (v scheduler.Verdict) {
				if n%2 == 0 {
					return taken
				}
				return v
			}
		})), "in other rows"},
	})
}

func TestFaultyScorers(t *testing.T) {
	scoring := func(score func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64) *scheduler.Plugin {
		return scheduler.ScoreFunc("Tested", "", score)
	}
	batch := func(batch func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool) *scheduler.Plugin {
		return always(batchScorer{leastCPU, batch})
	}
	normalizing := func(normalize func(scores []int64)) *scheduler.Plugin { return always(normalizer{leastCPU, normalize}) }
	calls := int64(0)
	checkFaults(t, []fault{
		{"below 0", scoring(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 { return min(1, cpuLeft(s, p, n)) - 1 }), "score -1 is out"},
		{"above 100", scoring(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
			return max(0, min(101, cpuLeft(s, p, n)))
		}), "score 101 is out"},
		{"normalised below 0", normalizing(func(scores []int64) { scores[0] = -1 }), "score -1 is out"},
		{"normalised above 100", normalizing(func(scores []int64) { scores[len(scores)-1] = 101 }), "score 101 is out"},
		{"normalising as the wind blows", normalizing(func(scores []int64) { calls++; scores[0] = calls % 100 }), "Normalize gives"},
		{"a batch that forgets the pod", batch(scoreEach(func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) int64 {
			return max(0, 100-s.Free(n, cluster.CPU)/1000)
		})), "ScoreBatch gives"},
		{"a batch that leaves out what scores 0", batch(func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
			for i, n := range nodes {
				if v := leastCPU(s, p)(n); v != 0 {
					out[i] = v
				}
			}
			return true
		}), "ScoreBatch gives"},
		{"a batch by row", batch(func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
			for i := range nodes {
				out[i] = leastCPU(s, p)(cluster.NodeID(i))
			}
			return true
		}), "ScoreBatch gives"},
		{"another answer each time", scoring(func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { calls++; return calls % 100 }), "Score gives"},
		{"going by rows of nodes", scoring(func(_ *cluster.State, _ cluster.PodID, n cluster.NodeID) int64 { return int64(n) % 100 }), "in other rows"},
		{"going by rows of pods", scoring(func(_ *cluster.State, p cluster.PodID, _ cluster.NodeID) int64 { return int64(p) % 100 }), "in other rows"},
	})
}

// TestForgetfulness tries memories whose keys leave out what the score depends
// on.
func TestForgetfulness(t *testing.T) {
	type S = *cluster.State
	type key struct{ a, b any }
	by := func(key func(s S, p cluster.PodID, n cluster.NodeID) key) *scheduler.Plugin {
		return plugin(remembering(key))
	}
	const want = "ScoreBatch gives"
	checkFaults(t, []fault{
		{"class and row", by(func(s S, p cluster.PodID, n cluster.NodeID) key { return key{s.Pods.Class[p], n} }), want},
		{"class and name", by(func(s S, p cluster.PodID, n cluster.NodeID) key {
			return key{s.Pods.Class[p], s.Nodes.Name[n]}
		}), want},
		{"stamp alone", by(func(s S, _ cluster.PodID, n cluster.NodeID) key { return key{s.Nodes.Stamp[n], nil} }), want},
		{"class, capacity and number of pods", by(func(s S, p cluster.PodID, n cluster.NodeID) key {
			return key{s.Pods.Class[p], [2]int64{s.Nodes.Used[cluster.PodSlots][n], s.Nodes.Cap[cluster.CPU][n]}}
		}), want},
		{"class, name and time, which a trial leaves as they are", by(func(s S, p cluster.PodID, n cluster.NodeID) key {
			return key{s.Pods.Class[p], [2]any{s.Nodes.Name[n], s.Now}}
		}), want},
	})
}

func TestFaultyAllocators(t *testing.T) {
	giving := func(change func(want cluster.GPURequest, free []int32, a cluster.GPUSet) cluster.GPUSet) *scheduler.Plugin {
		return always(allocator(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
			a, v := firstGPUs(s, p, n)
			if v.Code == scheduler.Success && s.Class(p).GPUs.Count > 0 {
				a.GPUs = change(s.Class(p).GPUs, s.Nodes.GPUFree[n], a.GPUs)
			}
			return a, v
		}))
	}
	answering := func(answer func(a cluster.Allocation, v scheduler.Verdict) (cluster.Allocation, scheduler.Verdict)) *scheduler.Plugin {
		return always(allocator(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
			return answer(firstGPUs(s, p, n))
		}))
	}
	calls := 0
	checkFaults(t, []fault{
		{"none", giving(func(cluster.GPURequest, []int32, cluster.GPUSet) cluster.GPUSet { return 0 }), "0 GPUs for a pod"},
		{"too few", giving(func(_ cluster.GPURequest, _ []int32, a cluster.GPUSet) cluster.GPUSet { return a & (a - 1) }), "GPUs for a pod"},
		{"all of them", giving(func(_ cluster.GPURequest, free []int32, _ cluster.GPUSet) cluster.GPUSet {
			return 1<<len(free) - 1
		}), "GPU"},
		{"a GPU in use", giving(func(want cluster.GPURequest, _ []int32, _ cluster.GPUSet) cluster.GPUSet {
			return 1<<want.Count - 1
		}), "shares free, and the pod asks for"},
		{"one past the end", giving(func(_ cluster.GPURequest, free []int32, a cluster.GPUSet) cluster.GPUSet {
			return a&(a-1) | 1<<len(free)
		}), "more than the node's"},
		{"another one each time", giving(func(want cluster.GPURequest, free []int32, a cluster.GPUSet) cluster.GPUSet {
			calls++
			if i := calls % len(free); want.Count == 1 && free[i] >= want.Shares {
				return 1 << i
			}
			return a
		}), "asked again"},
		{"refusing what is free", answering(func(cluster.Allocation, scheduler.Verdict) (cluster.Allocation, scheduler.Verdict) {
			return cluster.Allocation{}, taken
		}), "where the devices are free"},
		{"refusing with devices", answering(func(a cluster.Allocation, v scheduler.Verdict) (cluster.Allocation, scheduler.Verdict) {
			if v.Code != scheduler.Success {
				a.GPUs = 1
			}
			return a, v
		}), "and gives devices"},
		{"refusing nothing", answering(func(a cluster.Allocation, _ scheduler.Verdict) (cluster.Allocation, scheduler.Verdict) {
			return a, scheduler.Verdict{}
		}), "0 GPUs for a pod"},
		{"no reason", answering(func(a cluster.Allocation, v scheduler.Verdict) (cluster.Allocation, scheduler.Verdict) {
			return a, scheduler.Verdict{Code: v.Code}
		}), "without a reason"},
	})
}
