package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Wakes implements scheduler.Waker.
func (gpuDevices) Wakes() scheduler.Action {
	return scheduler.NodeAdd | scheduler.UpdateNodeAllocatable | scheduler.PodDelete | scheduler.UpdatePodScaleDown
}

// Wake implements scheduler.Waker: a pod gave up shares of a GPU, or there is a
// node with as many GPUs of a model that will do that is new, has more than before,
// or had another model.
func (gpuDevices) Wake(s *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	switch want := class.GPUs; c.What {
	case scheduler.PodDelete:
		return holdsNode(&c.OldPod) && s.ClassByID(c.OldPod.Class).GPUs.Count > 0
	case scheduler.UpdatePodScaleDown:
		return c.Own || c.Pod.Node != cluster.None && s.ClassByID(c.OldPod.Class).GPUs.Total() > s.ClassByID(c.Pod.Class).GPUs.Total()
	default:
		return hasGPUs(c.Node, want) &&
			(c.OldNode == nil || c.Node.GPUs > c.OldNode.GPUs || c.Node.GPUModel != c.OldNode.GPUModel)
	}
}

// hasGPUs reports whether a node without pods has what is wanted.
func hasGPUs(n *cluster.NodeSpec, want cluster.GPURequest) bool {
	return n.GPUs >= int(want.Count) && (len(want.Models) == 0 || slices.Contains(want.Models, n.GPUModel))
}
