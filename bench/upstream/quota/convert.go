package quota

import (
	"cmp"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// list converts a list of resources.
func list(from v1.ResourceList) []cluster.NamedAmount {
	var to []cluster.NamedAmount
	for _, name := range slices.Sorted(maps.Keys(from)) {
		to = append(to, cluster.NamedAmount{Name: string(name), Amount: whole(string(name), from[name])})
	}
	return to
}

// given converts what a status says: that it says nothing of any resource is something, too.
func given(from v1.ResourceList) []cluster.NamedAmount {
	return append([]cluster.NamedAmount{}, list(from)...)
}

// most returns the higher amount of each name.
func most(a, b []cluster.NamedAmount) []cluster.NamedAmount {
	for _, x := range b {
		if i := slices.IndexFunc(a, func(y cluster.NamedAmount) bool { return x.Name == y.Name }); i >= 0 {
			a[i].Amount = max(a[i].Amount, x.Amount)
		} else {
			a = append(a, x)
		}
	}
	slices.SortFunc(a, func(x, y cluster.NamedAmount) int { return cmp.Compare(x.Name, y.Name) })
	return a
}

func containers(from []v1.Container, statuses []v1.ContainerStatus) (to []cluster.Container) {
	for _, c := range from {
		is := cluster.Container{
			Name: c.Name, Requests: list(c.Resources.Requests), Limits: list(c.Resources.Limits),
			Restarts: c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways,
		}
		for _, st := range statuses {
			if st.Name == c.Name && st.Resources != nil {
				is.GivenRequests = most(given(st.Resources.Requests), list(st.AllocatedResources))
				is.GivenLimits = given(st.Resources.Limits)
			}
		}
		to = append(to, is)
	}
	return to
}

// account converts what admission looks at of a pod.
func account(p *v1.Pod) *cluster.Account {
	a := &cluster.Account{
		Containers:     containers(p.Spec.Containers, p.Status.ContainerStatuses),
		InitContainers: containers(p.Spec.InitContainers, p.Status.InitContainerStatuses),
		Overhead:       list(p.Spec.Overhead),
		Deadline:       p.Spec.ActiveDeadlineSeconds != nil,
		PriorityClass:  p.Spec.PriorityClassName,
	}
	if r := p.Spec.Resources; r != nil {
		a.Whole = &cluster.Container{Requests: list(r.Requests), Limits: list(r.Limits)}
	}
	for _, c := range p.Status.Conditions {
		a.ResizeInfeasible = a.ResizeInfeasible || c.Type == v1.PodResizePending && c.Reason == v1.PodReasonInfeasible
	}
	if s := p.Spec.TerminationGracePeriodSeconds; s != nil {
		a.Grace = cluster.Time(*s) * cluster.Time(time.Second)
	}
	a.OtherNamespaces = slices.ContainsFunc(terms(p), func(t v1.PodAffinityTerm) bool { return len(t.Namespaces) > 0 || t.NamespaceSelector != nil })
	return a
}

// terms returns the terms of a pod's affinity and anti-affinity.
func terms(p *v1.Pod) (all []v1.PodAffinityTerm) {
	if p.Spec.Affinity == nil {
		return nil
	}
	var weighted []v1.WeightedPodAffinityTerm
	if a := p.Spec.Affinity.PodAffinity; a != nil {
		all = append(all, a.RequiredDuringSchedulingIgnoredDuringExecution...)
		weighted = append(weighted, a.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	if a := p.Spec.Affinity.PodAntiAffinity; a != nil {
		all = append(all, a.RequiredDuringSchedulingIgnoredDuringExecution...)
		weighted = append(weighted, a.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	for _, w := range weighted {
		all = append(all, w.PodAffinityTerm)
	}
	return all
}

// object converts anything that quotas count.
func object(resource string, o metav1.Object) *berth.Object {
	to := &berth.Object{Resource: resource, Namespace: o.GetNamespace(), Name: o.GetName()}
	switch o := o.(type) {
	case *v1.Pod:
		to.Pod = &berth.Pod{Account: account(o), Ended: o.Status.Phase == v1.PodSucceeded || o.Status.Phase == v1.PodFailed}
		if at, grace := o.DeletionTimestamp, o.DeletionGracePeriodSeconds; at != nil {
			to.Pod.Overdue = time.Now().After(at.Add(time.Duration(*grace) * time.Second))
		}
	case *v1.PersistentVolumeClaim:
		to.Claim = claimOf(o)
	case *v1.Service:
		to.Service = serviceOf(o)
	case *resourcev1.ResourceClaim:
		to.Devices = demands(o)
	}
	return to
}

func claimOf(o *v1.PersistentVolumeClaim) *berth.Claim {
	c := &berth.Claim{Requested: -1, Allocated: -1}
	if o.Spec.StorageClassName != nil {
		c.StorageClass = *o.Spec.StorageClassName
	}
	if class, ok := o.Annotations[v1.BetaStorageClassAnnotation]; ok {
		c.StorageClass = class
	}
	if q, ok := o.Spec.Resources.Requests["storage"]; ok {
		c.Requested = q.Value()
	}
	if q, ok := o.Status.AllocatedResources["storage"]; ok {
		c.Allocated = q.Value()
	}
	for _, name := range []*string{o.Spec.VolumeAttributesClassName, o.Status.CurrentVolumeAttributesClassName} {
		if name != nil {
			c.VolumeAttributes = append(c.VolumeAttributes, *name)
		}
	}
	if st := o.Status.ModifyVolumeStatus; st != nil {
		c.VolumeAttributes = append(c.VolumeAttributes, st.TargetVolumeAttributesClassName)
	}
	return c
}

func serviceOf(o *v1.Service) *berth.Service {
	s := &berth.Service{Type: string(o.Spec.Type), Ports: len(o.Spec.Ports)}
	for _, p := range o.Spec.Ports {
		if p.NodePort != 0 {
			s.NodePorts++
		}
	}
	s.NoNodePorts = o.Spec.AllocateLoadBalancerNodePorts != nil && !*o.Spec.AllocateLoadBalancerNodePorts
	return s
}

// extendedOf are the extended resources as which devices of a class can be asked for, in stories.
var extendedOf = map[string]string{"gpu": "example.com/gpu"}

func demands(o *resourcev1.ResourceClaim) (all []berth.DeviceDemand) {
	one := func(class string, mode resourcev1.DeviceAllocationMode, count int64) berth.DeviceAlternative {
		return berth.DeviceAlternative{Class: class, Count: count, All: mode == resourcev1.DeviceAllocationModeAll, Extended: extendedOf[class]}
	}
	for _, r := range o.Spec.Devices.Requests {
		var d berth.DeviceDemand
		if x := r.Exactly; x != nil {
			d.Alternatives = append(d.Alternatives, one(x.DeviceClassName, x.AllocationMode, x.Count))
		}
		for _, x := range r.FirstAvailable {
			d.Alternatives = append(d.Alternatives, one(x.DeviceClassName, x.AllocationMode, x.Count))
		}
		all = append(all, d)
	}
	return all
}

// quotaOf converts a quota's spec.
func quotaOf(o *v1.ResourceQuota) *cluster.ResourceQuota {
	q := &cluster.ResourceQuota{Namespace: o.Namespace, Name: o.Name, Hard: list(o.Spec.Hard)}
	for _, scope := range o.Spec.Scopes {
		q.Scopes = append(q.Scopes, cluster.ScopeRequirement{Scope: string(scope), Operator: "Exists"})
	}
	if s := o.Spec.ScopeSelector; s != nil {
		for _, r := range s.MatchExpressions {
			q.Scopes = append(q.Scopes, cluster.ScopeRequirement{Scope: string(r.ScopeName), Operator: string(r.Operator), Values: r.Values})
		}
	}
	return q
}

func limitRangeOf(o *v1.LimitRange) *berth.LimitRange {
	r := &berth.LimitRange{Namespace: o.Namespace, Name: o.Name}
	for _, x := range o.Spec.Limits {
		item := berth.LimitRangeItem{Type: string(x.Type), Max: list(x.Max), Min: list(x.Min), Default: list(x.Default), DefaultRequest: list(x.DefaultRequest)}
		for _, name := range slices.Sorted(maps.Keys(x.MaxLimitRequestRatio)) {
			q := x.MaxLimitRequestRatio[name]
			item.Ratio = append(item.Ratio, cluster.NamedAmount{Name: string(name), Amount: q.MilliValue()})
		}
		r.Items = append(r.Items, item)
	}
	return r
}

func priorityOf(o *schedulingv1.PriorityClass) berth.PriorityClass {
	return berth.PriorityClass{
		Name: o.Name, Value: o.Value, GlobalDefault: o.GlobalDefault,
		NeverPreempts: o.PreemptionPolicy != nil && *o.PreemptionPolicy == v1.PreemptNever,
	}
}

func runtimeOf(o *nodev1.RuntimeClass) *berth.RuntimeClass {
	c := &berth.RuntimeClass{Name: o.Name, Schedules: o.Scheduling != nil}
	if o.Overhead != nil {
		c.Overhead = list(o.Overhead.PodFixed)
	}
	if s := o.Scheduling; s != nil {
		c.NodeLabels, c.Tolerations = cluster.MakeLabels(s.NodeSelector), tolerations(s.Tolerations)
	}
	return c
}

var effects = map[v1.TaintEffect]cluster.Effect{
	"": cluster.NoEffect, v1.TaintEffectNoSchedule: cluster.NoSchedule,
	v1.TaintEffectPreferNoSchedule: cluster.PreferNoSchedule, v1.TaintEffectNoExecute: cluster.NoExecute,
}

func tolerations(from []v1.Toleration) (to []cluster.Toleration) {
	for _, t := range from {
		to = append(to, cluster.Toleration{Key: t.Key, Exists: t.Operator == v1.TolerationOpExists, Value: t.Value, Effect: effects[t.Effect], Seconds: t.TolerationSeconds})
	}
	return to
}

// newPod converts a pod that is to be created, which has the API's defaults.
func newPod(p *v1.Pod) *berth.NewPod {
	n := &berth.NewPod{
		Namespace: p.Namespace, Name: p.Name, Account: *account(p), Priority: p.Spec.Priority,
		Tolerations: tolerations(p.Spec.Tolerations), NodeLabels: cluster.MakeLabels(p.Spec.NodeSelector),
	}
	if p.Spec.RuntimeClassName != nil {
		n.RuntimeClass = *p.Spec.RuntimeClassName
	}
	if policy := p.Spec.PreemptionPolicy; policy != nil {
		n.NeverPreempts = new(*policy == v1.PreemptNever)
	}
	return n
}
