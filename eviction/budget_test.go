package eviction

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// A world is a State with one controller over it, to which things are made to happen.
type world struct {
	t *testing.T
	*cluster.State
	ctl  cluster.Controller
	wake cluster.Time
}

func newWorld(t *testing.T, ctl cluster.Controller) *world {
	w := &world{t: t, State: cluster.NewState(), ctl: ctl}
	w.happens(node("n"))
	return w
}

func node(name string) cluster.Event {
	return cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
		Name: name, Labels: cluster.Labels{{Key: "kubernetes.io/hostname", Value: name}},
		Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1000, cluster.PodSlots: 100},
		Health:   cluster.NodeHealth{Conditions: cluster.Healthy},
	}}
}

func set(o cluster.Object) cluster.Event { return cluster.Event{Kind: cluster.ObjectSet, Object: o} }

// happens lets events be seen, and what was decided be taken. It returns the decisions.
func (w *world) happens(events ...cluster.Event) []cluster.Decision {
	w.t.Helper()
	w.Observe(w.Now, events)
	w.wake = w.ctl.Step(w.State, events)
	return w.TakeDecisions()
}

// passes lets time pass with nothing else happening.
func (w *world) passes(d cluster.Time) []cluster.Decision {
	w.t.Helper()
	w.Now += d
	return w.happens()
}

// pod adds a pod with the label app, on n and started unless it is pending.
func (w *world) pod(name, app string, owner cluster.OwnerRef, change func(*cluster.PodSpec)) cluster.PodID {
	started := w.Now
	spec := &cluster.PodSpec{
		Name: name, On: "n", Started: &started, Run: cluster.Never,
		Labels: cluster.Labels{{Key: "app", Value: app}}, Class: &cluster.Class{Namespace: "x", Owner: owner},
	}
	if change != nil {
		change(spec)
	}
	events := []cluster.Event{{Time: w.Now, Kind: cluster.PodAdded, PodSpec: spec}}
	w.happens(events...)
	return events[0].Pod
}

func app(value string) *cluster.Selector {
	return &cluster.Selector{Requirements: []cluster.Requirement{{Key: "app", Op: cluster.In, Values: []string{value}}}}
}

func number(n int32) *cluster.IntOrPercent  { return &cluster.IntOrPercent{Value: n} }
func percent(n int32) *cluster.IntOrPercent { return &cluster.IntOrPercent{Value: n, Percent: true} }

func (w *world) budget() *cluster.DisruptionBudget { return w.Budgets.Get("x", "b") }

// counted is a budget's status as text: allowed, healthy of desired, expected, disrupted.
func (w *world) counted() string {
	b := w.budget()
	return fmt.Sprintf("%d: %d/%d of %d %v", b.Allowed, b.CurrentHealthy, b.DesiredHealthy, b.ExpectedPods, b.Disrupted)
}

func (w *world) expect(want string) {
	w.t.Helper()
	if got := w.counted(); got != want {
		w.t.Errorf("counted %s, want %s", got, want)
	}
}

var (
	rs         = cluster.OwnerRef{Kind: "ReplicaSet", Name: "rs"}
	deployment = cluster.OwnerRef{Kind: "Deployment", Name: "d"}
)

func TestBudgetCounts(t *testing.T) {
	w := newWorld(t, NewBudgets())
	w.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: app("a"), MinAvailable: number(2), Generation: 4}))
	w.expect("0: 0/2 of 0 []")
	if w.budget().ObservedGeneration != 4 {
		t.Errorf("generation %d was observed", w.budget().ObservedGeneration)
	}
	p1 := w.pod("p1", "a", rs, nil)
	p2 := w.pod("p2", "a", rs, nil)
	w.pod("p3", "other", rs, nil)
	w.expect("0: 2/2 of 2 []")
	p4 := w.pod("p4", "a", cluster.OwnerRef{}, func(s *cluster.PodSpec) { s.Unready = true })
	w.expect("0: 2/2 of 3 []")
	w.happens(cluster.Event{Kind: cluster.PodReady, Pod: p4, Ready: true})
	w.expect("1: 3/2 of 3 []")
	// Somebody else's decisions show from the next Step.
	w.Delete(p1, cluster.DeletionByTaint)
	w.TakeDecisions()
	w.happens()
	w.expect("0: 2/2 of 3 []")
	w.MarkUnready(p2)
	w.TakeDecisions()
	w.happens()
	w.expect("0: 1/2 of 3 []")
	w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: p1})
	w.expect("0: 1/2 of 2 []")
	// A pod leaves because its labels change.
	w.happens(cluster.Event{Kind: cluster.PodChanged, Pod: p4, PodSpec: &cluster.PodSpec{Name: "p4", On: "n", Class: &cluster.Class{Namespace: "x"}, Labels: cluster.Labels{{Key: "app", Value: "other"}}}})
	w.expect("0: 0/2 of 1 []")
	// The budget selects others, and asks for less.
	w.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: app("other"), MinAvailable: number(1), Generation: 5}))
	w.expect("1: 2/1 of 2 []")
	if ds := w.happens(); len(ds) > 0 {
		t.Errorf("nothing has happened, and Budgets decides %v", ds)
	}
}

// TestBudgetScale has 3 pods of a ReplicaSet of 4, of a Deployment of 10: the Deployment counts.
func TestBudgetScale(t *testing.T) {
	replicaSet := &cluster.Workload{Kind: "ReplicaSet", Namespace: "x", Name: "rs", Replicas: 4, Owner: deployment}
	for _, tt := range []struct {
		least, most *cluster.IntOrPercent
		owner       cluster.OwnerRef
		workloads   []*cluster.Workload
		want        string
	}{
		{percent(25), nil, rs, []*cluster.Workload{replicaSet, {Kind: "Deployment", Namespace: "x", Name: "d", Replicas: 10}}, "0: 3/3 of 10 []"},
		{percent(20), nil, rs, []*cluster.Workload{replicaSet, {Kind: "Deployment", Namespace: "x", Name: "d", Replicas: 10}}, "1: 3/2 of 10 []"},
		{nil, number(8), rs, []*cluster.Workload{replicaSet, {Kind: "Deployment", Namespace: "x", Name: "d", Replicas: 10}}, "1: 3/2 of 10 []"},
		{nil, number(12), rs, []*cluster.Workload{replicaSet, {Kind: "Deployment", Namespace: "x", Name: "d", Replicas: 10}}, "3: 3/0 of 10 []"},
		{nil, percent(71), rs, []*cluster.Workload{replicaSet, {Kind: "Deployment", Namespace: "x", Name: "d", Replicas: 10}}, "1: 3/2 of 10 []"},
		{nil, number(2), rs, []*cluster.Workload{replicaSet}, "1: 3/2 of 4 []"},
		{nil, number(2), rs, []*cluster.Workload{{Kind: "ReplicaSet", Namespace: "y", Name: "rs", Replicas: 4}}, "0: 0/0 of 0 []"},
		{nil, number(2), cluster.OwnerRef{Kind: "Job", Name: "rs"}, []*cluster.Workload{{Kind: "Job", Namespace: "x", Name: "rs", Replicas: 4}}, "0: 0/0 of 0 []"},
		{nil, number(2), cluster.OwnerRef{}, nil, "0: 3/0 of 0 []"},
		{nil, nil, rs, nil, "0: 3/0 of 0 []"},
		{number(1), number(1), rs, []*cluster.Workload{replicaSet}, "0: 3/3 of 4 []"},
	} {
		w := newWorld(t, NewBudgets())
		for _, workload := range tt.workloads {
			w.happens(set(workload))
		}
		w.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: &cluster.Selector{}, MinAvailable: tt.least, MaxUnavailable: tt.most}))
		start := w.budget()
		for i := range 3 {
			w.pod(fmt.Sprint("p", i), "a", tt.owner, nil)
		}
		w.expect(tt.want)
		// Workloads that come late are noticed.
		late := newWorld(t, NewBudgets())
		late.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: &cluster.Selector{}, MinAvailable: start.MinAvailable, MaxUnavailable: start.MaxUnavailable}))
		for i := range 3 {
			late.pod(fmt.Sprint("p", i), "a", tt.owner, nil)
		}
		for _, workload := range tt.workloads {
			late.happens(set(workload))
		}
		late.expect(tt.want)
	}
}

// TestUnknownScale wants a budget that can't be counted any more to allow nothing, and
// the rest of its status to stay, with the generation for which it was right.
func TestUnknownScale(t *testing.T) {
	w := newWorld(t, NewBudgets())
	workload := &cluster.Workload{Kind: "ReplicaSet", Namespace: "x", Name: "rs", Replicas: 2}
	w.happens(set(workload), set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: app("a"), MaxUnavailable: number(1), Generation: 1}))
	w.pod("p1", "a", rs, nil)
	w.pod("p2", "a", rs, nil)
	w.expect("1: 2/1 of 2 []")
	w.happens(cluster.Event{Kind: cluster.ObjectRemoved, Object: workload})
	w.expect("0: 2/1 of 2 []")
	changed := *w.budget()
	changed.Generation, changed.MaxUnavailable = 2, number(2)
	w.happens(set(&changed))
	w.expect("0: 2/1 of 2 []")
	if w.budget().ObservedGeneration != 1 {
		t.Errorf("generation %d was observed, although its pods could not be counted", w.budget().ObservedGeneration)
	}
}

// TestDisruptedExpire lets a pod that was evicted 10 s ago, by the status, stay: it
// counts again after 2 min, and some milliseconds later its name is gone.
func TestDisruptedExpire(t *testing.T) {
	w := newWorld(t, NewBudgets())
	for _, name := range []string{"p1", "p2", "p3"} {
		w.pod(name, "a", rs, nil)
	}
	w.Now = 10 * cluster.Second
	w.happens(set(&cluster.DisruptionBudget{
		Namespace: "x", Name: "b", Selector: app("a"), MinAvailable: number(1),
		Disrupted: []string{"gone", "p2", "p3"}, DisruptedAt: []cluster.Time{0, 0, -cluster.Hour},
	}))
	w.expect("1: 2/1 of 3 [p2]")
	if want := 2*cluster.Minute + 5*cluster.Millisecond; w.wake != want {
		t.Errorf("wants to wake at %d ns instead of %d", w.wake, want)
	}
	w.passes(2*cluster.Minute - w.Now)
	w.expect("1: 2/1 of 3 [p2]")
	// If something else has it looked at on the dot, the pod counts, and its name stays.
	w.happens(cluster.Event{Kind: cluster.PodReady, Pod: 0, Ready: true})
	w.expect("2: 3/1 of 3 [p2]")
	w.passes(w.wake - w.Now)
	w.expect("2: 3/1 of 3 []")
	if w.wake != cluster.Never {
		t.Errorf("wants to wake at %d ns", w.wake)
	}
}

// TestRejectedStatus has an API server refuse to store a status twice.
func TestRejectedStatus(t *testing.T) {
	w := newWorld(t, NewBudgets())
	w.pod("p1", "a", rs, nil)
	ds := w.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: app("a"), MinAvailable: number(0)}))
	for _, delay := range []cluster.Time{5 * cluster.Millisecond, 10 * cluster.Millisecond} {
		if len(ds) != 1 || ds[0].Kind != cluster.Store {
			t.Fatalf("decided %v", ds)
		}
		if ds := w.happens(cluster.Event{Kind: cluster.Rejected, Pod: cluster.None, Node: cluster.None, Decision: ds[0]}); len(ds) > 0 || w.wake != w.Now+delay {
			t.Fatalf("rejected at %d, decides %v and wants to wake at %d", w.Now, ds, w.wake)
		}
		ds = w.passes(delay)
	}
	w.expect("1: 1/0 of 1 []")
}

// TestBudgetRemoved wants a budget that is removed and made again to be another.
func TestBudgetRemoved(t *testing.T) {
	w := newWorld(t, NewBudgets())
	w.pod("p1", "a", rs, nil)
	w.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: app("a"), MinAvailable: number(0), Disrupted: []string{"p1"}, DisruptedAt: []cluster.Time{0}}))
	w.expect("0: 0/0 of 1 [p1]")
	w.happens(cluster.Event{Kind: cluster.ObjectRemoved, Object: w.budget()})
	if ds := w.passes(3 * cluster.Minute); len(ds) > 0 {
		t.Errorf("a budget that isn't there is stored: %v", ds)
	}
	w.happens(set(&cluster.DisruptionBudget{Namespace: "x", Name: "b", Selector: app("other")}))
	w.expect("0: 0/0 of 0 []")
}

// TestBudgetsAsRecomputed holds Budgets against a twin that counts every budget over all
// pods after each step of a random history.
func TestBudgetsAsRecomputed(t *testing.T) {
	looked, changed := 0, 0
	for seed := range uint64(150) {
		h := &budgetHistory{world: newWorld(t, NewBudgets()), rng: rand.New(rand.NewPCG(seed, 1))}
		for step := range 60 {
			changed += len(h.step())
			slow := NewBudgets()
			for b := range h.Budgets.All() {
				want, _ := slow.status(h.State, b, h.under(b))
				if looked++; !sameStatus(b, want) {
					t.Fatalf("seed %d, step %d: %s is %+v, and should be %+v", seed, step, b.Name, *b, *want)
				}
			}
		}
	}
	if looked < 10000 || changed < 2000 {
		t.Errorf("only %d statuses were looked at, and %d changed", looked, changed)
	}
}

// A budgetHistory is a world to which random things happen.
type budgetHistory struct {
	*world
	rng  *rand.Rand
	made int
}

// under returns the pods under a budget, looking at all.
func (h *budgetHistory) under(b *cluster.DisruptionBudget) (pods []cluster.PodID) {
	for p := range cluster.PodID(h.Pods.Rows()) {
		if h.Pods.Phase[p] != cluster.Ended && h.Class(p).Namespace == b.Namespace && b.Selector.Matches(h.Pods.Labels[p]) {
			pods = append(pods, p)
		}
	}
	return pods
}

// live returns a pod on a node at random, None if there is none.
func (h *budgetHistory) live() cluster.PodID {
	pods := slices.DeleteFunc(h.under(&cluster.DisruptionBudget{Namespace: "x", Selector: &cluster.Selector{}}), func(p cluster.PodID) bool { return h.Pods.Node[p] == cluster.None })
	if len(pods) == 0 {
		return cluster.None
	}
	return pods[h.rng.IntN(len(pods))]
}

func (h *budgetHistory) spec(name string) *cluster.PodSpec {
	spec := &cluster.PodSpec{
		Name: name, Run: cluster.Never, Unready: h.rng.IntN(4) == 0, Labels: cluster.Labels{{Key: "app", Value: []string{"a", "b", "c"}[h.rng.IntN(3)]}},
		Class: &cluster.Class{Namespace: "x", Owner: []cluster.OwnerRef{{}, rs, {Kind: "StatefulSet", Name: "s"}, {Kind: "Job", Name: "j"}}[min(h.rng.IntN(20)/6, 3)]},
	}
	if h.rng.IntN(5) > 0 {
		spec.On = "n"
	}
	return spec
}

// step lets one or two random things happen, and time pass. It returns what was decided.
func (h *budgetHistory) step() []cluster.Decision {
	var events []cluster.Event
	ended := cluster.PodID(cluster.None)
	for range 1 + h.rng.IntN(2) {
		p := h.live()
		switch what := h.rng.IntN(9); {
		case what == 0:
			events = append(events, set(h.randomBudget()))
		case what == 1:
			w := []*cluster.Workload{{Kind: "ReplicaSet", Name: "rs"}, {Kind: "StatefulSet", Name: "s"}}[h.rng.IntN(2)]
			w.Namespace, w.Replicas = "x", h.rng.Int32N(8)
			kind := []cluster.Kind{cluster.ObjectSet, cluster.ObjectSet, cluster.ObjectRemoved}[h.rng.IntN(3)]
			events = append(events, cluster.Event{Kind: kind, Object: w})
		case what <= 4 || p == cluster.None || p == ended:
			h.made++
			events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: h.spec(fmt.Sprint("p", h.made%30))})
		case what == 5:
			events, ended = append(events, cluster.Event{Kind: cluster.PodEnded, Pod: p}), p
		case what == 6 && ended == cluster.None:
			spec := h.spec(h.Pods.Name[p])
			events = append(events, cluster.Event{Kind: cluster.PodChanged, Pod: p, PodSpec: spec})
		case what == 7:
			events = append(events, cluster.Event{Kind: cluster.PodReady, Pod: p, Ready: h.rng.IntN(2) == 0})
		default:
			[]func(){func() { h.Delete(p, cluster.DeletionByTaint) }, func() { h.MarkUnready(p) }}[h.rng.IntN(2)]()
			h.TakeDecisions()
		}
	}
	slices.SortStableFunc(events, func(a, b cluster.Event) int { return int(a.Kind) - int(b.Kind) })
	if h.rng.IntN(3) == 0 {
		h.Now += cluster.Time(h.rng.IntN(60)) * cluster.Second
	}
	if h.wake < h.Now { // a loop would have woken it
		now := h.Now
		h.Now = max(h.wake, 0)
		h.happens()
		h.Now = now
	}
	return h.happens(events...)
}

func (h *budgetHistory) randomBudget() *cluster.DisruptionBudget {
	b := &cluster.DisruptionBudget{Namespace: "x", Name: fmt.Sprint(h.rng.IntN(3)), Generation: h.rng.Int64N(5)}
	b.Selector = []*cluster.Selector{app("a"), app("b"), {}, nil}[h.rng.IntN(4)]
	b.MinAvailable = []*cluster.IntOrPercent{nil, number(h.rng.Int32N(4)), percent(h.rng.Int32N(101))}[h.rng.IntN(3)]
	if b.MinAvailable == nil {
		b.MaxUnavailable = []*cluster.IntOrPercent{number(h.rng.Int32N(4)), percent(h.rng.Int32N(101))}[h.rng.IntN(2)]
	}
	if p := h.live(); p != cluster.None {
		b.Disrupted, b.DisruptedAt = []string{h.Pods.Name[p]}, []cluster.Time{h.Now - cluster.Time(h.rng.IntN(130))*cluster.Second - 1}
	}
	return b
}
