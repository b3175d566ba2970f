package kubetest

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// post answers create: of objects, of bindings and of evictions.
func (s *Server) post(q *request) (answer, error) {
	success := answer{http.StatusCreated, &metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusCreated}}
	switch q.subresource {
	case "binding":
		var b corev1.Binding
		if err := q.decode(&b); err != nil {
			return answer{}, err
		}
		return success, s.locked(q, func() error { return s.store.bind(q.key(), &b) })
	case "eviction":
		var e policyv1.Eviction
		if err := q.decode(&e); err != nil {
			return answer{}, err
		}
		return success, s.locked(q, func() error { return s.store.evict(q.key(), &e) })
	case "":
		o := q.resource.empty()
		if err := q.decode(o); err != nil {
			return answer{}, err
		}
		err := q.place(o)
		if err != nil {
			return answer{}, err
		}
		err = s.locked(q, func() (err error) { o, err = s.store.add(q.resource, stored(o)); return err })
		return answer{http.StatusCreated, served(o, q.resource)}, err
	}
	return answer{}, apierrors.NewMethodNotSupported(q.resource.GroupResource(), "create "+q.subresource)
}

// place gives an object the namespace of the request, and refuses another.
func (q *request) place(o Object) error {
	if o.GetNamespace() == "" && q.resource.namespaced {
		o.SetNamespace(q.namespace)
	}
	if o.GetNamespace() != q.namespace {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// add prepares and stores a new object.
func (st *store) add(r *resource, o Object) (Object, error) {
	if err := st.admitNamespace(r, o); err != nil {
		return nil, err
	}
	if err := st.prepareCreate(r, o); err != nil {
		return nil, err
	}
	return st.create(st.table(r), o)
}

// put answers update.
func (s *Server) put(q *request) (a answer, err error) {
	o := q.resource.empty()
	if err := q.decode(o); err != nil {
		return a, err
	}
	if err := q.place(o); err != nil {
		return a, err
	}
	if o.GetName() != q.name {
		return a, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), q.name))
	}
	if o.GetResourceVersion() == "" && q.resource.conditional {
		return a, invalid(q.resource, q.name, "metadata.resourceVersion", "must be specified for an update")
	}
	o = stored(o)
	t := s.store.table(q.resource)
	a.code = http.StatusOK
	err = s.locked(q, func() (err error) {
		if _, missing := t.get(q.key()); missing != nil && q.resource.createOnUpdate && q.subresource == "" {
			o.SetResourceVersion("")
			a.code = http.StatusCreated
			o, err = s.store.add(q.resource, o)
			return err
		}
		o, err = s.store.update(t, q.key(), func(old Object) (Object, error) { return q.replace(o, old) })
		return err
	})
	a.object = served(o, q.resource)
	return a, err
}

// replace checks that o was made from what is stored, and prepares it.
func (q *request) replace(o, old Object) (Object, error) {
	if v := o.GetResourceVersion(); v != "" && v != old.GetResourceVersion() {
		return nil, apierrors.NewConflict(q.resource.GroupResource(), q.name,
			fmt.Errorf("the object has been modified; please apply your changes to the latest version and try again"))
	}
	if u := o.GetUID(); u != "" && u != old.GetUID() {
		return nil, apierrors.NewConflict(q.resource.GroupResource(), q.name,
			fmt.Errorf("precondition failed: UID in precondition: %s, UID in object meta: %s", u, old.GetUID()))
	}
	o.SetResourceVersion(old.GetResourceVersion())
	return o, prepareUpdate(q.resource, q.subresource, o, old)
}

// patch answers patch, of the three kinds that say what to change. Server-side apply
// is refused as by a server that lacks it.
func (s *Server) patch(q *request) (a answer, err error) {
	media, _, err := mime.ParseMediaType(q.http.Header.Get("Content-Type"))
	if err != nil {
		return a, apierrors.NewBadRequest("Content-Type: " + err.Error())
	}
	t := s.store.table(q.resource)
	var o Object
	err = s.locked(q, func() (err error) {
		o, err = s.store.update(t, q.key(), func(old Object) (Object, error) {
			o, err := patched(served(old, q.resource), types.PatchType(media), q.body)
			if err != nil {
				return nil, err
			}
			if keyOf(o) != q.key() {
				return nil, apierrors.NewBadRequest("a patch may not change name or namespace")
			}
			return q.replace(stored(o), old)
		})
		return err
	})
	if err != nil {
		return a, err
	}
	return answer{http.StatusOK, served(o, q.resource)}, nil
}

// patched applies a patch to a copy of o. A resourceVersion in the patch replaces o's,
// and replace compares it with what is stored: so a patch can be conditional.
func patched(o Object, kind types.PatchType, patch []byte) (Object, error) {
	before, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var after []byte
	switch kind {
	case types.MergePatchType:
		after, err = jsonpatch.MergePatch(before, patch)
	case types.StrategicMergePatchType:
		after, err = strategicpatch.StrategicMergePatch(before, patch, o)
	case types.JSONPatchType:
		var p jsonpatch.Patch
		if p, err = jsonpatch.DecodePatch(patch); err == nil {
			after, err = p.Apply(before)
		}
	default:
		return nil, unsupported(fmt.Sprintf("the body of the request was in an unknown format - accepted media types include: %s, %s, %s",
			types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType))
	}
	if err != nil {
		return nil, apierrors.NewBadRequest("patch: " + err.Error())
	}
	out := reflect.New(reflect.TypeOf(o).Elem()).Interface().(Object)
	if err := json.Unmarshal(after, out); err != nil {
		return nil, apierrors.NewBadRequest("patch: " + err.Error())
	}
	return out, nil
}

// unsupported is a 415.
func unsupported(message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType, Message: message,
	}}
}

// remove answers delete: with the object as it is after it, or with success.
func (s *Server) remove(q *request) (answer, error) {
	options, err := q.deleteOptions()
	if err != nil {
		return answer{}, err
	}
	var o Object
	err = s.locked(q, func() (err error) {
		o, err = s.store.delete(s.store.table(q.resource), q.key(), options)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	if q.resource.kind == "Pod" || o.GetDeletionTimestamp() != nil {
		return answer{http.StatusOK, served(o, q.resource)}, nil
	}
	return answer{http.StatusOK, &metav1.Status{
		Status: metav1.StatusSuccess, Code: http.StatusOK,
		Details: &metav1.StatusDetails{Name: q.name, Group: q.resource.Group, Kind: q.resource.Resource, UID: o.GetUID()},
	}}, nil
}
