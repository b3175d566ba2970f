package kubetest

import (
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// What tests do to the server themselves is done at once, over no connection, and
// whatever faults are set. The audit log says that "kubetest" did it.

// direct runs a write that comes over no connection.
func (s *Server) direct(actor string, write func(*store) error) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.audit.actor = actor
	defer func() { s.audit.actor = "" }()
	return write(s.store)
}

// Add creates objects as a client would. A namespace that is missing is created first.
// A status is kept, unlike a client's: a test may begin in the middle. Objects are copied.
func (s *Server) Add(objects ...Object) error {
	return s.direct("kubetest", func(st *store) error {
		for _, o := range objects {
			r, err := resourceOf(o)
			if err != nil {
				return err
			}
			o = stored(o.DeepCopyObject().(Object))
			if st.admitNamespace(r, o) != nil && o.GetNamespace() != "" {
				ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.GetNamespace()}}
				if _, err := st.add(resources[2], ns); err != nil {
					return err
				}
			}
			if err := st.addWhole(r, o); err != nil {
				return fmt.Errorf("adding %s %v: %w", r.kind, keyOf(o), err)
			}
		}
		return nil
	})
}

// addWhole adds an object with its status, if it says one.
func (st *store) addWhole(r *resource, o Object) error {
	var status reflect.Value
	if r.status {
		status = part(o.DeepCopyObject().(Object), "Status")
	}
	if err := st.prepareCreate(r, o); err != nil {
		return err
	}
	if r.status && !status.IsZero() {
		part(o, "Status").Set(status)
	}
	_, err := st.create(st.table(r), o)
	return err
}

// resourceFor is the resource of a type of objects.
func resourceFor[T Object]() *resource {
	r, err := resourceOf(reflect.New(reflect.TypeFor[T]().Elem()).Interface().(Object))
	if err != nil {
		panic(err) // the test is wrong
	}
	return r
}

// Get returns an object as it is stored now, or a 404. Namespace is empty for what has
// none. The object must not be changed.
func Get[T Object](s *Server, namespace, name string) (T, error) {
	r := resourceFor[T]()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	o, err := s.store.table(r).get(types.NamespacedName{Namespace: namespace, Name: name})
	if err != nil {
		var none T
		return none, err
	}
	return o.(T), nil
}

// List returns all objects of a type as they are stored now, by namespace and name.
// They must not be changed.
func List[T Object](s *Server) []T {
	r := resourceFor[T]()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	objects, err := s.store.table(r).at(s.store.revision)
	if err != nil {
		panic(err) // the newest revision is never forgotten
	}
	out := make([]T, len(objects))
	for i, o := range objects {
		out[i] = o.(T)
	}
	return out
}

// Update changes any part of an object, status and specification alike, or is a 404.
func Update[T Object](s *Server, namespace, name string, change func(T)) error {
	r := resourceFor[T]()
	return s.direct("kubetest", func(st *store) error {
		_, err := st.update(st.table(r), types.NamespacedName{Namespace: namespace, Name: name}, func(o Object) (Object, error) {
			change(o.(T))
			return o, nil
		})
		return err
	})
}

// Delete deletes an object as a client without options would, or is a 404.
func Delete[T Object](s *Server, namespace, name string) error {
	r := resourceFor[T]()
	return s.direct("kubetest", func(st *store) error {
		_, err := st.delete(st.table(r), types.NamespacedName{Namespace: namespace, Name: name}, &metav1.DeleteOptions{})
		return err
	})
}
