package kube

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthsim/berth/cluster"
	"go.uber.org/zap"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// A feed lists and watches one resource, and puts what comes into the inbox. It is the store
// of a reflector, and holds nothing.
type feed struct {
	kind  string // as in Kind: Pod
	rank  int    // place of its list in the first batch
	log   *zap.Logger
	inbox *inbox
	clock clock
	lists *cache.ListWatch
	of    runtime.Object // an object of the type

	listed atomic.Bool
	heard  atomic.Int64           // cluster.Time at which anything came last, be it that nothing happened
	lost   atomic.Pointer[string] // why the watch was lost last

	mu     sync.Mutex
	anew   bool         // all is being listed
	before cluster.Time // when anything had come last before that
	warned time.Time    // when it was last said that something failed
}

// A place says where the objects of a feed are.
type place struct {
	needs      Needs
	kind, name string
	client     cache.Getter
	namespace  string
	of         runtime.Object
}

// feedsOf returns a feed for each resource that is needed, in the order in which their lists
// are taken in.
func feedsOf(c *Cluster) (feeds []*feed) {
	core, apps := c.client.CoreV1().RESTClient(), c.client.AppsV1().RESTClient()
	for i, r := range []place{
		{Leases, "Lease", "leases", c.client.CoordinationV1().RESTClient(), v1.NamespaceNodeLease, &coordinationv1.Lease{}},
		{Nodes, "Node", "nodes", core, "", &v1.Node{}},
		{Namespaces, "Namespace", "namespaces", core, "", &v1.Namespace{}},
		{Services, "Service", "services", core, "", &v1.Service{}},
		{Workloads, "ReplicationController", "replicationcontrollers", core, "", &v1.ReplicationController{}},
		{Workloads, "Deployment", "deployments", apps, "", &appsv1.Deployment{}},
		{Workloads, "ReplicaSet", "replicasets", apps, "", &appsv1.ReplicaSet{}},
		{Workloads, "StatefulSet", "statefulsets", apps, "", &appsv1.StatefulSet{}},
		{Budgets, "PodDisruptionBudget", "poddisruptionbudgets", c.client.PolicyV1().RESTClient(), "", &policyv1.PodDisruptionBudget{}},
		{Quotas, "ResourceQuota", "resourcequotas", core, "", &v1.ResourceQuota{}},
		{Pods, "Pod", "pods", core, "", &v1.Pod{}},
	} {
		if c.opts.Needs&r.needs == 0 {
			continue
		}
		lists := cache.NewFilteredListWatchFromClient(r.client, r.name, r.namespace, func(*metav1.ListOptions) {})
		feeds = append(feeds, &feed{kind: r.kind, rank: i, log: c.log, inbox: c.inbox, clock: c.clock, lists: lists, of: r.of})
	}
	return feeds
}

// run lists and watches until a context is done.
func (f *feed) run(until context.Context) {
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			f.begin()
			list, err := f.lists.ListWithContext(ctx, o)
			f.failed(until, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			if o.SendInitialEvents != nil && *o.SendInitialEvents {
				f.begin()
			}
			w, err := f.lists.WatchWithContext(ctx, o)
			f.failed(until, err)
			if err != nil {
				return nil, err
			}
			return f.listen(until, w), nil
		},
	}
	r := cache.NewReflectorWithOptions(lw, f.of, f, cache.ReflectorOptions{
		Name: "berth", Backoff: retries(),
	})
	r.RunWithContext(until)
}

// retries says how long to wait before a list or watch is tried again: half a second at first,
// and up to 6 s. After an API server's restart that comes twice, once for a watch that is refused
// and once for the list that must follow. client-go's own 30 to 60 s would be longer than a
// node's grace: nodes would be found silent that have been heard for long.
func retries() *wait.Backoff {
	return &wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Cap: 4 * time.Second, Steps: 4}
}

// begin notes that all is about to be listed: what comes from now on is part of the list.
func (f *feed) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.anew {
		f.anew, f.before = true, cluster.Time(f.heard.Load())
	}
}

// listedSince returns when anything had come before what is listed now, and notes that it is.
func (f *feed) listedSince() cluster.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.anew = false
	return f.before
}

// A heard is a watch whose events a feed sees pass: an error event says why a watch ends, and
// the reflector keeps that to itself. (watch.Filter would do, but for the goroutine that it
// leaves behind when a watch is stopped that has something to say.)
type heard struct {
	watch.Interface
	to      chan watch.Event
	stopped chan struct{}
	once    sync.Once
}

// listen returns a watch that passes w's events on.
func (f *feed) listen(until context.Context, w watch.Interface) watch.Interface {
	h := &heard{Interface: w, to: make(chan watch.Event), stopped: make(chan struct{})}
	go func() {
		defer close(h.to)
		for e := range w.ResultChan() {
			if e.Type == watch.Error {
				f.failed(until, apierrors.FromObject(e.Object))
			} else {
				f.hear()
			}
			select {
			case h.to <- e:
			case <-h.stopped:
				return
			}
		}
	}()
	return h
}

// ResultChan implements watch.Interface.
func (h *heard) ResultChan() <-chan watch.Event { return h.to }

// Stop implements watch.Interface.
func (h *heard) Stop() {
	h.once.Do(func() { close(h.stopped) })
	h.Interface.Stop()
}

// failed notes why listing or watching failed, and says so once a minute at most: until every
// resource can be listed, nothing else happens. That they fail when they are to end is no news.
func (f *feed) failed(until context.Context, err error) {
	if err == nil || until.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	text := err.Error()
	f.lost.Store(&text)
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.warned) >= time.Minute {
		f.warned = now
		f.log.Warn("listing or watching failed, and is tried again", zap.String("kind", f.kind), zap.Error(err))
	}
}

func (f *feed) hear() { f.heard.Store(int64(f.clock.now())) }

// Add implements cache.ReflectorStore.
func (f *feed) Add(obj any) error { return f.Update(obj) }

// Update implements cache.ReflectorStore.
func (f *feed) Update(obj any) error {
	if o, ok := obj.(runtime.Object); ok {
		f.inbox.add(change{what: put, of: f, obj: o})
	}
	return nil
}

// Delete implements cache.ReflectorStore.
func (f *feed) Delete(obj any) error {
	if o, ok := obj.(runtime.Object); ok {
		f.inbox.add(change{what: remove, of: f, obj: o})
	}
	return nil
}

// Replace implements cache.ReflectorStore. What was missed is found when the list is compared
// with what is known.
func (f *feed) Replace(list []any, _ string) error {
	c := change{what: relist, of: f, list: make([]runtime.Object, 0, len(list))}
	for _, item := range list {
		if o, ok := item.(runtime.Object); ok {
			c.list = append(c.list, o)
		}
	}
	before := f.listedSince()
	if f.listed.Load() {
		c.gap = &gap{kind: f.kind, from: before, until: f.clock.now(), reason: "the watch had to begin anew"}
		if why := f.lost.Load(); why != nil {
			c.gap.reason = *why
		}
	}
	f.hear()
	f.inbox.add(c)
	f.listed.Store(true)
	f.inbox.poke()
	return nil
}

// Resync implements cache.ReflectorStore: there is nothing to do again.
func (f *feed) Resync() error { return nil }

// Bookmark implements cache.ReflectorBookmarkStore.
func (f *feed) Bookmark(string) error {
	f.hear()
	return nil
}
