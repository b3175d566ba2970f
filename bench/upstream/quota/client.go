package quota

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	typednodev1 "k8s.io/client-go/kubernetes/typed/node/v1"
)

// A store holds all objects as an API server would, and tells informers.
type store struct {
	*factory
	mu      sync.Mutex // the quota controller has several workers
	version int64
	// unheard are the changes of which handlers have yet to hear, in order.
	unheard []func()
	// conflicts is how many writes of a quota's status are still to be refused.
	conflicts int
	// writes counts those that were done.
	writes int
}

func newStore() *store {
	return &store{factory: &factory{by: map[schema.GroupVersionResource]*informer{}}}
}

// put stores an object: it is new if there is no other of its name.
func (s *store) put(resource string, o metav1.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(resource, o)
}

// write is put for who holds the lock.
func (s *store) write(resource string, o metav1.Object) {
	i := s.named(resource)
	was := i.get(o.GetNamespace(), o.GetName())
	s.version++
	o.SetResourceVersion(strconv.FormatInt(s.version, 10))
	if err := i.indexer.Add(o); err != nil {
		panic(err) // it has a name
	}
	s.unheard = append(s.unheard, func() {
		for _, h := range i.handlers {
			if was == nil {
				h.OnAdd(o, false)
			} else {
				h.OnUpdate(was, o)
			}
		}
	})
}

// news returns what has not been heard of, and forgets it.
func (s *store) news() []func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.unheard
	s.unheard = nil
	return list
}

// drop removes an object.
func (s *store) drop(resource string, o metav1.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.named(resource)
	if err := i.indexer.Delete(o); err != nil {
		panic(err) // it has a name
	}
	s.unheard = append(s.unheard, func() {
		for _, h := range i.handlers {
			h.OnDelete(o)
		}
	})
}

// A client writes the status of quotas, and finds nothing that informers don't know. What isn't below is
// never called.
type client struct {
	kubernetes.Interface
	store *store
}

type coreClient struct {
	typedcorev1.CoreV1Interface
	store *store
}

type quotaClient struct {
	typedcorev1.ResourceQuotaInterface
	store *store
}

type limitRangeClient struct {
	typedcorev1.LimitRangeInterface
}

type nodeClient struct{ typednodev1.NodeV1Interface }

type runtimeClient struct {
	typednodev1.RuntimeClassInterface
}

func (c client) CoreV1() typedcorev1.CoreV1Interface { return coreClient{store: c.store} }
func (c client) NodeV1() typednodev1.NodeV1Interface { return nodeClient{} }

func (nodeClient) RuntimeClasses() typednodev1.RuntimeClassInterface { return runtimeClient{} }

func (c coreClient) ResourceQuotas(string) typedcorev1.ResourceQuotaInterface {
	return quotaClient{store: c.store}
}

func (coreClient) LimitRanges(string) typedcorev1.LimitRangeInterface { return limitRangeClient{} }

func (limitRangeClient) List(context.Context, metav1.ListOptions) (*v1.LimitRangeList, error) {
	return &v1.LimitRangeList{}, nil
}

func (runtimeClient) Get(_ context.Context, name string, _ metav1.GetOptions) (*nodev1.RuntimeClass, error) {
	return nil, apierrors.NewNotFound(nodev1.Resource("runtimeclasses"), name)
}

// UpdateStatus writes a quota's status if nobody has changed the quota since it was read.
func (c quotaClient) UpdateStatus(_ context.Context, q *v1.ResourceQuota, _ metav1.UpdateOptions) (*v1.ResourceQuota, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	is, ok := c.store.named("resourcequotas").get(q.Namespace, q.Name).(*v1.ResourceQuota)
	if !ok {
		return nil, apierrors.NewNotFound(v1.Resource("resourcequotas"), q.Name)
	}
	if c.store.conflicts > 0 {
		c.store.conflicts--
		touched := is.DeepCopy()
		touched.Annotations = map[string]string{"written": fmt.Sprint(c.store.version)}
		c.store.write("resourcequotas", touched)
		is = touched
	}
	if is.ResourceVersion != q.ResourceVersion {
		return nil, apierrors.NewConflict(v1.Resource("resourcequotas"), q.Name, fmt.Errorf("it is %s by now, not %s", is.ResourceVersion, q.ResourceVersion))
	}
	is = is.DeepCopy()
	is.Status = *q.Status.DeepCopy()
	c.store.write("resourcequotas", is)
	c.store.writes++
	return is.DeepCopy(), nil
}
