package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodePorts is kube's plugin of that name
// (pkg/scheduler/framework/plugins/nodeports).
var NodePorts = &scheduler.Plugin{
	Name:     "NodePorts",
	Doc:      "NodePorts rules out nodes where another pod has taken a port that the pod takes of its node.",
	New:      func(scheduler.Args) (any, error) { return nodePorts{}, nil },
	Required: true,
}

type nodePorts struct{}

var portTaken = scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"node(s) didn't have free ports for the requested pod ports"}}

// Filter implements scheduler.Filter.
func (nodePorts) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	ports := s.Class(p).Ports
	if len(ports) == 0 {
		return nil
	}
	conflicts := make([]bool, s.Classes())
	for c := range conflicts {
		conflicts[c] = conflict(ports, s.ClassByID(cluster.ClassID(c)).Ports)
	}
	return func(n cluster.NodeID) scheduler.Verdict {
		for q := range s.PodsOn(n) {
			if conflicts[s.Pods.Class[q]] {
				return portTaken
			}
		}
		return scheduler.Verdict{}
	}
}

// Depends implements scheduler.Dependent.
func (nodePorts) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	if len(s.ClassByID(c).Ports) == 0 {
		return scheduler.Dependence{Filter: scheduler.Class}
	}
	return scheduler.Dependence{Filter: scheduler.Row}
}

// Wakes implements scheduler.Waker.
func (nodePorts) Wakes() scheduler.Action { return scheduler.PodDelete | nodeJoins }

// Wake implements scheduler.Waker: of pods, one matters that gave up a port that
// the class wants.
func (nodePorts) Wake(s *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	if c.What != scheduler.PodDelete {
		return true
	}
	return holdsNode(&c.OldPod) && conflict(class.Ports, s.ClassByID(c.OldPod.Class).Ports)
}

// conflict reports whether two pods can't be on one node for the ports they take.
func conflict(a, b []cluster.HostPort) bool {
	for i := range a {
		for j := range b {
			if clash(&a[i], &b[j]) {
				return true
			}
		}
	}
	return false
}

// allAddresses stands for all addresses; as upstream, "::" doesn't.
const allAddresses = "0.0.0.0"

// clash reports whether two ports are the same at some address.
func clash(a, b *cluster.HostPort) bool {
	return a.Port == b.Port && a.Protocol == b.Protocol && (a.IP == b.IP || a.IP == allAddresses || b.IP == allAddresses)
}
