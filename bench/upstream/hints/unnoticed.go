package hints

import (
	"math"

	v1 "k8s.io/api/core/v1"
	podresource "k8s.io/component-helpers/resource"

	"github.com/berthsim/berth/scheduler"
)

// unnoticed lists the kinds of change of which upstream may speak although Berth, which keeps amounts
// in whole units and none of 0, sees no difference; or the other way round.
func unnoticed(c *change) scheduler.Action {
	switch {
	case c.node != nil && c.oldNode != nil && sameButZeros(c.oldNode.Status.Allocatable, c.node.Status.Allocatable):
		return scheduler.UpdateNodeAllocatable
	case c.pod != nil && c.oldPod != nil:
		options := podresource.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true}
		was, is := podresource.PodRequests(c.oldPod, options), podresource.PodRequests(c.pod, options)
		if zeroRemoved(was, is) || uneven(was) || uneven(is) {
			return scheduler.UpdatePodScaleDown | scheduler.UpdatePodOther
		}
	}
	return 0
}

// sameButZeros reports whether two lists differ only in which amounts of 0 they have.
func sameButZeros(a, b v1.ResourceList) bool {
	within := func(a, b v1.ResourceList) bool {
		for name, q := range a {
			if other := b[name]; q.Cmp(other) != 0 {
				return false
			}
		}
		return true
	}
	return within(a, b) && within(b, a)
}

// zeroRemoved reports whether a request of 0 is gone, which upstream takes for scaling down. The API
// server doesn't let a request be removed.
func zeroRemoved(was, is v1.ResourceList) bool {
	for name, q := range was {
		if _, ok := is[name]; !ok && q.IsZero() {
			return true
		}
	}
	return false
}

// uneven reports whether there is a fraction of a byte, or so much that upstream, which compares
// thousandths of a byte, overflows.
func uneven(list v1.ResourceList) bool {
	for name, q := range list {
		if name != v1.ResourceCPU && (q.Value() > math.MaxInt64/1000 || q.MilliValue()%1000 != 0) {
			return true
		}
	}
	return false
}
