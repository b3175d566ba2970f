package kubetest

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// bind does what pods/binding does: 409 for a pod that is bound, terminating, gated,
// or another than the binding means.
func (st *store) bind(key types.NamespacedName, b *corev1.Binding) error {
	pods := st.tables[gvr("", "pods").GroupResource()]
	if b.Target.Name == "" || b.Target.Kind != "" && b.Target.Kind != "Node" {
		return apierrors.NewBadRequest(fmt.Sprintf("binding of %v: target: must be a Node with a name", key))
	}
	if b.Name != key.Name {
		return apierrors.NewBadRequest("name in URL does not match name in Binding object")
	}
	_, err := st.update(pods, key, func(o Object) (Object, error) {
		p := o.(*corev1.Pod)
		if err := precondition(pods.resource, p, &metav1.Preconditions{UID: &b.UID, ResourceVersion: &b.ResourceVersion}); err != nil {
			return nil, err
		}
		var reason error
		switch {
		case p.DeletionTimestamp != nil:
			reason = fmt.Errorf("pod %s is being deleted, cannot be assigned to a host", p.Name)
		case p.Spec.NodeName != "":
			reason = fmt.Errorf("pod %s is already assigned to node %q", p.Name, p.Spec.NodeName)
		case len(p.Spec.SchedulingGates) > 0:
			reason = fmt.Errorf("pod %s has non-empty .spec.schedulingGates", p.Name)
		}
		if reason != nil {
			r := pods.GroupResource()
			r.Resource = "pods/binding"
			return nil, apierrors.NewConflict(r, p.Name, reason)
		}
		p.Spec.NodeName = b.Target.Name
		p.Status.NominatedNodeName = ""
		p.Annotations = merged(p.Annotations, b.Annotations)
		p.Labels = merged(p.Labels, b.Labels)
		setPodCondition(&p.Status, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue})
		return p, nil
	})
	return err
}

func merged(into, from map[string]string) map[string]string {
	if into == nil && len(from) > 0 {
		into = map[string]string{}
	}
	maps.Copy(into, from)
	return into
}

// setPodCondition puts c in place of the condition of its type. The time of transition
// is that of the last change of status.
func setPodCondition(s *corev1.PodStatus, c corev1.PodCondition) {
	c.LastTransitionTime = metav1.Now().Rfc3339Copy()
	for i := range s.Conditions {
		if s.Conditions[i].Type == c.Type {
			if s.Conditions[i].Status == c.Status {
				c.LastTransitionTime = s.Conditions[i].LastTransitionTime
			}
			s.Conditions[i] = c
			return
		}
	}
	s.Conditions = append(s.Conditions, c)
}

// podReady reports whether the pod's condition Ready is true.
func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// evict does what pods/eviction does: deletes the pod if its budget allows it.
func (st *store) evict(key types.NamespacedName, e *policyv1.Eviction) error {
	pods := st.tables[gvr("", "pods").GroupResource()]
	if e.Name != key.Name {
		return apierrors.NewBadRequest("name in URL does not match name in Eviction object")
	}
	o, err := pods.get(key)
	if err != nil {
		return err
	}
	options := e.DeleteOptions
	if options == nil {
		options = &metav1.DeleteOptions{}
	}
	if err := precondition(pods.resource, o, options.Preconditions); err != nil {
		return err
	}
	p := o.(*corev1.Pod)
	free := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed ||
		p.Status.Phase == corev1.PodPending || p.DeletionTimestamp != nil
	if !free {
		if err := st.charge(p); err != nil {
			return err
		}
	}
	_, err = st.update(pods, key, func(o Object) (Object, error) {
		setPodCondition(&o.(*corev1.Pod).Status, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
			Reason: "EvictionByEvictionAPI", Message: "Eviction API: evicting",
		})
		return o, nil
	})
	if err != nil {
		return err
	}
	_, err = st.delete(pods, key, &metav1.DeleteOptions{GracePeriodSeconds: options.GracePeriodSeconds})
	return err
}

// charge asks the budget that guards p, and takes one disruption from it.
func (st *store) charge(p *corev1.Pod) error {
	budgets := st.tables[gvr("policy", "poddisruptionbudgets").GroupResource()]
	var budget *policyv1.PodDisruptionBudget
	for _, o := range budgets.objects {
		b := o.(*policyv1.PodDisruptionBudget)
		if s, err := metav1.LabelSelectorAsSelector(b.Spec.Selector); b.Namespace != p.Namespace || err != nil || !s.Matches(labels.Set(p.Labels)) {
			continue
		}
		if budget != nil {
			return apierrors.NewInternalError(fmt.Errorf("pod %s has more than one PodDisruptionBudget, which the eviction subresource does not support", p.Name))
		}
		budget = b
	}
	if budget == nil {
		return nil
	}
	if !podReady(p) {
		always := budget.Spec.UnhealthyPodEvictionPolicy != nil && *budget.Spec.UnhealthyPodEvictionPolicy == policyv1.AlwaysAllow
		if always || budget.Status.DesiredHealthy > 0 && budget.Status.CurrentHealthy >= budget.Status.DesiredHealthy {
			return nil
		}
	}
	_, err := st.update(budgets, keyOf(budget), func(o Object) (Object, error) {
		b := o.(*policyv1.PodDisruptionBudget)
		return b, disrupt(b, p.Name)
	})
	return err
}

// maxDisrupted bounds status.disruptedPods, as upstream does.
const maxDisrupted = 2000

// disrupt charges a budget for one pod, or says why it can't.
func disrupt(b *policyv1.PodDisruptionBudget, pod string) error {
	r := gvr("policy", "poddisruptionbudgets").GroupResource()
	switch {
	case b.Status.ObservedGeneration < b.Generation:
		return tooMany(10, fmt.Sprintf("The disruption budget %s is still being processed by the server.", b.Name))
	case b.Status.DisruptionsAllowed < 0:
		return apierrors.NewForbidden(r, b.Name, fmt.Errorf("status.disruptionsAllowed is negative"))
	case len(b.Status.DisruptedPods) > maxDisrupted:
		return apierrors.NewForbidden(r, b.Name, fmt.Errorf("status.disruptedPods has more than %d entries", maxDisrupted))
	case b.Status.DisruptionsAllowed == 0:
		return tooMany(0, fmt.Sprintf("The disruption budget %s needs %d healthy pods and has %d currently",
			b.Name, b.Status.DesiredHealthy, b.Status.CurrentHealthy))
	}
	b.Status.DisruptionsAllowed--
	if b.Status.DisruptionsAllowed == 0 {
		meta.SetStatusCondition(&b.Status.Conditions, metav1.Condition{
			Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse,
			Reason: policyv1.InsufficientPodsReason, ObservedGeneration: b.Generation,
		})
	}
	if b.Status.DisruptedPods == nil {
		b.Status.DisruptedPods = map[string]metav1.Time{}
	}
	b.Status.DisruptedPods[pod] = metav1.Time{Time: time.Now()}
	return nil
}

// tooMany is the 429 of an eviction that a budget forbids, to be tried again after
// some seconds; 0 says nothing of when.
func tooMany(seconds int, cause string) error {
	err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", seconds)
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: cause})
	return err
}
