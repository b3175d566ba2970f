package manifest

import (
	"iter"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An excerpt is what podClass and Account read of a pod, in memory of its own.
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
// and Account read, what they fail on included. Then they have the same class and the same
// account, or neither has them. Pods that aren't alike may have the same ones too.
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

// resourceLists are the lists that count into a pod's requests and limits. Pods that are the
// same but for amounts have as many of them.
func resourceLists(p *v1.Pod) iter.Seq[v1.ResourceList] {
	return func(yield func(v1.ResourceList) bool) {
		for _, containers := range [...][]v1.Container{p.Spec.Containers, p.Spec.InitContainers} {
			for i := range containers {
				if r := &containers[i].Resources; !yield(r.Requests) || !yield(r.Limits) {
					return
				}
			}
		}
		if !yield(p.Spec.Overhead) || !yieldBoth(yield, p.Spec.Resources) || p.Spec.NodeName == "" {
			return
		}
		for _, statuses := range [...][]v1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses} {
			for i := range statuses {
				if !yield(statuses[i].AllocatedResources) || !yieldBoth(yield, statuses[i].Resources) {
					return
				}
			}
		}
		_ = yield(p.Status.AllocatedResources) && yieldBoth(yield, p.Status.Resources)
	}
}

// yieldBoth yields requests and limits, whether or not there are any.
func yieldBoth(yield func(v1.ResourceList) bool, r *v1.ResourceRequirements) bool {
	var lists v1.ResourceRequirements
	if r != nil {
		lists = *r
	}
	return yield(lists.Requests) && yield(lists.Limits)
}

// makeExcerpt copies what podClass and Account read.
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
		PriorityClassName: from.PriorityClassName, RuntimeClassName: from.RuntimeClassName,
		ActiveDeadlineSeconds: from.ActiveDeadlineSeconds, TerminationGracePeriodSeconds: from.TerminationGracePeriodSeconds,
	}}
	to.Namespace = p.Namespace
	if models, ok := p.Annotations[AnnotationModel]; ok {
		to.Annotations = map[string]string{AnnotationModel: models}
	}
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
			Name: c.Name, Image: c.Image, Ports: c.Ports, Resources: v1.ResourceRequirements{Requests: c.Resources.Requests, Limits: c.Resources.Limits},
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
