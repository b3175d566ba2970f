package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Wakes implements scheduler.Waker.
func (f *fit) Wakes() scheduler.Action {
	return nodeJoins | scheduler.UpdateNodeAllocatable | scheduler.PodDelete | scheduler.UpdatePodScaleDown
}

// Wake implements scheduler.Waker: a pod has left a node, or asks for less, or
// there is a node with enough that is new or offers more of something. As
// upstream, the resources that the options ignore count here.
func (f *fit) Wake(s *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	switch c.What {
	case scheduler.UpdateNodeTaint:
		return true
	case scheduler.PodDelete:
		return holdsNode(&c.OldPod)
	case scheduler.UpdatePodScaleDown:
		return c.Own || c.Pod.Node != cluster.None && frees(class, s.ClassByID(c.OldPod.Class), s.ClassByID(c.Pod.Class))
	}
	return roomOn(s, class, c.Node) && (c.OldNode == nil || offersMore(s, class, c.OldNode, c.Node))
}

// frees reports whether is asks for less than was of something that the class
// asks for.
func frees(class, was, is *cluster.Class) bool {
	for r, want := range class.Requests {
		if r := cluster.Resource(r); want > 0 && was.Requests.Get(r) > is.Requests.Get(r) {
			return true
		}
	}
	return false
}

// roomOn reports whether a node without pods has room for one of the class.
func roomOn(s *cluster.State, class *cluster.Class, n *cluster.NodeSpec) bool {
	for r, want := range class.Requests {
		if want > allocatable(s, n, cluster.Resource(r)) {
			return false
		}
	}
	return true
}

// offersMore reports whether a node offers more than before of something that the
// class asks for, places for pods included.
func offersMore(s *cluster.State, class *cluster.Class, was, is *cluster.NodeSpec) bool {
	for r, want := range class.Requests {
		if r := cluster.Resource(r); want > 0 && allocatable(s, is, r) > allocatable(s, was, r) {
			return true
		}
	}
	return false
}
