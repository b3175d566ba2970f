package quota

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// ControllerOptions are the settings of a Controller. The zero value stands for kube's defaults.
type ControllerOptions struct {
	// Resync is how often all quotas are looked at: --resource-quota-sync-period of
	// kube-controller-manager; 5 min if it is 0.
	Resync cluster.Time
	// Objects are there beside the State's pods, from the beginning to the end.
	Objects []Object
}

// Controller is Kubernetes' resource quota controller: it keeps the status of each ResourceQuota
// true to the objects that there are. It decides by State.Store.
//
// It looks at a quota when upstream's does: when the quota is new or limits something else,
// when a pod of its namespace is gone, when what a pod's containers have been given or its
// deadline has changed, and at all of them now and then. What pods take is kept up to date
// all the time, so that a look costs nothing that grows with their number. That a pod is
// overdue brings nobody to look: it is found at the next look at its namespace.
type Controller struct {
	resync  cluster.Time
	objects []Object

	begun   bool
	next    cluster.Time // when all quotas are looked at, a multiple of resync
	awaited bool         // that might change something
	off     int          // how many tallies are
	tallies []*tally     // in the order of the State's table
	looks   []*tally     // with look set
	moved   []*tally     // with moved set
	retries []*tally     // with a retry
	named   map[[2]string]*tally
	spaces  map[string]*district
	pods    []taken // by row
	due     heap.Heap[due]
	stale   bool // some tally must be counted anew
}

// A tally is what is used of a quota.
type tally struct {
	quota  *cluster.ResourceQuota // as it was last heard of
	in     *district
	used   []int64 // as quota.Hard
	counts []bool  // the same: whether anybody counts it
	stale  bool    // used and counts aren't true
	look   bool    // its status is to be looked at
	moved  bool    // used or quota has changed in this Step
	off    bool    // the status isn't as used says
	gone   bool    // the quota is
	tries  int     // of a Store that was rejected, so far
	retry  cluster.Time
}

// A district is a namespace with quotas.
type district struct {
	tallies  []*tally
	accounts map[*cluster.Account]*shares
	classes  map[*cluster.Class]*shares
}

// A share is what pods of a kind take of one limit of a quota.
type share struct {
	of     *tally
	limit  int // position in ResourceQuota.Hard
	amount int64
}

// shares are what a pod takes, and what is left of it when it is overdue.
type shares struct{ alive, overdue []share }

// taken is what is known of the pod in a row.
type taken struct {
	present bool
	overdue bool
	told    cluster.Time // to end; Never if it wasn't
	order   uint64
	account *cluster.Account // nil if none was given
	class   *cluster.Class
}

// due is when a pod that was told to end counts no longer. After is the last instant at which
// it does.
type due struct {
	after cluster.Time
	order uint64
	pod   cluster.PodID
}

// Before implements heap.Ordered.
func (d due) Before(e due) bool { return d.after < e.after || d.after == e.after && d.order < e.order }

// NewController returns a controller.
func NewController(o ControllerOptions) *Controller {
	if o.Resync == 0 {
		o.Resync = 5 * cluster.Minute
	}
	return &Controller{resync: o.Resync, objects: o.Objects, named: map[[2]string]*tally{}, spaces: map[string]*district{}}
}

// Step implements cluster.Controller.
func (c *Controller) Step(s *cluster.State, events []cluster.Event) (wake cluster.Time) {
	if !c.begun {
		c.begun = true
		c.begin(s)
	} else {
		for i := range events {
			c.notice(s, &events[i])
		}
	}
	for len(c.due) > 0 && c.due[0].after < s.Now {
		c.pass(c.due.Pop())
	}
	if c.stale {
		c.recount()
	}
	c.lookAll(s.Now)
	wake = c.retryAll(s.Now)
	for _, t := range c.looks {
		if t.look && !t.gone {
			c.settle(s, t)
		}
		t.look = false
	}
	c.looks = c.looks[:0]
	c.measure()
	if c.awaited = c.off > 0 || len(c.due) > 0; c.awaited {
		wake = min(wake, c.next)
	}
	return wake
}

// lookAll has all quotas be looked at if it is time. Nobody is woken for that when it can
// change nothing: an idle simulation would never end.
func (c *Controller) lookAll(now cluster.Time) {
	if now < c.next {
		return
	}
	if c.awaited || now == c.next {
		for _, t := range c.tallies {
			c.look(t)
		}
	}
	c.next = (now/c.resync + 1) * c.resync
}

// look has a quota be looked at in this Step.
func (c *Controller) look(t *tally) {
	if !t.look {
		t.look = true
		c.looks = append(c.looks, t)
	}
}

// retryAll has quotas looked at whose status could not be stored, and returns when that is so
// of the next.
func (c *Controller) retryAll(now cluster.Time) (next cluster.Time) {
	next = cluster.Never
	c.retries = slices.DeleteFunc(c.retries, func(t *tally) bool {
		if t.retry <= now {
			t.retry = cluster.Never
			c.look(t)
		}
		next = min(next, t.retry)
		return t.retry == cluster.Never
	})
	return next
}

// measure counts the tallies whose status is off, by those that have moved.
func (c *Controller) measure() {
	for _, t := range c.moved {
		t.moved = false
		if t.off && !t.gone {
			c.off--
		}
		t.off = !t.gone && !t.told()
		if t.off {
			c.off++
		}
	}
	c.moved = c.moved[:0]
}

// move notes that a tally or its quota has changed.
func (c *Controller) move(t *tally) {
	if !t.moved {
		t.moved = true
		c.moved = append(c.moved, t)
	}
}

// told reports whether the quota's status says what it is to say.
func (t *tally) told() bool {
	q, next := t.quota, 0
	if q.Enforced == nil || q.Used == nil || !equal(q.Hard, q.Enforced) {
		return false
	}
	for i, l := range q.Hard {
		there := next < len(q.Used) && q.Used[next].Name == l.Name
		if t.counts[i] && (!there || q.Used[next].Amount != t.used[i]) {
			return false
		}
		if there {
			next++
		}
	}
	return next == len(q.Used)
}

// settle stores the status of a quota, if it isn't as it should be.
func (c *Controller) settle(s *cluster.State, t *tally) {
	if t.told() {
		return
	}
	next := *t.quota
	next.Enforced, next.Used = next.Hard, used(t.quota, func(i int) int64 { return t.used[i] })
	if next.Enforced == nil {
		next.Enforced = []cluster.NamedAmount{}
	}
	s.Store(&next)
	t.quota = &next
	c.move(t)
}

// used returns what a quota's status is to say, given how much there is of each of its limits.
// Of what nobody counts, it says what it said before.
func used(q *cluster.ResourceQuota, of func(limit int) int64) []cluster.NamedAmount {
	out := make([]cluster.NamedAmount, 0, len(q.Hard))
	for i, l := range q.Hard {
		if tracksAny(l.Name) {
			out = append(out, cluster.NamedAmount{Name: l.Name, Amount: of(i)})
		} else if was, ok := find(q.Used, l.Name); ok {
			out = append(out, cluster.NamedAmount{Name: l.Name, Amount: was})
		}
	}
	return out
}

// Recount counts anew what is used of a quota, from everything that there is: what the status
// says after each look. It is how tests know that nothing was missed, and slow.
func (c *Controller) Recount(s *cluster.State, q *cluster.ResourceQuota) []cluster.NamedAmount {
	var sum amounts
	count := func(o *Object) {
		if o.Namespace == q.Namespace && tracked(q.Hard, o) && meets(q.Scopes, o) {
			sum.addAll(Usage(o))
		}
	}
	for i := range c.objects {
		count(&c.objects[i])
	}
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Ended {
			continue
		}
		account := s.Pods.Account[p]
		grace := graceOf(account)
		if account == nil {
			account = AccountOf(s.Class(p))
		}
		overdue := false
		if int(p) < len(c.pods) && c.pods[p].order == s.Pods.Order[p] && c.pods[p].told != cluster.Never {
			overdue = s.Now > after(c.pods[p].told, grace)
		}
		count(&Object{Resource: Pods, Namespace: s.Class(p).Namespace, Name: s.Pods.Name[p], Pod: &Pod{Account: account, Overdue: overdue}})
	}
	return used(q, func(i int) int64 { amount, _ := find(sum, q.Hard[i].Name); return amount })
}

// defaultGrace is what pods are given to end in if they don't say.
const defaultGrace = 30 * cluster.Second

func graceOf(a *cluster.Account) cluster.Time {
	if a == nil || a.Grace <= 0 {
		return defaultGrace
	}
	return a.Grace
}

// after returns the last instant at which a pod counts that was told to end: its
// deletionTimestamp is a grace later than that, and it has one more from then on.
func after(told, grace cluster.Time) cluster.Time {
	if grace > (math.MaxInt64-told)/2 {
		return cluster.Never
	}
	return told + 2*grace
}

// retryAfter is how long upstream's queue waits before another try, at first, and at most.
const (
	retryAfter   = 5 * cluster.Millisecond
	retryAtMost  = 1000 * cluster.Second
	mostDoubling = 18
)

// rejected has a quota looked at again, later, after its status could not be stored. State has
// taken it back.
func (c *Controller) rejected(s *cluster.State, q *cluster.ResourceQuota) {
	t := c.named[[2]string{q.Namespace, q.Name}]
	is := s.Quotas.Get(q.Namespace, q.Name)
	if t == nil || is == nil {
		return
	}
	c.describe(t, is)
	t.look = false
	if t.retry == cluster.Never {
		c.retries = append(c.retries, t)
	}
	t.retry = s.Now + min(retryAfter<<min(t.tries, mostDoubling), retryAtMost)
	t.tries++
}

// describe has t be about what its quota has become.
func (c *Controller) describe(t *tally, q *cluster.ResourceQuota) {
	was := t.quota
	t.quota = q
	c.move(t)
	if q.Enforced == nil || q.Used == nil || !equal(was.Hard, q.Hard) {
		c.look(t)
	}
	if !sameNames(was.Hard, q.Hard) || !sameScopes(was.Scopes, q.Scopes) {
		t.in.forget()
		t.stale, c.stale = true, true
	}
}

func (in *district) forget() {
	clear(in.accounts)
	clear(in.classes)
}

// replenish has the quotas of a namespace looked at that enforce limits of pods.
func (c *Controller) replenish(in *district) {
	for _, t := range in.tallies {
		if slices.ContainsFunc(t.quota.Enforced, func(l cluster.NamedAmount) bool { return tracksPods(l.Name) }) {
			c.look(t)
		}
	}
}
