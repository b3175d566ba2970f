package quota

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install" // defaults and conversion
	"k8s.io/kubernetes/pkg/apis/core/v1/helper/qos"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/resource/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
)

// An answer is what comes of a request.
type answer struct {
	Code    int32 // HTTP status: 200 if it is done
	Message string
}

// A request is what a client asks an API server for.
type request struct {
	resource, subresource string
	old, new              metav1.Object // old is nil if it is to be made; new has the API's defaults
	raw                   *v1.Pod       // a new pod as the client sends it
}

// names returns the namespace and name of what a request is about.
func (r *request) names() (namespace, name string) { return r.new.GetNamespace(), r.new.GetName() }

// prepare makes a request of a step, nil if there is nothing to ask for.
func (u *upstream) prepare(s *Step) *request {
	o := s.object()
	if s.Verb == deadline {
		o.SetNamespace(s.Namespace)
	}
	r := &request{resource: s.resource(), new: o, old: u.named(s.resource()).get(o.GetNamespace(), o.GetName())}
	if p, ok := r.old.(*v1.Pod); (s.Verb == create) != (r.old == nil) || ok && s.Verb == status && ended(p) {
		return nil
	}
	switch s.Verb {
	case create:
		o.SetCreationTimestamp(metav1.Now())
		o.SetUID(types.UID(o.GetNamespace() + "-" + o.GetName()))
		noStatus(o)
		if p, ok := o.(*v1.Pod); ok {
			r.raw = p.DeepCopy()
		}
		legacyscheme.Scheme.Default(o.(runtime.Object))
	case update:
		keepStatus(r.old, o)
		legacyscheme.Scheme.Default(o.(runtime.Object))
	case status:
		r.subresource = "status"
		r.new = withStatus(r.old, o)
	case resize:
		r.subresource = "resize"
		r.new = resized(r.old.(*v1.Pod), o.(*v1.Pod))
		legacyscheme.Scheme.Default(r.new.(runtime.Object))
	case deadline:
		pod := r.old.(*v1.Pod).DeepCopy()
		pod.Spec.ActiveDeadlineSeconds = s.Seconds
		r.new = pod
	}
	return r
}

// ended reports whether a pod has run to its end, after which nothing becomes of it.
func ended(p *v1.Pod) bool {
	return p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed
}

// noStatus takes away what a client can't say of a new object.
func noStatus(o metav1.Object) {
	switch o := o.(type) {
	case *v1.PersistentVolumeClaim:
		o.Status = v1.PersistentVolumeClaimStatus{Phase: v1.ClaimPending}
	case *v1.ResourceQuota:
		o.Status = v1.ResourceQuotaStatus{}
	}
}

// keepStatus gives an object what its old version has and a client can't change.
func keepStatus(old, o metav1.Object) {
	o.SetCreationTimestamp(old.GetCreationTimestamp())
	o.SetUID(old.GetUID())
	o.SetResourceVersion(old.GetResourceVersion())
	switch o := o.(type) {
	case *v1.PersistentVolumeClaim:
		o.Status = *old.(*v1.PersistentVolumeClaim).Status.DeepCopy()
	case *v1.ResourceQuota:
		was := old.(*v1.ResourceQuota)
		o.Status, o.Spec.Scopes = *was.Status.DeepCopy(), was.Spec.Scopes // for good
		if len(o.Spec.Scopes) > 0 {
			o.Spec.ScopeSelector = was.Spec.ScopeSelector // that the two contradict each other, upstream doesn't see
		}
	}
}

// nodeName is where pods are of which a kubelet has something to say.
const nodeName = "node-1"

// withStatus returns the old version of an object with another status.
func withStatus(old, o metav1.Object) metav1.Object {
	switch old := old.(type) {
	case *v1.Pod:
		is := old.DeepCopy()
		qosClass := is.Status.QOSClass
		is.Spec.NodeName = nodeName
		is.Status = o.(*v1.Pod).Status
		is.Status.QOSClass = qosClass
		return is
	case *v1.PersistentVolumeClaim:
		is := old.DeepCopy()
		is.Status = o.(*v1.PersistentVolumeClaim).Status
		return is
	case *v1.ResourceQuota:
		is := old.DeepCopy()
		is.Status = o.(*v1.ResourceQuota).Status
		return is
	}
	panic(fmt.Sprintf("the status of %T is nothing that quotas look at", old))
}

// resized returns a pod whose containers ask for what those of another do that have the same name.
func resized(old, o *v1.Pod) *v1.Pod {
	is := old.DeepCopy()
	for _, lists := range [][2][]v1.Container{{is.Spec.Containers, o.Spec.Containers}, {is.Spec.InitContainers, o.Spec.InitContainers}} {
		for i := range lists[0] {
			for j := range lists[1] {
				if lists[0][i].Name == lists[1][j].Name {
					lists[0][i].Resources = *lists[1][j].Resources.DeepCopy()
				}
			}
		}
	}
	return is
}

// ask asks for something. What is granted is stored.
func (u *upstream) ask(r *request) answer {
	_, err := u.admit(r)
	return answerOf(err)
}

func answerOf(err error) answer {
	if err == nil {
		return answer{Code: 200}
	}
	var st apierrors.APIStatus
	if !errors.As(err, &st) {
		return answer{Code: 500, Message: err.Error()}
	}
	text := err.Error()
	if _, after, ok := strings.Cut(text, " is forbidden: "); ok {
		text = after
	}
	return answer{Code: st.Status().Code, Message: text}
}

// admit lets admission have a look at a request, and stores what is granted.
func (u *upstream) admit(r *request) (metav1.Object, error) {
	op, options := admission.Update, runtime.Object(&metav1.UpdateOptions{})
	if r.old == nil {
		op, options = admission.Create, &metav1.CreateOptions{}
	}
	is, was := internal(r.new), runtime.Object(nil)
	if r.old != nil {
		was = internal(r.old)
	}
	namespace, name := r.names()
	a := admission.NewAttributesRecord(is, was, kinds[r.resource], namespace, name, version(r.resource), r.subresource, op, options, false, nil)
	ctx := context.Background()
	for _, p := range u.mutating {
		if p.Handles(op) {
			if err := p.Admit(ctx, a, nil); err != nil {
				return nil, err
			}
		}
	}
	if err := validate(r, is, was); err != nil {
		return nil, err
	}
	for _, p := range u.validating {
		if p.Handles(op) {
			if err := p.Validate(ctx, a, nil); err != nil {
				return nil, err
			}
		}
	}
	if err := u.quota.Validate(ctx, a, nil); err != nil {
		return nil, err
	}
	o := external(is, r.new)
	u.put(r.resource, o)
	return o, nil
}

// validate does what the API itself does with an object that admission has changed, as far as quotas look
// at it: quotas must be valid, and a new pod has a QoS class, for good.
func validate(r *request, o, was runtime.Object) error {
	switch o := o.(type) {
	case *api.ResourceQuota:
		var errs field.ErrorList
		switch {
		case r.subresource != "":
		case was == nil:
			errs = validation.ValidateResourceQuota(o)
		default:
			errs = validation.ValidateResourceQuotaUpdate(o, was.(*api.ResourceQuota))
		}
		if len(errs) > 0 {
			return apierrors.NewInvalid(api.Kind("ResourceQuota"), o.Name, errs)
		}
	case *api.Pod:
		class := api.PodQOSClass(qos.ComputePodQOS(external(o, r.new).(*v1.Pod)))
		switch {
		case r.old == nil:
			o.Status = api.PodStatus{Phase: api.PodPending, QOSClass: class}
		case r.subresource == "resize" && class != was.(*api.Pod).Status.QOSClass:
			return apierrors.NewInvalid(api.Kind("Pod"), o.Name, field.ErrorList{field.Invalid(field.NewPath("spec"), class, "a pod's QoS class is for good")})
		}
	}
	return nil
}

// internal returns an object as admission plugins see it, if any of them looks inside.
func internal(o metav1.Object) runtime.Object {
	var to runtime.Object
	switch o.(type) {
	case *v1.Pod:
		to = &api.Pod{}
	case *v1.PersistentVolumeClaim:
		to = &api.PersistentVolumeClaim{}
	case *v1.ResourceQuota:
		to = &api.ResourceQuota{}
	default:
		return o.(runtime.Object).DeepCopyObject()
	}
	if err := legacyscheme.Scheme.Convert(o.(runtime.Object).DeepCopyObject(), to, nil); err != nil {
		panic(err) // they are all convertible
	}
	return to
}

// external is the inverse of internal.
func external(o runtime.Object, like metav1.Object) metav1.Object {
	var to metav1.Object
	switch like.(type) {
	case *v1.Pod:
		to = &v1.Pod{}
	case *v1.PersistentVolumeClaim:
		to = &v1.PersistentVolumeClaim{}
	case *v1.ResourceQuota:
		to = &v1.ResourceQuota{}
	default:
		return o.(metav1.Object)
	}
	if err := legacyscheme.Scheme.Convert(o.DeepCopyObject(), to, nil); err != nil {
		panic(err) // they are all convertible
	}
	return to
}

// askTogether asks for several things of a namespace. The first is on its way when the others arrive, in
// order: upstream decides about those in one batch.
func (u *upstream) askTogether(list []*request, conflicts int) []answer {
	answers := make([]answer, len(list))
	u.gate, u.conflicts = make(chan struct{}), conflicts
	for i, r := range list {
		go func() { answers[i] = u.ask(r) }()
		synctest.Wait()
	}
	close(u.gate)
	synctest.Wait()
	u.gate, u.conflicts = nil, 0
	return answers
}

// tellToEnd gives a pod a time to be gone by.
func (u *upstream) tellToEnd(namespace, name string) *v1.Pod {
	is, ok := u.named("pods").get(namespace, name).(*v1.Pod)
	if !ok || is.DeletionTimestamp != nil {
		return nil
	}
	is = is.DeepCopy()
	grace := int64(v1.DefaultTerminationGracePeriodSeconds)
	if s := is.Spec.TerminationGracePeriodSeconds; s != nil {
		grace = *s
	}
	is.DeletionGracePeriodSeconds = &grace
	is.DeletionTimestamp = &metav1.Time{Time: time.Now().Add(time.Duration(grace) * time.Second)}
	u.put("pods", is)
	return is
}
