package scheduler

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// A queue holds the pods that want a node, as kube-scheduler's does
// (pkg/scheduler/backend/queue). A pod that may be tried is active. One that
// failed rests: with a plugin that rejected it, it is unschedulable until
// something happens that the plugin wants to hear of; then it backs off, so that
// it doesn't take the place of others too often. One that failed without a plugin's
// rejecting it backs off at once.
type queue struct {
	backoff backoff
	most    cluster.Time // for which a pod is unschedulable before it is tried anyway
	rules   rules
	sorter  Sorter // nil for kube's order

	pods    []queued // by PodID
	active  lanes[ticket]
	backing lanes[restTicket] // after a rejection
	failed  lane[restTicket]  // after an error
	idle    groups            // unschedulable pods
	turns   heap.Heap[turn]   // cohorts that were woken
	stalled []stalled         // cohorts whose pods fail until something is decided
	now     turn              // of the pod that is tried
	single  bool              // there are to be no cohorts
	aged    heap.Heap[age]    // unschedulable pods by the time of their last try
	flight  flight
	looked  cluster.Time // when pods were flushed for the last time

	incoming incoming

	tickets uint64 // the last ticket given
	tries   uint64 // the last queued.seq given

	renumberAt uint64 // tries, when they are numbered anew

	heads  []cluster.PodID // scratch of lanes
	places []int
}

// rules are what a queue asks of plugins. Sets of plugins are bits.
type rules interface {
	// preEnqueue returns the plugin that forbids that p be tried, beginning with
	// first; ok is true if none does.
	preEnqueue(s *cluster.State, p cluster.PodID, first int8) (plugin int8, ok bool)
	// listens reports whether a plugin wants to hear of a change.
	listens(s *cluster.State, p cluster.PodID, plugin int8, c *Change) bool
	// wokenBy returns which of plugins change their minds about pods like p.
	wokenBy(s *cluster.State, p cluster.PodID, plugins uint64, c *Change) uint64
}

// A place is where in a queue a pod is.
type place uint8

const (
	absent place = iota
	isActive
	isBacking
	isFailed
	isIdle
	inFlight
)

// queued is what a queue knows of a pod.
type queued struct {
	order  uint64 // of the pod's arrival: rows are reused
	place  place
	lane   int32  // that it is in, while it is active or backs off after a rejection
	ticket uint64 // the one that counts of those in lanes

	// since is when the pod came to the queue, or back to it after a try, and
	// seq numbers those times: kube's Timestamp, which never is the same twice.
	since cluster.Time
	seq   uint64
	first cluster.Time // when the pod became active at first, Never if it did not

	attempts   int32 // tries
	rejections int32 // tries that ended with a plugin's rejection
	errors     int32 // tries without one, since the last rejection

	rejected uint64 // plugins that rejected the pod at its last try, and that gated it
	pending  uint64 // those of them that wait for something definite
	gate     int8   // the plugin that forbids that the pod be tried, or ungated

	expires cluster.Time // of the backoff, in whole seconds; Never if it must be reckoned
	flushed bool         // tried again only because of its age
	cohort  *cohort      // that it is of, which knows more about it
	group   *group       // while it is idle, and of no cohort
	slot    int32        // in the group
	began   int          // in flight: the first change that it has not seen
	popped  cluster.Time // when the last try began
	told    bool         // at the last try, its status said that a node is kept for it
}

const ungated = -1

// A strategy says what to do with a pod after a change.
type strategy uint8

const (
	skip strategy = iota
	afterBackoff
	immediately
)

// at returns what is known of p, for a pod that is there or is to be.
func (q *queue) at(p cluster.PodID) *queued {
	for len(q.pods) <= int(p) {
		q.pods = append(q.pods, queued{})
	}
	return &q.pods[p]
}

// has reports whether p is in the queue or in flight, rather than another pod
// that had its row.
func (q *queue) has(s *cluster.State, p cluster.PodID) bool {
	return int(p) < len(q.pods) && q.pods[p].place != absent && q.pods[p].order == s.Pods.Order[p]
}

// add takes in a pod that wants a node.
func (q *queue) add(s *cluster.State, p cluster.PodID) {
	e := q.at(p)
	if e.place != absent {
		q.remove(p)
	}
	q.tries++
	*e = queued{
		order: s.Pods.Order[p], since: s.Now, seq: q.tries,
		first: cluster.Never, expires: cluster.Never, gate: ungated,
	}
	q.incoming.why = podCame
	q.activate(s, p, false)
}

// remove takes p out, wherever it is.
func (q *queue) remove(p cluster.PodID) {
	if int(p) >= len(q.pods) {
		return
	}
	q.leave(p)
	if e := &q.pods[p]; e.place == inFlight {
		q.flight.done(e.began)
	}
	q.pods[p].place = absent
}

// begin says that p, which is in no lane and no group, is tried now.
func (q *queue) begin(s *cluster.State, p cluster.PodID) {
	e := &q.pods[p]
	e.place, e.ticket = inFlight, 0
	e.attempts++
	e.popped, e.told = s.Now, false
	e.began = q.flight.begin()
}

// leave takes p out of the lane or the group that it is in.
func (q *queue) leave(p cluster.PodID) {
	e := &q.pods[p]
	if e.cohort != nil {
		q.extract(p)
		return
	}
	switch e.place {
	case isActive:
		q.active.void(e.lane)
	case isBacking:
		q.backing.void(e.lane)
	case isFailed:
		q.failed.live--
	case isIdle:
		q.idle.remove(q, p)
	}
	e.ticket = 0
}

// enter puts p into the lane for a place, with the ticket that counts from now on,
// wherever it was.
func (q *queue) enter(s *cluster.State, p cluster.PodID, where place) {
	q.leave(p)
	q.tickets++
	e := &q.pods[p]
	e.place, e.ticket, e.lane = where, q.tickets, q.laneOf(s, p)
	t := ticket{s.Class(p).Priority, e.seq, p, e.ticket}
	switch where {
	case isActive:
		q.active.push(e.lane, t)
	case isBacking:
		q.backing.push(e.lane, restTicket{q.expiry(p), t})
	case isFailed:
		q.failed.push(restTicket{q.expiry(p), t})
	}
}

// activate makes p active, unless a plugin forbids that it be tried. Plugins were
// asked already about a pod that backed off.
func (q *queue) activate(s *cluster.State, p cluster.PodID, backedOff bool) {
	if !backedOff && !q.mayBeTried(s, p) {
		return
	}
	if e := &q.pods[p]; e.first == cluster.Never {
		e.first = s.Now
	}
	q.incoming.note(isActive, 1)
	q.enter(s, p, isActive)
}

// rest lets p back off, unless a plugin forbids that it be tried.
func (q *queue) rest(s *cluster.State, p cluster.PodID) {
	if !q.mayBeTried(s, p) {
		return
	}
	q.incoming.note(isBacking, 1)
	if e := &q.pods[p]; e.rejected|e.pending == 0 {
		q.enter(s, p, isFailed)
	} else {
		q.enter(s, p, isBacking)
	}
}

// mayBeTried asks the plugins that may forbid that p be tried. If one does, p
// becomes unschedulable.
func (q *queue) mayBeTried(s *cluster.State, p cluster.PodID) bool {
	e := &q.pods[p]
	plugin, ok := q.rules.preEnqueue(s, p, e.gate)
	if ok {
		e.gate = ungated
		return true
	}
	rejected := e.rejected | 1<<plugin
	if e.place != isIdle || plugin != e.gate || rejected != e.rejected {
		q.leave(p)
		e.gate, e.rejected = plugin, rejected
		q.idle.add(q, s, p)
	}
	return false
}

// pop takes out the pod to be tried next. If none is active, one is taken that
// backs off after a rejection: nobody else wants the time.
func (q *queue) pop(s *cluster.State) (p cluster.PodID, ok bool) {
	if t, found := q.active.pop(q, s, isActive); found {
		p, ok = t.pod, true
	} else if r, found := q.backing.pop(q, s, isBacking); found {
		p, ok = r.pod, true
		q.incoming.why = takenFromRest
		q.incoming.note(isActive, 1)
	}
	if ok {
		q.begin(s, p)
	}
	return p, ok
}

// done says that a pod in flight needs the changes that it missed no longer, and
// takes it out.
func (q *queue) done(p cluster.PodID) {
	if e := &q.pods[p]; e.place == inFlight {
		q.flight.done(e.began)
		e.place = absent
	}
}

// fail takes back a pod that was tried in vain: plugins rejected it, of which some
// may be waiting for something; or none did, and something went wrong.
func (q *queue) fail(s *cluster.State, p cluster.PodID, rejected, pending uint64) {
	e := &q.pods[p]
	e.rejected, e.pending = rejected, pending
	if rejected|pending == 0 {
		e.errors++
	} else {
		e.rejections++
		e.errors = 0
	}
	q.tries++
	e.since, e.seq = s.Now, q.tries
	e.expires, e.flushed, e.gate = cluster.Never, false, ungated
	what := q.missed(s, p)
	if e.place == inFlight {
		q.flight.done(e.began)
	}
	e.place = absent
	q.incoming.why = attemptFailed
	q.requeue(s, p, what)
}

// missed returns what the changes mean for p that happened while it was in flight.
func (q *queue) missed(s *cluster.State, p cluster.PodID) strategy {
	e := &q.pods[p]
	if e.rejected|e.pending == 0 {
		return afterBackoff
	}
	what := skip
	if e.place != inFlight {
		return what
	}
	for i := e.began; i < q.flight.next(); i++ {
		c, target := q.flight.at(i)
		c.Own = target == e.order
		if c.What == 0 { // a flush
			what = max(what, afterBackoff)
		} else {
			what = max(what, q.worth(s, p, e.rejected, e.pending, &c))
		}
		if what == immediately || what == afterBackoff && e.pending == 0 {
			break
		}
	}
	return what
}

// requeue puts p where a change lets it go.
func (q *queue) requeue(s *cluster.State, p cluster.PodID, what strategy) {
	switch {
	case what == skip:
		switch {
		case q.pods[p].place == isIdle:
		case q.joins(s, p):
			q.idle.joinCohort(q, s, p)
		default:
			q.idle.add(q, s, p)
		}
	case what == afterBackoff && q.backsOff(s, p):
		q.rest(s, p)
	default:
		q.activate(s, p, false)
	}
}

// worth returns what a change means for p, and all pods of its group, which such plugins
// rejected or have wait. What is written down for a pod of a cohort is older than that.
func (q *queue) worth(s *cluster.State, p cluster.PodID, rejected, pending uint64, c *Change) strategy {
	if rejected|pending == 0 {
		return afterBackoff
	}
	woken := q.rules.wokenBy(s, p, rejected|pending, c)
	switch {
	case woken&pending != 0:
		return immediately
	case woken != 0:
		return afterBackoff
	}
	return skip
}

// push makes p active at once, whatever it waits for: kube's Activate.
func (q *queue) push(s *cluster.State, p cluster.PodID) {
	q.singly(s, p)
	q.incoming.why = activated
	switch e := &q.pods[p]; e.place {
	case isIdle:
		q.activate(s, p, false)
	case isBacking, isFailed:
		q.activate(s, p, true)
	}
}
