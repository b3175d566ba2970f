package kubetest

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// prepareCreate does what the API server does to an object before it stores it: its
// status begins anew, defaults are filled in, and admission has its say.
func (st *store) prepareCreate(r *resource, o Object) error {
	o.SetGeneration(0)
	if r.generation {
		o.SetGeneration(1)
	}
	switch o := o.(type) {
	case *corev1.Pod:
		return st.preparePod(o)
	case *corev1.Node: // a kubelet says its node's status when it registers
		if st.taintNodes {
			taintNotReady(o)
		}
	case *corev1.Namespace:
		o.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
	default:
		if r.status {
			part(o, "Status").SetZero()
		}
	}
	return nil
}

// prepareUpdate keeps of an update what its subresource may change, and checks it.
// old is what is stored; o the client's, which becomes what will be.
func prepareUpdate(r *resource, subresource string, o, old Object) error {
	o.SetUID(old.GetUID())
	o.SetCreationTimestamp(old.GetCreationTimestamp())
	o.SetDeletionTimestamp(old.GetDeletionTimestamp())
	o.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	o.SetGeneration(old.GetGeneration())
	o.SetSelfLink("")
	if subresource == "status" {
		if spec := part(o, "Spec"); spec.IsValid() {
			spec.Set(part(old, "Spec"))
		}
		if p, ok := o.(*corev1.Pod); ok {
			p.OwnerReferences = old.GetOwnerReferences()
			if p.Status.QOSClass == "" {
				p.Status.QOSClass = old.(*corev1.Pod).Status.QOSClass
			}
		}
		return nil
	}
	if r.status {
		part(o, "Status").Set(part(old, "Status"))
	}
	if p, ok := o.(*corev1.Pod); ok {
		if err := checkPodUpdate(p, old.(*corev1.Pod)); err != nil {
			return err
		}
	}
	spec := part(o, "Spec")
	if r.generation && spec.IsValid() && !equality.Semantic.DeepEqual(spec.Interface(), part(old, "Spec").Interface()) {
		o.SetGeneration(old.GetGeneration() + 1)
	}
	return nil
}

// part is a field of an object, invalid if its kind has none.
func part(o Object, name string) reflect.Value { return reflect.ValueOf(o).Elem().FieldByName(name) }

// checkPodUpdate refuses changes of what is fixed once a pod is created: all of its
// specification but images, the deadline, more tolerations, and fewer scheduling gates
// (with which the node selector and the required node affinity may change, too).
func checkPodUpdate(p, old *corev1.Pod) error {
	was := old.Spec.DeepCopy()
	for i := range min(len(was.Containers), len(p.Spec.Containers)) {
		was.Containers[i].Image = p.Spec.Containers[i].Image
	}
	for i := range min(len(was.InitContainers), len(p.Spec.InitContainers)) {
		was.InitContainers[i].Image = p.Spec.InitContainers[i].Image
	}
	was.ActiveDeadlineSeconds = p.Spec.ActiveDeadlineSeconds
	if len(was.SchedulingGates) > 0 {
		was.NodeSelector, was.Affinity = p.Spec.NodeSelector, p.Spec.Affinity
	}
	if gates := p.Spec.SchedulingGates; len(gates) < len(was.SchedulingGates) {
		was.SchedulingGates = gates
	}
	if ts := p.Spec.Tolerations; len(ts) >= len(was.Tolerations) &&
		equality.Semantic.DeepEqual(ts[:len(was.Tolerations)], was.Tolerations) {
		was.Tolerations = ts
	}
	if !equality.Semantic.DeepEqual(*was, p.Spec) {
		return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Pod").GroupKind(), p.Name, field.ErrorList{
			field.Forbidden(field.NewPath("spec"), "pod updates may not change fields other than images, activeDeadlineSeconds, added tolerations and removed schedulingGates"),
		})
	}
	return nil
}

// invalid is a 422 about one field.
func invalid(r *resource, name, path, format string, args ...any) error {
	return apierrors.NewInvalid(r.gvk().GroupKind(), name, field.ErrorList{
		{Type: field.ErrorTypeInvalid, Field: path, BadValue: field.OmitValueType{}, Detail: fmt.Sprintf(format, args...)},
	})
}
