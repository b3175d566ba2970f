package kube

import (
	"fmt"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"go.uber.org/zap"
	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// A translator makes events of what watches and workers bring. It is for one goroutine, and
// does no I/O.
//
// What it knows of each object is what State has been told, and what the server has said,
// which may differ while decisions are under way. A row is known from the batch after the one
// in which its pod or node came; a change that needs one earlier waits, and all after it.
type translator struct {
	epoch   time.Time
	log     *zap.Logger
	metrics *metrics
	conv    manifest.Converter
	dry     bool // nobody carries out what is decided

	now  cluster.Time
	out  []cluster.Event
	gaps []gap

	pods    map[types.UID]*pod
	named   map[string]*pod // that have not ended, by namespace and name
	podRow  []*pod          // by row
	nodes   map[string]*node
	nodeRow []*node
	leases  map[string]*lease
	objects map[objectKey]*object
	fresh   int  // pods and nodes that came in the batch at hand
	ofPods  bool // the batch at hand has events about pods

	seq     uint64
	flights map[uint64]*flight
	soon    []answer // outcomes that were known at once
	strange map[string]bool
}

func newTranslator(epoch time.Time, log *zap.Logger, m *metrics) *translator {
	return &translator{
		epoch: epoch, log: log, metrics: m, conv: manifest.Converter{Epoch: epoch},
		pods: map[types.UID]*pod{}, named: map[string]*pod{}, nodes: map[string]*node{}, leases: map[string]*lease{},
		objects: map[objectKey]*object{}, flights: map[uint64]*flight{}, strange: map[string]bool{},
	}
}

// translate takes what is in the inbox and returns the events that it makes of it, at now or a
// little later: events of one instant are in order of kind, so that where one thing follows
// from another of a later kind, a nanosecond passes. It sets t.now to the time of the last.
func (t *translator) translate(from *inbox, now cluster.Time) []cluster.Event {
	t.now = max(t.now, now)
	t.out, t.ofPods = t.out[:0], false
	for _, a := range t.soon {
		t.settle(a)
	}
	t.soon = t.soon[:0]
	list := from.take()
	for i := range list {
		if !t.take(&list[i]) {
			from.putBack(list[i:])
			break
		}
	}
	return t.out
}

// learn takes from the last batch, which State has observed by now, in which rows it has put
// what came.
func (t *translator) learn(batch []cluster.Event) {
	if t.fresh == 0 {
		return
	}
	for i := range batch {
		switch e := &batch[i]; e.Kind {
		case cluster.PodAdded:
			p := t.named[cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Name)]
			p.row, p.fresh = e.Pod, false
			t.podRow = at(t.podRow, int(e.Pod), p)
		case cluster.NodeAdded:
			n := t.nodes[e.NodeSpec.Name]
			n.row, n.fresh = e.Node, false
			t.nodeRow = at(t.nodeRow, int(e.Node), n)
		}
	}
	t.fresh = 0
}

// podAt returns the pod in a row, nil if it has ended.
func (t *translator) podAt(row cluster.PodID) *pod {
	if row < 0 || int(row) >= len(t.podRow) || t.podRow[row] == nil || t.podRow[row].over {
		return nil
	}
	return t.podRow[row]
}

// lastOf returns the uid of the pod that is in a row, or was the last.
func (t *translator) lastOf(row cluster.PodID) (uid types.UID, ok bool) {
	if row < 0 || int(row) >= len(t.podRow) || t.podRow[row] == nil {
		return "", false
	}
	return t.podRow[row].uid, true
}

// nodeAt returns the node in a row, nil if it was removed.
func (t *translator) nodeAt(row cluster.NodeID) *node {
	if row < 0 || int(row) >= len(t.nodeRow) {
		return nil
	}
	return t.nodeRow[row]
}

// at returns a list with x at index i.
func at[T any](list []T, i int, x T) []T {
	for len(list) <= i {
		var none T
		list = append(list, none)
	}
	list[i] = x
	return list
}

// emit appends an event. Its rows are None unless they are set.
func (t *translator) emit(e cluster.Event) {
	if k := len(t.out); k > 0 && t.out[k-1].Kind > e.Kind {
		t.now++
	}
	e.Time = t.now
	t.ofPods = t.ofPods || e.Pod != cluster.None || e.Kind == cluster.PodAdded
	t.out = append(t.out, e)
}

// take translates a change. It returns false, and has done nothing, if the change is about
// something whose row isn't known yet.
func (t *translator) take(c *change) bool {
	switch {
	case c.what == answered:
		t.settle(c.answer)
		return true
	case c.what == relist:
		if len(t.out) > 0 {
			return false
		}
		t.relist(c)
		return true
	case t.waits(c.obj, c.what == remove):
		return false
	}
	t.one(c.obj, c.what == remove, c.at)
	return true
}

// waits reports whether an observation has to wait for the next batch: it is of what came in the
// one at hand, or a node comes or goes after events about pods. Controllers see a batch when
// State has taken in all of it, and may take it for granted that they know a pod's node.
func (t *translator) waits(obj runtime.Object, gone bool) bool {
	switch o := obj.(type) {
	case *v1.Pod:
		p := t.named[cluster.Key(o.Namespace, o.Name)]
		return p != nil && p.fresh
	case *v1.Node:
		n := t.nodes[o.Name]
		if n == nil || gone || n.uid != o.UID {
			return t.ofPods || n != nil && n.fresh
		}
		return n.fresh
	case *coordinationv1.Lease:
		n := t.nodes[o.Name]
		return n != nil && n.fresh
	}
	return false
}

// one translates one object that is there, or gone.
func (t *translator) one(obj runtime.Object, gone bool, at cluster.Time) {
	switch o := obj.(type) {
	case *v1.Pod:
		if gone {
			t.podGone(o)
		} else {
			t.podSeen(o)
		}
	case *v1.Node:
		if gone {
			t.nodeGone(o.Name)
		} else {
			t.nodeSeen(o, at)
		}
	case *coordinationv1.Lease:
		if gone {
			delete(t.leases, o.Name)
		} else {
			t.leaseSeen(o, at)
		}
	default:
		t.objectSeen(obj, gone)
	}
}

// misread notes an object that can't be converted. What was known of it stays.
func (t *translator) misread(kind, name string, err error) {
	key := fmt.Sprintf("%s %s: %v", kind, name, err)
	t.metrics.misread.WithLabelValues(kind).Inc()
	if !t.strange[key] {
		t.strange[key] = true
		t.log.Error("an object can't be read, and is left alone: correct it", zap.String("kind", kind), zap.String("name", name), zap.Error(err))
	}
}
