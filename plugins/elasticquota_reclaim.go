package plugins

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
	"github.com/berthsim/berth/scheduler"
)

// Reclaims implements scheduler.Reclaimer: pods of queues are this plugin's, since whom they may
// make go is no matter of priority alone. It is worth a look if a queue may have something to
// give back, or less important pods run.
func (e *elasticQuota) Reclaims(s *cluster.State, p cluster.PodID) (alone, worth bool) {
	d := e.of(s, s.Pods.Class[p])
	if d.leaf == quota.NoQueue {
		return false, false
	}
	return true, s.AnyBelow(s.Class(p).Priority) || e.sync(s).Claims(d.leaf, d.want)
}

// Preempt implements scheduler.Preemptor. A queue that is within its guarantee, or of which a
// queue above is, gets back what others have borrowed, be it that quota is short or that nodes
// are: pods of queues go that owe it something (quota.TreeUsage.Owes). In its own queue less
// important pods go, as in kube. A queue that borrows never makes pods of others go. As few go as
// can be found; first those of the queue with the highest share, of these the least important
// ones, and of these the youngest.
//
// The pod itself keeps a node meanwhile, and its quota is kept for it.
func (e *elasticQuota) Preempt(s *cluster.State, p cluster.PodID, diag scheduler.Diagnosis, t *scheduler.Trial) (pre scheduler.Preemption, ok bool) {
	d := e.of(s, s.Pods.Class[p])
	if d.leaf == quota.NoQueue || s.Class(p).NeverPreempts {
		return pre, false
	}
	c := e.newClaim(s, p, d, t)
	kept := s.Pods.Nominated[p]
	if c.awaits && kept != cluster.None && s.Nodes.IsLive(kept) && diag.Of(kept).Code != scheduler.Unresolvable {
		return pre, false // those who were told to go for its sake may still be leaving
	}
	best := c.best(diag.With(s, scheduler.Unschedulable))
	switch {
	case best == nil: // nothing helps, so what is kept for the pod need be kept no longer
		return scheduler.Preemption{Node: cluster.None}, kept != cluster.None || s.Hope(p) != ""
	case len(best.Victims) == 0 && (best.Node == kept || !c.base.Claims(d.leaf, d.want)):
		return pre, false // it need only wait; and a node is kept for what is owed, not for a loan
	}
	return scheduler.Preemption{Node: best.Node, Victims: best.Victims}, true
}

// A claim is one pod's search for others that could go.
type claim struct {
	*elasticQuota
	s *cluster.State
	t *scheduler.Trial
	p cluster.PodID
	d *demand

	base   *quota.TreeUsage // once all have left who were told to end, with what is kept for others
	usage  *quota.TreeUsage // base without those that are taken
	awaits bool             // some that were told to end for others' sake are still there
	all    []pool
}

// A pool holds pods of one queue that could go, those that should go first in front.
type pool struct {
	leaf int
	pods []cluster.PodID
}

func (e *elasticQuota) newClaim(s *cluster.State, p cluster.PodID, d *demand, t *scheduler.Trial) *claim {
	c := &claim{elasticQuota: e, s: s, t: t, p: p, d: d, base: e.tree.NewUsage(), usage: e.tree.NewUsage()}
	c.base.Set(e.sync(s))
	var pods []cluster.PodID
	for q := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Node[q] == cluster.None || e.of(s, s.Pods.Class[q]).leaf == quota.NoQueue {
			continue
		}
		if s.Pods.Phase[q] == cluster.Terminating {
			e.charge(s, c.base, s.Pods.Class[q], -1)
			c.awaits = c.awaits || s.Pods.Preempted[q]
		} else {
			pods = append(pods, q)
		}
	}
	e.promise(s, p, d, c.base, true)
	c.usage.Set(c.base)
	c.all = c.pools(pods)
	return c
}

// pools sorts the pods of queues that may have to give way into pools.
func (c *claim) pools(pods []cluster.PodID) (pools []pool) {
	at := make([]int, c.tree.Queues()) // 1 + the place of the leaf's pool, -1 for none
	for _, q := range pods {
		leaf := c.of(c.s, c.s.Pods.Class[q]).leaf
		if at[leaf] == 0 {
			if at[leaf] = -1; leaf == c.d.leaf || c.usage.Owes(leaf, c.d.leaf, c.d.want, quota.NoResource) {
				pools = append(pools, pool{leaf: leaf})
				at[leaf] = len(pools)
			}
		}
		if at[leaf] < 0 || leaf == c.d.leaf && c.s.Class(q).Priority >= c.s.Class(c.p).Priority {
			continue
		}
		pools[at[leaf]-1].pods = append(pools[at[leaf]-1].pods, q)
	}
	for _, pl := range pools {
		slices.SortFunc(pl.pods, func(a, b cluster.PodID) int { return byExpendability(c.s, a, b) })
	}
	return pools
}

// byExpendability puts the less important pod first, then the one that began to run last, then
// the one that came last.
func byExpendability(s *cluster.State, a, b cluster.PodID) int {
	return cmp.Or(byImportance(s, b, a), cmp.Compare(s.Pods.Order[b], s.Pods.Order[a]))
}

// best returns the best of the nodes that may do, nil if none does. It stops at one where nobody
// need go for the sake of room, and when enough were found, as DefaultPreemption does.
func (c *claim) best(nodes []cluster.NodeID) (best *candidate) {
	enough := (&defaultPreemption{MinCandidateNodesPercentage: 10, MinCandidateNodesAbsolute: 100}).Enough(int64(len(nodes)))
	for _, n := range nodes {
		found, roomy := c.try(n)
		if found == nil {
			continue
		}
		if best == nil || cmp.Or(
			cmp.Compare(found.Violations, best.Violations), cmp.Compare(len(found.Victims), len(best.Victims)), found.compare(best)) < 0 {
			best = found
		}
		if enough--; roomy || enough <= 0 {
			break
		}
	}
	return best
}

// try finds out who would have to go for p to run on n: pods on n until there is room, and then
// others until there is quota. As many of them as can stay after all are spared, those that
// should go least first. Roomy says that there was room.
func (c *claim) try(n cluster.NodeID) (found *candidate, roomy bool) {
	mark := c.t.Mark()
	defer c.t.Undo(mark)
	c.usage.Set(c.base)
	var here, leaving []cluster.PodID
	for q := range c.s.PodsOn(n) {
		if c.s.Pods.Phase[q] == cluster.Terminating {
			leaving = append(leaving, q)
		} else if c.of(c.s, c.s.Pods.Class[q]).leaf != quota.NoQueue {
			here = append(here, q)
		}
	}
	for _, q := range leaving {
		c.t.Remove(q)
	}
	if _, v := c.t.VerdictWithNominees(n); v.Code == scheduler.Unresolvable {
		return nil, false
	}
	var taken []removed
	for local := c.pools(here); !fits(c.t, n); {
		q, ok := c.next(local, taken, quota.NoResource)
		if !ok {
			return nil, false
		}
		taken = append(taken, c.take(q, n))
	}
	roomy = len(taken) == 0
	for {
		r, lacks := c.usage.Lacks(c.d.leaf, c.d.want)
		if !lacks {
			break
		}
		q, ok := c.next(c.all, taken, r)
		if !ok {
			return nil, false
		}
		taken = append(taken, c.take(q, n))
	}
	return c.candidate(n, c.spare(n, taken)), roomy
}

// take has q go. On n the filters are to see that.
func (c *claim) take(q cluster.PodID, n cluster.NodeID) removed {
	r := removed{q, c.s.Pods.Allocation[q]}
	if c.s.Pods.Node[q] == n {
		c.t.Remove(q)
	}
	c.charge(c.s, c.usage, c.s.Pods.Class[q], -1)
	return r
}

// next returns who goes next, of those that aren't taken: a pod of the queue with the highest
// share of those that owe the claim something, of resource r if that is one; if none does, one
// of the claim's own queue.
func (c *claim) next(pools []pool, taken []removed, r int) (next cluster.PodID, ok bool) {
	next = cluster.None
	from := quota.NoQueue
	for _, pl := range pools {
		own := pl.leaf == c.d.leaf
		if !own && !c.usage.Owes(pl.leaf, c.d.leaf, c.d.want, r) {
			continue
		}
		i := slices.IndexFunc(pl.pods, func(q cluster.PodID) bool {
			return !slices.ContainsFunc(taken, func(x removed) bool { return x.pod == q })
		})
		if i < 0 {
			continue
		}
		if q := pl.pods[i]; next == cluster.None || c.goesBefore(pl.leaf, q, from, next) {
			next, from = q, pl.leaf
		}
	}
	return next, next != cluster.None
}

// goesBefore reports whether a, of one queue, is to go rather than b, of another.
func (c *claim) goesBefore(leaf int, a cluster.PodID, other int, b cluster.PodID) bool {
	switch own := c.d.leaf; {
	case leaf == own || other == own:
		return other == own
	default:
		return cmp.Or(c.usage.CompareLeaves(other, leaf), byExpendability(c.s, a, b)) < 0
	}
}

// spare returns those of taken that must go.
func (c *claim) spare(n cluster.NodeID, taken []removed) (gone []removed) {
	for _, r := range slices.Backward(taken) {
		before, here := c.t.Mark(), c.s.Pods.Node[r.pod] == cluster.None
		if here {
			c.t.Add(r.pod, n, r.devices)
		}
		c.charge(c.s, c.usage, c.s.Pods.Class[r.pod], +1)
		if _, lacks := c.usage.Lacks(c.d.leaf, c.d.want); !lacks && fits(c.t, n) {
			continue
		}
		c.t.Undo(before)
		c.charge(c.s, c.usage, c.s.Pods.Class[r.pod], -1)
		gone = append(gone, r)
	}
	slices.Reverse(gone)
	return gone
}

// candidate returns n with those that must go for its sake, the most important first.
func (c *claim) candidate(n cluster.NodeID, gone []removed) *candidate {
	slices.SortFunc(gone, func(a, b removed) int { return byExpendability(c.s, b.pod, a.pod) })
	violating, _ := byBudget(c.s, gone)
	found := scheduler.Candidate{Node: n, Violations: len(violating)}
	for _, r := range gone {
		found.Victims = append(found.Victims, r.pod)
	}
	return newCandidate(c.s, found)
}
