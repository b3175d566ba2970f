package kubetest

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// precondition compares what a client believes about an object with what it is: 409
// if they differ. What is empty isn't compared.
func precondition(r *resource, o Object, p *metav1.Preconditions) error {
	if p == nil {
		return nil
	}
	if p.UID != nil && *p.UID != "" && *p.UID != o.GetUID() {
		return apierrors.NewConflict(r.GroupResource(), o.GetName(), fmt.Errorf("precondition failed: UID in precondition: %s, UID in object meta: %s", *p.UID, o.GetUID()))
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != "" && *p.ResourceVersion != o.GetResourceVersion() {
		return apierrors.NewConflict(r.GroupResource(), o.GetName(), fmt.Errorf("precondition failed: ResourceVersion in precondition: %s, ResourceVersion in object meta: %s", *p.ResourceVersion, o.GetResourceVersion()))
	}
	return nil
}

// delete removes an object, or marks it as terminating: a pod on a node until its
// kubelet deletes it with a grace period of 0, anything until its finalizers are gone.
// It returns the object's last state.
func (st *store) delete(t *table, key types.NamespacedName, options *metav1.DeleteOptions) (Object, error) {
	o, err := t.get(key)
	if err != nil {
		return nil, err
	}
	if err := precondition(t.resource, o, options.Preconditions); err != nil {
		return nil, err
	}
	var grace int64
	if p, ok := o.(*corev1.Pod); ok {
		grace = gracePeriod(p, options.GracePeriodSeconds)
	}
	if grace == 0 && len(o.GetFinalizers()) == 0 {
		if grace := o.GetDeletionGracePeriodSeconds(); grace != nil {
			return st.remove(t, key, withGrace(o, time.Time{}, 0)), nil
		}
		return st.remove(t, key, o), nil
	}
	return st.update(t, key, func(o Object) (Object, error) { return terminate(o, grace), nil })
}

// gracePeriod is how many seconds a pod is left to end: what was asked for, or what
// the pod says; nothing for one that runs nowhere.
func gracePeriod(p *corev1.Pod, asked *int64) int64 {
	switch {
	case p.Spec.NodeName == "", p.Status.Phase == corev1.PodSucceeded, p.Status.Phase == corev1.PodFailed:
		return 0
	case asked == nil && p.DeletionGracePeriodSeconds != nil:
		return *p.DeletionGracePeriodSeconds
	case asked == nil:
		return *p.Spec.TerminationGracePeriodSeconds
	case *asked < 0:
		return 1
	}
	return *asked
}

// terminate marks o as terminating. A second request may only shorten the grace period,
// counted from the first, and not into the past.
func terminate(o Object, grace int64) Object {
	now := time.Now()
	if o.GetDeletionTimestamp() == nil {
		if o.GetGeneration() > 0 {
			o.SetGeneration(o.GetGeneration() + 1)
		}
		return withGrace(o, now.Add(time.Duration(grace)*time.Second), grace)
	}
	was := *o.GetDeletionGracePeriodSeconds()
	if grace >= was {
		return o
	}
	end := o.GetDeletionTimestamp().Add(time.Duration(grace-was) * time.Second)
	if end.Before(now) {
		end = now
		if grace != 0 {
			grace = 1
		}
	}
	return withGrace(o, end, grace)
}

// withGrace sets the end of o's grace period; the end stays as it is if it is zero.
func withGrace(o Object, end time.Time, grace int64) Object {
	o = o.DeepCopyObject().(Object)
	if !end.IsZero() {
		t := metav1.NewTime(end).Rfc3339Copy()
		o.SetDeletionTimestamp(&t)
	}
	o.SetDeletionGracePeriodSeconds(&grace)
	return o
}
