package scheduler_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// newState returns a State of nodes of 1000 milli-CPUs, and one pending pod.
func newState(cpu int64, nodes ...string) (*cluster.State, cluster.PodID) {
	s := cluster.NewState()
	events := []cluster.Event{}
	for _, name := range nodes {
		events = append(events, node(name, 1000))
	}
	events = append(events, pod("p", cpu))
	s.Observe(0, events)
	return s, events[len(nodes)].Pod
}

// selected returns the name of the node that Select takes, "" for none.
func selected(pr *scheduler.Profile, s *cluster.State, p cluster.PodID) string {
	n, _, ok := pr.Select(s, p)
	if !ok {
		return ""
	}
	return s.Nodes.Name[n]
}

// table makes a scorer of scores by name of node.
func table(scores map[string]int64) scorer {
	return func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) int64 { return scores[s.Nodes.Name[n]] }
}

func TestOnlyFeasibleNodeIsNotScored(t *testing.T) {
	calls := 0
	counting := plugin("Counting", scorer(func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { calls++; return 0 }))
	pr := mustProfile(t, []*scheduler.Plugin{room, counting}, weigh("Counting")...)
	s, p := newState(500, "n1", "n2")
	s.Observe(0, []cluster.Event{pod("q", 600)})
	s.Bind(p+1, 0, cluster.Allocation{})
	s.TakeDecisions()
	if got := selected(pr, s, p); got != "n2" || calls > 0 {
		t.Errorf("with one feasible node Select takes %q and scores %d nodes", got, calls)
	}
	s.Observe(0, []cluster.Event{node("n3", 1000)})
	if got := selected(pr, s, p); got != "n2" || calls != 2 {
		t.Errorf("with two feasible nodes Select takes %q and scores %d nodes", got, calls)
	}
}

func TestNoFeasibleNode(t *testing.T) {
	pr := mustProfile(t, []*scheduler.Plugin{room})
	for _, nodes := range [][]string{nil, {"n1", "n2"}} {
		s, p := newState(1001, nodes...)
		if n, a, ok := pr.Select(s, p); ok || n != cluster.None || a != (cluster.Allocation{}) {
			t.Errorf("of %v Select takes %d with %v", nodes, n, a)
		}
	}
}

func TestWeights(t *testing.T) {
	a := plugin("A", table(map[string]int64{"n1": 30, "n2": 20, "n3": 0}))
	b := plugin("B", table(map[string]int64{"n1": 0, "n2": 30, "n3": 41}))
	for _, tt := range []struct {
		a, b int64 // weights; 0 leaves the plugin out
		want string
	}{
		{1, 0, "n1"},
		{0, 1, "n3"},
		{1, 1, "n2"},       // 30, 50, 41
		{3, 1, "n1"},       // 90, 90, 41: the earlier of the equals
		{4, 1, "n1"},       // 120, 110, 41
		{1, 2, "n3"},       // 30, 80, 82
		{1, 1 << 30, "n3"}, // the weights fit beside each other
	} {
		var policy []scheduler.Weighted
		if tt.a > 0 {
			policy = append(policy, scheduler.Weighted{Name: "A", Weight: tt.a})
		}
		if tt.b > 0 {
			policy = append(policy, scheduler.Weighted{Name: "b", Weight: tt.b})
		}
		s, p := newState(1, "n1", "n2", "n3")
		if got := selected(mustProfile(t, []*scheduler.Plugin{a, b}, policy...), s, p); got != tt.want {
			t.Errorf("weights %d and %d: Select takes %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestManyHeavyPlugins sums the highest scores at the highest weight over a
// thousand plugins, against one that is a little better elsewhere.
func TestManyHeavyPlugins(t *testing.T) {
	var plugins []*scheduler.Plugin
	var policy []scheduler.Weighted
	for i := range 1000 {
		name := fmt.Sprint("P", i)
		plugins = append(plugins, plugin(name, table(map[string]int64{"n1": 99, "n2": 100})))
		policy = append(policy, scheduler.Weighted{Name: name, Weight: scheduler.MaxWeight})
	}
	s, p := newState(1, "n1", "n2")
	if got := selected(mustProfile(t, plugins, policy...), s, p); got != "n2" {
		t.Errorf("Select takes %s: the sum overflowed", got)
	}
}

func TestScoreOutOfBoundsPanics(t *testing.T) {
	for _, score := range []int64{-1, 101, 1 << 50} {
		culprit := plugin("Culprit", table(map[string]int64{"n1": 100, "n2": score}))
		s, p := newState(1, "n1", "n2")
		pr := mustProfile(t, []*scheduler.Plugin{culprit}, weigh("Culprit")...)
		wantPanic(t, func() { pr.Select(s, p) }, "Culprit", fmt.Sprint(score), "n2", "test/p", "0 to 100")
		// Normalising is no excuse.
		excused := plugin("Excused", normalizer{table(nil), func(_ []cluster.NodeID, scores []int64) { scores[1] = score }})
		pr = mustProfile(t, []*scheduler.Plugin{excused}, weigh("Excused")...)
		wantPanic(t, func() { pr.Select(s, p) }, "Excused", fmt.Sprint(score), "n2", "test/p", "0 to 100")
	}
}

// wantPanic runs f, which must panic with a message that contains all words.
func wantPanic(t *testing.T, f func(), words ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		message := fmt.Sprint(recover())
		for _, word := range words {
			if !strings.Contains(message, word) {
				t.Errorf("panicked with %q, which does not name %q", message, word)
			}
		}
	}()
	f()
}

// TestNormalizer normalises scores far out of bounds, over the feasible nodes
// alone, before they are weighted.
func TestNormalizer(t *testing.T) {
	var names []string
	s, p := newState(500, "full", "n1", "n2", "n3")
	s.Observe(0, []cluster.Event{pod("q", 600)})
	s.Bind(p+1, 0, cluster.Allocation{})
	s.TakeDecisions()
	raw := table(map[string]int64{"full": 1 << 60, "n1": -5000, "n2": 5000, "n3": 4000})
	scaled := plugin("Scaled", normalizer{raw, func(nodes []cluster.NodeID, scores []int64) {
		for i, n := range nodes {
			names = append(names, s.Nodes.Name[n])
			scores[i] = (scores[i] + 5000) / 100 // 0, 100, 90
		}
	}})
	other := plugin("Other", table(map[string]int64{"n1": 100, "n2": 0, "n3": 11}))
	pr := mustProfile(t, []*scheduler.Plugin{room, scaled, other}, weigh("Scaled", "Other")...)
	if got := selected(pr, s, p); got != "n3" { // 100, 100, 101
		t.Errorf("Select takes %s, want n3", got)
	}
	if want := []string{"n1", "n2", "n3"}; !slices.Equal(names, want) {
		t.Errorf("Normalize gets %v, want the feasible nodes in order of arrival %v", names, want)
	}
}

// TestNoSay leaves a plugin out that returns no function: its Normalize, too.
func TestNoSay(t *testing.T) {
	mute := plugin("Mute", muteNormalizer{t})
	loud := plugin("Loud", table(map[string]int64{"n2": 1}))
	s, p := newState(1, "n1", "n2")
	pr := mustProfile(t, []*scheduler.Plugin{mute, loud}, scheduler.Weighted{Name: "Mute", Weight: 9}, scheduler.Weighted{Name: "Loud", Weight: 1})
	if got := selected(pr, s, p); got != "n2" {
		t.Errorf("Select takes %s, want n2", got)
	}
}

type muteNormalizer struct{ t *testing.T }

func (muteNormalizer) Score(*cluster.State, cluster.PodID) func(cluster.NodeID) int64 { return nil }

func (m muteNormalizer) Normalize(*cluster.State, cluster.PodID, []cluster.NodeID, []int64) {
	m.t.Error("Normalize was called of a plugin that had no say")
}

// TestAllocators says who chooses devices: the policy's plugins in the policy's
// order, then the required ones in the order of the list, the first that serves.
func TestAllocators(t *testing.T) {
	giving := func(i int) allocator {
		return func(*cluster.State, cluster.PodID, cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
			return cluster.Allocation{GPUs: cluster.GPUSet(0).With(i)}, scheduler.Verdict{}
		}
	}
	refusing := allocator(func(*cluster.State, cluster.PodID, cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
		return cluster.Allocation{GPUs: 1 << 60}, scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"no"}}
	})
	plugins := []*scheduler.Plugin{
		required("Req0", giving(0)), required("Req1", giving(1)), plugin("Two", giving(2)), plugin("Three", giving(3)),
		plugin("Never", refusing), plugin("Scores", table(nil)),
	}
	for _, tt := range []struct {
		policy string
		want   int
	}{
		{"", 0},
		{"Scores", 0},
		{"Two", 2},
		{"Three Two", 3},
		{"Two Three", 2},
		{"Never Three Two", 3},
		{"Never", 0},
		{"Scores Never", 0},
		{"Req1", 1},
		{"Never Req1 Two", 1},
	} {
		s, p := newState(1, "n1", "n2")
		_, a, ok := mustProfile(t, plugins, weigh(strings.Fields(tt.policy)...)...).Select(s, p)
		if want := cluster.GPUSet(0).With(tt.want); !ok || a.GPUs != want {
			t.Errorf("policy %q: devices %b, %t; want %b", tt.policy, a.GPUs, ok, want)
		}
	}
	s, p := newState(1, "n1", "n2")
	if n, _, ok := mustProfile(t, []*scheduler.Plugin{plugins[4]}, weigh("Never")...).Select(s, p); ok {
		t.Errorf("a pod that no allocator serves gets node %d", n)
	}
}

// confused is a PreScorer that can't make sense of any pod.
type confused struct{ scorer }

func (confused) PreScore(*cluster.State, cluster.PodID) error { return errors.New("what is that?") }

// TestPreScoreFails has a pod that a plugin can't score: it gets no node if there
// is a choice, and nobody goes for it.
func TestPreScoreFails(t *testing.T) {
	plugins := []*scheduler.Plugin{room, plugin("Confused", confused{table(nil)}), required("EvictAll", evictAll{})}
	s, p := newState(500, "n1", "n2")
	pr := mustProfile(t, plugins, weigh("Confused")...)
	const want = `running PreScore plugin "Confused": what is that?`
	if n, _, ok := pr.Select(s, p); ok || n != cluster.None || pr.Err() == nil || pr.Err().Error() != want {
		t.Errorf("with two feasible nodes Select takes %d, %t, with the error %v", n, ok, pr.Err())
	}
	s.Observe(0, []cluster.Event{pod("small", 50), podOf("important", 900, 9)})
	s.Bind(p+1, 0, cluster.Allocation{})
	s.TakeDecisions()
	sc := scheduler.New(pr)
	if sc.Step(s, []cluster.Event{{Kind: cluster.PodAdded, Pod: p + 2, Node: cluster.None}}); len(s.TakeDecisions()) > 0 {
		t.Error("something is decided about a pod that can't be scored")
	}
	s.Observe(0, []cluster.Event{{Kind: cluster.NodeRemoved, Node: 0}})
	if got := selected(pr, s, p); got != "n2" || pr.Err() != nil {
		t.Errorf("with one feasible node Select takes %q, with the error %v", got, pr.Err())
	}
}
