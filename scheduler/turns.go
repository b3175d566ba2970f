package scheduler

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// SetCohorts says whether pods of a class that wait may be tried together, as far as they fail
// together. It changes no decision, and is on unless it is switched off, or what is asked for
// needs every try by itself: a Sorter, Options.Service or Options.Seen. It must be said before
// the first Step.
func (sc *Scheduler) SetCohorts(on bool) { sc.queue.single = !on || sc.queue.single }

// wakeCohort lets a cohort go that a change may help. If a plugin forbids that its pods be
// tried, each of them goes by itself.
func (q *queue) wakeCohort(s *cluster.State, c *cohort, how strategy) {
	if _, ok := q.rules.preEnqueue(s, c.pods[0], ungated); !ok {
		for _, p := range slices.Clone(c.pods) {
			q.singly(s, p)
			q.requeue(s, p, how)
		}
		return
	}
	q.idle.detach(c)
	expiry := cluster.Time(-1)
	if c.rest >= 0 {
		expiry = whole(c.since + c.rest)
	}
	c.backs, c.expiry = how == afterBackoff && expiry >= whole(s.Now), 0
	to := isActive
	if c.backs {
		c.expiry, to = expiry, isBacking
	}
	q.incoming.note(to, len(c.pods))
	q.enterCohort(c)
}

// enterCohort gives a cohort a turn, that of its first pod.
func (q *queue) enterCohort(c *cohort) {
	q.tickets++
	c.turn = q.tickets
	q.turns.Push(c.turnOf(q, 0))
}

// cohortNext returns the cohort whose first pod is to be tried next, nil if it is another
// pod's turn, or nobody's. It notes whose turn it is.
func (q *queue) cohortNext() *cohort {
	if q.single {
		return nil
	}
	for len(q.turns) > 0 && q.turns[0].cohort.turn != q.turns[0].ticket {
		q.turns.Pop()
	}
	other, ok := turn{}, false
	if t, found := q.active.first(q, isActive); found {
		other, ok = turn{priority: t.priority, seq: t.seq}, true
	} else if r, found := q.backing.first(q, isBacking); found {
		other, ok = turn{backs: true, expires: r.expires, priority: r.priority, seq: r.seq}, true
	}
	if len(q.turns) > 0 && (!ok || q.turns[0].Before(other)) {
		t := q.turns.Pop()
		q.now = t
		t.cohort.turn = 0
		return t.cohort
	}
	if q.now = other; !ok {
		q.now = turn{backs: true, expires: math.MaxInt64, priority: math.MinInt32, seq: math.MaxUint64}
	}
	return nil
}

// tryCohort tries the first pod of a cohort. If it fits nowhere, neither do the others.
func (sc *Scheduler) tryCohort(s *cluster.State, c *cohort) {
	q, p := &sc.queue, c.pods[0]
	r := result{node: cluster.None}
	there := s.Pods.Phase[p] == cluster.Pending && s.Pods.Order[p] == q.pods[p].order
	if there {
		sc.cycle(s, p, &r)
		if f := &sc.failedAt[s.Pods.Class[p]]; !r.preempts && r.node == cluster.None && f.version == s.Version() && f.version != 0 && r.rejected|r.pending != 0 {
			q.stalled = append(q.stalled, stalled{c, r.rejected, r.pending})
			return
		}
	}
	sc.failStalled(s)
	q.extract(p)
	if len(c.pods) > 0 {
		q.enterCohort(c)
	}
	q.begin(s, p)
	if !there {
		q.done(p)
		return
	}
	sc.fly(s, p, &r)
}

// A stalled cohort is one whose pods fail, one after the other, until something is decided.
type stalled struct {
	*cohort
	rejected, pending uint64
}

// failStalled has all pods of stalled cohorts fail whose turn has been before that of the pod
// which is tried now. The others are tried again, as something may have changed.
func (sc *Scheduler) failStalled(s *cluster.State) {
	q := &sc.queue
	list := q.stalled
	q.stalled = nil
	for i := range list {
		sc.split(list[i].cohort)
	}
	for first := 0; first < len(list); {
		end := first + 1
		at := list[first].turnOf(q, 0)
		for end < len(list) && at.sameLevel(list[end].turnOf(q, 0)) {
			end++
		}
		sc.failLevel(s, list[first:end])
		first = end
	}
	q.stalled = list[:0]
}

// split takes the pods out of a cohort whose turn has not been yet.
func (sc *Scheduler) split(c *cohort) {
	q := &sc.queue
	done := len(c.pods)
	if c.turnOf(q, 0).sameLevel(q.now) {
		lo, hi := 0, done
		for lo < hi {
			if mid := (lo + hi) / 2; c.seqOf(q, mid) < q.now.seq {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		done = lo
	}
	if done == len(c.pods) {
		return
	}
	rest := *c
	rest.pods = slices.Clone(c.pods[done:])
	c.pods = c.pods[:done]
	for _, p := range rest.pods {
		q.pods[p].cohort = &rest
	}
	q.enterCohort(&rest)
}

// failLevel has all pods of cohorts fail that only the times of their last tries order. So
// they keep their order, and come after all that were tried before.
func (sc *Scheduler) failLevel(s *cluster.State, list []stalled) {
	q := &sc.queue
	lowest, highest := uint64(math.MaxUint64), uint64(0)
	for i := range list {
		c := list[i].cohort
		lowest, highest = min(lowest, c.seqOf(q, 0)), max(highest, c.seqOf(q, len(c.pods)-1))
	}
	by := q.tries + 1 - lowest
	q.tries = highest + by
	for i := range list {
		c := list[i].cohort
		sc.stats.Unschedulable += uint64(len(c.pods))
		c.shift += by
		c.tries++
		c.since, c.flushed = s.Now, false
		c.rest = q.restOf(&q.pods[c.pods[0]], c.tries)
		c.key.rejected, c.key.pending = list[i].rejected, list[i].pending
		q.idle.rejoin(q, s, c)
	}
}
