package kube

import (
	"hash/fnv"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// StatusOptions say what a Status writes.
type StatusOptions struct {
	// Component is who Events are from; "" is berth.
	Component string

	// Why says why a pod got no node, in kube-scheduler's words ("0/5 nodes are available:
	// …"). It is called once a round for each class of pods that were tried. Nil: nothing is
	// written about pods that got none.
	Why func(s *cluster.State, p cluster.PodID) string
}

// A Status tells people, by what they read with kubectl describe, what is decided: the
// condition PodScheduled of pods that got no node, and Events. It is a cluster.Recorder; no
// decision depends on what it writes. It writes only what is new, a few things at a time but
// those about one object in order, and drops what there is no room for rather than have anybody
// wait.
type Status struct {
	cluster *Cluster
	options StatusOptions
	tried   []cluster.PodID // in vain, in this round
	said    map[types.UID]string
	notes   [noteWriters]chan note // an object's are always in the same
	start   sync.Once

	mu     sync.Mutex
	failed []types.UID // whose condition could not be written
}

const (
	// noteWriters is how many notes are written at a time: far fewer than decisions are
	// carried out, whose requests come first.
	noteWriters = 4

	// mostNotes is how many notes may wait for each of them: when a cluster is filled, thousands
	// of pods are bound faster than Events of them can be written.
	mostNotes = 2048
)

// mostOfNote is how long an Event's note may be, in bytes.
const mostOfNote = 1024

// NewStatus returns a Status for runs of c.
func (c *Cluster) NewStatus(o StatusOptions) *Status {
	if o.Component == "" {
		o.Component = "berth"
	}
	st := &Status{cluster: c, options: o, said: map[types.UID]string{}}
	for i := range st.notes {
		st.notes[i] = make(chan note, mostNotes)
	}
	return st
}

// Unplaced notes that a pod was tried and got no node. It is to be called from within a
// Controller's Step, as scheduler.Options.Seen is.
func (st *Status) Unplaced(p cluster.PodID) {
	if st.options.Why != nil {
		st.tried = append(st.tried, p)
	}
}

// Record implements cluster.Recorder. It returns no error.
func (st *Status) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	if st.cluster.opts.ReadOnly {
		st.tried = st.tried[:0]
		return nil
	}
	st.cluster.tr.learn(events)
	st.retry()
	for i := range events {
		st.event(s, &events[i])
	}
	for i := range ds {
		st.decision(s, &ds[i])
	}
	st.unplaced(s)
	return nil
}

// retry has conditions be written again that could not be.
func (st *Status) retry() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, uid := range st.failed {
		delete(st.said, uid)
	}
	st.failed = st.failed[:0]
}

func (st *Status) event(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.PodBound:
		if p := st.cluster.tr.podAt(e.Pod); p != nil {
			delete(st.said, p.uid)
			st.tell(aboutPod(p, v1.EventTypeNormal, "Scheduled", "Binding", "Successfully assigned "+cluster.Key(p.namespace, p.name)+" to "+s.Nodes.Name[e.Node]))
		}
	case cluster.PodEnded:
		if uid, ok := st.cluster.tr.lastOf(e.Pod); ok {
			delete(st.said, uid)
		}
	}
}

func (st *Status) decision(s *cluster.State, d *cluster.Decision) {
	if d.Kind == cluster.SetConditions {
		change := d.Detail.(cluster.StatusChange)
		if n := st.cluster.tr.nodeAt(d.Node); n != nil && change.From[cluster.NodeReady] == cluster.ConditionTrue {
			st.tell(aboutNode(n, v1.EventTypeNormal, "NodeNotReady", "NodeNotReady", "Node "+n.name+" status is now: NodeNotReady"))
		}
		return
	}
	if d.Pod == cluster.None {
		return
	}
	p := st.cluster.tr.podAt(d.Pod)
	if p == nil {
		return
	}
	switch {
	case d.Kind == cluster.Preempt:
		st.tell(aboutPod(p, v1.EventTypeNormal, "Preempted", "Preempting", "Preempted on node "+s.Nodes.Name[d.Node]))
	case d.Kind == cluster.Evict && d.Detail == cluster.DeletionByTaint:
		st.tell(aboutPod(p, v1.EventTypeNormal, "TaintManagerEviction", "Evicting", "Marking for deletion Pod "+cluster.Key(p.namespace, p.name)))
	case d.Kind == cluster.MarkUnready:
		st.tell(aboutPod(p, v1.EventTypeWarning, "NodeNotReady", "NodeNotReady", "Node is not ready"))
	}
}

// unplaced writes why pods got no node, where that isn't what was written last.
func (st *Status) unplaced(s *cluster.State) {
	slices.Sort(st.tried)
	why := map[cluster.ClassID]string{}
	for _, row := range slices.Compact(st.tried) {
		p := st.cluster.tr.podAt(row)
		if p == nil || s.Pods.Phase[row] != cluster.Pending {
			continue
		}
		class := s.Pods.Class[row]
		message, ok := why[class]
		if !ok {
			message = st.options.Why(s, row)
			why[class] = message
		}
		if st.said[p.uid] == message {
			continue
		}
		n := aboutPod(p, v1.EventTypeWarning, "FailedScheduling", "Scheduling", message)
		n.condition = message
		_, n.before = st.said[p.uid]
		if st.tell(n) {
			st.said[p.uid] = message
		}
	}
	st.tried = st.tried[:0]
}

// tell has a note be written, and reports whether there was room for it.
func (st *Status) tell(n note) bool {
	st.start.Do(func() {
		for i := range st.notes {
			st.cluster.watches.Go(func() { st.write(i) })
		}
	})
	n.text = cut(n.text)
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(n.of.UID)) // which never fails
	select {
	case st.notes[sum.Sum32()%noteWriters] <- n:
		return true
	default:
		st.cluster.metrics.dropped.Inc()
		return false
	}
}

// cut shortens a text to what an Event may hold, as kube-scheduler does.
func cut(text string) string {
	const dots = " ..."
	if len(text) <= mostOfNote {
		return text
	}
	text = text[:mostOfNote-len(dots)]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + dots
}
