package quota

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// begin takes in all that the State has.
func (c *Controller) begin(s *cluster.State) {
	for q := range s.Quotas.All() {
		c.setQuota(q)
	}
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] != cluster.Ended {
			c.come(s, p, s.Now)
		}
	}
}

// notice takes in one event.
func (c *Controller) notice(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.ObjectSet:
		if q, ok := e.Object.(*cluster.ResourceQuota); ok {
			c.setQuota(q)
		}
	case cluster.ObjectRemoved:
		if q, ok := e.Object.(*cluster.ResourceQuota); ok {
			c.removeQuota(q)
		}
	case cluster.Rejected:
		if o, ok := e.Decision.Detail.(cluster.Stored); ok {
			if q, ok := o.To.(*cluster.ResourceQuota); ok {
				c.rejected(s, q)
			}
		}
	case cluster.PodAdded:
		c.come(s, e.Pod, e.Time)
	case cluster.PodEnded:
		c.goes(e.Pod)
	case cluster.PodTold:
		c.tell(e.Pod, e.Time)
	case cluster.PodChanged:
		c.change(s, e)
	}
}

// setQuota takes in a quota that is new, or has changed.
func (c *Controller) setQuota(q *cluster.ResourceQuota) {
	key := [2]string{q.Namespace, q.Name}
	if t := c.named[key]; t != nil {
		t.tries = 0
		if t.quota != q {
			c.describe(t, q)
		}
		return
	}
	in := c.spaces[q.Namespace]
	if in == nil {
		in = &district{accounts: map[*cluster.Account]*shares{}, classes: map[*cluster.Class]*shares{}}
		c.spaces[q.Namespace] = in
	}
	t := &tally{quota: q, in: in, stale: true, retry: cluster.Never}
	c.look(t)
	c.move(t)
	c.named[key] = t
	c.tallies = append(c.tallies, t)
	in.tallies = append(in.tallies, t)
	in.forget()
	c.stale = true
}

func (c *Controller) removeQuota(q *cluster.ResourceQuota) {
	key := [2]string{q.Namespace, q.Name}
	t := c.named[key]
	if t == nil {
		return
	}
	delete(c.named, key)
	if t.off {
		c.off--
	}
	t.gone, t.retry = true, cluster.Never
	is := func(x *tally) bool { return x == t }
	c.tallies = slices.DeleteFunc(c.tallies, is)
	t.in.tallies = slices.DeleteFunc(t.in.tallies, is)
	t.in.forget()
	if len(t.in.tallies) == 0 {
		delete(c.spaces, q.Namespace)
	}
}

// come counts a pod that is new. If it has been told to end already, it counts as told now.
func (c *Controller) come(s *cluster.State, p cluster.PodID, now cluster.Time) {
	for len(c.pods) <= int(p) {
		c.pods = append(c.pods, taken{})
	}
	c.pods[p] = taken{present: true, told: cluster.Never, order: s.Pods.Order[p], account: s.Pods.Account[p], class: s.Class(p)}
	c.charge(p, +1)
	if s.Pods.Phase[p] == cluster.Terminating {
		c.tell(p, now)
	}
}

// goes takes a pod off that is gone.
func (c *Controller) goes(p cluster.PodID) {
	if int(p) >= len(c.pods) || !c.pods[p].present {
		return
	}
	x := &c.pods[p]
	c.charge(p, -1)
	if in := c.spaces[x.class.Namespace]; in != nil {
		c.replenish(in)
	}
	*x = taken{}
}

// tell notes when a pod was told to end.
func (c *Controller) tell(p cluster.PodID, at cluster.Time) {
	if int(p) >= len(c.pods) || !c.pods[p].present || c.pods[p].told != cluster.Never {
		return
	}
	x := &c.pods[p]
	x.told = at
	c.due.Push(due{after: after(at, graceOf(x.account)), order: x.order, pod: p})
}

// pass has a pod count no longer.
func (c *Controller) pass(d due) {
	x := &c.pods[d.pod]
	if !x.present || x.order != d.order || after(x.told, graceOf(x.account)) != d.after {
		return
	}
	c.charge(d.pod, -1)
	x.overdue = true
	c.charge(d.pod, +1)
}

// change counts a pod anew that is described anew.
func (c *Controller) change(s *cluster.State, e *cluster.Event) {
	p := e.Pod
	if int(p) >= len(c.pods) || !c.pods[p].present {
		return
	}
	x := &c.pods[p]
	was := x.account
	c.charge(p, -1)
	x.account, x.class = s.Pods.Account[p], s.Class(p)
	if graceOf(was) != graceOf(x.account) && x.told != cluster.Never {
		x.overdue = false // until it passes once more
		c.due.Push(due{after: after(x.told, graceOf(x.account)), order: x.order, pod: p})
	}
	c.charge(p, +1)
	if s.Pods.Phase[p] == cluster.Terminating {
		c.tell(p, e.Time)
	}
	if in := c.spaces[x.class.Namespace]; in != nil && replenishes(was, x.account) {
		c.replenish(in)
	}
}

// replenishes reports whether a change of a pod brings upstream's controller to look at its
// quotas.
func replenishes(was, is *cluster.Account) bool {
	if was == is || was == nil || is == nil {
		return was != is
	}
	given := func(a, b cluster.Container) bool {
		return a.Name == b.Name && equal(a.GivenRequests, b.GivenRequests) && equal(a.GivenLimits, b.GivenLimits)
	}
	return was.Deadline != is.Deadline || !slices.EqualFunc(was.Containers, is.Containers, given) || !slices.EqualFunc(was.InitContainers, is.InitContainers, given)
}

// charge adds what a pod takes to the quotas that count it, or takes it off.
func (c *Controller) charge(p cluster.PodID, sign int64) {
	x := &c.pods[p]
	in := c.spaces[x.class.Namespace]
	if in == nil {
		return
	}
	for _, sh := range in.shares(x) {
		c.add(sh, sign)
	}
}

// add adds a share to its tally. A sum that was too large for a number once can't be taken
// apart any more, and is counted anew.
func (c *Controller) add(sh share, sign int64) {
	t := sh.of
	if t.stale {
		return
	}
	if sign < 0 && t.used[sh.limit] == math.MaxInt64 {
		t.stale, c.stale = true, true
		return
	}
	t.used[sh.limit] = plus(t.used[sh.limit], sign*sh.amount)
	c.move(t)
}

// recount counts those tallies anew that aren't true.
func (c *Controller) recount() {
	c.stale = false
	for _, t := range c.tallies {
		if t.stale {
			c.move(t)
			t.counts = t.counts[:0]
			for _, l := range t.quota.Hard {
				t.counts = append(t.counts, tracksAny(l.Name))
			}
			t.used = slices.Grow(t.used[:0], len(t.quota.Hard))[:len(t.quota.Hard)]
			clear(t.used)
			for i := range c.objects {
				o := &c.objects[i]
				if o.Namespace == t.quota.Namespace {
					t.take(o, func(limit int, amount int64) { t.used[limit] = plus(t.used[limit], amount) })
				}
			}
		}
	}
	for i := range c.pods {
		x := &c.pods[i]
		if !x.present {
			continue
		}
		if in := c.spaces[x.class.Namespace]; in != nil {
			for _, sh := range in.shares(x) {
				if t := sh.of; t.stale {
					t.used[sh.limit] = plus(t.used[sh.limit], sh.amount)
				}
			}
		}
	}
	for _, t := range c.tallies {
		t.stale = false
	}
}

// take calls with each limit of which an object takes anything, and how much, if the quota
// counts it.
func (t *tally) take(o *Object, with func(limit int, amount int64)) {
	if !tracked(t.quota.Hard, o) || !meets(t.quota.Scopes, o) {
		return
	}
	usage := Usage(o)
	for i, l := range t.quota.Hard {
		if amount, _ := find(usage, l.Name); amount != 0 {
			with(i, amount)
		}
	}
}

// shares returns what a pod takes of the quotas of its namespace, worked out once for all of
// its kind.
func (in *district) shares(x *taken) []share {
	var both *shares
	if x.account != nil {
		both = in.accounts[x.account]
	} else {
		both = in.classes[x.class]
	}
	if both == nil {
		both = in.workOut(x)
	}
	if x.overdue {
		return both.overdue
	}
	return both.alive
}

func (in *district) workOut(x *taken) *shares {
	if len(in.accounts)+len(in.classes) >= mostPrices {
		in.forget()
	}
	both := &shares{}
	account := x.account
	if account != nil {
		in.accounts[account] = both
	} else {
		in.classes[x.class] = both
		account = AccountOf(x.class)
	}
	for _, t := range in.tallies {
		alive := &Object{Resource: Pods, Pod: &Pod{Account: account}}
		t.take(alive, func(limit int, amount int64) { both.alive = append(both.alive, share{t, limit, amount}) })
		overdue := &Object{Resource: Pods, Pod: &Pod{Account: account, Overdue: true}}
		t.take(overdue, func(limit int, amount int64) { both.overdue = append(both.overdue, share{t, limit, amount}) })
	}
	return both
}
