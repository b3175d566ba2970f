package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeName is kube's plugin of that name
// (pkg/scheduler/framework/plugins/nodename).
var NodeName = &scheduler.Plugin{
	Name:     "NodeName",
	Doc:      "NodeName rules out all nodes but the one that the pod names, if it names one.",
	New:      func(scheduler.Args) (any, error) { return nodeName{}, nil },
	Required: true,
}

type nodeName struct{}

var otherName = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't match the requested node name"}}

// Filter implements scheduler.Filter.
func (nodeName) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	name := s.Class(p).NodeName
	if name == "" {
		return nil
	}
	return func(n cluster.NodeID) scheduler.Verdict {
		if s.Nodes.Name[n] != name {
			return otherName
		}
		return scheduler.Verdict{}
	}
}

// Depends implements scheduler.Dependent.
func (nodeName) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	if s.ClassByID(c).NodeName == "" {
		return scheduler.Dependence{Filter: scheduler.Class}
	}
	return scheduler.Dependence{Filter: scheduler.Described}
}

// Wakes implements scheduler.Waker.
func (nodeName) Wakes() scheduler.Action { return nodeJoins }

// Wake implements scheduler.Waker. Upstream doesn't look at the node's name.
func (nodeName) Wake(*cluster.State, *cluster.Class, *scheduler.Change) bool { return true }
