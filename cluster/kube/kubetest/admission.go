package kubetest

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// preparePod fills in a new pod what the API server's defaults and its admission
// plugins (Priority, DefaultTolerationSeconds) would: as far as a scheduler, an
// eviction or a kubelet could see it.
func (st *store) preparePod(p *corev1.Pod) error {
	defaultPod(&p.Spec)
	if err := st.admitPriority(p); err != nil {
		return err
	}
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		tolerated := slices.ContainsFunc(p.Spec.Tolerations, func(t corev1.Toleration) bool {
			return (t.Key == key || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "")
		})
		if !tolerated {
			seconds := int64(300)
			p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{
				Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
			})
		}
	}
	p.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: qosClass(&p.Spec)}
	if len(p.Spec.SchedulingGates) > 0 {
		p.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonSchedulingGated,
			Message: "Scheduling is blocked due to non-empty scheduling gates",
		}}
	}
	return nil
}

func defaultPod(s *corev1.PodSpec) {
	if s.RestartPolicy == "" {
		s.RestartPolicy = corev1.RestartPolicyAlways
	}
	if s.SchedulerName == "" {
		s.SchedulerName = corev1.DefaultSchedulerName
	}
	if s.DNSPolicy == "" {
		s.DNSPolicy = corev1.DNSClusterFirst
	}
	if s.TerminationGracePeriodSeconds == nil {
		seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
		s.TerminationGracePeriodSeconds = &seconds
	}
	if s.SecurityContext == nil {
		s.SecurityContext = &corev1.PodSecurityContext{}
	}
	for i := range s.Containers {
		c := &s.Containers[i]
		for name, q := range c.Resources.Limits {
			if _, ok := c.Resources.Requests[name]; !ok {
				if c.Resources.Requests == nil {
					c.Resources.Requests = corev1.ResourceList{}
				}
				c.Resources.Requests[name] = q
			}
		}
	}
}

// admitPriority resolves the pod's priority class, or takes the global default.
func (st *store) admitPriority(p *corev1.Pod) error {
	var class *schedulingv1.PriorityClass
	classes := st.tables[gvr("scheduling.k8s.io", "priorityclasses").GroupResource()]
	switch name := p.Spec.PriorityClassName; name {
	case "":
		for _, o := range classes.objects {
			if c := o.(*schedulingv1.PriorityClass); c.GlobalDefault && (class == nil || c.Value < class.Value) {
				class = c
			}
		}
	default:
		o, err := classes.get(types.NamespacedName{Name: name})
		if err != nil {
			return apierrors.NewForbidden(gvr("", "pods").GroupResource(), p.Name, err)
		}
		class = o.(*schedulingv1.PriorityClass)
	}
	var priority int32
	policy := corev1.PreemptLowerPriority
	if class != nil {
		p.Spec.PriorityClassName, priority = class.Name, class.Value
		if class.PreemptionPolicy != nil {
			policy = *class.PreemptionPolicy
		}
	}
	if p.Spec.Priority == nil {
		p.Spec.Priority = &priority
	} else if *p.Spec.Priority != priority && class != nil {
		return apierrors.NewForbidden(gvr("", "pods").GroupResource(), p.Name, invalid(resources[0], p.Name, "spec.priority",
			"is %d, but class %s says %d: leave it out", *p.Spec.Priority, class.Name, priority))
	}
	if p.Spec.PreemptionPolicy == nil {
		p.Spec.PreemptionPolicy = &policy
	}
	return nil
}

// qosClass is what the kubelet's evictions go by.
func qosClass(s *corev1.PodSpec) corev1.PodQOSClass {
	guaranteed, nothing := true, true
	for _, c := range slices.Concat(s.Containers, s.InitContainers) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
			if !request.IsZero() || !limit.IsZero() {
				nothing = false
			}
			if limit.IsZero() || request.Cmp(limit) != 0 {
				guaranteed = false
			}
		}
	}
	switch {
	case nothing:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	}
	return corev1.PodQOSBurstable
}

// taintNotReady adds the taint that keeps pods away from a new node until the node
// lifecycle controller has seen that it is ready (admission plugin TaintNodesByCondition).
func taintNotReady(n *corev1.Node) {
	taint := corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}
	if !slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.MatchTaint(&taint) }) {
		n.Spec.Taints = append(n.Spec.Taints, taint)
	}
}

// admitNamespace refuses objects for a namespace that doesn't exist.
func (st *store) admitNamespace(r *resource, o Object) error {
	if !r.namespaced {
		return nil
	}
	namespaces := st.tables[gvr("", "namespaces").GroupResource()]
	if o.GetNamespace() == "" {
		return invalid(r, o.GetName(), "metadata.namespace", "is required")
	}
	_, err := namespaces.get(types.NamespacedName{Name: o.GetNamespace()})
	return err
}
