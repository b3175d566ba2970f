package quota

import "github.com/berthsim/berth/cluster"

// A QOSClass is Kubernetes' class of quality of service.
type QOSClass string

// The classes, as a pod's status says them.
const (
	Guaranteed QOSClass = "Guaranteed" // every container has limits of CPU and memory, and asks for as much
	Burstable  QOSClass = "Burstable"
	BestEffort QOSClass = "BestEffort" // no container asks for CPU or memory, or has a limit of it
)

// QOS returns the class of a pod (ComputePodQOS of pkg/apis/core/v1/helper/qos). Amounts of 0
// count as nothing. If the pod has resources as a whole, these alone count.
func QOS(a *cluster.Account) QOSClass {
	var requests, limits amounts
	guaranteed := true
	count := func(c *cluster.Container, may bool) {
		requests.addAll(served(c.Requests))
		l := served(c.Limits)
		limits.addAll(l)
		guaranteed = guaranteed && (len(l) == 2 || may)
	}
	if a.Whole != nil {
		count(a.Whole, len(a.Whole.Limits) == 0) // the comparison below finds that limits are missing
	} else {
		for i := range a.Containers {
			count(&a.Containers[i], false)
		}
		for i := range a.InitContainers {
			count(&a.InitContainers[i], false)
		}
	}
	switch {
	case len(requests) == 0 && len(limits) == 0:
		return BestEffort
	case guaranteed && equal(requests, limits):
		return Guaranteed
	}
	return Burstable
}

// served returns what of a list counts for the class.
func served(list []cluster.NamedAmount) (out amounts) {
	for _, x := range list {
		if (x.Name == "cpu" || x.Name == "memory") && x.Amount > 0 {
			out.set(x.Name, x.Amount)
		}
	}
	return out
}

// equal reports whether two lists have the same names and amounts.
func equal(a, b []cluster.NamedAmount) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
