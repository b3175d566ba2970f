package quota

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
)

// simpler returns copies of a step that say less, each in another way.
func simpler(s *Step) (list []Step) {
	less := func(change func(*Step)) {
		again, err := Read(Story{*s}.String())
		if err != nil {
			panic(err) // it was written as steps are
		}
		change(&again[0])
		list = append(list, again[0])
	}
	for i := range s.Burst {
		less(func(s *Step) { s.Burst = slices.Delete(s.Burst, i, i+1) })
		for _, x := range simpler(&s.Burst[i]) {
			less(func(s *Step) { s.Burst[i] = x })
		}
	}
	if len(s.Burst) == 1 && s.Conflicts == 0 {
		list = append(list, s.Burst[0])
	}
	if s.Wait.Duration > 0 {
		less(func(s *Step) { s.Wait.Duration = 0 })
	}
	if s.Unheard {
		less(func(s *Step) { s.Unheard = false })
	}
	if s.Quota != nil {
		for _, name := range slices.Sorted(maps.Keys(s.Quota.Spec.Hard)) {
			less(func(s *Step) { delete(s.Quota.Spec.Hard, name) })
		}
	}
	if s.LimitRange != nil {
		for i := range s.LimitRange.Spec.Limits {
			less(func(s *Step) { s.LimitRange.Spec.Limits = slices.Delete(s.LimitRange.Spec.Limits, i, i+1) })
		}
	}
	if s.Pod != nil {
		simplerPod(s.Pod, less)
	}
	return list
}

// simplerPod does so for a step with a pod.
func simplerPod(p *v1.Pod, less func(func(*Step))) {
	for i := range p.Spec.Containers {
		if len(p.Spec.Containers) > 1 {
			less(func(s *Step) { s.Pod.Spec.Containers = slices.Delete(s.Pod.Spec.Containers, i, i+1) })
		}
		for _, name := range slices.Sorted(maps.Keys(p.Spec.Containers[i].Resources.Requests)) {
			less(func(s *Step) { delete(s.Pod.Spec.Containers[i].Resources.Requests, name) })
		}
		for _, name := range slices.Sorted(maps.Keys(p.Spec.Containers[i].Resources.Limits)) {
			less(func(s *Step) { delete(s.Pod.Spec.Containers[i].Resources.Limits, name) })
		}
	}
	for i := range p.Spec.InitContainers {
		less(func(s *Step) { s.Pod.Spec.InitContainers = slices.Delete(s.Pod.Spec.InitContainers, i, i+1) })
	}
	for i := range p.Status.ContainerStatuses {
		less(func(s *Step) { s.Pod.Status.ContainerStatuses = slices.Delete(s.Pod.Status.ContainerStatuses, i, i+1) })
	}
	if len(p.Status.InitContainerStatuses) > 0 {
		less(func(s *Step) { s.Pod.Status.InitContainerStatuses = nil })
	}
	for _, forget := range []struct {
		said bool
		f    func(*v1.Pod)
	}{
		{p.Status.Conditions != nil, func(p *v1.Pod) { p.Status.Conditions = nil }},
		{p.Spec.Resources != nil, func(p *v1.Pod) { p.Spec.Resources = nil }},
		{p.Spec.Affinity != nil, func(p *v1.Pod) { p.Spec.Affinity = nil }},
		{p.Spec.Tolerations != nil, func(p *v1.Pod) { p.Spec.Tolerations = nil }},
		{p.Spec.NodeSelector != nil, func(p *v1.Pod) { p.Spec.NodeSelector = nil }},
		{p.Spec.PriorityClassName != "", func(p *v1.Pod) { p.Spec.PriorityClassName = "" }},
		{p.Spec.Priority != nil, func(p *v1.Pod) { p.Spec.Priority = nil }},
		{p.Spec.PreemptionPolicy != nil, func(p *v1.Pod) { p.Spec.PreemptionPolicy = nil }},
		{p.Spec.RuntimeClassName != nil, func(p *v1.Pod) { p.Spec.RuntimeClassName = nil }},
		{p.Spec.Overhead != nil, func(p *v1.Pod) { p.Spec.Overhead = nil }},
		{p.Spec.ActiveDeadlineSeconds != nil, func(p *v1.Pod) { p.Spec.ActiveDeadlineSeconds = nil }},
		{p.Spec.TerminationGracePeriodSeconds != nil, func(p *v1.Pod) { p.Spec.TerminationGracePeriodSeconds = nil }},
	} {
		if forget.said {
			less(func(s *Step) { forget.f(s.Pod) })
		}
	}
}
