package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeUnschedulable is kube's plugin of that name
// (pkg/scheduler/framework/plugins/nodeunschedulable).
var NodeUnschedulable = &scheduler.Plugin{
	Name:     "NodeUnschedulable",
	Doc:      "NodeUnschedulable rules out cordoned nodes, unless the pod tolerates the taint that they get.",
	New:      func(scheduler.Args) (any, error) { return nodeUnschedulable{}, nil },
	Required: true,
}

type nodeUnschedulable struct{}

var cordoned = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) were unschedulable"}}

// Filter implements scheduler.Filter.
func (nodeUnschedulable) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	if toleratesCordon(s.Class(p)) {
		return nil
	}
	unschedulable := s.Nodes.Unschedulable
	return func(n cluster.NodeID) scheduler.Verdict {
		if unschedulable[n] {
			return cordoned
		}
		return scheduler.Verdict{}
	}
}

// FilterBatch implements scheduler.BatchFilter.
func (nodeUnschedulable) FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	if toleratesCordon(s.Class(p)) {
		return nodes
	}
	unschedulable, kept := s.Nodes.Unschedulable, nodes[:0]
	for _, n := range nodes {
		if !unschedulable[n] {
			kept = append(kept, n)
		}
	}
	return kept
}

// Depends implements scheduler.Dependent.
func (nodeUnschedulable) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	if toleratesCordon(s.ClassByID(c)) {
		return scheduler.Dependence{Filter: scheduler.Class}
	}
	return scheduler.Dependence{Filter: scheduler.Described}
}

// Wakes implements scheduler.Waker.
func (nodeUnschedulable) Wakes() scheduler.Action {
	return scheduler.NodeAdd | scheduler.UpdateNodeTaint | scheduler.UpdatePodToleration
}

// Wake implements scheduler.Waker: a node is new and not cordoned, or is cordoned
// no more, or the pod tolerates it now.
func (nodeUnschedulable) Wake(s *cluster.State, _ *cluster.Class, c *scheduler.Change) bool {
	if c.What == scheduler.UpdatePodToleration {
		return c.Own && toleratesCordon(s.ClassByID(c.Pod.Class))
	}
	return !c.Node.Unschedulable && (c.OldNode == nil || c.OldNode.Unschedulable)
}

func toleratesCordon(c *cluster.Class) bool {
	return tolerates(c.Tolerations, &cluster.Taint{Key: cluster.TaintUnschedulable, Effect: cluster.NoSchedule})
}
