package scheduler

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A groupKey is what unschedulable pods have in common that a change wakes
// together.
type groupKey struct {
	class             cluster.ClassID
	rejected, pending uint64
	gate              int8
}

// A group is the unschedulable pods with a key.
type group struct {
	key     groupKey
	slot    int // in groups.all
	pods    []cluster.PodID
	cohorts []*cohort // of its other pods
}

// any returns one of its pods.
func (g *group) any() cluster.PodID {
	if len(g.pods) > 0 {
		return g.pods[0]
	}
	return g.cohorts[0].pods[0]
}

// groups are all unschedulable pods. Plugins are asked once for a group whether a
// change may help it.
type groups struct {
	all   []*group
	byKey map[groupKey]*group
	pods  int // in all groups
	gated int // those of them that a plugin forbids to try
}

// add makes p unschedulable, by itself.
func (gs *groups) add(q *queue, s *cluster.State, p cluster.PodID) {
	e := &q.pods[p]
	e.place = isIdle
	q.incoming.note(isIdle, 1)
	gs.join(e, groupKey{s.Pods.Class[p], e.rejected, e.pending, e.gate}, p)
	if e.gate == ungated {
		q.aged.Push(age{e.since, e.seq, p, nil})
	}
}

// group returns the group with a key.
func (gs *groups) group(key groupKey) *group {
	g := gs.byKey[key]
	if g == nil {
		if gs.byKey == nil {
			gs.byKey = map[groupKey]*group{}
		}
		g = &group{key: key, slot: len(gs.all)}
		gs.byKey[key] = g
		gs.all = append(gs.all, g)
	}
	return g
}

func (gs *groups) join(e *queued, key groupKey, p cluster.PodID) {
	g := gs.group(key)
	e.group, e.slot = g, int32(len(g.pods))
	g.pods = append(g.pods, p)
	gs.pods++
	if key.gate != ungated {
		gs.gated++
	}
}

// remove takes p out of its group, and the group away if it was the last.
func (gs *groups) remove(q *queue, p cluster.PodID) {
	e := &q.pods[p]
	g := e.group
	last := len(g.pods) - 1
	g.pods[e.slot] = g.pods[last]
	q.pods[g.pods[e.slot]].slot = e.slot
	g.pods = g.pods[:last]
	e.group = nil
	gs.pods--
	if g.key.gate != ungated {
		gs.gated--
	}
	gs.dropIfEmpty(g)
}

// dropIfEmpty takes a group away that has no pods.
func (gs *groups) dropIfEmpty(g *group) {
	if len(g.pods)+len(g.cohorts) > 0 {
		return
	}
	end := len(gs.all) - 1
	gs.all[g.slot] = gs.all[end]
	gs.all[g.slot].slot = g.slot
	gs.all = gs.all[:end]
	delete(gs.byKey, g.key)
}

// regroup puts every pod into the group that it now belongs to: pods have changed
// their classes.
func (q *queue) regroup(s *cluster.State) {
	var pods []cluster.PodID
	for _, g := range q.idle.all {
		pods = append(pods, g.pods...)
		for _, c := range g.cohorts {
			for _, p := range c.pods {
				q.pods[p].settleWith(c)
				q.aged.Push(age{q.pods[p].since, q.pods[p].seq, p, nil})
			}
			pods, c.group = append(pods, c.pods...), nil
		}
	}
	q.idle = groups{}
	for _, p := range pods {
		e := &q.pods[p]
		q.idle.join(e, groupKey{s.Pods.Class[p], e.rejected, e.pending, e.gate}, p)
	}
}

// move lets the pods go that a change may help, but for those of a higher priority
// than atMost. Pods in flight will look at it when they come back.
func (q *queue) move(s *cluster.State, c Change, atMost int32) { q.moveBut(s, c, atMost, cluster.None) }

// moveOthers is move for all pods but one.
func (q *queue) moveOthers(s *cluster.State, c Change, but cluster.PodID) {
	q.moveBut(s, c, everyone, but)
}

func (q *queue) moveBut(s *cluster.State, c Change, atMost int32, but cluster.PodID) {
	if but != cluster.None {
		q.singly(s, but)
	}
	if len(q.idle.all) > 0 {
		q.wake(s, c, atMost, but)
	}
	q.flight.note(c, 0)
}

// wake lets idle pods go.
func (q *queue) wake(s *cluster.State, c Change, atMost int32, but cluster.PodID) {
	var woken []*group
	var how []strategy
	for _, g := range q.idle.all {
		p := g.any()
		if g.key.gate != ungated && !q.rules.listens(s, p, g.key.gate, &c) || s.Class(p).Priority > atMost {
			continue
		}
		if what := q.worth(s, p, g.key.rejected, g.key.pending, &c); what != skip {
			woken, how = append(woken, g), append(how, what)
		}
	}
	if len(woken) > 0 {
		q.incoming.why = c.label()
	}
	for i, g := range woken {
		for _, c := range slices.Clone(g.cohorts) {
			q.wakeCohort(s, c, how[i])
		}
		for _, p := range slices.Clone(g.pods) {
			if p != but {
				q.requeue(s, p, how[i])
			}
		}
	}
}

// update takes in that a pod which wants a node has changed, in the ways that whats
// lists. It stays where it is, unless a plugin that rejected it changes its mind.
func (q *queue) update(s *cluster.State, p cluster.PodID, c Change, whats []Action) {
	q.singly(s, p)
	e := &q.pods[p]
	c.Own = true
	switch e.place {
	case inFlight:
		for _, c.What = range whats {
			q.flight.note(c, e.order)
		}
	case isActive, isBacking, isFailed:
		q.enter(s, p, e.place) // in the order of its priority now
	case isIdle:
		q.idle.remove(q, p)
		q.idle.join(e, groupKey{s.Pods.Class[p], e.rejected, e.pending, e.gate}, p)
		for _, c.What = range whats {
			if what := q.worth(s, p, e.rejected, e.pending, &c); what != skip {
				q.incoming.why = c.label()
				q.requeue(s, p, what)
			}
			if e.place != isIdle {
				break
			}
		}
	}
}

// An age is how long a pod has been unschedulable, or a cohort. It is void if the pod is
// not, or has been tried since.
type age struct {
	since  cluster.Time
	seq    uint64
	pod    cluster.PodID
	cohort *cohort
}

// Before orders ages, the longest first.
func (a age) Before(b age) bool { return a.seq < b.seq }

// oldest returns the pod that has been unschedulable for longest. Pods that are
// gated don't count: their time doesn't run out.
func (q *queue) oldest() (a age, ok bool) {
	for len(q.aged) > 0 {
		a = q.aged[0]
		if c := a.cohort; c != nil {
			if c.group != nil && c.since == a.since {
				return a, true
			}
		} else if e := &q.pods[a.pod]; e.place == isIdle && e.cohort == nil && e.seq == a.seq && e.gate == ungated {
			return a, true
		}
		q.aged.Pop()
	}
	return a, false
}

// flush tries the pods again that had been unschedulable for too long when a look
// was due: some plugin may be wrong about what helps. As upstream, if there are any,
// be they gated, pods in flight are tried again, too.
func (q *queue) flush(s *cluster.State, due cluster.Time) {
	if due == q.looked {
		return
	}
	q.looked = due
	found := q.flight.count > 0 && q.anyGatedFor(due)
	for {
		a, ok := q.oldest()
		if !ok || due-a.since <= q.most {
			break
		}
		found = true
		q.aged.Pop()
		q.incoming.why = waitedTooLong
		if c := a.cohort; c != nil {
			c.flushed = true
			q.wakeCohort(s, c, afterBackoff)
			continue
		}
		q.pods[a.pod].flushed = true
		q.requeue(s, a.pod, afterBackoff)
	}
	if found {
		q.flight.note(Change{}, 0)
	}
}

// anyGatedFor reports whether a pod had been gated for too long when a look was due.
func (q *queue) anyGatedFor(due cluster.Time) bool {
	for _, g := range q.idle.all {
		if g.key.gate == ungated {
			continue
		}
		for _, p := range g.pods {
			if due-q.pods[p].since > q.most {
				return true
			}
		}
	}
	return false
}
