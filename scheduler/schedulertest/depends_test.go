package schedulertest

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// declaring is a Scorer and Filter that says what its answers depend on, rightly or not.
type declaring struct {
	on     scheduler.Dependence
	filter func(s *cluster.State, p cluster.PodID, n cluster.NodeID) bool
	score  func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64
}

func (d declaring) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence { return d.on }

func (d declaring) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	return func(n cluster.NodeID) scheduler.Verdict {
		if d.filter != nil && !d.filter(s, p, n) {
			return taken
		}
		return scheduler.Verdict{}
	}
}

func (d declaring) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	if d.score == nil {
		return nil
	}
	return func(n cluster.NodeID) int64 { return d.score(s, p, n) }
}

// row and described depend on what they are called for.
func row(s *cluster.State, _ cluster.PodID, n cluster.NodeID) int64 {
	return min(s.Nodes.Used[cluster.PodSlots][n], scheduler.MaxScore)
}

func described(s *cluster.State, _ cluster.PodID, n cluster.NodeID) int64 {
	return int64(len(s.Nodes.Labels[n]))
}

func TestDeclarations(t *testing.T) {
	free := func(s *cluster.State, p cluster.PodID, n cluster.NodeID) bool { return s.Free(n, cluster.PodSlots) > 0 }
	ssd := func(s *cluster.State, p cluster.PodID, n cluster.NodeID) bool {
		_, ok := s.Nodes.Labels[n].Get("disk")
		return ok
	}
	for name, d := range map[string]declaring{
		"row":       {on: scheduler.Dependence{Filter: scheduler.Row, Score: scheduler.Row}, filter: free, score: row},
		"described": {on: scheduler.Dependence{Filter: scheduler.Described, Score: scheduler.Described}, filter: ssd, score: described},
		"class":     {on: scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Class}},
		"anything":  {filter: free, score: row},
	} {
		t.Run(name, func(t *testing.T) { TestPlugin(t, always(d)) })
	}
	crowd := func(s *cluster.State, p cluster.PodID, _ cluster.NodeID) int64 {
		return s.Nodes.Used[cluster.PodSlots][0] % 100
	}
	checkFaults(t, []fault{
		{"score of a row that depends on another", always(declaring{on: scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Row}, score: crowd}), "Depends declares"},
		{"score of a description that depends on the row", always(declaring{on: scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Described}, score: row}), "Depends declares"},
		{"score of nothing that depends on the row", always(declaring{on: scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Class}, score: row}), "Depends declares"},
		{"verdict on a description that depends on the row", always(declaring{on: scheduler.Dependence{Filter: scheduler.Described, Score: scheduler.Class}, filter: free}), "Depends declares"},
		{"verdict without a say that rules nodes out", always(declaring{on: scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Class}, filter: ssd}), "Depends declares"},
	})
}
