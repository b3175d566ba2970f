package quota

import (
	"strings"

	v1 "k8s.io/api/core/v1"
)

// kindOf returns what is counted under a name, of quotas and of containers: cpu, memory, storage or
// hugepages, and nothing for what is counted in whole numbers.
func kindOf(name string) string {
	switch {
	case strings.HasPrefix(name, "count/"):
		return ""
	case strings.HasSuffix(name, "cpu"):
		return "cpu"
	case strings.HasSuffix(name, "memory"):
		return "memory"
	case strings.HasSuffix(name, "storage"):
		return "storage"
	case strings.Contains(name, "hugepages-"):
		return "hugepages"
	}
	return ""
}

// Names of what quotas limit, by what they are about.
var (
	podHard = []string{
		"pods", "count/pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
		"ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage", "hugepages-2Mi", "requests.hugepages-2Mi",
		"requests.nvidia.com/gpu", "requests.example.com/gpu", "requests.deviceclass.resource.kubernetes.io/nic",
		"nvidia.com/gpu", "limits.nvidia.com/gpu",
	}
	claimHard = []string{
		"persistentvolumeclaims", "count/persistentvolumeclaims", "requests.storage",
		"fast.storageclass.storage.k8s.io/requests.storage", "fast.storageclass.storage.k8s.io/persistentvolumeclaims",
		"slow.storageclass.storage.k8s.io/requests.storage", "slow.storageclass.storage.k8s.io/persistentvolumeclaims",
	}
	otherHard = []string{
		"services", "services.loadbalancers", "services.nodeports", "count/services",
		"configmaps", "count/configmaps", "secrets", "count/secrets", "replicationcontrollers", "count/replicationcontrollers",
		"resourcequotas", "count/resourcequotas", "count/deployments.apps", "count/jobs.batch", "count/gadgets.example.com",
		"count/resourceclaims.resource.k8s.io", "gpu.deviceclass.resource.k8s.io/devices", "nic.deviceclass.resource.k8s.io/devices",
	}
	// compute is what quotas with a scope may limit of the standard names, but for those about best-effort
	// pods, which may limit pods alone.
	compute = []string{"pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
)

// hard makes limits of some of the names.
func (d *drawer) hard(names []string, n int) v1.ResourceList {
	list := v1.ResourceList{}
	most := 90
	if d.tight {
		most = 18
	}
	for range n {
		name := pick(d, names...)
		most := most
		switch kindOf(name) { // there is less of these
		case "":
			most /= 8
		case "storage", "hugepages":
			most /= 4
		}
		list[v1.ResourceName(name)] = d.amount(name, most)
	}
	return list
}

// quota makes a quota, of which some are not valid.
func (d *drawer) quota() *v1.ResourceQuota {
	q := &v1.ResourceQuota{ObjectMeta: d.meta("q", 3)}
	what := d.IntN(12)
	switch {
	case d.about == storage && d.one(3):
		q.Spec.Hard = d.hard([]string{"persistentvolumeclaims", "requests.storage"}, 2)
		d.attributes(q)
		return q
	case d.about == storage && d.one(2):
		what = 2
	case d.about == others && !d.one(3):
		what = 3
	}
	switch what {
	case 0, 1, 10, 11:
		q.Spec.Hard = d.hard(podHard, 1+d.IntN(6))
	case 2:
		q.Spec.Hard = d.hard(claimHard, 3+d.IntN(5))
	case 3:
		q.Spec.Hard = d.hard(otherHard, 6+d.IntN(9))
	case 4:
		all := append(append(append([]string{}, podHard...), claimHard...), otherHard...)
		q.Spec.Hard = d.hard(all, 2+d.IntN(12))
	default:
		d.scoped(q)
	}
	if d.one(15) {
		d.spoil(q)
	}
	return q
}

// scoped gives a quota scopes, and limits that it may have then.
func (d *drawer) scoped(q *v1.ResourceQuota) {
	q.Spec.Hard = d.hard(compute, 1+d.IntN(3))
	if d.one(6) {
		q.Spec.Hard["count/pods"] = d.amount("count/pods", 5)
	}
	exists := func(scope v1.ResourceQuotaScope) v1.ScopedResourceSelectorRequirement {
		return v1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: v1.ScopeSelectorOpExists}
	}
	var list []v1.ScopedResourceSelectorRequirement
	switch d.IntN(9) {
	case 0:
		list = append(list, exists(pick(d, v1.ResourceQuotaScopeTerminating, v1.ResourceQuotaScopeNotTerminating)))
	case 1:
		list = append(list, exists(v1.ResourceQuotaScopeBestEffort))
		q.Spec.Hard = d.hard([]string{"pods", "count/pods"}, 2)
	case 2:
		list = append(list, exists(v1.ResourceQuotaScopeNotBestEffort))
	case 3, 8:
		list = append(list, exists(v1.ResourceQuotaScopeCrossNamespacePodAffinity))
	case 4, 5:
		list = append(list, d.requirement(v1.ResourceQuotaScopePriorityClass, "low", "high", "default-1"))
		if d.one(5) {
			list = append(list, d.requirement(v1.ResourceQuotaScopePriorityClass, "low", "high", "default-1"))
		}
	case 6:
		q.Spec.Hard = d.hard([]string{"persistentvolumeclaims", "requests.storage", "fast.storageclass.storage.k8s.io/requests.storage"}, 2)
		d.attributes(q)
		return
	default:
		list = append(list, exists(pick(d, v1.ResourceQuotaScopeTerminating, v1.ResourceQuotaScopeNotTerminating)), exists(v1.ResourceQuotaScopeNotBestEffort))
	}
	if d.one(2) {
		for _, r := range list {
			if r.Operator == v1.ScopeSelectorOpExists {
				q.Spec.Scopes = append(q.Spec.Scopes, r.ScopeName)
			}
		}
		if len(q.Spec.Scopes) == len(list) {
			return
		}
		q.Spec.Scopes = nil
	}
	q.Spec.ScopeSelector = &v1.ScopeSelector{MatchExpressions: list}
}

// attributes gives a quota a scope of claims.
func (d *drawer) attributes(q *v1.ResourceQuota) {
	r := d.requirement(v1.ResourceQuotaScopeVolumeAttributesClass, "gold", "silver", "bronze")
	if r.Operator == v1.ScopeSelectorOpExists && d.one(2) {
		q.Spec.Scopes = []v1.ResourceQuotaScope{r.ScopeName}
		return
	}
	q.Spec.ScopeSelector = &v1.ScopeSelector{MatchExpressions: []v1.ScopedResourceSelectorRequirement{r}}
}

// requirement makes one with any operator.
func (d *drawer) requirement(scope v1.ResourceQuotaScope, values ...string) v1.ScopedResourceSelectorRequirement {
	r := v1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: pick(d, v1.ScopeSelectorOpIn, v1.ScopeSelectorOpIn, v1.ScopeSelectorOpNotIn, v1.ScopeSelectorOpExists, v1.ScopeSelectorOpDoesNotExist, v1.ScopeSelectorOpDoesNotExist)}
	if r.Operator == v1.ScopeSelectorOpIn || r.Operator == v1.ScopeSelectorOpNotIn {
		r.Values = values[:1+d.IntN(len(values))]
	}
	return r
}

// spoil makes a quota one that is likely not valid.
func (d *drawer) spoil(q *v1.ResourceQuota) {
	match := func(scope v1.ResourceQuotaScope, operator v1.ScopeSelectorOperator, values ...string) {
		q.Spec.ScopeSelector = &v1.ScopeSelector{MatchExpressions: []v1.ScopedResourceSelectorRequirement{{ScopeName: scope, Operator: operator, Values: values}}}
	}
	q.Spec.Scopes, q.Spec.ScopeSelector = nil, nil
	switch d.IntN(9) {
	case 0:
		q.Spec.Scopes = []v1.ResourceQuotaScope{v1.ResourceQuotaScopeTerminating, v1.ResourceQuotaScopeNotTerminating}
	case 1:
		q.Spec.Scopes = []v1.ResourceQuotaScope{v1.ResourceQuotaScopeBestEffort, v1.ResourceQuotaScopeNotBestEffort}
	case 2:
		q.Spec.Scopes = []v1.ResourceQuotaScope{"Sleeping"}
	case 3:
		match(v1.ResourceQuotaScopeTerminating, v1.ScopeSelectorOpIn, "x")
	case 4:
		match(v1.ResourceQuotaScopePriorityClass, v1.ScopeSelectorOpIn)
	case 5:
		match(v1.ResourceQuotaScopePriorityClass, v1.ScopeSelectorOpExists, "low")
	case 6:
		match(v1.ResourceQuotaScopePriorityClass, "Like", "low")
	case 7:
		q.Spec.Hard[v1.ResourceName(pick(d, "gpus", "limits.storage", "a/b/c", "UPPER/x", "storage", "requests.x"))] = d.amount("pods", 3)
	case 8:
		q.Spec.Scopes = []v1.ResourceQuotaScope{pick(d, v1.ResourceQuotaScopeBestEffort, v1.ResourceQuotaScopeNotBestEffort, v1.ResourceQuotaScopeVolumeAttributesClass, v1.ResourceQuotaScopePriorityClass)}
	}
}

// misstate gives a quota a status that is not that of the quota controller.
func (d *drawer) misstate(q *v1.ResourceQuota) {
	q.Status.Hard = q.Spec.Hard
	if d.one(4) {
		q.Status.Hard = nil
	}
	for name := range q.Spec.Hard {
		if len(q.Spec.Hard) == 1 && d.one(2) {
			q.Status.Used = v1.ResourceList{name: d.amount(string(name), 3)}
		}
	}
}
