package quota

import (
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Requests returns what a pod asks for in all, as quotas count it, sorted by name: PodRequests
// of k8s.io/component-helpers/resource with UseStatusResources. What its containers ask for
// is added up, or what its init containers need one after another, whichever is more; what
// it asks for as a whole takes the place of that, and overhead comes on top.
func Requests(a *cluster.Account) []cluster.NamedAmount {
	sum := podSum(a, func(c *cluster.Container) (asked, given []cluster.NamedAmount) { return c.Requests, c.GivenRequests })
	if a.Whole != nil {
		sum.replace(a.Whole.Requests)
	}
	sum.addAll(a.Overhead)
	return sum
}

// Limits returns a pod's limits in all, as Requests does. Overhead counts only where there is a
// limit.
func Limits(a *cluster.Account) []cluster.NamedAmount {
	sum := podSum(a, func(c *cluster.Container) (asked, given []cluster.NamedAmount) { return c.Limits, c.GivenLimits })
	if a.Whole != nil {
		sum.replace(a.Whole.Limits)
	}
	for _, x := range a.Overhead {
		if limit, ok := find(sum, x.Name); ok && limit != 0 {
			sum.add(x.Name, x.Amount)
		}
	}
	return sum
}

// podSum adds up what of returns for each container: what it asks for, and what it has been
// given, nil if that isn't known.
func podSum(a *cluster.Account, of func(*cluster.Container) (asked, given []cluster.NamedAmount)) amounts {
	counts := func(c *cluster.Container) []cluster.NamedAmount {
		asked, given := of(c)
		switch {
		case given == nil:
			return asked
		case a.ResizeInfeasible:
			return given
		}
		most := amounts(slices.Clone(asked))
		most.raiseAll(given)
		return most
	}
	var sum, sidecars, peak amounts
	for i := range a.Containers {
		sum.addAll(counts(&a.Containers[i]))
	}
	for i := range a.InitContainers {
		c := &a.InitContainers[i]
		if c.Restarts {
			own := counts(c)
			sum.addAll(own)
			sidecars.addAll(own)
			peak.raiseAll(sidecars)
			continue
		}
		asked, _ := of(c) // whatever it has been given, as only sidecars can be resized
		at := slices.Clone(sidecars)
		at.addAll(asked)
		peak.raiseAll(at)
	}
	sum.raiseAll(peak)
	return sum
}

// replace sets what a pod may ask for as a whole.
func (a *amounts) replace(whole []cluster.NamedAmount) {
	for _, x := range whole {
		if wholesale(x.Name) {
			a.set(x.Name, x.Amount)
		}
	}
}

// wholesale reports whether a pod may ask for a resource as a whole.
func wholesale(name string) bool {
	return name == "cpu" || name == "memory" || strings.HasPrefix(name, hugePages)
}

// hasWhole reports whether a pod asks for anything as a whole.
func hasWhole(a *cluster.Account) bool {
	asks := func(x cluster.NamedAmount) bool { return wholesale(x.Name) }
	return a.Whole != nil && (slices.ContainsFunc(a.Whole.Requests, asks) || slices.ContainsFunc(a.Whole.Limits, asks))
}

// onlyContainer is the name of the container of a pod of which no more is known than its Class.
const onlyContainer = "main"

// gpus is what whole GPUs are in Kubernetes.
const gpus = "nvidia.com/gpu"

// AccountOf returns what quotas count of a pod of which no more is known than its class: one
// container, which asks for the class's requests where they aren't 0 and has no limits. A
// share of a GPU counts as one GPU, as it can't be asked for less in Kubernetes.
func AccountOf(c *cluster.Class) *cluster.Account {
	var requests amounts
	for _, x := range []cluster.NamedAmount{
		{Name: "cpu", Amount: c.Requests.Get(cluster.CPU)}, {Name: "memory", Amount: c.Requests.Get(cluster.Memory)},
		{Name: "ephemeral-storage", Amount: c.Requests.Get(cluster.EphemeralStorage)}, {Name: gpus, Amount: int64(c.GPUs.Count)},
	} {
		if x.Amount != 0 {
			requests.set(x.Name, x.Amount)
		}
	}
	requests.addAll(c.Extended)
	return &cluster.Account{Containers: []cluster.Container{{Name: onlyContainer, Requests: requests}}}
}
