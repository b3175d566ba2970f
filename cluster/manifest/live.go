package manifest

import (
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/apps/poddisruptionbudget"
)

// conditionTypes are what the API calls the conditions that controllers act on.
var conditionTypes = map[v1.NodeConditionType]cluster.NodeCondition{
	v1.NodeReady: cluster.NodeReady, v1.NodeMemoryPressure: cluster.NodeMemoryPressure,
	v1.NodeDiskPressure: cluster.NodeDiskPressure, v1.NodePIDPressure: cluster.NodePIDPressure,
	v1.NodeNetworkUnavailable: cluster.NodeNetworkUnavailable,
}

// ConditionType returns what the API calls a condition.
func ConditionType(c cluster.NodeCondition) v1.NodeConditionType {
	return v1.NodeConditionType(c.String())
}

// Conditions returns what a node's status says, and when its kubelet posted whether it is
// ready: the zero time if it never did. A status that isn't one of the API's is Unknown.
// Manifests are not read for it: what a file says of a node's health is as old as the file.
func Conditions(n *v1.Node) (is cluster.Conditions, posted time.Time) {
	for i := range n.Status.Conditions {
		c := &n.Status.Conditions[i]
		which, ok := conditionTypes[c.Type]
		if !ok {
			continue
		}
		switch c.Status {
		case v1.ConditionTrue:
			is[which] = cluster.ConditionTrue
		case v1.ConditionFalse:
			is[which] = cluster.ConditionFalse
		default:
			is[which] = cluster.ConditionUnknown
		}
		if which == cluster.NodeReady {
			posted = c.LastHeartbeatTime.Time
		}
	}
	return is, posted
}

// TaintObject returns a taint as the API has it, without the time at which it was added.
func TaintObject(t cluster.Taint) v1.Taint {
	return v1.Taint{Key: t.Key, Value: t.Value, Effect: effectNames[t.Effect]}
}

// PodObject returns the object of a pod that is to be created: on no node unless it names one,
// and with no status.
func PodObject(spec *cluster.PodSpec) *v1.Pod {
	alike := writeAlike(spec.Class, spec.Account)
	out := &v1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: spec.Name, Namespace: spec.Class.Namespace, Labels: labelMap(spec.Labels),
			OwnerReferences: ownerReferences(spec.Class.Owner), Annotations: podAnnotations(spec.Class, cluster.Allocation{}),
		},
		Spec: alike.spec,
	}
	out.Spec.NodeName = spec.On
	return out
}

// SetBudgetStatus has an object's status say what a budget's does, its condition included.
// Epoch is the time of day at which cluster.Time is 0.
func SetBudgetStatus(of *policyv1.PodDisruptionBudget, b *cluster.DisruptionBudget, epoch time.Time) {
	to := policyv1.PodDisruptionBudgetStatus{
		Conditions:         of.Status.Conditions,
		ObservedGeneration: b.ObservedGeneration, DisruptionsAllowed: b.Allowed,
		CurrentHealthy: b.CurrentHealthy, DesiredHealthy: b.DesiredHealthy, ExpectedPods: b.ExpectedPods,
	}
	for i, name := range b.Disrupted {
		if to.DisruptedPods == nil {
			to.DisruptedPods = map[string]metav1.Time{}
		}
		// The API has whole seconds, and what is compared with it must, too.
		to.DisruptedPods[name] = metav1.NewTime(epoch.Add(time.Duration(b.DisruptedAt[i]))).Rfc3339Copy()
	}
	of.Status = to
	poddisruptionbudget.UpdateDisruptionAllowedCondition(of)
}

// QuotaStatus returns a quota's status as the API has it.
func QuotaStatus(q *cluster.ResourceQuota) v1.ResourceQuotaStatus {
	return v1.ResourceQuotaStatus{Hard: quotaList(q.Enforced), Used: quotaList(q.Used)}
}

// quotaList is the inverse of quotaAmounts.
func quotaList(from []cluster.NamedAmount) v1.ResourceList {
	if from == nil {
		return nil
	}
	to := v1.ResourceList{}
	for _, a := range from {
		name := v1.ResourceName(a.Name)
		switch {
		case unitOf(name) == v1.ResourceCPU:
			to[name] = milli(a.Amount)
		case strings.Contains(a.Name, "memory") || strings.Contains(a.Name, "storage") || strings.Contains(a.Name, "hugepages"):
			to[name] = *resource.NewQuantity(a.Amount, resource.BinarySI)
		default:
			to[name] = whole(a.Amount)
		}
	}
	return to
}
