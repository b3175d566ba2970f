package manifest

import (
	"iter"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An excerpt is what podClass reads of a pod, in memory of its own.
type excerpt struct {
	pod *v1.Pod
	// lists are its resourceLists sorted by name: the order of a map is random,
	// and to look up all of one map's names in another is quick.
	lists [][]amount
}

type amount struct {
	name     v1.ResourceName
	quantity resource.Quantity
}

// like reports whether a pod is as the one of which e is: alike in all that podClass
// reads, what it fails on included. Then they have the same class, or neither has
// one. Pods that aren't alike may have the same class too.
func (e *excerpt) like(p *v1.Pod) bool {
	if !sameButAmounts(e.pod, p) {
		return false
	}
	i := 0
	for list := range resourceLists(p) {
		if !sameAmounts(e.lists[i], list) {
			return false
		}
		i++
	}
	return true
}

// sameAmounts compares amounts, however they are written.
func sameAmounts(sorted []amount, list v1.ResourceList) bool {
	if len(sorted) != len(list) {
		return false
	}
	for i := range sorted {
		a := &sorted[i]
		if q, ok := list[a.name]; !ok || q != a.quantity && q.Cmp(a.quantity) != 0 {
			return false
		}
	}
	return true
}

// resourceLists are the lists that count into a pod's requests. Pods that are the
// same but for amounts have as many of them.
func resourceLists(p *v1.Pod) iter.Seq[v1.ResourceList] {
	return func(yield func(v1.ResourceList) bool) {
		for _, containers := range [...][]v1.Container{p.Spec.Containers, p.Spec.InitContainers} {
			for i := range containers {
				if !yield(containers[i].Resources.Requests) {
					return
				}
			}
		}
		if !yield(p.Spec.Overhead) || !yield(requestsOf(p.Spec.Resources)) || p.Spec.NodeName == "" {
			return
		}
		for _, statuses := range [...][]v1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses} {
			for i := range statuses {
				if !yield(statuses[i].AllocatedResources) || !yield(requestsOf(statuses[i].Resources)) {
					return
				}
			}
		}
		_ = yield(p.Status.AllocatedResources) && yield(requestsOf(p.Status.Resources))
	}
}

func requestsOf(r *v1.ResourceRequirements) v1.ResourceList {
	if r == nil {
		return nil
	}
	return r.Requests
}

// makeExcerpt copies what podClass reads.
func makeExcerpt(p *v1.Pod) excerpt {
	e := excerpt{pod: copyRead(p)}
	for list := range resourceLists(e.pod) {
		var sorted []amount
		for _, name := range slices.Sorted(maps.Keys(list)) {
			sorted = append(sorted, amount{name, list[name]})
		}
		e.lists = append(e.lists, sorted)
	}
	return e
}

func copyRead(p *v1.Pod) *v1.Pod {
	from := &p.Spec
	to := &v1.Pod{Spec: v1.PodSpec{
		NodeName: from.NodeName, SchedulerName: from.SchedulerName, Priority: from.Priority, PreemptionPolicy: from.PreemptionPolicy,
		SchedulingGates: from.SchedulingGates, NodeSelector: from.NodeSelector, Affinity: from.Affinity,
		TopologySpreadConstraints: from.TopologySpreadConstraints, Tolerations: from.Tolerations,
		InitContainers: copyContainers(from.InitContainers), Containers: copyContainers(from.Containers),
		Overhead: from.Overhead, Resources: from.Resources, HostNetwork: from.HostNetwork, HostUsers: from.HostUsers,
	}}
	to.Namespace = p.Namespace
	if ref := metav1.GetControllerOfNoCopy(p); ref != nil {
		to.OwnerReferences = []metav1.OwnerReference{*ref}
	}
	for i := range from.Volumes {
		if image := from.Volumes[i].Image; image != nil {
			to.Spec.Volumes = append(to.Spec.Volumes, v1.Volume{VolumeSource: v1.VolumeSource{Image: image}})
		}
	}
	if from.NodeName != "" {
		copyStatus(&to.Status, &p.Status)
	}
	return to.DeepCopy()
}

func copyContainers(from []v1.Container) []v1.Container {
	to := make([]v1.Container, len(from))
	for i := range from {
		c := &from[i]
		to[i] = v1.Container{
			Name: c.Name, Image: c.Image, Ports: c.Ports, Resources: v1.ResourceRequirements{Requests: c.Resources.Requests},
			RestartPolicy: c.RestartPolicy, RestartPolicyRules: c.RestartPolicyRules,
		}
	}
	return to
}

func copyStatus(to, from *v1.PodStatus) {
	to.AllocatedResources, to.Resources = from.AllocatedResources, from.Resources
	for _, c := range from.Conditions {
		if c.Type == v1.PodResizePending {
			to.Conditions = append(to.Conditions, c)
		}
	}
	status := func(from []v1.ContainerStatus) []v1.ContainerStatus {
		to := make([]v1.ContainerStatus, len(from))
		for i := range from {
			c := &from[i]
			to[i] = v1.ContainerStatus{Name: c.Name, AllocatedResources: c.AllocatedResources, Resources: c.Resources}
		}
		return to
	}
	to.ContainerStatuses, to.InitContainerStatuses = status(from.ContainerStatuses), status(from.InitContainerStatuses)
}
