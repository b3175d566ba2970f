package kubetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// KubeletOptions choose what a Kubelet is like. The zero value has 8 CPUs, 32 GiB and
// room for 110 pods.
type KubeletOptions struct {
	Labels      map[string]string // beside the hostname
	Taints      []corev1.Taint
	Allocatable corev1.ResourceList // what is missing is as in the zero value
	StartDelay  time.Duration       // from binding to Running and Ready; 0 is 1 s
	StopDelay   time.Duration       // from SIGTERM to the end of the containers; 0 is the grace period
	RenewPeriod time.Duration       // between renewals of the lease; 0 is 10 s, and the lease lasts 4 times that
	PostPeriod  time.Duration       // between posts of a status that doesn't change; 0 is 5 min
}

// RunFor is the annotation that says how long a pod's containers run, as a duration
// like 90s, before they end well. Without it they run until they are stopped.
const RunFor = "kubetest/run-for"

// A Kubelet is a small kubelet: it says that its node lives, and runs the pods that are
// bound to it. It reads and writes the store itself, but not while the server is silent
// or down.
type Kubelet struct {
	server  *Server
	name    string
	options KubeletOptions
	wake    chan struct{}
	mu      sync.Mutex // taken after the store's lock, never before it
	news    map[types.UID]*corev1.Pod
	stop    context.CancelFunc // of the goroutine; nil while stopped
	done    chan struct{}      // closed when it has ended
	// The rest is the goroutine's.
	runs       map[types.UID]*run
	renew      time.Time
	post       time.Time
	conditions map[corev1.NodeConditionType]corev1.NodeCondition // guarded by mu
}

// kubelets are all kubelets of a server, by node.
type kubelets struct {
	mu     sync.Mutex
	byNode map[string]*Kubelet
	all    sync.WaitGroup
}

func (ks *kubelets) wait() { ks.all.Wait() }

// see tells the kubelet of a pod's node about it, under the store's lock.
func (ks *kubelets) see(t *table, r record) {
	p, ok := r.object.(*corev1.Pod)
	if !ok || p.Spec.NodeName == "" {
		return
	}
	ks.mu.Lock()
	k := ks.byNode[p.Spec.NodeName]
	ks.mu.Unlock()
	if k != nil {
		if r.event == watch.Deleted {
			p = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: p.UID}} // it is on no node any more
		}
		k.tell(p)
	}
}

func (k *Kubelet) tell(p *corev1.Pod) {
	k.mu.Lock()
	k.news[p.UID] = p
	k.mu.Unlock()
	k.poke()
}

func (k *Kubelet) poke() {
	select {
	case k.wake <- struct{}{}:
	default: // it is awake, or will be
	}
}

// Kubelet registers a node, and runs its pods until Stop or Close.
func (s *Server) Kubelet(name string, o KubeletOptions) *Kubelet {
	if o.StartDelay == 0 {
		o.StartDelay = time.Second
	}
	if o.RenewPeriod == 0 {
		o.RenewPeriod = 10 * time.Second
	}
	if o.PostPeriod == 0 {
		o.PostPeriod = 5 * time.Minute
	}
	k := &Kubelet{
		server: s, name: name, options: o, wake: make(chan struct{}, 1),
		news: map[types.UID]*corev1.Pod{}, runs: map[types.UID]*run{}, conditions: healthy(),
	}
	s.kubelets.mu.Lock()
	if s.kubelets.byNode == nil {
		s.kubelets.byNode = map[string]*Kubelet{}
	}
	s.kubelets.byNode[name] = k
	s.kubelets.mu.Unlock()
	k.register()
	k.Start()
	return k
}

// healthy are the conditions of a node without trouble.
func healthy() map[corev1.NodeConditionType]corev1.NodeCondition {
	now := metav1.Now().Rfc3339Copy()
	cs := map[corev1.NodeConditionType]corev1.NodeCondition{
		corev1.NodeReady:          {Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
		corev1.NodeMemoryPressure: {Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory"},
		corev1.NodeDiskPressure:   {Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure"},
		corev1.NodePIDPressure:    {Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID"},
	}
	for t, c := range cs {
		c.Type, c.LastTransitionTime, c.LastHeartbeatTime = t, now, now
		cs[t] = c
	}
	return cs
}

// register creates the node if there is none, and learns of pods that are bound to it.
func (k *Kubelet) register() {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU: quantity.MustParse("8"), corev1.ResourceMemory: quantity.MustParse("32Gi"), corev1.ResourcePods: quantity.MustParse("110"),
	}
	maps.Copy(capacity, k.options.Allocatable)
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: k.name, Labels: map[string]string{corev1.LabelHostname: k.name}},
		Spec:       corev1.NodeSpec{Taints: slices.Clone(k.options.Taints)},
		Status:     corev1.NodeStatus{Capacity: capacity, Allocatable: capacity, Conditions: k.posted()},
	}
	maps.Copy(n.Labels, k.options.Labels)
	_ = k.server.direct(k.actor(), func(st *store) error {
		for _, o := range st.tables[gvr("", "pods").GroupResource()].objects {
			if p := o.(*corev1.Pod); p.Spec.NodeName == k.name {
				k.tell(p)
			}
		}
		_, err := st.add(resources[1], n)
		return err // that it exists is as well
	})
}

// actor is who the audit log says it was.
func (k *Kubelet) actor() string { return "kubelet/" + k.name }

// Start lets a stopped kubelet go on: it renews its lease at once, posts its status,
// and finishes what came due meanwhile. Pods that ran ran on.
func (k *Kubelet) Start() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(k.server.ctx)
	done := make(chan struct{})
	k.stop, k.done = cancel, done
	k.renew, k.post = time.Time{}, time.Time{}
	k.server.kubelets.all.Go(func() {
		defer close(done)
		k.loop(ctx)
	})
}

// Stop silences the kubelet, as when its process is killed: its lease isn't renewed
// and no pod starts or ends in the API, until Start. It returns when no write is under way.
func (k *Kubelet) Stop() {
	k.mu.Lock()
	stop, done := k.stop, k.done
	k.stop = nil
	k.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

// loop acts whenever something is due or a pod of the node changes.
func (k *Kubelet) loop(ctx context.Context) {
	for ctx.Err() == nil {
		now := time.Now()
		next := k.server.faults.unreachableUntil()
		if !next.After(now) {
			next = k.step(now)
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-timer.C:
		case <-k.wake:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// step does what is due, and returns when something will be.
func (k *Kubelet) step(now time.Time) (next time.Time) {
	if !k.renew.After(now) {
		k.renewLease(now)
		k.renew = now.Add(k.options.RenewPeriod)
	}
	if !k.post.After(now) {
		k.postStatus()
		k.post = now.Add(k.options.PostPeriod)
	}
	k.mu.Lock()
	news := k.news
	k.news = map[types.UID]*corev1.Pod{}
	k.mu.Unlock()
	for id, p := range news {
		k.observe(id, p, now)
	}
	next = k.renew
	if k.post.Before(next) {
		next = k.post
	}
	due := slices.SortedFunc(maps.Values(k.runs), func(a, b *run) int { return strings.Compare(a.name(), b.name()) })
	for _, r := range due {
		if at := k.act(r, now); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

func (k *Kubelet) renewLease(now time.Time) {
	seconds := int32(4 * k.options.RenewPeriod / time.Second)
	renewed := metav1.NewMicroTime(now)
	_ = k.server.direct(k.actor(), func(st *store) error {
		leases := st.tables[gvr("coordination.k8s.io", "leases").GroupResource()]
		key := types.NamespacedName{Namespace: corev1.NamespaceNodeLease, Name: k.name}
		_, err := st.update(leases, key, func(o Object) (Object, error) {
			o.(*coordinationv1.Lease).Spec.RenewTime = &renewed
			return o, nil
		})
		if !apierrors.IsNotFound(err) {
			return err
		}
		l := &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: key.Name, Namespace: key.Namespace},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &k.name, LeaseDurationSeconds: &seconds, RenewTime: &renewed},
		}
		_, err = st.add(leases.resource, l)
		return err // nothing else to do than to try again at the next renewal
	})
}

// posted are the conditions as the kubelet posts them now.
func (k *Kubelet) posted() []corev1.NodeCondition {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := metav1.Now().Rfc3339Copy()
	cs := slices.SortedFunc(maps.Values(k.conditions), func(a, b corev1.NodeCondition) int { return strings.Compare(string(a.Type), string(b.Type)) })
	for i := range cs {
		cs[i].LastHeartbeatTime = now
	}
	return cs
}

// postStatus puts the kubelet's conditions in place of what the node says, and leaves
// alone those that it doesn't know.
func (k *Kubelet) postStatus() {
	cs := k.posted()
	nodes := k.server.store.table(resources[1])
	_ = k.server.direct(k.actor(), func(st *store) error {
		_, err := st.update(nodes, types.NamespacedName{Name: k.name}, func(o Object) (Object, error) {
			n := o.(*corev1.Node)
			for _, c := range cs {
				i := slices.IndexFunc(n.Status.Conditions, func(was corev1.NodeCondition) bool { return was.Type == c.Type })
				if i < 0 {
					n.Status.Conditions = append(n.Status.Conditions, c)
					continue
				}
				if was := n.Status.Conditions[i]; was.Status != c.Status {
					c.LastTransitionTime = c.LastHeartbeatTime
				} else {
					c.LastTransitionTime = was.LastTransitionTime
				}
				n.Status.Conditions[i] = c
			}
			return n, nil
		})
		return err // a node that was deleted has no status
	})
}

// SetCondition makes the kubelet post a condition of its node from now on: at once,
// unless it is stopped or the server isn't reached.
func (k *Kubelet) SetCondition(c corev1.NodeConditionType, status corev1.ConditionStatus, reason string) {
	k.mu.Lock()
	k.conditions[c] = corev1.NodeCondition{Type: c, Status: status, Reason: reason, LastTransitionTime: metav1.Now().Rfc3339Copy()}
	running := k.stop != nil
	k.mu.Unlock()
	if running && !k.server.faults.unreachableUntil().After(time.Now()) {
		k.postStatus()
	}
}

// Evict ends a pod of the node as a kubelet under pressure does: Failed, with the
// reason Evicted and the condition DisruptionTarget.
func (k *Kubelet) Evict(namespace, name, message string) error {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	return k.server.direct(k.actor(), func(st *store) error {
		_, err := st.update(st.table(resources[0]), key, func(o Object) (Object, error) {
			p := o.(*corev1.Pod)
			if p.Spec.NodeName != k.name {
				return nil, fmt.Errorf("pod %v runs on %q, not on %s", key, p.Spec.NodeName, k.name)
			}
			setPodCondition(&p.Status, corev1.PodCondition{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonTerminationByKubelet, Message: message,
			})
			end(p, corev1.PodFailed, "Evicted", message)
			return p, nil
		})
		return err
	})
}
