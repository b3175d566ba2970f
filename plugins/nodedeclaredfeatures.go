package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeDeclaredFeatures is kube's plugin of that name
// (pkg/scheduler/framework/plugins/nodedeclaredfeatures). Which features a pod
// needs is found out before it comes here.
var NodeDeclaredFeatures = &scheduler.Plugin{
	Name:     "NodeDeclaredFeatures",
	Doc:      "NodeDeclaredFeatures rules out nodes that don't declare every feature of the kubelet that the pod needs.",
	New:      func(scheduler.Args) (any, error) { return nodeDeclaredFeatures{}, nil },
	Required: true,
}

type nodeDeclaredFeatures struct{}

var featureMissing = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't match Pod's required features"}}

// Filter implements scheduler.Filter.
func (nodeDeclaredFeatures) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	needed := s.Class(p).Features
	if len(needed) == 0 {
		return nil
	}
	return func(n cluster.NodeID) scheduler.Verdict {
		for _, feature := range needed {
			if _, ok := slices.BinarySearch(s.Nodes.Features[n], feature); !ok {
				return featureMissing
			}
		}
		return scheduler.Verdict{}
	}
}

// Depends implements scheduler.Dependent.
func (nodeDeclaredFeatures) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	if len(s.ClassByID(c).Features) == 0 {
		return scheduler.Dependence{Filter: scheduler.Class}
	}
	return scheduler.Dependence{Filter: scheduler.Described}
}

// Wakes implements scheduler.Waker.
func (nodeDeclaredFeatures) Wakes() scheduler.Action {
	return nodeJoins | scheduler.UpdateNodeDeclaredFeature | scheduler.UpdatePod
}

// Wake implements scheduler.Waker: a node is new or declares other features,
// whichever, or the pod needs others.
func (nodeDeclaredFeatures) Wake(s *cluster.State, _ *cluster.Class, c *scheduler.Change) bool {
	switch {
	case c.What == scheduler.UpdateNodeTaint:
		return true
	case c.What&scheduler.UpdatePod != 0:
		return c.Own && !slices.Equal(s.ClassByID(c.OldPod.Class).Features, s.ClassByID(c.Pod.Class).Features)
	}
	return c.OldNode == nil || !slices.Equal(c.OldNode.Features, c.Node.Features)
}
