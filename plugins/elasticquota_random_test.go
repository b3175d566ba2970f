package plugins

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/quota"
	"github.com/berthsim/berth/scheduler"
)

// A randomShare is a random tree of queues and a cluster to share.
type randomShare struct {
	queues []quota.Queue
	total  int64 // CPUs that the root has
	leaves []string
	events []cluster.Event
}

// newRandomShare makes a tree of up to three levels. With even pods every pod wants one CPU, and
// the nodes have together what the root has, so that a guarantee can always be met. Otherwise pods
// and nodes are of any size, and queues have limits on memory, too.
func newRandomShare(rng *rand.Rand, even bool) *randomShare {
	w := &randomShare{queues: []quota.Queue{{Name: "root"}}}
	for i := range rng.IntN(3) {
		w.queues = append(w.queues, quota.Queue{Name: fmt.Sprint("team", i), Parent: "root"})
	}
	teams := len(w.queues)
	for i := range 2 + rng.IntN(4) {
		name := fmt.Sprint("leaf", i)
		w.leaves = append(w.leaves, name)
		own := rng.Int64N(5)
		w.total += own
		q := quota.Queue{Name: name, Parent: w.queues[rng.IntN(teams)].Name, Namespaces: []string{name}, Weight: rng.Int64N(4)}
		q.Guaranteed = []cluster.NamedAmount{{Name: "cpu", Amount: own * 1000}}
		if rng.IntN(3) == 0 {
			q.BorrowingLimit = []cluster.NamedAmount{{Name: "cpu", Amount: rng.Int64N(4) * 1000}}
		}
		if rng.IntN(3) == 0 {
			q.LendingLimit = []cluster.NamedAmount{{Name: "cpu", Amount: rng.Int64N(own+1) * 1000}}
		}
		if !even && rng.IntN(2) == 0 {
			q.Guaranteed = append(q.Guaranteed, cluster.NamedAmount{Name: "memory", Amount: rng.Int64N(8)})
		}
		w.queues = append(w.queues, q)
	}
	w.total += rng.Int64N(4) + 1
	w.queues[0].Guaranteed = []cluster.NamedAmount{{Name: "cpu", Amount: w.total * 1000}}
	if !even {
		w.queues[0].Guaranteed = append(w.queues[0].Guaranteed, cluster.NamedAmount{Name: "memory", Amount: 50})
	}
	w.arrive(rng, even)
	return w
}

func (w *randomShare) arrive(rng *rand.Rand, even bool) {
	left := w.total
	for i := 0; left > 0; i++ {
		size := min(left, 1+rng.Int64N(4))
		if left -= size; !even {
			size = 2 + rng.Int64N(4)
		}
		w.events = append(w.events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: fmt.Sprint("n", i), Capacity: cluster.Amounts{size * 1000, 20, 0, 100},
		}})
	}
	var now cluster.Time
	for i := range 80 {
		if rng.IntN(3) > 0 {
			now += cluster.Time(rng.Int64N(int64(6 * cluster.Second)))
		}
		cpu, memory := int64(1000), int64(0)
		if !even {
			cpu, memory = 500*(1+rng.Int64N(6)), rng.Int64N(5)
		}
		stop := cluster.Time(rng.Int64N(6)) * cluster.Second
		w.events = append(w.events, cluster.Event{Time: now, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
			Name: fmt.Sprint("p", i), Run: cluster.Time(1+rng.Int64N(60)) * cluster.Second, Stop: stop, Grace: stop,
			Class: &cluster.Class{
				Namespace: w.leaves[rng.IntN(len(w.leaves))], Priority: int32(rng.IntN(3)),
				Requests: cluster.Amounts{cluster.CPU: cpu, cluster.Memory: memory},
			},
		}})
	}
}

// An auditor reckons after each step, from the State alone, what may never be and what has been
// so for too long.
type auditor struct {
	*randomShare
	plugin  *elasticQuota
	even    bool
	before  map[string][2]int64 // what leaves used after the last step
	owed    map[string]cluster.Time
	victims int
}

// longest is for how long a queue may wait for what is its own: two backoffs, and the time that
// pods take to end.
const longest = 30 * cluster.Second

// Record implements cluster.Recorder.
func (a *auditor) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	used := map[string][2]int64{}
	for p, n := range s.Pods.Node {
		if n != cluster.None {
			c := s.Class(cluster.PodID(p))
			u := used[c.Namespace]
			used[c.Namespace] = [2]int64{u[0] + c.Requests[cluster.CPU], u[1] + c.Requests[cluster.Memory]}
		}
	}
	recount := a.plugin.tree.NewUsage()
	for _, leaf := range a.leaves {
		i, _ := a.plugin.tree.Named(leaf)
		u := used[leaf]
		recount.Add(i, u[:len(a.plugin.tree.Resources())], +1)
	}
	live := a.plugin.sync(s)
	for i := range a.plugin.tree.Queues() {
		q := a.plugin.tree.Queue(i)
		for r, name := range a.plugin.tree.Resources() {
			if live.Used(i, r) != recount.Used(i, r) {
				return fmt.Errorf("%s uses %d of %s, and is said to use %d", q.Name, recount.Used(i, r), name, live.Used(i, r))
			}
			if recount.Available(i, r) < 0 {
				return fmt.Errorf("%s uses %d of %s, %d too much", q.Name, recount.Used(i, r), name, -recount.Available(i, r))
			}
		}
		if b := q.BorrowingLimit; len(b) > 0 && used[q.Name][0] > q.Guaranteed[0].Amount+b[0].Amount {
			return fmt.Errorf("%s uses %d CPUs, over its limit", q.Name, used[q.Name][0])
		}
	}
	if err := a.auditVictims(s, ds, used); err != nil {
		return err
	}
	a.before = used
	if a.even {
		return a.auditOwed(s, used)
	}
	return nil
}

// auditVictims checks that nobody goes but pods of queues that use more than they are guaranteed,
// unless a more important pod of the same queue waits.
func (a *auditor) auditVictims(s *cluster.State, ds []cluster.Decision, used map[string][2]int64) error {
	for _, d := range ds {
		if d.Kind != cluster.Preempt {
			continue
		}
		a.victims++
		c := s.Class(d.Pod)
		i, _ := a.plugin.tree.Named(c.Namespace)
		borrows := false
		for r := range a.plugin.tree.Resources() { // of what isn't named, nothing is guaranteed
			guaranteed := int64(0)
			if list := a.plugin.tree.Queue(i).Guaranteed; r < len(list) {
				guaranteed = list[r].Amount
			}
			borrows = borrows || max(used[c.Namespace][r], a.before[c.Namespace][r]) > guaranteed
		}
		if !borrows && !a.gaveWayInside(s, ds, c) {
			return fmt.Errorf("%s has to go, though %s is within its guarantee", s.PodName(d.Pod), c.Namespace)
		}
	}
	return nil
}

// gaveWayInside reports whether a pod of class c may have gone for a more important one of its own
// queue: for that a node is kept, or was until another took it.
func (a *auditor) gaveWayInside(s *cluster.State, ds []cluster.Decision, c *cluster.Class) bool {
	above := func(q cluster.PodID) bool {
		return s.Class(q).Namespace == c.Namespace && s.Class(q).Priority > c.Priority
	}
	for _, d := range ds {
		if d.Kind == cluster.Nominate && d.Node != cluster.None && above(d.Pod) {
			return true
		}
	}
	for q := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[q] == cluster.Pending && s.Pods.Nominated[q] != cluster.None && above(q) {
			return true
		}
	}
	return false
}

// auditOwed checks that no queue waits for long for what is its own.
func (a *auditor) auditOwed(s *cluster.State, used map[string][2]int64) error {
	waits := map[string]bool{}
	for p, phase := range s.Pods.Phase {
		waits[s.Class(cluster.PodID(p)).Namespace] = waits[s.Class(cluster.PodID(p)).Namespace] || phase == cluster.Pending
	}
	for _, leaf := range a.leaves {
		i, _ := a.plugin.tree.Named(leaf)
		owed := waits[leaf] && used[leaf][0]+1000 <= a.plugin.tree.Queue(i).Guaranteed[0].Amount
		since, was := a.owed[leaf]
		switch {
		case !owed || used[leaf][0] > a.before[leaf][0]:
			delete(a.owed, leaf)
		case !was:
			a.owed[leaf] = s.Now
		case s.Now-since > longest:
			return fmt.Errorf("%s has waited since %v s for what it is guaranteed", leaf, since.Seconds())
		}
	}
	return nil
}

// playShare plays a random share to its end.
func playShare(seed uint64, even bool) (*auditor, *cluster.State, error) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newRandomShare(rng, even)
	tree, err := quota.NewTree(w.queues)
	if err != nil {
		return nil, nil, err
	}
	a := &auditor{randomShare: w, plugin: newElasticQuota(tree), even: even, owed: map[string]cluster.Time{}}
	given := *ElasticQuota
	given.New = func(scheduler.Args) (any, error) { return a.plugin, nil }
	list := slices.DeleteFunc(slices.Clone(All), func(pl *scheduler.Plugin) bool { return pl == ElasticQuota })
	policy := append(slices.Clone(Kube), scheduler.Weighted{Name: "ElasticQuota", Weight: 1})
	pr, err := scheduler.NewProfile(append(list, &given), policy)
	if err != nil {
		return nil, nil, err
	}
	s := cluster.NewState()
	source := sim.List(w.events)
	world, err := sim.New(s, &source, sim.Options{})
	if err != nil {
		return nil, nil, err
	}
	if err := cluster.Run(context.Background(), world, s, a, scheduler.New(pr)); err != nil {
		return nil, nil, fmt.Errorf("at %v s: %w", s.Now.Seconds(), err)
	}
	for leaf, since := range a.owed {
		return nil, nil, fmt.Errorf("%s has waited since %v s, to the end, for what it is guaranteed", leaf, since.Seconds())
	}
	return a, s, nil
}

// TestBorrowingNeverStarvesGuarantees plays random workloads on random trees. Queues never use more
// than they may; who is owed something gets it within 30 s; and only those go who owe it.
func TestBorrowingNeverStarvesGuarantees(t *testing.T) {
	victims := map[bool]int{}
	for seed := range uint64(150) {
		for _, even := range []bool{true, false} {
			a, s, err := playShare(seed, even)
			if err != nil {
				t.Fatalf("share %d, even pods: %t: %v", seed, even, err)
			}
			victims[even] += a.victims
			for p, phase := range s.Pods.Phase {
				if even && phase == cluster.Pending && a.plugin.tree.Queue(a.plugin.tree.Of(s.Class(cluster.PodID(p)).Namespace)).BorrowingLimit == nil {
					t.Fatalf("share %d: at the end %s waits, and nobody else is there", seed, s.PodName(cluster.PodID(p)))
				}
			}
		}
	}
	if victims[true] < 200 || victims[false] < 200 {
		t.Errorf("only %v pods had to go: that proves little", victims)
	}
}
