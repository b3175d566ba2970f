package quota

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
)

// wanted returns the features of which something must be seen.
func wanted() []string {
	list := []string{
		"answer: 200", "answer: 403", "answer: 422",
		"burst", "burst: a conflict",
		"charged: 0 quotas", "charged: 1 quotas", "charged: 2 quotas", "charged: 3 quotas", "charged: no scope", "charged: several scopes",
		"controller: compared",
		"delete: pods",
		"QoS: BestEffort", "QoS: Burstable", "QoS: Guaranteed",
		"remove: limitranges", "remove: persistentvolumeclaims", "remove: pods", "remove: resourceclaims.resource.k8s.io",
		"remove: resourcequotas", "remove: services", "remove: what only its number counts of",
		"status: above what is enforced", "status: nobody counts limits.nvidia.com/gpu", "status: nobody counts nvidia.com/gpu",
		"status: not said of a limit", "status: not there yet",
	}
	for _, what := range []string{
		"-1 tolerations added", "0 tolerations added", "1 tolerations added", "2 tolerations added", "3 tolerations added",
		"init container", "limits by a LimitRange", "never preempts", "node selector of its runtime class", "overhead", "overhead given",
		"preemption policy given", "priority class by default", "priority given", "requests by a LimitRange", "resources as a whole", "sidecar",
	} {
		list = append(list, "pod: "+what)
	}
	for _, name := range counted {
		list = append(list, "request: create "+name)
	}
	for _, name := range []string{
		"persistentvolumeclaims", "persistentvolumeclaims/status", "pods", "pods/resize", "pods/status",
		"resourceclaims.resource.k8s.io", "resourcequotas", "resourcequotas/status", "services",
	} {
		list = append(list, "request: update "+name)
	}
	for _, name := range slices.Concat(podHard, claimHard, otherHard) {
		if name != "nvidia.com/gpu" && name != "limits.nvidia.com/gpu" { // nobody counts them
			list = append(list, "used: "+name, "exceeded: "+name)
		}
	}
	return append(list, append(wantedScopes(), wantedMessages()...)...)
}

// wantedScopes are all scopes with all operators that they may have.
func wantedScopes() (list []string) {
	for _, scope := range []v1.ResourceQuotaScope{
		v1.ResourceQuotaScopeTerminating, v1.ResourceQuotaScopeNotTerminating, v1.ResourceQuotaScopeBestEffort, v1.ResourceQuotaScopeNotBestEffort,
		v1.ResourceQuotaScopeCrossNamespacePodAffinity, v1.ResourceQuotaScopePriorityClass, v1.ResourceQuotaScopeVolumeAttributesClass,
	} {
		list = append(list, fmt.Sprintf("charged: %s by name", scope), fmt.Sprintf("charged: %s Exists", scope))
		if scope == v1.ResourceQuotaScopePriorityClass || scope == v1.ResourceQuotaScopeVolumeAttributesClass {
			for _, operator := range []string{"In", "NotIn", "DoesNotExist"} {
				list = append(list, fmt.Sprintf("charged: %s %s", scope, operator))
			}
		}
	}
	return list
}

// wantedMessages are all classes of refusals.
func wantedMessages() []string {
	list := []string{
		"message: exceeded quota", "message: must specify", "message: status unknown", "message: several of a LimitRange",
		"message: no PriorityClass with name", "message: the integer value of priority", "message: the string value of PreemptionPolicy",
		"message: RuntimeClass not found", "message: Pod's Overhead doesn't match", "message: Pod Overhead set without", "message: conflict: runtimeClass",
		"message: minimum per PersistentVolumeClaim: No request is specified", "message: minimum per PersistentVolumeClaim: but request is",
		"message: maximum per PersistentVolumeClaim: No request is specified", "message: maximum per PersistentVolumeClaim: but request is",
		"message: minimum per Pod: No request is specified", "message: maximum per Pod: No limit is specified",
	}
	for _, kind := range []string{"Container", "Pod"} { // containers have what they lack by default
		for _, what := range []string{
			"minimum per %s: but request is", "minimum per %s: but limit is", "maximum per %s: but request is", "maximum per %s: but limit is",
			"ratio per %s: no request is specified", "ratio per %s: no limit is specified", "ratio per %s: provided ratio",
		} {
			list = append(list, "message: "+fmt.Sprintf(what, kind))
		}
	}
	return list
}
