package lifecycle

import (
	"cmp"
	"slices"
	"time"
	_ "unsafe" // for the name of the queue's clock

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	coordinationinformers "k8s.io/client-go/informers/coordination/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	coordinationlisters "k8s.io/client-go/listers/coordination/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/utils/ptr"

	_ "k8s.io/kubernetes/pkg/controller/nodelifecycle/scheduler" // whose clock it is
)

// queueClock is the clock of the queues of nodes to be tainted: a variable for upstream's own tests.
//
//go:linkname queueClock k8s.io/kubernetes/pkg/controller/nodelifecycle/scheduler.now
var queueClock func() time.Time

// moving returns virtual time, moved on by a nanosecond where it would say the same again. The queue is
// a heap by time of arrival, and says nothing of what arrives at the same time.
func moving() func() time.Time {
	var last time.Time
	return func() time.Time {
		if now := time.Now(); now.After(last) {
			last = now
		} else {
			last = last.Add(1)
		}
		return last
	}
}

// nodesInTurn has the monitor wait for its turn, and lists nodes in order of their names.
type nodesInTurn struct {
	coreinformers.NodeInformer
	turns *turns
}

func (n nodesInTurn) Lister() corelisters.NodeLister {
	return listInTurn{n.NodeInformer.Lister(), n.turns}
}

type listInTurn struct {
	corelisters.NodeLister
	turns *turns
}

func (l listInTurn) List(selector labels.Selector) ([]*corev1.Node, error) {
	l.turns.wait(begins, "")
	nodes, err := l.NodeLister.List(selector)
	slices.SortFunc(nodes, func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	return nodes, err
}

// leasesInTurn has the monitor wait for its turn before each node, since it looks up each node's lease,
// and computes when leases were renewed: nothing happens at a renewal that anybody has to be told of.
type leasesInTurn struct {
	coordinationinformers.LeaseInformer
	turns   *turns
	known   Leases
	written bool // leases are objects of the API after all
}

func (l leasesInTurn) Lister() coordinationlisters.LeaseLister { return leaseLister{leases: l} }

type leaseLister struct {
	coordinationlisters.LeaseLister // nil: nothing else is asked
	leases                          leasesInTurn
}

func (l leaseLister) Leases(string) coordinationlisters.LeaseNamespaceLister {
	return leaseNamespace{leases: l.leases}
}

type leaseNamespace struct {
	coordinationlisters.LeaseNamespaceLister // nil: nothing else is asked
	leases                                   leasesInTurn
}

func (l leaseNamespace) Get(name string) (*coordinationv1.Lease, error) {
	l.leases.turns.wait(looks, name)
	if l.leases.written {
		return l.leases.LeaseInformer.Lister().Leases(corev1.NamespaceNodeLease).Get(name)
	}
	at, ok := l.leases.known.Renewed(name, now())
	if !ok {
		return nil, apierrors.NewNotFound(coordinationv1.Resource("leases"), name)
	}
	return leaseOf(name, at), nil
}

// leaseOf is a lease that was renewed at a time.
func leaseOf(node string, at time.Duration) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: node},
		Spec:       coordinationv1.LeaseSpec{RenewTime: ptr.To(metav1.NewMicroTime(epoch.Add(at)))},
	}
}
