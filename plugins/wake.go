package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// nodeJoins are the actions of kube's plugins that register Node/Add and not
// Node/UpdateNodeTaint. Kube-scheduler 1.36 adds the latter itself, as one that
// always queues, since without hints an added node may go unnoticed
// (pkg/scheduler, buildQueueingHintMap; kubernetes/kubernetes#109437).
const nodeJoins = scheduler.NodeAdd | scheduler.UpdateNodeTaint

// holdsNode reports whether a pod is on a node, or one is kept for it.
func holdsNode(p *cluster.PodState) bool {
	return p.Node != cluster.None || p.Nominated != cluster.None
}

// allocatable returns how much of r a node offers.
func allocatable(s *cluster.State, n *cluster.NodeSpec, r cluster.Resource) int64 {
	if r == cluster.GPU {
		return int64(n.GPUs) * cluster.WholeGPU
	}
	name := s.ResourceName(r)
	for i := range n.Extended {
		if n.Extended[i].Name == name {
			return n.Extended[i].Amount
		}
	}
	return n.Capacity.Get(r)
}
