package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

// epoch is when virtual time begins, in each bubble.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// now is virtual time since the epoch.
func now() time.Duration { return time.Since(epoch) }

// stamp is a time as it comes back from the API: whole seconds, without a monotonic clock's. Upstream
// compares such times with ==.
func stamp(at time.Time) metav1.Time { return metav1.NewTime(at.Truncate(time.Second).Local()) }

const namespace = "default"

var (
	nodeResource = corev1.SchemeGroupVersion.WithResource("nodes")
	podResource  = corev1.SchemeGroupVersion.WithResource("pods")

	leaseResource = coordinationv1.SchemeGroupVersion.WithResource("leases")
)

// objects are what the API server stores, changed by what happens to the cluster, and notes of what the
// controllers change.
type objects struct {
	tracker clienttesting.ObjectTracker
	turns   *turns
	born    int // nodes and pods so far, for their UIDs

	mu      sync.Mutex
	noted   []Observation
	stops   map[string]time.Duration // of pods
	stopped []stop                   // of pods that were deleted, in order of time
}

// A stop is when a pod that was deleted will be gone.
type stop struct {
	at  time.Duration
	pod string
}

// note takes down what a controller did now.
func (o *objects) note(kind Kind, name, what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.noted = append(o.noted, Observation{now(), kind, name, what})
}

func (o *objects) noteTaints(node string, before, after []corev1.Taint) {
	for _, t := range after {
		if !slices.ContainsFunc(before, func(b corev1.Taint) bool { return b.MatchTaint(&t) }) {
			o.note(OfNode, node, Tainted(t.Key, string(t.Effect)))
		}
	}
	for _, t := range before {
		if !slices.ContainsFunc(after, func(a corev1.Taint) bool { return a.MatchTaint(&t) }) {
			o.note(OfNode, node, Untainted(t.Key, string(t.Effect)))
		}
	}
}

func (o *objects) noteConditions(node string, before, after []corev1.NodeCondition) {
	for _, c := range after {
		i := slices.IndexFunc(before, func(b corev1.NodeCondition) bool { return b.Type == c.Type })
		if i < 0 || before[i].Status != c.Status {
			o.note(OfNode, node, BecameUnknown(string(c.Type), c.Reason))
		}
	}
}

// deletePod marks a pod as being deleted, and reports whether it wasn't yet. It will be gone when it has
// stopped.
func (o *objects) deletePod(name string) (bool, error) {
	found, err := o.tracker.Get(podResource, namespace, name)
	if err != nil {
		return false, err
	}
	pod := found.(*corev1.Pod)
	if pod.DeletionTimestamp != nil {
		return false, nil
	}
	grace := *pod.Spec.TerminationGracePeriodSeconds
	pod.DeletionTimestamp = ptr.To(stamp(time.Now().Add(time.Duration(grace) * time.Second)))
	pod.DeletionGracePeriodSeconds = &grace
	o.mu.Lock()
	if s := o.stops[name]; s > 0 {
		o.stopped = append(o.stopped, stop{now() + s, name})
		slices.SortFunc(o.stopped, func(a, b stop) int { return cmp.Compare(a.at, b.at) })
	}
	o.mu.Unlock()
	return true, o.tracker.Update(podResource, pod, namespace)
}

// changeNode changes a node's object, if there is one.
func (o *objects) changeNode(name string, change func(*corev1.Node)) {
	found, err := o.tracker.Get(nodeResource, "", name)
	if apierrors.IsNotFound(err) {
		return
	}
	must(err)
	node := found.(*corev1.Node)
	change(node)
	must(o.tracker.Update(nodeResource, node, ""))
}

// changePod changes a pod's object, if there is one.
func (o *objects) changePod(name string, change func(*corev1.Pod)) {
	found, err := o.tracker.Get(podResource, namespace, name)
	if apierrors.IsNotFound(err) {
		return
	}
	must(err)
	pod := found.(*corev1.Pod)
	change(pod)
	must(o.tracker.Update(podResource, pod, namespace))
}

// removePod takes a pod's object away, if there is one.
func (o *objects) removePod(name string) {
	if err := o.tracker.Delete(podResource, namespace, name); !apierrors.IsNotFound(err) {
		must(err)
	}
}

func (o *objects) create(object runtime.Object, node bool) {
	if node {
		must(o.tracker.Create(nodeResource, object, ""))
	} else {
		must(o.tracker.Create(podResource, object, namespace))
	}
}

// uid returns one that no object had.
func (o *objects) uid() types.UID {
	o.born++
	return types.UID(fmt.Sprintf("uid-%d", o.born))
}

// must is for calls of the store that can't fail, as long as Steps leaves out what can't happen.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
