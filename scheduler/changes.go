package scheduler

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// ChangesOfNode returns what the update of a node amounts to, or-ed together; 0
// if nothing has changed that may let a pod be placed. A node that is cordoned is
// no change, one that isn't any more counts as UpdateNodeTaint
// (pkg/scheduler/framework, NodeSchedulingPropertiesChange).
func ChangesOfNode(was, is *cluster.NodeSpec) (set Action) {
	if was.Unschedulable && !is.Unschedulable || !slices.Equal(was.Taints, is.Taints) {
		set |= UpdateNodeTaint
	}
	if !sameAllocatable(was, is) {
		set |= UpdateNodeAllocatable
	}
	if !slices.Equal(was.Labels, is.Labels) {
		set |= UpdateNodeLabel
	}
	if !slices.Equal(was.Features, is.Features) {
		set |= UpdateNodeDeclaredFeature
	}
	return set
}

// sameAllocatable reports whether a node offers the same as before, GPUs included.
func sameAllocatable(was, is *cluster.NodeSpec) bool {
	for r := range cluster.GPU { // GPUs are not in Capacity
		if was.Capacity.Get(r) != is.Capacity.Get(r) {
			return false
		}
	}
	return was.GPUs == is.GPUs && was.GPUModel == is.GPUModel && slices.Equal(was.Extended, is.Extended)
}

// ChangesOfPod returns what the update of a pod amounts to, or-ed together, and
// UpdatePodOther if it is of no other kind. As upstream, a change of tolerations
// is one of their number, since they can only be added
// (pkg/scheduler/framework, PodSchedulingPropertiesChange).
func ChangesOfPod(s *cluster.State, was, is cluster.PodState) (set Action) {
	if !slices.Equal(was.Labels, is.Labels) {
		set |= UpdatePodLabel
	}
	if was.Class != is.Class {
		set |= changesOfClass(s.ClassByID(was.Class), s.ClassByID(is.Class))
	}
	if set == 0 {
		return UpdatePodOther
	}
	return set
}

func changesOfClass(was, is *cluster.Class) (set Action) {
	if anyLess(was.Requests, is.Requests) {
		set |= UpdatePodScaleDown
	}
	if len(was.Gates) > 0 && len(is.Gates) == 0 {
		set |= UpdatePodSchedulingGatesEliminated
	}
	if len(was.Tolerations) != len(is.Tolerations) {
		set |= UpdatePodToleration
	}
	return set
}

// anyLess reports whether some amount is less than it was.
func anyLess(was, is cluster.Amounts) bool {
	for r, amount := range was {
		if amount > is.Get(cluster.Resource(r)) {
			return true
		}
	}
	return false
}
