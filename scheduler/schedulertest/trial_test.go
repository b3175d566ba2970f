package schedulertest

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// even is a TrialFilter that lets pods on nodes with at most three pods more than
// the node with the fewest. It prepares by counting the pods on every node.
type even struct {
	// follow is told of changes in place of the counts, if it is set.
	follow func(counts map[cluster.NodeID]int, q cluster.PodID, n cluster.NodeID, delta int)
}

func (f even) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	may, _ := f.FilterTrial(s, p)
	return may
}

func (f even) FilterTrial(s *cluster.State, _ cluster.PodID) (func(cluster.NodeID) scheduler.Verdict, func(cluster.PodID, cluster.NodeID, int)) {
	counts := map[cluster.NodeID]int{}
	for _, n := range s.Nodes.Live() {
		counts[n] = len(slices.Collect(s.PodsOn(n)))
	}
	may := func(n cluster.NodeID) (v scheduler.Verdict) {
		fewest := math.MaxInt
		for _, m := range s.Nodes.Live() {
			fewest = min(fewest, counts[m])
		}
		if counts[n] > fewest+3 {
			return taken
		}
		return v
	}
	return may, func(q cluster.PodID, n cluster.NodeID, delta int) {
		if f.follow != nil {
			f.follow(counts, q, n, delta)
		} else {
			counts[n] += delta
		}
	}
}

// named is a Preselector that lets pods on the nodes whose names end in an even
// digit.
type named struct {
	preselect func(names []string) ([]string, bool, scheduler.Verdict)
}

func (named) even(name string) bool { return name[len(name)-1]%2 == 0 }

func (f named) Filter(s *cluster.State, _ cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	return func(n cluster.NodeID) (v scheduler.Verdict) {
		if !f.even(s.Nodes.Name[n]) {
			return taken
		}
		return v
	}
}

func (f named) Preselect(s *cluster.State, _ cluster.PodID) ([]string, bool, scheduler.Verdict) {
	names := []string{"nowhere"}
	for _, n := range s.Nodes.Live() {
		if name := s.Nodes.Name[n]; f.even(name) {
			names = append(names, name)
		}
	}
	return f.preselect(names)
}

// ranked is a SetScorer: 100 for the nodes with as much CPU free as any.
type ranked struct{}

func (r ranked) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	return r.ScoreAmong(s, p, s.Nodes.Live())
}

func (ranked) ScoreAmong(s *cluster.State, _ cluster.PodID, nodes []cluster.NodeID) func(cluster.NodeID) int64 {
	most := int64(math.MinInt64)
	for _, n := range nodes {
		most = max(most, s.Free(n, cluster.CPU))
	}
	return func(n cluster.NodeID) int64 {
		if s.Free(n, cluster.CPU) == most {
			return scheduler.MaxScore
		}
		return 0
	}
}

// rankedBatch is a SetScorer on rung 2.
type rankedBatch struct {
	ranked
	batch func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool
}

func (r rankedBatch) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	return r.batch(s, p, nodes, out)
}

var (
	_ scheduler.TrialFilter = even{}
	_ scheduler.Preselector = named{}
	_ scheduler.SetScorer   = rankedBatch{}
	_ scheduler.BatchScorer = rankedBatch{}
)

// scoreAmong makes a ScoreBatch that takes some nodes for the feasible ones.
func scoreAmong(feasible func(s *cluster.State, nodes []cluster.NodeID) []cluster.NodeID) *scheduler.Plugin {
	return always(rankedBatch{batch: func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
		score := ranked{}.ScoreAmong(s, p, feasible(s, nodes))
		for i, n := range nodes {
			out[i] = score(n)
		}
		return true
	}})
}

func TestGoodRareKindsPass(t *testing.T) {
	for name, pl := range map[string]*scheduler.Plugin{
		"trial filter": always(even{}),
		"preselector":  always(named{func(names []string) ([]string, bool, scheduler.Verdict) { return names, true, scheduler.Verdict{} }}),
		"preselector that can't tell": always(named{func([]string) ([]string, bool, scheduler.Verdict) {
			return nil, false, scheduler.Verdict{}
		}}),
		"preselector that refuses": always(named{func([]string) ([]string, bool, scheduler.Verdict) { return nil, false, taken }}),
		"set scorer":               always(ranked{}),
		"set scorer on rung 2":     scoreAmong(func(_ *cluster.State, nodes []cluster.NodeID) []cluster.NodeID { return nodes }),
		"a say about some pods": always(batchScorer{
			func(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
				if s.Class(p).GPUs.Count == 0 {
					return nil
				}
				return leastCPU(s, p)
			},
			func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
				if s.Class(p).GPUs.Count == 0 {
					clear(out)
					return false
				}
				for i, n := range nodes {
					out[i] = leastCPU(s, p)(n)
				}
				return true
			},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			TestPlugin(t, pl)
		})
	}
}

func TestFaultyTrialFilters(t *testing.T) {
	following := func(follow func(counts map[cluster.NodeID]int, q cluster.PodID, n cluster.NodeID, delta int)) *scheduler.Plugin {
		return always(even{follow})
	}
	const want = "FilterTrial says"
	checkFaults(t, []fault{
		{"deaf", following(func(map[cluster.NodeID]int, cluster.PodID, cluster.NodeID, int) {}), want},
		{"deaf to removals", following(func(counts map[cluster.NodeID]int, _ cluster.PodID, n cluster.NodeID, delta int) {
			counts[n] += max(delta, 0)
		}), want},
		{"wrong way round", following(func(counts map[cluster.NodeID]int, _ cluster.PodID, n cluster.NodeID, delta int) {
			counts[n] -= delta
		}), want},
		{"wrong node", following(func(counts map[cluster.NodeID]int, q cluster.PodID, _ cluster.NodeID, delta int) {
			counts[cluster.NodeID(q)] += delta
		}), want},
	})
}

func TestFaultyPreselectors(t *testing.T) {
	calls := 0
	preselecting := func(preselect func(names []string) ([]string, bool, scheduler.Verdict)) *scheduler.Plugin {
		return always(named{preselect})
	}
	checkFaults(t, []fault{
		{"leaving out a node that will do", preselecting(func(names []string) ([]string, bool, scheduler.Verdict) {
			return names[:len(names)-1], true, scheduler.Verdict{}
		}), "Preselect leaves it out"},
		{"no reason", preselecting(func(names []string) ([]string, bool, scheduler.Verdict) {
			return names, true, scheduler.Verdict{Code: scheduler.Unresolvable}
		}), "Preselect: it refuses the pod"},
		{"another answer each time", preselecting(func(names []string) ([]string, bool, scheduler.Verdict) {
			calls++
			return names, calls%2 == 0, scheduler.Verdict{}
		}), "asked again"},
	})
}

// unsure is a PreScorer.
type unsure struct {
	scorer
	preScore func(*cluster.State, cluster.PodID) error
}

func (u unsure) PreScore(s *cluster.State, p cluster.PodID) error { return u.preScore(s, p) }

var _ scheduler.PreScorer = unsure{}

func TestPreScorers(t *testing.T) {
	never := func(*cluster.State, cluster.PodID) func(cluster.NodeID) int64 { panic("asked to score what it can't") }
	failing := func(*cluster.State, cluster.PodID) error { return errors.New("what is that?") }
	TestPlugin(t, always(unsure{never, failing}))
	calls := 0
	checkFaults(t, []fault{
		{"another answer each time", always(unsure{leastCPU, func(s *cluster.State, p cluster.PodID) error {
			if calls++; calls%2 == 0 {
				return failing(s, p)
			}
			return nil
		}}), "asked again what is that?"},
		{"writing", always(unsure{leastCPU, func(s *cluster.State, _ cluster.PodID) error { s.Now++; return nil }}), "written to"},
	})
}

func TestFaultyGates(t *testing.T) {
	calls := 0
	checkFaults(t, []fault{
		{"no reason", always(preEnqueuer(func(*cluster.State, cluster.PodID) scheduler.Verdict {
			return scheduler.Verdict{Code: scheduler.Unresolvable}
		})), "PreEnqueue: it refuses the pod"},
		{"another answer each time", always(preEnqueuer(func(*cluster.State, cluster.PodID) (v scheduler.Verdict) {
			if calls++; calls%2 == 0 {
				return taken
			}
			return v
		})), "asked again"},
		{"writing", always(preEnqueuer(func(s *cluster.State, _ cluster.PodID) (v scheduler.Verdict) { s.Now++; return v })), "written to"},
	})
}

func TestFaultySays(t *testing.T) {
	saysNothing := func(*cluster.State, cluster.PodID) func(cluster.NodeID) int64 { return nil }
	checkFaults(t, []fault{
		{"a batch that says what Score doesn't", always(batchScorer{saysNothing, func(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, out []int64) bool {
			clear(out)
			return true
		}}), "has a say about the pod is true"},
		{"a batch that doesn't say what Score does", always(batchScorer{leastCPU, func(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, out []int64) bool {
			clear(out)
			return false
		}}), "has a say about the pod is false"},
		{"a batch that says nothing and sets no zeros", always(batchScorer{saysNothing, func(*cluster.State, cluster.PodID, []cluster.NodeID, []int64) bool {
			return false
		}}), "ScoreBatch gives"},
		{"a batch that takes all nodes for feasible", scoreAmong(func(s *cluster.State, _ []cluster.NodeID) []cluster.NodeID {
			return s.Nodes.Live()
		}), "ScoreBatch gives"},
		{"a batch that takes the first for all", scoreAmong(func(_ *cluster.State, nodes []cluster.NodeID) []cluster.NodeID {
			return nodes[:1]
		}), "ScoreBatch gives"},
	})
}
