package scheduler

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A cohort is unschedulable pods of a class that were last tried at one time and rest for
// equally long, in the order of those tries. A change wakes them together, and when the first
// of them fits nowhere, so do the others, until something is decided. So thousands of pods
// that wait cost as much as one: what their tries change about each of them is written down
// once for the cohort, and added to what was known of a pod when it leaves.
type cohort struct {
	key   groupKey
	group *group // while it is idle
	pods  []cluster.PodID

	since    cluster.Time // of the last try
	rest     cluster.Time // from then on
	priority int32
	flushed  bool // woken only because of its age

	// What is to be added to what is known of each pod.
	shift uint64 // to seq
	tries int32  // to attempts and rejections

	turn   uint64 // the ticket that counts of those in cohorts.woken, 0 for none
	backs  bool   // woken, it backs off
	expiry cluster.Time
}

// A turn is a pod's place in the order in which pods are tried that are active or back off
// after a rejection, if the queue has one lane for either.
type turn struct {
	backs    bool // those that are active come first
	expires  cluster.Time
	priority int32
	seq      uint64
	cohort   *cohort // that the pod is the first of, if it is of one
	ticket   uint64
}

// Before orders turns as tickets and restTickets are.
func (a turn) Before(b turn) bool {
	if a.backs != b.backs {
		return b.backs
	}
	return cmp.Or(cmp.Compare(a.expires, b.expires), cmp.Compare(b.priority, a.priority), cmp.Compare(a.seq, b.seq)) < 0
}

// sameLevel reports whether only the times of their last tries order two turns.
func (a turn) sameLevel(b turn) bool {
	return a.backs == b.backs && a.expires == b.expires && a.priority == b.priority
}

// seqOf returns the number of the last try of the i-th pod.
func (c *cohort) seqOf(q *queue, i int) uint64 { return q.pods[c.pods[i]].seq + c.shift }

// turnOf returns the turn of the i-th pod of a cohort that was woken.
func (c *cohort) turnOf(q *queue, i int) turn {
	return turn{c.backs, c.expiry, c.priority, c.seqOf(q, i), c, c.turn}
}

// find returns the place of p, whose number q knows.
func (c *cohort) find(q *queue, p cluster.PodID) int {
	i, _ := slices.BinarySearchFunc(c.pods, q.pods[p].seq, func(other cluster.PodID, seq uint64) int {
		return cmp.Compare(q.pods[other].seq+c.shift, seq+c.shift)
	})
	return i
}

// add appends p, whose last try is the latest of all. What is known of p is made what it is
// without what the cohort adds.
func (c *cohort) add(q *queue, p cluster.PodID) {
	e := &q.pods[p]
	e.cohort = c
	e.seq -= c.shift
	e.attempts -= c.tries
	e.rejections -= c.tries
	c.pods = append(c.pods, p)
}

// settleWith writes down for a pod what is known of its cohort, which it leaves.
func (e *queued) settleWith(c *cohort) {
	e.cohort = nil
	e.seq += c.shift
	e.attempts += c.tries
	e.rejections += c.tries
	e.since, e.popped, e.flushed, e.expires = c.since, c.since, c.flushed, cluster.Never
	e.rejected, e.pending = c.key.rejected, c.key.pending
	e.place = isIdle
}

// restOf returns for how long p rests after its last try, which plugins ended.
func (q *queue) restOf(e *queued, tries int32) cluster.Time {
	if n := e.rejections + tries; n > 0 && q.backoff.max > 0 {
		return q.backoff.after(n)
	}
	return -1
}

// joins reports whether p, which becomes unschedulable, may be of a cohort: it is like others
// of its class as long as no node is kept for it.
func (q *queue) joins(s *cluster.State, p cluster.PodID) bool {
	e := &q.pods[p]
	return !q.single && e.gate == ungated && e.errors == 0 && e.since == s.Now && s.Pods.Nominated[p] == cluster.None && s.Hope(p) == ""
}

// cohort returns that of a group for pods that were tried just now, and rest for so long.
func (q *queue) cohort(g *group, s *cluster.State, rest cluster.Time, priority int32) *cohort {
	for i := len(g.cohorts) - 1; i >= 0; i-- {
		if c := g.cohorts[i]; c.since == s.Now && c.rest == rest {
			return c
		}
	}
	c := &cohort{key: g.key, group: g, since: s.Now, rest: rest, priority: priority}
	g.cohorts = append(g.cohorts, c)
	return c
}

// joinCohort makes p unschedulable, as the last of a cohort.
func (gs *groups) joinCohort(q *queue, s *cluster.State, p cluster.PodID) {
	e := &q.pods[p]
	e.place = isIdle
	g := gs.group(groupKey{s.Pods.Class[p], e.rejected, e.pending, e.gate})
	c := q.cohort(g, s, q.restOf(e, 0), s.Class(p).Priority)
	c.add(q, p)
	gs.pods++
	q.incoming.note(isIdle, 1)
	if len(c.pods) == 1 {
		q.aged.Push(age{e.since, c.seqOf(q, 0), p, c})
	}
}

// rejoin makes a cohort unschedulable again after all its pods were tried: it becomes part of
// the one that its pods are like now, if there is one.
func (gs *groups) rejoin(q *queue, s *cluster.State, c *cohort) {
	g := gs.group(c.key)
	gs.pods += len(c.pods)
	q.incoming.why = attemptFailed
	q.incoming.note(isIdle, len(c.pods))
	into := q.cohort(g, s, c.rest, c.priority)
	if len(into.pods) == 0 { // it has just been made
		c.group, g.cohorts[len(g.cohorts)-1] = g, c
		q.aged.Push(age{c.since, c.seqOf(q, 0), c.pods[0], c})
		return
	}
	inOrder := into.seqOf(q, len(into.pods)-1) < c.seqOf(q, 0)
	for _, p := range c.pods {
		e := &q.pods[p]
		e.seq += c.shift
		e.attempts += c.tries
		e.rejections += c.tries
		into.add(q, p)
	}
	c.pods = nil
	if !inOrder { // they had rested for different times, and took turns
		slices.SortFunc(into.pods, func(a, b cluster.PodID) int {
			return cmp.Compare(q.pods[a].seq+into.shift, q.pods[b].seq+into.shift)
		})
	}
}

// detach takes a cohort out of its group, and the group away if that leaves nothing of it.
func (gs *groups) detach(c *cohort) {
	g := c.group
	i := slices.Index(g.cohorts, c)
	g.cohorts = slices.Delete(g.cohorts, i, i+1)
	c.group = nil
	gs.pods -= len(c.pods)
	gs.dropIfEmpty(g)
}

// extract takes p out of its cohort, wherever that is. The pod is nowhere then.
func (q *queue) extract(p cluster.PodID) {
	e := &q.pods[p]
	c := e.cohort
	i := c.find(q, p)
	c.pods = slices.Delete(c.pods, i, i+1)
	e.settleWith(c)
	e.place = absent
	switch {
	case c.group != nil:
		q.idle.pods--
		if len(c.pods) == 0 {
			q.idle.detach(c)
		}
	case c.turn != 0:
		c.turn = 0
		if len(c.pods) > 0 {
			q.enterCohort(c)
		}
	}
}

// singly takes p out of its cohort if it is of one, so that it is as if it had always been by
// itself.
func (q *queue) singly(s *cluster.State, p cluster.PodID) {
	e := &q.pods[p]
	if e.cohort == nil {
		return
	}
	c := *e.cohort
	q.extract(p)
	switch {
	case c.group != nil:
		q.idle.add(q, s, p)
	case c.backs:
		q.enter(s, p, isBacking)
	default:
		q.enter(s, p, isActive)
	}
}
