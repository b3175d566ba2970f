package manifest

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
	v1 "k8s.io/api/core/v1"
)

// NewPod returns what admission looks at of a pod that is to be created. Default comes before.
// An error is a *FieldError.
func NewPod(p *v1.Pod) (*quota.NewPod, error) {
	account, err := Account(p)
	if err != nil {
		return nil, err
	}
	to := &quota.NewPod{
		Namespace: p.Namespace, Name: p.Name, Account: *account, Priority: p.Spec.Priority,
		NodeLabels: cluster.MakeLabels(p.Spec.NodeSelector),
	}
	if p.Spec.RuntimeClassName != nil {
		to.RuntimeClass = *p.Spec.RuntimeClassName
	}
	if p.Spec.PreemptionPolicy != nil {
		never, err := neverPreempts(p.Spec.PreemptionPolicy)
		if err != nil {
			return nil, in(err, "spec", "preemptionPolicy")
		}
		to.NeverPreempts = &never
	}
	if to.Tolerations, err = tolerations(p.Spec.Tolerations); err != nil {
		return nil, in(err, "spec", "tolerations")
	}
	return to, nil
}

// SetAdmitted writes into a pod what admission has made of it. Tolerations with an operator
// that tolerates nothing are gone then. The pod's lists and maps are changed.
func SetAdmitted(p *v1.Pod, from *quota.NewPod) {
	spec := &p.Spec
	spec.PriorityClassName, spec.Priority = from.Account.PriorityClass, from.Priority
	if from.NeverPreempts != nil {
		policy := v1.PreemptLowerPriority
		if *from.NeverPreempts {
			policy = v1.PreemptNever
		}
		spec.PreemptionPolicy = &policy
	}
	spec.Tolerations, spec.NodeSelector = writeTolerations(from.Tolerations), labelMap(from.NodeLabels)
	spec.Overhead = addLacking(spec.Overhead, from.Account.Overhead)
	set := func(to []v1.Container, from []cluster.Container) {
		for i := range to {
			to[i].Resources.Requests = addLacking(to[i].Resources.Requests, from[i].Requests)
			to[i].Resources.Limits = addLacking(to[i].Resources.Limits, from[i].Limits)
		}
	}
	set(spec.InitContainers, from.Account.InitContainers)
	set(spec.Containers, from.Account.Containers)
}

// addLacking adds to a list what it lacks: admission changes no amount that a pod brings.
func addLacking(list v1.ResourceList, all []cluster.NamedAmount) v1.ResourceList {
	for _, a := range all {
		if _, ok := list[v1.ResourceName(a.Name)]; ok {
			continue
		}
		if list == nil {
			list = v1.ResourceList{}
		}
		list[v1.ResourceName(a.Name)] = quotaQuantity(a)
	}
	return list
}
