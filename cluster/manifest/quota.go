package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// ResourceQuota converts a quota and its status. An error is a *FieldError.
func ResourceQuota(q *v1.ResourceQuota) (*cluster.ResourceQuota, error) {
	to := &cluster.ResourceQuota{Namespace: q.Namespace, Name: q.Name}
	for _, scope := range q.Spec.Scopes {
		to.Scopes = append(to.Scopes, cluster.ScopeRequirement{Scope: string(scope), Operator: string(v1.ScopeSelectorOpExists)})
	}
	if selector := q.Spec.ScopeSelector; selector != nil {
		for i, r := range selector.MatchExpressions {
			switch r.Operator {
			case v1.ScopeSelectorOpIn, v1.ScopeSelectorOpNotIn, v1.ScopeSelectorOpExists, v1.ScopeSelectorOpDoesNotExist:
			default:
				err := wrongValue(string(r.Operator), "In", "NotIn", "Exists", "DoesNotExist")
				return nil, in(err, "spec", "scopeSelector", "matchExpressions", i, "operator")
			}
			to.Scopes = append(to.Scopes, cluster.ScopeRequirement{
				Scope: string(r.ScopeName), Operator: string(r.Operator), Values: slices.Clone(r.Values),
			})
		}
	}
	var err error
	if to.Hard, err = quotaAmounts(q.Spec.Hard); err != nil {
		return nil, in(err, "spec", "hard")
	}
	if to.Enforced, err = quotaAmounts(q.Status.Hard); err != nil {
		return nil, in(err, "status", "hard")
	}
	if to.Used, err = quotaAmounts(q.Status.Used); err != nil {
		return nil, in(err, "status", "used")
	}
	return to, nil
}

// quotaAmounts converts what a quota says by quota name, sorted by it: CPU, under any of its
// three names, in thousandths, everything else in ones, rounded up.
func quotaAmounts(list v1.ResourceList) (to []cluster.NamedAmount, err error) {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		amount, err := amountOf(unitOf(name), &q)
		if err != nil {
			return nil, in(err, string(name))
		}
		to = append(to, cluster.NamedAmount{Name: string(name), Amount: amount})
	}
	return to, nil
}

// unitOf returns the resource in whose unit a quota name is counted.
func unitOf(name v1.ResourceName) v1.ResourceName {
	if name == v1.ResourceRequestsCPU || name == v1.ResourceLimitsCPU {
		return v1.ResourceCPU
	}
	return name
}

// LimitRange converts a range as it is in the API. An error is a *FieldError.
func LimitRange(r *v1.LimitRange) (*quota.LimitRange, error) {
	to := &quota.LimitRange{Namespace: r.Namespace, Name: r.Name}
	for i := range r.Spec.Limits {
		from, item := &r.Spec.Limits[i], quota.LimitRangeItem{Type: string(r.Spec.Limits[i].Type)}
		if item.Type == "" {
			return nil, in(wrong("is missing", "write Container, Pod or PersistentVolumeClaim"), "spec", "limits", i, "type")
		}
		for _, list := range []struct {
			name string
			from v1.ResourceList
			to   *[]cluster.NamedAmount
		}{
			{"max", from.Max, &item.Max}, {"min", from.Min, &item.Min},
			{"default", from.Default, &item.Default}, {"defaultRequest", from.DefaultRequest, &item.DefaultRequest},
		} {
			var err error
			if *list.to, err = namedAmounts(list.from); err != nil {
				return nil, in(err, "spec", "limits", i, list.name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(from.MaxLimitRequestRatio)) {
			ratio := from.MaxLimitRequestRatio[name]
			amount, err := amountOf(v1.ResourceCPU, &ratio) // in thousandths, too
			if err != nil {
				return nil, in(err, "spec", "limits", i, "maxLimitRequestRatio", string(name))
			}
			item.Ratio = append(item.Ratio, cluster.NamedAmount{Name: string(name), Amount: amount})
		}
		to.Items = append(to.Items, item)
	}
	return to, nil
}

// PriorityClass converts a class. An error is a *FieldError.
func PriorityClass(c *schedulingv1.PriorityClass) (quota.PriorityClass, error) {
	to := quota.PriorityClass{Name: c.Name, Value: c.Value, GlobalDefault: c.GlobalDefault}
	never, err := neverPreempts(c.PreemptionPolicy)
	if err != nil {
		return to, in(err, "preemptionPolicy")
	}
	to.NeverPreempts = never
	return to, nil
}

// neverPreempts converts a preemption policy, PreemptLowerPriority if there is none.
func neverPreempts(policy *v1.PreemptionPolicy) (bool, error) {
	if policy == nil || *policy == v1.PreemptLowerPriority {
		return false, nil
	}
	if *policy != v1.PreemptNever {
		return false, wrongValue(string(*policy), "PreemptLowerPriority", "Never")
	}
	return true, nil
}

// RuntimeClass converts a class. An error is a *FieldError.
func RuntimeClass(c *nodev1.RuntimeClass) (*quota.RuntimeClass, error) {
	to := &quota.RuntimeClass{Name: c.Name}
	var err error
	if c.Overhead != nil {
		if to.Overhead, err = namedAmounts(c.Overhead.PodFixed); err != nil {
			return nil, in(err, "overhead", "podFixed")
		}
		to.Overhead = notNil(to.Overhead)
	}
	if c.Scheduling != nil {
		to.Schedules, to.NodeLabels = true, cluster.MakeLabels(c.Scheduling.NodeSelector)
		if to.Tolerations, err = tolerations(c.Scheduling.Tolerations); err != nil {
			return nil, in(err, "scheduling", "tolerations")
		}
	}
	return to, nil
}

// claim converts what quotas count of a PersistentVolumeClaim.
func claim(c *v1.PersistentVolumeClaim) (*quota.Claim, error) {
	to := &quota.Claim{}
	if c.Spec.StorageClassName != nil {
		to.StorageClass = *c.Spec.StorageClassName
	}
	var err error
	if to.Requested, err = storageIn(c.Spec.Resources.Requests); err != nil {
		return nil, in(err, "spec", "resources", "requests", "storage")
	}
	if to.Allocated, err = storageIn(c.Status.AllocatedResources); err != nil {
		return nil, in(err, "status", "allocatedResources", "storage")
	}
	use := func(class *string) {
		if class != nil && *class != "" && !slices.Contains(to.VolumeAttributes, *class) {
			to.VolumeAttributes = append(to.VolumeAttributes, *class)
		}
	}
	use(c.Spec.VolumeAttributesClassName)
	use(c.Status.CurrentVolumeAttributesClassName)
	if modify := c.Status.ModifyVolumeStatus; modify != nil {
		use(&modify.TargetVolumeAttributesClassName)
	}
	slices.SortFunc(to.VolumeAttributes, strings.Compare)
	return to, nil
}

// storageIn returns the bytes of storage in a list, -1 if it doesn't mention any.
func storageIn(list v1.ResourceList) (int64, error) {
	q, ok := list[v1.ResourceStorage]
	if !ok {
		return -1, nil
	}
	return amountOf(v1.ResourceStorage, &q)
}

// service converts what quotas count of a Service.
func service(s *v1.Service) *quota.Service {
	to := &quota.Service{Type: string(s.Spec.Type), Ports: len(s.Spec.Ports)}
	if to.Type == "" {
		to.Type = string(v1.ServiceTypeClusterIP)
	}
	for i := range s.Spec.Ports {
		if s.Spec.Ports[i].NodePort != 0 {
			to.NodePorts++
		}
	}
	allocate := s.Spec.AllocateLoadBalancerNodePorts
	to.NoNodePorts = allocate != nil && !*allocate
	return to
}

// quotaQuantity writes an amount under a quota name.
func quotaQuantity(a cluster.NamedAmount) resource.Quantity {
	switch unit := strings.TrimPrefix(strings.TrimPrefix(a.Name, "requests."), "limits."); {
	case unit == string(v1.ResourceCPU):
		return milli(a.Amount)
	case unit == "memory" || unit == "ephemeral-storage" || strings.HasSuffix(unit, "storage") || strings.HasPrefix(unit, v1.ResourceHugePagesPrefix):
		return inBytes(a.Amount)
	}
	return whole(a.Amount)
}

// ResourceQuotaObject makes an object of a quota, of which ResourceQuota makes the same again.
func ResourceQuotaObject(q *cluster.ResourceQuota) *v1.ResourceQuota {
	out := &v1.ResourceQuota{}
	out.APIVersion, out.Kind, out.Namespace, out.Name = "v1", "ResourceQuota", q.Namespace, q.Name
	if len(q.Scopes) > 0 {
		out.Spec.ScopeSelector = &v1.ScopeSelector{}
	}
	for _, r := range q.Scopes {
		out.Spec.ScopeSelector.MatchExpressions = append(out.Spec.ScopeSelector.MatchExpressions, v1.ScopedResourceSelectorRequirement{
			ScopeName: v1.ResourceQuotaScope(r.Scope), Operator: v1.ScopeSelectorOperator(r.Operator), Values: slices.Clone(r.Values),
		})
	}
	list := func(from []cluster.NamedAmount) v1.ResourceList {
		if from == nil {
			return nil
		}
		to := v1.ResourceList{}
		for _, a := range from {
			to[v1.ResourceName(a.Name)] = quotaQuantity(a)
		}
		return to
	}
	out.Spec.Hard, out.Status.Hard, out.Status.Used = list(q.Hard), list(q.Enforced), list(q.Used)
	return out
}
