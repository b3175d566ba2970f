package plugins_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// A rankedWorld is a cluster in which all kinds of things happen, and two profiles that
// must decide alike: one keeps what plugins say, the other asks anew each time.
type rankedWorld struct {
	*cluster.State
	rng         *rand.Rand
	kept, plain *scheduler.Profile
	classes     []*cluster.Class
	names       int
	kinds       map[string]int // of outcomes
	nominates   bool           // pending pods may have nodes kept for them
	left        []string       // names of nodes that were removed
}

func newRankedWorld(t *testing.T, seed uint64, policy []scheduler.Weighted) *rankedWorld {
	t.Helper()
	w := &rankedWorld{rng: rand.New(rand.NewPCG(seed, 5)), kinds: map[string]int{}}
	w.State = schedulertest.RandomState(w.rng, 1)
	for _, pr := range []**scheduler.Profile{&w.kept, &w.plain} {
		profile, err := scheduler.NewProfile(plugins.All, policy)
		if err != nil {
			t.Fatal(err)
		}
		*pr = profile
	}
	w.plain.SetRanking(false)
	for range 8 {
		w.classes = append(w.classes, w.class())
	}
	for range 5 + w.rng.IntN(60) {
		w.happens(cluster.Event{Kind: cluster.NodeAdded, NodeSpec: w.node(w.name("node"))})
	}
	return w
}

func (w *rankedWorld) name(kind string) string {
	w.names++
	return fmt.Sprintf("%s-%d", kind, w.names)
}

func (w *rankedWorld) happens(e cluster.Event) cluster.PodID {
	events := []cluster.Event{e}
	w.Observe(w.Now+cluster.Second, events)
	return events[0].Pod
}

func (w *rankedWorld) node(name string) *cluster.NodeSpec {
	spec := schedulertest.RandomNode(w.rng, name)
	if w.rng.IntN(3) > 0 {
		spec.Taints, spec.Unschedulable = nil, false
	}
	labels := map[string]string{}
	for _, l := range spec.Labels {
		labels[l.Key] = l.Value
	}
	labels["rack"] = fmt.Sprint("rack-", w.rng.IntN(25))
	if w.rng.IntN(10) == 0 {
		labels[byHost] = []string{"shared", ""}[w.rng.IntN(2)]
	}
	if w.rng.IntN(10) == 0 {
		delete(labels, []string{"rack", byHost, byZone}[w.rng.IntN(3)])
	}
	spec.Labels = cluster.MakeLabels(labels)
	return spec
}

var keys = []string{byZone, byHost, "rack", "disk"}

func (w *rankedWorld) selector() *cluster.Selector {
	sel := &cluster.Selector{}
	for range 1 + w.rng.IntN(2) {
		key := []string{"app", "app", "tier"}[w.rng.IntN(3)]
		sel.Requirements = append(sel.Requirements, cluster.Requirement{Key: key, Op: cluster.In, Values: []string{"a", "b"}[w.rng.IntN(2):]})
	}
	return sel
}

func (w *rankedWorld) term() cluster.PodTerm {
	t := cluster.PodTerm{Selector: w.selector(), Namespaces: []string{"test"}, TopologyKey: keys[w.rng.IntN(len(keys))]}
	if w.rng.IntN(5) == 0 {
		t.NamespaceSelector = &cluster.Selector{Requirements: []cluster.Requirement{{Key: "team", Op: cluster.Exists}}}
	}
	return t
}

// class returns one with few constraints, so that pods fit often.
func (w *rankedWorld) class() *cluster.Class {
	c := schedulertest.RandomClass(w.rng)
	c.Gates = nil
	c.Requests[cluster.CPU], c.Requests[cluster.Memory] = int64(w.rng.IntN(4))*2000, int64(w.rng.IntN(3))<<32
	if w.rng.IntN(4) > 0 {
		c.RequiredNode, c.NodeName, c.NodeLabels = nil, "", nil
	}
	if w.rng.IntN(4) == 0 {
		c.Namespace = "other"
	}
	some := func() bool { return w.rng.IntN(5) == 0 }
	for some() {
		c.Affinity.Required = append(c.Affinity.Required, w.term())
	}
	for some() {
		c.AntiAffinity.Required = append(c.AntiAffinity.Required, w.term())
	}
	for some() {
		c.Affinity.Preferred = append(c.Affinity.Preferred, cluster.WeightedPodTerm{Weight: 1 + w.rng.Int32N(3), PodTerm: w.term()})
	}
	for some() {
		c.AntiAffinity.Preferred = append(c.AntiAffinity.Preferred, cluster.WeightedPodTerm{Weight: 1 + w.rng.Int32N(3), PodTerm: w.term()})
	}
	for w.rng.IntN(3) == 0 {
		c.Spread = append(c.Spread, cluster.SpreadConstraint{
			MaxSkew: 1 + w.rng.Int32N(3), TopologyKey: keys[w.rng.IntN(len(keys))], Soft: w.rng.IntN(2) == 0, Selector: w.selector(),
			MinDomains: w.rng.Int32N(3), IgnoreAffinity: w.rng.IntN(2) == 0, HonorTaints: w.rng.IntN(2) == 0,
		})
	}
	if some() {
		c.Owner = cluster.OwnerRef{Kind: "ReplicaSet", Name: "set"}
	}
	return c
}

// variant returns a class that may be new, and says the same about nodes' descriptions.
func (w *rankedWorld) variant(c *cluster.Class) *cluster.Class {
	other := *c
	other.Requests = slices.Clone(c.Requests)
	other.Requests[cluster.CPU] = int64(w.rng.IntN(1000))
	return &other
}

func (w *rankedWorld) pod(c *cluster.Class) cluster.PodID {
	labels := map[string]string{"app": []string{"a", "b"}[w.rng.IntN(2)], "pod-index": fmt.Sprint(w.names)}
	if w.rng.IntN(2) == 0 {
		labels["tier"] = "a"
	}
	spec := &cluster.PodSpec{Name: w.name("pod"), Class: c, Labels: cluster.MakeLabels(labels), Run: cluster.Never}
	return w.happens(cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
}

// some returns a pod with one of the phases, None if there is none near a random row.
func (w *rankedWorld) some(phases ...cluster.Phase) cluster.PodID {
	for range 10 {
		if p := cluster.PodID(w.rng.IntN(w.Pods.Rows() + 1)); int(p) < w.Pods.Rows() && slices.Contains(phases, w.Pods.Phase[p]) {
			return p
		}
	}
	return cluster.None
}

// disturb has something happen.
func (w *rankedWorld) disturb() {
	onNode := []cluster.Phase{cluster.Assumed, cluster.Bound, cluster.Terminating}
	p := w.some(onNode...)
	live := w.Nodes.Live()
	n := live[w.rng.IntN(len(live))]
	switch w.rng.IntN(24) {
	case 0, 1, 2, 3:
		if p != cluster.None {
			w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: p, Node: w.Pods.Node[p]})
		}
	case 4:
		if q := w.some(cluster.Assumed, cluster.Bound); q != cluster.None {
			w.Evict(q)
			ds := slices.Clone(w.TakeDecisions())
			if w.rng.IntN(2) == 0 {
				w.happens(cluster.Event{Kind: cluster.Rejected, Pod: q, Decision: ds[0]})
			}
		}
	case 5:
		name := w.name("node")
		if k := len(w.left); k > 0 && w.rng.IntN(2) == 0 { // one comes back, with its pods
			name, w.left = w.left[k-1], w.left[:k-1]
		}
		w.happens(cluster.Event{Kind: cluster.NodeAdded, NodeSpec: w.node(name)})
	case 6:
		if len(live) > 4 {
			w.left = append(w.left, w.Nodes.Name[n])
			w.happens(cluster.Event{Kind: cluster.NodeRemoved, Node: n})
		}
	case 7:
		w.happens(cluster.Event{Kind: cluster.NodeChanged, Node: n, NodeSpec: w.node(w.Nodes.Name[n])})
	case 8:
		w.happens(cluster.Event{Kind: cluster.ObjectSet, Object: &cluster.Namespace{Name: "other", Labels: cluster.Labels{{Key: "team", Value: "x"}}}})
	case 9:
		w.happens(cluster.Event{Kind: cluster.ObjectSet, Object: &cluster.Service{
			Namespace: "test", Name: "service", Selector: cluster.Labels{{Key: "app", Value: []string{"a", "b", "c"}[w.rng.IntN(3)]}},
		}})
	case 10, 11, 12:
		w.trial()
	case 19:
		w.happens(cluster.Event{Kind: cluster.ObjectSet, Object: &cluster.DisruptionBudget{
			Namespace: "test", Name: "budget", Selector: w.selector(), Allowed: w.rng.Int32N(3),
		}})
	case 13:
		w.classes[w.rng.IntN(len(w.classes))] = w.class()
	case 14, 15:
		if q := w.some(cluster.Pending); q != cluster.None && w.nominates {
			w.Nominate(q, n)
			w.TakeDecisions()
		}
	case 16, 17, 18:
		if q := w.some(cluster.Pending); q != cluster.None {
			w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: q, Node: cluster.None})
		}
	}
}

// trial writes things that are undone.
func (w *rankedWorld) trial() {
	mark := w.Mark()
	for range w.rng.IntN(6) {
		live := w.Nodes.Live()
		n := live[w.rng.IntN(len(live))]
		p := w.some(cluster.Pending, cluster.Assumed, cluster.Bound, cluster.Terminating)
		if p == cluster.None {
			continue
		}
		switch on := w.Pods.Node[p] != cluster.None; {
		case on && w.rng.IntN(2) == 0:
			w.Evict(p)
		case on:
			w.Remove(p)
		case w.Class(p).GPUs.Count == 0:
			w.Try(p, n, cluster.Allocation{})
		}
		if q := w.pending(); q != cluster.None && w.rng.IntN(8) == 0 { // a decision within a what-if
			w.kept.Select(w.State, q)
		}
	}
	w.Undo(mark)
}

func (w *rankedWorld) pending() cluster.PodID {
	for p := range cluster.PodID(w.Pods.Rows()) {
		if w.Pods.Phase[p] == cluster.Pending && w.Pods.Node[p] == cluster.None {
			return p
		}
	}
	return cluster.None
}

// decide compares what both profiles say about a pod, and does it.
func (w *rankedWorld) decide(t *testing.T) {
	t.Helper()
	class := w.classes[w.rng.IntN(len(w.classes))]
	if w.rng.IntN(4) == 0 {
		class = w.variant(class)
	}
	p := w.pod(class)
	w.compareTotals(t, p)
	n, a, ok := w.kept.Select(w.State, p)
	m, b, fits := w.plain.Select(w.State, p)
	if ok != fits || ok && (n != m || a != b) || fmt.Sprint(w.kept.Err()) != fmt.Sprint(w.plain.Err()) {
		t.Fatalf("%s goes to row %d (%v, %v), and without a ranking to %d (%v, %v)", w.PodName(p), n, ok, w.kept.Err(), m, fits, w.plain.Err())
	}
	if !ok {
		w.kinds["fits nowhere"]++
		if got, want := w.kept.Rejectors(w.State, p), w.plain.Rejectors(w.State, p); !slices.Equal(got, want) {
			t.Fatalf("%s is rejected by %v, and without a ranking by %v", w.PodName(p), got, want)
		}
		w.preempt(t, p)
		return
	}
	w.kinds["placed"]++
	if w.rng.IntN(10) > 0 {
		w.Bind(p, n, a)
		w.TakeDecisions()
		if w.rng.IntN(2) == 0 {
			w.happens(cluster.Event{Kind: cluster.PodBound, Pod: p, Node: n})
		}
	}
}

// preempt compares whom both profiles would have go for a pod that fits nowhere, and now
// and then has them go.
func (w *rankedWorld) preempt(t *testing.T, p cluster.PodID) {
	t.Helper()
	got, ok := w.kept.Preemption(w.State, p)
	want, helps := w.plain.Preemption(w.State, p)
	if ok != helps || ok && (got.Node != want.Node || !slices.Equal(got.Victims, want.Victims)) {
		t.Fatalf("%s would preempt %v (%v), and without a ranking %v (%v)", w.PodName(p), got, ok, want, helps)
	}
	if !ok || len(want.Victims) == 0 {
		return
	}
	w.kinds["preempts"]++
	if w.rng.IntN(3) == 0 {
		for _, v := range slices.Clone(want.Victims) {
			w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: v, Node: want.Node})
		}
	}
}

func (w *rankedWorld) compareTotals(t *testing.T, p cluster.PodID) {
	t.Helper()
	kept := map[cluster.NodeID]int64{}
	if !w.kept.Kept(w.State, p, func(n cluster.NodeID, total int64) { kept[n] = total }) {
		w.kinds["not kept"]++
		return
	}
	w.kinds["kept"]++
	want := w.plain.Evaluate(w.State, p)
	if len(want.Feasible) != len(kept) {
		t.Fatalf("%d nodes are feasible for %s, and without a ranking %d", len(kept), w.PodName(p), len(want.Feasible))
	}
	if len(kept) == 1 {
		return // is not scored
	}
	for _, x := range want.Feasible {
		if total, ok := kept[x.Node]; !ok || total != x.Total {
			t.Fatalf("%s: %s scores %d (%v), and without a ranking %+v", w.PodName(p), w.Nodes.Name[x.Node], total, ok, x)
		}
	}
}

// TestRankedAsPlain checks that what is kept is what plugins say when asked anew, under
// many policies.
func TestRankedAsPlain(t *testing.T) {
	policies := [][]scheduler.Weighted{
		{{Name: "Kube", Weight: 1}}, {{Name: "LeastAllocated", Weight: 1}}, {{Name: "FGD", Weight: 1}}, {{Name: "BestFit", Weight: 2}},
		{{Name: "GPUPacking", Weight: 3}, {Name: "InterPodAffinity", Weight: 2}}, {{Name: "GPUClustering", Weight: 1}, {Name: "PodTopologySpread", Weight: 1}},
	}
	kinds := map[string]int{}
	var work scheduler.Work
	for seed := range uint64(120) {
		policy := policies[seed%2*(seed/2)%uint64(len(policies))]
		w := newRankedWorld(t, seed, policy)
		w.nominates = seed%4 == 0
		for range 150 {
			w.disturb()
			w.decide(t)
			if t.Failed() {
				t.Fatalf("seed %d, policy %v", seed, policy)
			}
		}
		for kind, n := range w.kinds {
			kinds[kind] += n
		}
		work.Decisions += w.kept.Work().Decisions
		work.Scans += w.kept.Work().Scans
	}
	t.Log(kinds, work)
	for _, kind := range []string{"fits nowhere", "placed", "not kept", "kept", "preempts"} {
		if kinds[kind] < 500 {
			t.Errorf("%s: %d times", kind, kinds[kind])
		}
	}
	if 2*work.Scans > work.Decisions {
		t.Errorf("%d of %d decisions looked at all nodes", work.Scans, work.Decisions)
	}
}
