package manifest

import (
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podresource "k8s.io/component-helpers/resource"
)

// Default does to an object what the API server does as it takes it in, as far as
// it matters here: it writes down what a manifest leaves out. An object that came
// from an API server is left as it is. Admission is another matter: priorities
// come from priority classes, and limit ranges, runtime classes and default
// tolerations are not known here.
func Default(object any) {
	switch o := object.(type) {
	case *v1.Pod:
		defaultPod(o)
	case *v1.Node:
		if o.Status.Allocatable == nil {
			o.Status.Allocatable = maps.Clone(o.Status.Capacity)
		}
		roundUp(o.Status.Allocatable)
	case *v1.Namespace:
		if o.Labels == nil {
			o.Labels = map[string]string{}
		}
		o.Labels[v1.LabelMetadataName] = o.Name
	case *v1.ReplicationController:
		if len(o.Spec.Selector) == 0 && o.Spec.Template != nil {
			o.Spec.Selector = o.Spec.Template.Labels
		}
	}
}

// defaultPod is upstream's defaults of a pod and of what is in it
// (pkg/apis/core/v1/defaults.go), and what its registry merges into selectors.
func defaultPod(p *v1.Pod) {
	for _, containers := range [][]v1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range containers {
			r := &containers[i].Resources
			r.Requests = fillIn(r.Requests, r.Limits, func(v1.ResourceName) bool { return true })
		}
	}
	if p.Spec.Resources != nil {
		defaultPodResources(p)
	}
	for _, containers := range [][]v1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range containers {
			roundUp(containers[i].Resources.Requests)
			if p.Spec.HostNetwork {
				takeHostPorts(containers[i].Ports)
			}
		}
	}
	roundUp(p.Spec.Overhead)
	if p.Spec.Resources != nil {
		roundUp(p.Spec.Resources.Requests)
	}
	mergeLabelKeys(p)
}

// fillIn adds to a list what it lacks of another's resources that are wanted.
func fillIn(list, from v1.ResourceList, want func(v1.ResourceName) bool) v1.ResourceList {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if _, ok := list[name]; ok || !want(name) {
			continue
		}
		if list == nil {
			list = v1.ResourceList{}
		}
		list[name] = from[name].DeepCopy()
	}
	return list
}

// defaultPodResources completes the requests of a pod as a whole that has some
// limits or requests of its own: with what its containers ask for, of CPU and
// memory, and else with its limits. Limits of hugepages are first completed with
// those of the containers.
func defaultPodResources(p *v1.Pod) {
	r := p.Spec.Resources
	if len(r.Limits) == 0 && len(r.Requests) == 0 {
		return
	}
	hugepages := func(name v1.ResourceName) bool {
		_, asked := r.Requests[name]
		return strings.HasPrefix(string(name), v1.ResourceHugePagesPrefix) && !asked
	}
	r.Limits = fillIn(r.Limits, podresource.AggregateContainerLimits(p, podresource.PodResourcesOptions{}), hugepages)
	if len(r.Limits) == 0 {
		return
	}
	overcommitted := func(name v1.ResourceName) bool { return name == v1.ResourceCPU || name == v1.ResourceMemory }
	r.Requests = fillIn(r.Requests, podresource.AggregateContainerRequests(p, podresource.PodResourcesOptions{}), overcommitted)
	r.Requests = fillIn(r.Requests, r.Limits, podresource.IsSupportedPodLevelResource)
}

// roundUp makes amounts whole thousandths, as the API server keeps them.
func roundUp(list v1.ResourceList) {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		if !q.RoundUp(-3) {
			list[name] = q
		}
	}
}

// takeHostPorts makes ports those of the host, whose network the pod uses.
func takeHostPorts(ports []v1.ContainerPort) {
	for i := range ports {
		if ports[i].HostPort == 0 {
			ports[i].HostPort = ports[i].ContainerPort
		}
	}
}

// mergeLabelKeys writes what matchLabelKeys and mismatchLabelKeys of affinity to
// pods mean for this pod into the selectors.
func mergeLabelKeys(p *v1.Pod) {
	merge := func(t *v1.PodAffinityTerm) {
		if t.LabelSelector == nil { // matches nothing anyway
			return
		}
		mergeKeys(t.LabelSelector, t.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
		mergeKeys(t.LabelSelector, t.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, p.Labels)
	}
	terms := func(must []v1.PodAffinityTerm, may []v1.WeightedPodAffinityTerm) {
		for i := range must {
			merge(&must[i])
		}
		for i := range may {
			merge(&may[i].PodAffinityTerm)
		}
	}
	if p.Spec.Affinity == nil {
		return
	}
	if a := p.Spec.Affinity.PodAffinity; a != nil {
		terms(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if a := p.Spec.Affinity.PodAntiAffinity; a != nil {
		terms(a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

// mergeKeys requires, or rules out, the pod's own values of keys. A selector that
// has such a requirement already was merged when the pod was created, maybe with
// another value: the API server takes no selector that names the same key itself.
func mergeKeys(sel *metav1.LabelSelector, keys []string, op metav1.LabelSelectorOperator, labels map[string]string) {
	for _, key := range keys {
		value, ok := labels[key]
		merged := slices.ContainsFunc(sel.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool {
			return r.Key == key && r.Operator == op
		})
		if ok && !merged {
			sel.MatchExpressions = append(sel.MatchExpressions, metav1.LabelSelectorRequirement{
				Key: key, Operator: op, Values: []string{value},
			})
		}
	}
}
