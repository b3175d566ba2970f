package manifest

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podresource "k8s.io/component-helpers/resource"
)

// sameButAmounts compares all that podClass and Account read of pods, amounts in lists of
// resources excepted; how many lists there are is compared. What differs most is
// compared first.
func sameButAmounts(a, b *v1.Pod) bool {
	return a.Namespace == b.Namespace && sameOwner(a, b) && a.Annotations[AnnotationModel] == b.Annotations[AnnotationModel] && sameSpec(&a.Spec, &b.Spec) &&
		(a.Spec.NodeName == "") == (b.Spec.NodeName == "") && (a.Spec.NodeName == "" || sameStatus(a, b))
}

func sameOwner(a, b *v1.Pod) bool {
	x, y := metav1.GetControllerOfNoCopy(a), metav1.GetControllerOfNoCopy(b)
	if x == nil || y == nil {
		return x == y
	}
	return x.Name == y.Name && x.Kind == y.Kind && x.APIVersion == y.APIVersion
}

func sameSpec(a, b *v1.PodSpec) bool {
	return sameAll(a.Containers, b.Containers, sameContainer) &&
		sameAll(a.InitContainers, b.InitContainers, sameContainer) &&
		same(a.Priority, b.Priority) && same(a.PreemptionPolicy, b.PreemptionPolicy) && a.SchedulerName == b.SchedulerName &&
		slices.Equal(a.SchedulingGates, b.SchedulingGates) && sameMap(a.NodeSelector, b.NodeSelector) &&
		sameAffinity(a.Affinity, b.Affinity) && sameAll(a.TopologySpreadConstraints, b.TopologySpreadConstraints, sameSpread) &&
		sameAll(a.Tolerations, b.Tolerations, sameToleration) && sameImages(a.Volumes, b.Volumes) &&
		a.HostNetwork == b.HostNetwork && same(a.HostUsers, b.HostUsers) &&
		a.PriorityClassName == b.PriorityClassName && same(a.RuntimeClassName, b.RuntimeClassName) &&
		(a.Resources == nil) == (b.Resources == nil) && hasDeadline(a) == hasDeadline(b) &&
		same(a.TerminationGracePeriodSeconds, b.TerminationGracePeriodSeconds)
}

func sameContainer(a, b *v1.Container) bool {
	return a.Name == b.Name && a.Image == b.Image && same(a.RestartPolicy, b.RestartPolicy) &&
		sameAll(a.Ports, b.Ports, samePort) && sameAll(a.RestartPolicyRules, b.RestartPolicyRules, sameRule)
}

func samePort(a, b *v1.ContainerPort) bool {
	return a.HostPort <= 0 && b.HostPort <= 0 ||
		a.HostPort == b.HostPort && a.HostIP == b.HostIP && a.Protocol == b.Protocol
}

func sameRule(a, b *v1.ContainerRestartRule) bool { return a.Action == b.Action }

// sameImages compares the images that are mounted as volumes.
func sameImages(a, b []v1.Volume) bool {
	isImage := func(v v1.Volume) bool { return v.Image != nil }
	for {
		i, j := slices.IndexFunc(a, isImage), slices.IndexFunc(b, isImage)
		if i < 0 || j < 0 {
			return i == j
		}
		if a[i].Image.Reference != b[j].Image.Reference {
			return false
		}
		a, b = a[i+1:], b[j+1:]
	}
}

func sameToleration(a, b *v1.Toleration) bool {
	return a.Key == b.Key && a.Operator == b.Operator && a.Value == b.Value && a.Effect == b.Effect &&
		same(a.TolerationSeconds, b.TolerationSeconds)
}

func sameSpread(a, b *v1.TopologySpreadConstraint) bool {
	return a.MaxSkew == b.MaxSkew && a.TopologyKey == b.TopologyKey && a.WhenUnsatisfiable == b.WhenUnsatisfiable &&
		sameSelector(a.LabelSelector, b.LabelSelector) && same(a.MinDomains, b.MinDomains) &&
		same(a.NodeAffinityPolicy, b.NodeAffinityPolicy) && same(a.NodeTaintsPolicy, b.NodeTaintsPolicy) &&
		sameStrings(a.MatchLabelKeys, b.MatchLabelKeys)
}

func sameAffinity(a, b *v1.Affinity) bool {
	if a == nil || b == nil {
		return a == b
	}
	if !sameNodeAffinity(a.NodeAffinity, b.NodeAffinity) {
		return false
	}
	x, y := a.PodAffinity, b.PodAffinity
	if x == nil || y == nil {
		if x != y {
			return false
		}
	} else if !sameAll(x.RequiredDuringSchedulingIgnoredDuringExecution, y.RequiredDuringSchedulingIgnoredDuringExecution, samePodTerm) ||
		!sameAll(x.PreferredDuringSchedulingIgnoredDuringExecution, y.PreferredDuringSchedulingIgnoredDuringExecution, sameWeighted) {
		return false
	}
	v, w := a.PodAntiAffinity, b.PodAntiAffinity
	if v == nil || w == nil {
		return v == w
	}
	return sameAll(v.RequiredDuringSchedulingIgnoredDuringExecution, w.RequiredDuringSchedulingIgnoredDuringExecution, samePodTerm) &&
		sameAll(v.PreferredDuringSchedulingIgnoredDuringExecution, w.PreferredDuringSchedulingIgnoredDuringExecution, sameWeighted)
}

func sameNodeAffinity(a, b *v1.NodeAffinity) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := a.RequiredDuringSchedulingIgnoredDuringExecution, b.RequiredDuringSchedulingIgnoredDuringExecution
	if x == nil || y == nil {
		if x != y {
			return false
		}
	} else if !sameAll(x.NodeSelectorTerms, y.NodeSelectorTerms, sameNodeTerm) {
		return false
	}
	return sameAll(a.PreferredDuringSchedulingIgnoredDuringExecution, b.PreferredDuringSchedulingIgnoredDuringExecution,
		func(a, b *v1.PreferredSchedulingTerm) bool {
			return a.Weight == b.Weight && sameNodeTerm(&a.Preference, &b.Preference)
		})
}

func sameNodeTerm(a, b *v1.NodeSelectorTerm) bool {
	return sameAll(a.MatchFields, b.MatchFields, sameNodeRequirement) && sameAll(a.MatchExpressions, b.MatchExpressions, sameNodeRequirement)
}

func sameNodeRequirement(a, b *v1.NodeSelectorRequirement) bool {
	return a.Key == b.Key && a.Operator == b.Operator && sameStrings(a.Values, b.Values)
}

func samePodTerm(a, b *v1.PodAffinityTerm) bool {
	return a.TopologyKey == b.TopologyKey && sameSelector(a.LabelSelector, b.LabelSelector) &&
		sameSelector(a.NamespaceSelector, b.NamespaceSelector) && sameStrings(a.Namespaces, b.Namespaces)
}

func sameWeighted(a, b *v1.WeightedPodAffinityTerm) bool {
	return a.Weight == b.Weight && samePodTerm(&a.PodAffinityTerm, &b.PodAffinityTerm)
}

func sameSelector(a, b *metav1.LabelSelector) bool {
	if a == nil || b == nil {
		return a == b
	}
	return sameMap(a.MatchLabels, b.MatchLabels) && sameAll(a.MatchExpressions, b.MatchExpressions,
		func(a, b *metav1.LabelSelectorRequirement) bool {
			return a.Key == b.Key && a.Operator == b.Operator && sameStrings(a.Values, b.Values)
		})
}

// sameStatus compares what pods on a node have been given: whether that is told,
// not how much it is.
func sameStatus(a, b *v1.Pod) bool {
	s, t := &a.Status, &b.Status
	return sameAll(s.ContainerStatuses, t.ContainerStatuses, sameContainerStatus) &&
		sameAll(s.InitContainerStatuses, t.InitContainerStatuses, sameContainerStatus) &&
		(s.Resources == nil) == (t.Resources == nil) &&
		podresource.IsPodResizeInfeasible(a) == podresource.IsPodResizeInfeasible(b)
}

func sameContainerStatus(a, b *v1.ContainerStatus) bool {
	return a.Name == b.Name && (a.Resources == nil) == (b.Resources == nil)
}

// same compares what pointers point to.
func same[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameMap(a, b map[string]string) bool { return len(a) == 0 && len(b) == 0 || maps.Equal(a, b) }

// sameStrings tells no list from an empty one, as the class that takes it would.
func sameStrings(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

func sameAll[T any](a, b []T, same func(a, b *T) bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(&a[i], &b[i]) {
			return false
		}
	}
	return true
}
