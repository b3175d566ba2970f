package eviction

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// disruptedFor is how long a pod that the Eviction API has let go counts as disrupted
// if it isn't told to end after all.
const disruptedFor = 2 * cluster.Minute

// Budgets is Kubernetes' disruption controller: it keeps the status of each
// PodDisruptionBudget true to the pods and workloads that there are. It decides by
// State.Store.
//
// It looks again only at budgets that something has happened to. kube-controller-manager
// misses some of that: it hears nothing of workloads whose scale changes, of pods that
// leave a budget because their labels change, and of all but one of several budgets over
// a pod, until something else brings it back to them. Budgets misses nothing.
type Budgets struct {
	begun   bool
	changes uint64                        // position in State's log of Changes, up to which all was taken in
	named   map[[2]string]*tended         // by namespace and name
	of      map[string][]*tended          // by namespace
	over    map[cluster.ClassID][]*tended // over pods of a class; where asked for since budgets came, went or chose other pods
	touched []*tended                     // to be looked at again
	waiting []*tended                     // that are to be looked at when time has passed
	owners  map[cluster.OwnerRef]bool
	scales  map[*cluster.Workload]bool
}

// NewBudgets returns the controller.
func NewBudgets() *Budgets {
	return &Budgets{
		named: map[[2]string]*tended{}, of: map[string][]*tended{}, over: map[cluster.ClassID][]*tended{},
		owners: map[cluster.OwnerRef]bool{}, scales: map[*cluster.Workload]bool{},
	}
}

// tended is what is kept of one budget.
type tended struct {
	last    *cluster.DisruptionBudget // as it was when it was looked at
	pods    []cluster.PodID           // that its selector matches, in any order
	at      map[cluster.PodID]int     // where in pods
	touched bool
	recheck cluster.Time // Never if time alone changes nothing
	tries   int          // of a Store that was rejected, so far
}

// Step implements cluster.Controller.
func (b *Budgets) Step(s *cluster.State, events []cluster.Event) (wake cluster.Time) {
	if !b.begun {
		b.begun = true
		for budget := range s.Budgets.All() {
			b.set(s, budget)
		}
	} else {
		for i := range events {
			b.notice(s, &events[i])
		}
		b.noticeChanges(s)
	}
	wake = b.wait(s.Now)
	for _, t := range b.touched {
		t.touched = false
		if b.find(t.last) == t { // or it was removed since
			b.look(s, t)
			wake = min(wake, t.recheck)
		}
	}
	b.touched = b.touched[:0]
	b.changes = s.LastChange()
	return wake
}

// wait touches budgets whose time has come, and returns when the next one's comes.
func (b *Budgets) wait(now cluster.Time) (next cluster.Time) {
	next = cluster.Never
	b.waiting = slices.DeleteFunc(b.waiting, func(t *tended) bool {
		if t.recheck <= now {
			t.recheck = cluster.Never
			b.touch(t)
		}
		next = min(next, t.recheck)
		return t.recheck == cluster.Never
	})
	return next
}

func (b *Budgets) touch(t *tended) {
	if !t.touched {
		t.touched = true
		b.touched = append(b.touched, t)
	}
}

// recheckAt has t looked at again at a time.
func (b *Budgets) recheckAt(t *tended, at cluster.Time) {
	if t.recheck == cluster.Never && at != cluster.Never {
		b.waiting = append(b.waiting, t)
	}
	t.recheck = min(t.recheck, at)
}

// look brings the status of one budget up to date.
func (b *Budgets) look(s *cluster.State, t *tended) {
	was := s.Budgets.Get(t.last.Namespace, t.last.Name)
	is, recheck := b.status(s, was, t.pods)
	if !sameStatus(was, is) {
		s.Store(is)
		was = is
	}
	t.last = was
	b.recheckAt(t, recheck)
}

// afterExpiry is how much later than due kube-controller-manager gets to what has
// expired: the first delay of its queue.
const afterExpiry = 5 * cluster.Millisecond

// status returns budget with the status that it is to have, and when that may be
// another although nothing happens, Never if not.
func (b *Budgets) status(s *cluster.State, budget *cluster.DisruptionBudget, pods []cluster.PodID) (*cluster.DisruptionBudget, cluster.Time) {
	next := *budget
	expected, desired, ok := b.counts(s, budget, pods)
	if !ok {
		next.Allowed = 0 // the rest stays as it was, so that the Eviction API can see it is out of date
		return &next, cluster.Never
	}
	next.ExpectedPods, next.DesiredHealthy, next.ObservedGeneration = expected, desired, budget.Generation
	next.CurrentHealthy, next.Disrupted, next.DisruptedAt = 0, nil, nil
	recheck := cluster.Never
	for _, p := range pods {
		if s.Pods.Phase[p] >= cluster.Terminating {
			continue
		}
		i, disrupted := slices.BinarySearch(budget.Disrupted, s.Pods.Name[p])
		if disrupted && budget.DisruptedAt[i] >= s.Now-disruptedFor {
			next.Disrupted = append(next.Disrupted, s.Pods.Name[p])
			recheck = min(recheck, budget.DisruptedAt[i]+disruptedFor+afterExpiry)
		}
		if s.IsReady(p) && !(disrupted && budget.DisruptedAt[i] > s.Now-disruptedFor) {
			next.CurrentHealthy++
		}
	}
	slices.Sort(next.Disrupted)
	for _, name := range next.Disrupted {
		i, _ := slices.BinarySearch(budget.Disrupted, name)
		next.DisruptedAt = append(next.DisruptedAt, budget.DisruptedAt[i])
	}
	next.Allowed = 0
	if expected > 0 {
		next.Allowed = max(0, next.CurrentHealthy-desired)
	}
	return &next, recheck
}

// counts returns how many pods there should be, and how many have to be healthy. It
// isn't ok if that depends on a controller which isn't known, or has no scale.
func (b *Budgets) counts(s *cluster.State, budget *cluster.DisruptionBudget, pods []cluster.PodID) (expected, desired int32, ok bool) {
	least, most := budget.MinAvailable, budget.MaxUnavailable
	switch {
	case most == nil && least == nil:
		return 0, 0, true
	case most == nil && !least.Percent:
		return int32(len(pods)), least.Value, true
	}
	clear(b.owners)
	clear(b.scales)
	for _, p := range pods {
		owner := s.Class(p).Owner
		if owner == (cluster.OwnerRef{}) || b.owners[owner] {
			continue
		}
		b.owners[owner] = true
		w := scaleOf(s, budget.Namespace, owner)
		if w == nil {
			return 0, 0, false
		}
		if !b.scales[w] {
			b.scales[w] = true
			expected += w.Replicas
		}
	}
	if most != nil {
		return expected, max(0, expected-most.Of(expected)), true
	}
	return expected, least.Of(expected), true
}

// scaleOf returns the workload that says how many pods like those of an owner there
// should be: for a ReplicaSet its Deployment, if there is one. It is nil if the owner
// isn't there or has no scale.
func scaleOf(s *cluster.State, namespace string, owner cluster.OwnerRef) *cluster.Workload {
	switch owner.Kind {
	case "DaemonSet", "Job", "CronJob":
		return nil
	}
	w := s.Workload(namespace, owner)
	if w != nil && w.Kind == "ReplicaSet" && w.Owner.Kind == "Deployment" {
		if d := s.Workload(namespace, w.Owner); d != nil {
			return d
		}
	}
	return w
}

// sameStatus reports whether two states of a budget say the same.
func sameStatus(a, b *cluster.DisruptionBudget) bool {
	return a.Allowed == b.Allowed && a.CurrentHealthy == b.CurrentHealthy && a.DesiredHealthy == b.DesiredHealthy &&
		a.ExpectedPods == b.ExpectedPods && a.ObservedGeneration == b.ObservedGeneration &&
		slices.Equal(a.Disrupted, b.Disrupted) &&
		slices.Equal(a.DisruptedAt, b.DisruptedAt)
}
