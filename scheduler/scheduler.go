package scheduler

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// refusedDelay is how long a pod waits after its binding was refused: kube's
// initial backoff.
const refusedDelay = cluster.Second

// A Scheduler is a cluster.Controller that gives pods nodes, in order of
// priority and arrival. A pod that fits nowhere is set aside until room is made;
// it keeps its place in the order.
type Scheduler struct {
	profile *Profile
	queue   heap.Heap[waiting]
	parked  []waiting // fit nowhere, until room is made
	lonely  []waiting // fit nowhere, until room is made or a pod is bound
	gated   []waiting // not to be tried until something about them changes
	refused []refused // in order of time

	nominees bool // whether nodes were kept for pods at the end of the last Step

	// failedAt says, by class, at which version of the State a pod of the class
	// fitted nowhere. Until anything changes, no other does: a class is what
	// decisions can tell apart.
	failedAt []uint64
}

// New returns a scheduler that decides by profile.
func New(profile *Profile) *Scheduler { return &Scheduler{profile: profile} }

// waiting is a pod that wants a node.
type waiting struct {
	priority int32
	order    uint64 // of arrival
	pod      cluster.PodID
}

// Before orders pods by priority, the highest first, then by arrival.
func (a waiting) Before(b waiting) bool {
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	return a.order < b.order
}

type refused struct {
	until cluster.Time
	waiting
}

// Step implements cluster.Controller. It tries every pod for which trying again
// can make a difference.
func (sc *Scheduler) Step(s *cluster.State, events []cluster.Event) (wake cluster.Time) {
	room, company := false, false
	for i := range events {
		room = sc.take(s, &events[i]) || room
		company = company || events[i].Kind == cluster.PodBound
	}
	if room {
		sc.parked = sc.again(sc.parked)
	}
	if room || company {
		sc.lonely = sc.again(sc.lonely)
	}
	for len(sc.refused) > 0 && sc.refused[0].until <= s.Now {
		sc.queue.Push(sc.refused[0].waiting)
		sc.refused = sc.refused[1:]
	}
	for len(sc.queue) > 0 {
		sc.try(s, sc.queue.Pop())
	}
	sc.nominees = s.AnyNominee()
	if len(sc.refused) > 0 {
		return sc.refused[0].until
	}
	return cluster.Never
}

// again has all of the pods tried, and returns their list empty.
func (sc *Scheduler) again(pods []waiting) []waiting {
	for _, w := range pods {
		sc.queue.Push(w)
	}
	return pods[:0]
}

// park sets w's pod aside.
func (sc *Scheduler) park(s *cluster.State, w waiting) {
	if sc.profile.narrowing(s, w.pod) {
		sc.parked = append(sc.parked, w)
	} else {
		sc.lonely = append(sc.lonely, w)
	}
}

// take notes what an event means for the queue, and reports whether it may have
// made room for pods that were set aside.
func (sc *Scheduler) take(s *cluster.State, e *cluster.Event) (room bool) {
	switch e.Kind {
	case cluster.PodAdded:
		if s.Pods.Phase[e.Pod] == cluster.Pending {
			sc.queue.Push(entry(s, e.Pod))
		}
		return e.Node != cluster.None // others may want to be near it
	case cluster.PodChanged:
		sc.release(s, e.Pod)
		return true
	case cluster.Rejected:
		if e.Decision.Kind == cluster.Bind && s.Pods.Phase[e.Pod] == cluster.Pending {
			sc.refused = append(sc.refused, refused{s.Now + refusedDelay, entry(s, e.Pod)})
		}
		return true
	case cluster.PodEnded:
		return e.Node != cluster.None || sc.nominees // one may have been kept for it
	case cluster.NodeAdded, cluster.NodeChanged, cluster.ObjectSet, cluster.ObjectRemoved:
		return true
	}
	return false
}

// release has p tried again if it was gated.
func (sc *Scheduler) release(s *cluster.State, p cluster.PodID) {
	for i, w := range sc.gated {
		if w.pod == p && w.order == s.Pods.Order[p] { // or another pod had the row
			sc.gated = append(sc.gated[:i], sc.gated[i+1:]...)
			sc.queue.Push(w)
			return
		}
	}
}

func entry(s *cluster.State, p cluster.PodID) waiting {
	return waiting{s.Class(p).Priority, s.Pods.Order[p], p}
}

// try places w's pod, or sets it aside.
func (sc *Scheduler) try(s *cluster.State, w waiting) {
	p := w.pod
	if s.Pods.Order[p] != w.order || s.Pods.Phase[p] != cluster.Pending {
		return // it ended while it waited
	}
	if _, v := sc.profile.PreEnqueue(s, p); v.Code != Success {
		sc.gated = append(sc.gated, w)
		return
	}
	c := s.Pods.Class[p]
	for len(sc.failedAt) <= int(c) {
		sc.failedAt = append(sc.failedAt, 0)
	}
	if sc.failedAt[c] == s.Version() && s.Pods.Nominated[p] == cluster.None {
		sc.park(s, w)
		return
	}
	if n, a, ok := sc.profile.Select(s, p); ok {
		s.Bind(p, n, a)
		return
	}
	if sc.profile.Err() != nil || !sc.profile.preempt(s, p) {
		sc.failedAt[c] = s.Version()
	}
	sc.park(s, w)
}
