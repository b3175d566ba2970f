package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// TaintToleration is kube's plugin of that name
// (pkg/scheduler/framework/plugins/tainttoleration).
var TaintToleration = &scheduler.Plugin{
	Name: "TaintToleration",
	Doc: "TaintToleration rules out nodes with NoSchedule and NoExecute taints that the pod doesn't tolerate. " +
		"It prefers nodes with few PreferNoSchedule taints that the pod doesn't tolerate.",
	New:      func(scheduler.Args) (any, error) { return taintToleration{}, nil },
	Required: true,
}

type taintToleration struct{}

var tainted = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) had untolerated taint(s)"}}

// Filter implements scheduler.Filter.
func (taintToleration) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	tolerations := s.Class(p).Tolerations
	return func(n cluster.NodeID) scheduler.Verdict {
		if repels(s.Nodes.Taints[n], tolerations) {
			return tainted
		}
		return scheduler.Verdict{}
	}
}

// FilterBatch implements scheduler.BatchFilter.
func (taintToleration) FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	tolerations, taints, kept := s.Class(p).Tolerations, s.Nodes.Taints, nodes[:0]
	for _, n := range nodes {
		if !repels(taints[n], tolerations) {
			kept = append(kept, n)
		}
	}
	return kept
}

// Score implements scheduler.Scorer. It counts what Normalize turns round.
func (taintToleration) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	tolerations := s.Class(p).Tolerations
	return func(n cluster.NodeID) int64 { return discouragement(s.Nodes.Taints[n], tolerations) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (taintToleration) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	tolerations, taints := s.Class(p).Tolerations, s.Nodes.Taints
	for i, n := range nodes {
		out[i] = discouragement(taints[n], tolerations)
	}
	return true
}

// Normalize implements scheduler.Normalizer.
func (taintToleration) Normalize(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, scores []int64) {
	normalize(scores, true)
}

// Depends implements scheduler.Dependent.
func (taintToleration) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Filter: scheduler.Described, Score: scheduler.Described}
}

// Wakes implements scheduler.Waker.
func (taintToleration) Wakes() scheduler.Action {
	return scheduler.NodeAdd | scheduler.UpdateNodeTaint | scheduler.UpdatePodToleration
}

// Wake implements scheduler.Waker: the pod has another toleration, whichever, or a
// node doesn't repel it that is new or did so before.
func (taintToleration) Wake(_ *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	if c.What == scheduler.UpdatePodToleration {
		return c.Own
	}
	return !repels(c.Node.Taints, class.Tolerations) && (c.OldNode == nil || repels(c.OldNode.Taints, class.Tolerations))
}

// repels reports whether one of taints keeps new pods off that have only these
// tolerations.
func repels(taints []cluster.Taint, tolerations []cluster.Toleration) bool {
	for i := range taints {
		t := &taints[i]
		if (t.Effect == cluster.NoSchedule || t.Effect == cluster.NoExecute) && !tolerates(tolerations, t) {
			return true
		}
	}
	return false
}

// discouragement counts the PreferNoSchedule taints that none of tolerations is
// for.
func discouragement(taints []cluster.Taint, tolerations []cluster.Toleration) (count int64) {
	for i := range taints {
		if t := &taints[i]; t.Effect == cluster.PreferNoSchedule && !tolerates(tolerations, t) {
			count++
		}
	}
	return count
}

func tolerates(tolerations []cluster.Toleration, t *cluster.Taint) bool {
	for i := range tolerations {
		if tolerations[i].Tolerates(t) {
			return true
		}
	}
	return false
}
