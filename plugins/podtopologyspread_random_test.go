package plugins_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// A literalConstraint is a spread constraint with a selector that is a function.
type literalConstraint struct {
	cluster.SpreadConstraint
	selects func(cluster.Labels) bool
	empty   bool // selects everything
}

// literalSpread does what PodTopologySpread does, for one pod, as its definition
// says it: it counts anew for every question.
type literalSpread struct {
	*world
	pod         cluster.PodID
	class       *cluster.Class
	constraints []literalConstraint
	ownOrListed bool
	trial       []change
}

// A change is a pod that a trial put on a node, or took off it.
type change struct {
	mark  int // of the State, before
	pod   cluster.PodID
	node  cluster.NodeID
	delta int
}

func newLiteralSpread(w *world, p cluster.PodID, soft, list bool) *literalSpread {
	c := w.Class(p)
	l := &literalSpread{world: w, pod: p, class: c, ownOrListed: list || len(c.Spread) > 0}
	for _, own := range c.Spread {
		if own.Soft == soft {
			l.constraints = append(l.constraints, l.own(own))
		}
	}
	if len(c.Spread) > 0 {
		return l
	}
	defaults := systemDefaults
	if list {
		defaults = listDefaults
	}
	selects, empty := l.related()
	for _, d := range defaults {
		if d.Soft == soft && !empty {
			l.constraints = append(l.constraints, literalConstraint{d, selects, false})
		}
	}
	return l
}

var (
	systemDefaults = []cluster.SpreadConstraint{
		{MaxSkew: 3, TopologyKey: byHost, Soft: true},
		{MaxSkew: 5, TopologyKey: byZone, Soft: true},
	}
	listDefaults = []cluster.SpreadConstraint{
		{MaxSkew: 1, TopologyKey: byZone, HonorTaints: true},
		{MaxSkew: 2, TopologyKey: byHost, IgnoreAffinity: true, Soft: true},
		{MaxSkew: 1, TopologyKey: "rack", Soft: true},
		{MaxSkew: 1, TopologyKey: byHost, MinDomains: 2},
	}
)

const listArgs = `{"defaultingType": "List", "defaultConstraints": [
	{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor"},
	{"maxSkew": 2, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "nodeAffinityPolicy": "Ignore"},
	{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway"},
	{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2}]}`

func (l *literalSpread) own(c cluster.SpreadConstraint) literalConstraint {
	lc := literalConstraint{SpreadConstraint: c, empty: c.Selector.Empty()}
	same := map[string]string{}
	for _, key := range c.MatchLabelKeys {
		if value, ok := l.Pods.Labels[l.pod].Get(key); ok {
			same[key], lc.empty = value, false
		}
	}
	lc.selects = func(ls cluster.Labels) bool {
		for key, want := range same {
			if value, ok := ls.Get(key); !ok || value != want {
				return false
			}
		}
		return c.Selector.Matches(ls)
	}
	return lc
}

// related selects what belongs together with the pod.
func (l *literalSpread) related() (selects func(cluster.Labels) bool, empty bool) {
	merged := map[string]string{}
	var and *cluster.Selector
	for service := range l.Services.All() {
		matches := service.Namespace == l.class.Namespace
		for _, want := range service.Selector {
			value, ok := l.Pods.Labels[l.pod].Get(want.Key)
			matches = matches && ok && value == want.Value
		}
		for _, want := range service.Selector {
			if matches {
				merged[want.Key] = want.Value
			}
		}
	}
	for w := range l.Workloads.All() {
		if (cluster.OwnerRef{Kind: w.Kind, Name: w.Name}) != l.class.Owner || w.Namespace != l.class.Namespace {
			continue
		}
		if w.Kind != "ReplicationController" {
			and = w.Selector
			continue
		}
		for _, r := range w.Selector.Requirements {
			merged[r.Key] = r.Values[0]
		}
	}
	return func(ls cluster.Labels) bool {
		for key, want := range merged {
			if value, ok := ls.Get(key); !ok || value != want {
				return false
			}
		}
		return and == nil || and.Matches(ls)
	}, len(merged) == 0 && (and == nil || and.Empty())
}

// value returns the domain of a node.
func (l *literalSpread) value(n cluster.NodeID, key string) (string, bool) {
	return l.Nodes.Labels[n].Get(key)
}

func (l *literalSpread) hasAll(n cluster.NodeID) bool {
	for _, c := range l.constraints {
		if _, ok := l.value(n, c.TopologyKey); !ok {
			return false
		}
	}
	return true
}

func (l *literalSpread) counts(n cluster.NodeID, c literalConstraint) bool {
	if !c.IgnoreAffinity {
		for _, want := range l.class.NodeLabels {
			if value, ok := l.value(n, want.Key); !ok || value != want.Value {
				return false
			}
		}
		if l.class.RequiredNode != nil && !l.class.RequiredNode.Matches(l.Nodes.Name[n], l.Nodes.Labels[n]) {
			return false
		}
	}
	for _, taint := range l.Nodes.Taints[n] {
		tolerated := taint.Effect == cluster.PreferNoSchedule
		for _, t := range l.class.Tolerations {
			tolerated = tolerated || t.Tolerates(&taint)
		}
		if c.HonorTaints && !tolerated {
			return false
		}
	}
	return true
}

// podsOn counts the pods on n that c selects, but for what the trial put there.
func (l *literalSpread) podsOn(n cluster.NodeID, c literalConstraint) (count int) {
	here := map[cluster.PodID]bool{}
	for q := range l.PodsOn(n) {
		here[q] = true
	}
	for _, ch := range slices.Backward(l.trial) {
		if ch.node == n {
			here[ch.pod] = ch.delta < 0 // as it was before
		}
	}
	for q, on := range here {
		if on && !c.empty && l.Pods.Phase[q] != cluster.Terminating && l.selected(q, c) {
			count++
		}
	}
	return count
}

func (l *literalSpread) selected(q cluster.PodID, c literalConstraint) bool {
	return l.Class(q).Namespace == l.class.Namespace && c.selects(l.Pods.Labels[q])
}

// verdict says what the filter should.
func (l *literalSpread) verdict(n cluster.NodeID) (code scheduler.Code, reason string) {
	const uneven = "node(s) didn't match pod topology spread constraints"
	for _, c := range l.constraints {
		value, ok := l.value(n, c.TopologyKey)
		if !ok {
			return scheduler.Unresolvable, uneven + " (missing required label)"
		}
		domains := map[string]int{}
		for _, m := range l.Nodes.Live() {
			if l.hasAll(m) && l.counts(m, c) {
				v, _ := l.value(m, c.TopologyKey)
				domains[v] += l.podsOn(m, c)
			}
		}
		for _, ch := range l.trial {
			if l.hasAll(ch.node) && l.counts(ch.node, c) && l.selected(ch.pod, c) {
				v, _ := l.value(ch.node, c.TopologyKey)
				domains[v] += ch.delta
			}
		}
		least := math.MaxInt32
		for _, pods := range domains {
			least = min(least, pods)
		}
		if len(domains) < int(c.MinDomains) || len(domains) == 0 {
			least = 0
		}
		skew := domains[value] - least
		if c.selects(l.Pods.Labels[l.pod]) {
			skew++
		}
		if skew > int(c.MaxSkew) {
			return scheduler.Unschedulable, uneven
		}
	}
	return scheduler.Success, ""
}

// scores returns raw and normalised scores.
func (l *literalSpread) scores(feasible []cluster.NodeID) (raw, normal []int64) {
	needsAll := l.ownOrListed
	highest, lowest := int64(0), int64(math.MaxInt64)
	for _, n := range feasible {
		if needsAll && !l.hasAll(n) {
			raw = append(raw, -1)
			continue
		}
		sum := 0.0
		for _, c := range l.constraints {
			here, ok := l.value(n, c.TopologyKey)
			if !ok {
				continue
			}
			sizes, pods, hosts := map[string]bool{}, 0, 0
			for _, m := range feasible {
				if !needsAll || l.hasAll(m) {
					v, _ := l.value(m, c.TopologyKey)
					sizes[v] = true
					hosts++
				}
			}
			for _, m := range l.Nodes.Live() {
				v, _ := l.value(m, c.TopologyKey)
				if v == here && (!needsAll || l.hasAll(m)) && l.counts(m, c) {
					pods += l.podsOn(m, c)
				}
			}
			size := len(sizes)
			if c.TopologyKey == byHost {
				size, pods = hosts, l.podsOn(n, c)
			}
			sum += float64(pods)*math.Log(float64(size)+2) + float64(c.MaxSkew) - 1
		}
		score := int64(math.Round(sum))
		raw = append(raw, score)
		highest, lowest = max(highest, score), min(lowest, score)
	}
	for _, score := range raw {
		switch {
		case score < 0:
			normal = append(normal, 0)
		case highest == 0:
			normal = append(normal, 100)
		default:
			normal = append(normal, (highest+lowest-score)*100/highest)
		}
	}
	return raw, normal
}

func TestPodTopologySpreadLiteral(t *testing.T) {
	for seed := range uint64(600) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w := randomWorld(rng)
		args, list := "", rng.IntN(2) == 0
		if list {
			args = listArgs
		}
		pl := instance[scheduler.TrialFilter](t, plugins.PodTopologySpread, args)
		for p := range cluster.PodID(w.Pods.Rows()) {
			if w.Pods.Phase[p] != cluster.Pending {
				continue
			}
			what := fmt.Sprintf("world %d, pod %s", seed, w.PodName(p))
			hard := newLiteralSpread(w, p, false, list)
			var may func(cluster.NodeID) scheduler.Verdict
			var changed func(cluster.PodID, cluster.NodeID, int)
			unwritten(t, w, what, func() { may, changed = pl.FilterTrial(w.State, p) })
			compareTrial(t, rng, w, what, p, may, changed, len(hard.constraints) == 0, hard)
			nodes := someNodes(rng, w)
			soft := newLiteralSpread(w, p, true, list)
			raw, normal := soft.scores(nodes)
			unwritten(t, w, what, func() {
				compareScores(t, w, what, p, pl.(scheduler.Scorer), nodes, len(soft.constraints) == 0, raw, normal)
			})
		}
	}
}

func (l *literalSpread) follow(trial []change) { l.trial = trial }

// unwritten checks that do doesn't write to the State.
func unwritten(t *testing.T, w *world, what string, do func()) {
	t.Helper()
	before := schedulertest.Fingerprint(w.State)
	do()
	if schedulertest.Fingerprint(w.State) != before {
		t.Fatalf("%s: the State was written to", what)
	}
}

// A literal twin says what a filter should, and may be told of trials.
type literal interface {
	verdict(n cluster.NodeID) (scheduler.Code, string)
	follow(trial []change) // all that a trial has done so far
}

// compareTrial compares a filter with its twin: at first, while pods come to
// random nodes and go on trial, and while that is taken back.
func compareTrial(t *testing.T, rng *rand.Rand, w *world, what string, p cluster.PodID, may func(cluster.NodeID) scheduler.Verdict,
	changed func(cluster.PodID, cluster.NodeID, int), skips bool, twin literal,
) {
	t.Helper()
	if (may == nil) != skips || (changed == nil) != skips {
		t.Fatalf("%s: that it skips is %t, want %t", what, may == nil, skips)
	}
	if skips {
		return
	}
	compare := func(when string) {
		t.Helper()
		for _, n := range w.Nodes.Live() {
			v := may(n)
			got := fmt.Sprint(v.Code, v.Reasons)
			code, reason := twin.verdict(n)
			want := fmt.Sprint(code, []string{reason})
			if reason == "" {
				want = fmt.Sprint(code, []string{})
			}
			if got != want {
				t.Fatalf("%s, %s, node %s: got %s, want %s", what, when, w.Nodes.Name[n], got, want)
			}
		}
	}
	compare("at first")
	var trial []change
	for range rng.IntN(10) {
		q := cluster.PodID(rng.IntN(w.Pods.Rows()))
		ch := change{mark: w.Mark(), pod: q, node: w.Pods.Node[q], delta: -1}
		switch {
		case q == p:
			continue
		case ch.node != cluster.None:
			w.Remove(q)
		default:
			ch.node, ch.delta = one(rng, w.Nodes.Live()...), 1
			w.Try(q, ch.node, cluster.Allocation{})
		}
		changed(q, ch.node, ch.delta)
		trial = append(trial, ch)
		twin.follow(trial)
		compare(fmt.Sprintf("after %d changes", len(trial)))
	}
	for i, ch := range slices.Backward(trial) {
		w.Undo(ch.mark)
		changed(ch.pod, ch.node, -ch.delta)
		twin.follow(trial[:i])
		compare(fmt.Sprintf("with %d changes left", i))
	}
}

func someNodes(rng *rand.Rand, w *world) (nodes []cluster.NodeID) {
	for _, i := range rng.Perm(len(w.Nodes.Live())) {
		if len(nodes) == 0 || rng.IntN(4) > 0 {
			nodes = append(nodes, w.Nodes.Live()[i])
		}
	}
	return nodes
}

func compareScores(t *testing.T, w *world, what string, p cluster.PodID, sc scheduler.Scorer, nodes []cluster.NodeID, skips bool, raw, normal []int64) {
	t.Helper()
	got := make([]int64, len(nodes))
	if says := scheduler.Scores(sc, w.State, p, nodes, got); says == skips {
		t.Fatalf("%s: that it scores is %t, want %t", what, says, !skips)
	}
	if skips {
		return
	}
	if !slices.Equal(got, raw) {
		t.Fatalf("%s: raw scores of rows %v are %v, want %v", what, nodes, got, raw)
	}
	sc.(scheduler.Normalizer).Normalize(w.State, p, nodes, got)
	if !slices.Equal(got, normal) {
		t.Fatalf("%s: scores of rows %v are %v, want %v", what, nodes, got, normal)
	}
}
