package manifest

import (
	"maps"
	"slices"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	podresource "k8s.io/component-helpers/resource"
)

// Account converts what admission and quotas look at of a pod as it is in the API. An error is
// a *FieldError.
func Account(p *v1.Pod) (*cluster.Account, error) {
	spec := &p.Spec
	a := &cluster.Account{
		Deadline: hasDeadline(spec), PriorityClass: spec.PriorityClassName,
		OtherNamespaces: otherNamespaces(spec.Affinity), ResizeInfeasible: spec.NodeName != "" && podresource.IsPodResizeInfeasible(p),
	}
	if seconds := spec.TerminationGracePeriodSeconds; seconds != nil {
		if *seconds < 0 || cluster.Time(*seconds) > cluster.Never/cluster.Second {
			return nil, in(wrong("is no number of seconds that can be", "write 0 or more"), "spec", "terminationGracePeriodSeconds")
		}
		a.Grace = cluster.Time(*seconds) * cluster.Second
	}
	var err error
	if a.Overhead, err = namedAmounts(spec.Overhead); err != nil {
		return nil, in(err, "spec", "overhead")
	}
	if spec.Resources != nil {
		a.Whole = &cluster.Container{}
		if err = setAsked(a.Whole, spec.Resources); err != nil {
			return nil, in(err, "spec", "resources")
		}
	}
	if a.InitContainers, err = askingContainers(spec.InitContainers); err != nil {
		return nil, in(err, "spec", "initContainers")
	}
	if a.Containers, err = askingContainers(spec.Containers); err != nil {
		return nil, in(err, "spec", "containers")
	}
	if spec.NodeName == "" { // nothing has been given to it, as in setRequests
		return a, nil
	}
	if err = addGiven(a.InitContainers, p.Status.InitContainerStatuses); err != nil {
		return nil, in(err, "status", "initContainerStatuses")
	}
	return a, in(addGiven(a.Containers, p.Status.ContainerStatuses), "status", "containerStatuses")
}

// hasDeadline reports whether a pod may run only for so long.
func hasDeadline(spec *v1.PodSpec) bool {
	return spec.ActiveDeadlineSeconds != nil && *spec.ActiveDeadlineSeconds >= 0
}

// askingContainers converts what containers ask for.
func askingContainers(from []v1.Container) (to []cluster.Container, err error) {
	if len(from) == 0 {
		return nil, nil
	}
	to = make([]cluster.Container, len(from))
	for i := range from {
		c := &to[i]
		c.Name = from[i].Name
		c.Restarts = from[i].RestartPolicy != nil && *from[i].RestartPolicy == v1.ContainerRestartPolicyAlways
		if err := setAsked(c, &from[i].Resources); err != nil {
			return nil, in(err, i, "resources")
		}
	}
	return to, nil
}

// addGiven adds what statuses say that containers have, the last if several are of one name.
func addGiven(to []cluster.Container, statuses []v1.ContainerStatus) error {
	for i := range statuses {
		s := &statuses[i]
		for j := range to {
			if to[j].Name != s.Name || s.Resources == nil {
				continue
			}
			if err := setGiven(&to[j], s); err != nil {
				return in(err, i)
			}
		}
	}
	return nil
}

func setAsked(c *cluster.Container, r *v1.ResourceRequirements) (err error) {
	if c.Requests, err = namedAmounts(r.Requests); err != nil {
		return in(err, "requests")
	}
	if c.Limits, err = namedAmounts(r.Limits); err != nil {
		return in(err, "limits")
	}
	return nil
}

// setGiven converts what a container's status says that it has: the higher of what the
// kubelet has promised and what it has done.
func setGiven(c *cluster.Container, s *v1.ContainerStatus) (err error) {
	given := maps.Clone(s.Resources.Requests)
	if given == nil {
		given = v1.ResourceList{}
	}
	for _, name := range slices.Sorted(maps.Keys(s.AllocatedResources)) {
		q := s.AllocatedResources[name]
		if was, ok := given[name]; !ok || q.Cmp(was) > 0 {
			given[name] = q
		}
	}
	if c.GivenRequests, err = namedAmounts(given); err != nil {
		return in(err, "resources", "requests")
	}
	if c.GivenLimits, err = namedAmounts(s.Resources.Limits); err != nil {
		return in(err, "resources", "limits")
	}
	// The status says something, if only that it is nothing.
	c.GivenRequests, c.GivenLimits = notNil(c.GivenRequests), notNil(c.GivenLimits)
	return nil
}

func notNil(list []cluster.NamedAmount) []cluster.NamedAmount {
	if list == nil {
		return []cluster.NamedAmount{}
	}
	return list
}

// namedAmounts converts all of a list of resources, sorted by name: nil if there is nothing.
func namedAmounts(list v1.ResourceList) ([]cluster.NamedAmount, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]cluster.NamedAmount, 0, len(list))
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		amount, err := amountOf(name, &q)
		if err != nil {
			return nil, in(err, string(name))
		}
		out = append(out, cluster.NamedAmount{Name: string(name), Amount: amount})
	}
	return out, nil
}

// otherNamespaces reports whether an affinity speaks of pods of other namespaces: a term
// lists some, or selects them.
func otherNamespaces(a *v1.Affinity) bool {
	if a == nil {
		return false
	}
	other := func(must []v1.PodAffinityTerm, may []v1.WeightedPodAffinityTerm) bool {
		speaks := func(t *v1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil }
		return slices.ContainsFunc(must, func(t v1.PodAffinityTerm) bool { return speaks(&t) }) ||
			slices.ContainsFunc(may, func(t v1.WeightedPodAffinityTerm) bool { return speaks(&t.PodAffinityTerm) })
	}
	if x := a.PodAffinity; x != nil && other(x.RequiredDuringSchedulingIgnoredDuringExecution, x.PreferredDuringSchedulingIgnoredDuringExecution) {
		return true
	}
	x := a.PodAntiAffinity
	return x != nil && other(x.RequiredDuringSchedulingIgnoredDuringExecution, x.PreferredDuringSchedulingIgnoredDuringExecution)
}
