package plugins_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// A crowd is two clusters to which the same happens, with more pods than there is room for. As
// long as their schedulers decide the same, rows are the same, too.
type crowd struct {
	rng     *rand.Rand
	classes []*cluster.Class
	states  [2]*cluster.State
	ctls    [2]*scheduler.Scheduler
	decided []cluster.Decision
	names   int
}

// newCrowd returns clusters of which the first has every shortcut, and the second none.
func newCrowd(t *testing.T, seed uint64) *crowd {
	w := &crowd{rng: rand.New(rand.NewPCG(seed, 11))}
	policy := plugins.Kube
	if seed%4 == 3 {
		policy = []scheduler.Weighted{{Name: "BestFit", Weight: 1}}
	}
	for i := range w.ctls {
		pr, err := scheduler.NewProfile(plugins.All, policy)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			pr.SetRanking(false)
		} else if seed%3 > 0 {
			pr.RankAlways()
		}
		w.states[i], w.ctls[i] = cluster.NewState(), scheduler.New(pr)
		w.ctls[i].SetCohorts(i == 0)
	}
	for range 1 + w.rng.IntN(10) {
		c := &cluster.Class{Namespace: "test", Priority: int32(w.rng.IntN(4)), Requests: cluster.Amounts{
			cluster.CPU: 500 * int64(w.rng.IntN(8)), cluster.Memory: int64(w.rng.IntN(6)) << 30, cluster.PodSlots: 1,
		}}
		c.NeverPreempts = w.rng.IntN(6) == 0
		if w.rng.IntN(5) == 0 {
			c.Gates = []string{"later"}
		}
		w.classes = append(w.classes, c)
	}
	return w
}

// step has things happen, and returns what each scheduler decided and wants.
func (w *crowd) step() (ds [2][]cluster.Decision, wake [2]cluster.Time) {
	now := w.states[0].Now + cluster.Time(w.rng.IntN(5))*cluster.Second/4
	if w.rng.IntN(12) == 0 {
		now += cluster.Time(w.rng.IntN(400)) * cluster.Second
	}
	events := append(w.outcomes(), w.news()...)
	slices.SortStableFunc(events, func(a, b cluster.Event) int { return int(a.Kind) - int(b.Kind) })
	for i, s := range w.states {
		own := slices.Clone(events)
		s.Observe(now, own)
		wake[i] = w.ctls[i].Step(s, own)
		ds[i] = s.TakeDecisions()
	}
	w.decided = slices.Clone(ds[0])
	return ds, wake
}

// outcomes answers what was decided, now and then by a refusal.
func (w *crowd) outcomes() (events []cluster.Event) {
	s := w.states[0]
	for _, d := range w.decided {
		e := cluster.Event{Pod: d.Pod, Node: d.Node}
		switch {
		case d.Kind == cluster.Bind:
			e.Kind = cluster.PodBound
		case d.Kind == cluster.Preempt:
			e.Kind, e.Node = cluster.PodEnded, s.Pods.Node[d.Pod]
		default:
			continue
		}
		if w.rng.IntN(12) == 0 {
			e.Kind, e.Decision, e.Reason = cluster.Rejected, d, "test"
		}
		events = append(events, e)
	}
	return events
}

func (w *crowd) name(kind string) string {
	w.names++
	return fmt.Sprintf("%s-%d", kind, w.names)
}

// news has pods and nodes come and go, of which most pods find no room.
func (w *crowd) news() (events []cluster.Event) {
	s := w.states[0]
	for range w.rng.IntN(8) {
		spec := &cluster.PodSpec{Name: w.name("pod"), Class: w.classes[w.rng.IntN(len(w.classes))], Run: cluster.Never}
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	}
	for p, phase := range s.Pods.Phase {
		id := cluster.PodID(p)
		if slices.ContainsFunc(w.decided, func(d cluster.Decision) bool { return d.Pod == id }) {
			continue
		}
		if phase == cluster.Bound && w.rng.IntN(12) == 0 || phase == cluster.Pending && w.rng.IntN(40) == 0 {
			events = append(events, cluster.Event{Kind: cluster.PodEnded, Pod: id, Node: s.Pods.Node[p]})
		} else if c := s.Class(id); phase == cluster.Pending && len(c.Gates) > 0 && w.rng.IntN(20) == 0 {
			free := *c
			free.Gates = nil
			events = append(events, cluster.Event{Kind: cluster.PodChanged, Pod: id, PodSpec: &cluster.PodSpec{Name: s.Pods.Name[p], Class: &free, Run: cluster.Never}})
		}
	}
	live := s.Nodes.Live()
	if len(live) < 4 || w.rng.IntN(25) == 0 {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: w.name("node"), Capacity: cluster.Amounts{
			cluster.CPU: 1000 * int64(2+w.rng.IntN(4)), cluster.Memory: int64(4+w.rng.IntN(12)) << 30, cluster.PodSlots: int64(4 + w.rng.IntN(8)),
		}}})
	} else if w.rng.IntN(40) == 0 {
		events = append(events, cluster.Event{Kind: cluster.NodeRemoved, Node: live[w.rng.IntN(len(live))]})
	}
	return events
}

// TestTogetherAsSingly compares a scheduler that tries pods of a class together, as far as they
// fail together, and keeps what plugins say, with one that tries each by itself and asks anew.
// They must decide the same, count the same, and want to be woken at the same time.
func TestTogetherAsSingly(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 8
	}
	kinds := map[cluster.Kind]int{}
	failed := uint64(0)
	for seed := range uint64(seeds) {
		w := newCrowd(t, seed)
		for step := range 150 {
			ds, wake := w.step()
			if !reflect.DeepEqual(ds[0], ds[1]) {
				t.Fatalf("seed %d, step %d: together %v, singly %v", seed, step, ds[0], ds[1])
			}
			if wake[0] != wake[1] {
				t.Fatalf("seed %d, step %d: together wants to be woken at %d, singly at %d", seed, step, wake[0], wake[1])
			}
			for _, d := range ds[0] {
				kinds[d.Kind]++
			}
		}
		together, singly := w.ctls[0].Stats(), w.ctls[1].Stats()
		if !reflect.DeepEqual(together, singly) {
			t.Fatalf("seed %d: together counts %+v, singly %+v", seed, together, singly)
		}
		failed += together.Unschedulable
	}
	t.Logf("%v decisions, %d tries in vain", kinds, failed)
	if kinds[cluster.Bind] < 50*seeds || kinds[cluster.Preempt] < 5*seeds || failed < 2000*uint64(seeds) {
		t.Errorf("too little happened: %v decisions, %d tries in vain", kinds, failed)
	}
}
