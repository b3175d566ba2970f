package kube

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

var (
	readyUnknown = cluster.Conditions{cluster.NodeReady: cluster.ConditionUnknown}
	taintGone    = cluster.Taint{Key: "gone", Effect: cluster.NoSchedule}
)

// nodeStories are what State hears of nodes, observation by observation. Each begins with a
// node a.
var nodeStories = []struct {
	why string
	it  func(x *told)
}{
	{"what a node does is heard of", func(x *told) {
		x.see("NodeHeard a True lease=2 posts=1", seen(leaseOf("a", 1)))
		x.see("", seen(leaseOf("a", 1)))
		x.see("NodeHeard a True lease=4 posts=1", seen(leaseOf("a", 2)))
		x.see("NodeHeard a True lease=4 posts=5", seen(nodeSays{posted: 10}.of("a")))
		x.see("NodeHeard a False lease=4 posts=6", seen(nodeSays{posted: 20, ready: v1.ConditionFalse}.of("a")))
		x.see("NodeHeard a Unknown lease=4 posts=6", seen(nodeSays{posted: 20, ready: v1.ConditionUnknown}.of("a")))
		x.see("NodeChanged a x", seen(nodeSays{posted: 20, ready: v1.ConditionUnknown, taints: []string{"x"}}.of("a")))
		x.see("NodeRemoved a", goneNow(nodeSays{}.of("a")))
		x.see("", goneNow(nodeSays{}.of("a")), goneNow(leaseOf("a", 2)), seen(leaseOf("b", 3)))
		x.see("NodeAdded b", seen(nodeSays{}.of("b")))
		if l := x.state.Nodes.Health[x.node("b")].Lease.First; l != 10*cluster.Second {
			x.t.Errorf("its lease was renewed at %v", l.Seconds())
		}
	}},
	{"nodes that were missed are found when all are listed anew", func(x *told) {
		x.see("NodeAdded b", seen(nodeSays{}.of("b")))
		x.see("NodeRemoved a, NodeRemoved b, NodeAdded b, NodeAdded c", all(&v1.Node{}, nodeSays{}.of("c"), nodeSays{uid: "b-2"}.of("b")))
		x.see("", all(&coordinationv1.Lease{}))
	}},
	{"a taint shows until the watch has caught up", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.AddTaint(x.node("a"), taintGone) })
		x.see("NodeChanged a x gone", seen(nodeSays{taints: []string{"x"}, version: 1}.of("a")))
		x.see("", doneAs(jobs[0], "15"))
		x.see("NodeChanged a y gone", seen(nodeSays{taints: []string{"y"}, version: 3}.of("a")))
		x.see("", seen(nodeSays{taints: []string{"y", "gone"}, version: 5}.of("a")))
		x.see("NodeChanged a y", seen(nodeSays{taints: []string{"y"}, version: 6}.of("a")))
	}},
	{"a taint that failed", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.AddTaint(x.node("a"), taintGone) })
		x.see("Rejected a AddTaint 403, NodeChanged a", failed(jobs[0], 403))
		if got := x.state.Nodes.Taints[x.node("a")]; len(got) > 0 {
			x.t.Errorf("it has %v", got)
		}
	}},
	{"a taint is gone until the watch has caught up", func(x *told) {
		x.see("NodeChanged a gone", seen(nodeSays{taints: []string{"gone"}}.of("a")))
		jobs := x.decide(func(s *cluster.State) { s.RemoveTaint(x.node("a"), taintGone) })
		x.see("NodeChanged a x", seen(nodeSays{taints: []string{"gone", "x"}, version: 1}.of("a")))
		x.see("", doneAs(jobs[0], "14"))
		x.see("", seen(nodeSays{taints: []string{"x"}, version: 4}.of("a")))
		if got := x.state.Nodes.Taints[x.node("a")]; len(got) != 1 || got[0].Key != "x" {
			x.t.Errorf("it has %v", got)
		}
	}},
	{"conditions are as decided until the watch has caught up", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.SetConditions(x.node("a"), readyUnknown) })
		x.see("NodeChanged a x", seen(nodeSays{taints: []string{"x"}, version: 1}.of("a")))
		x.see("", doneAs(jobs[0], "15"))
		x.see("", seen(nodeSays{taints: []string{"x"}, version: 2}.of("a")))
		x.see("", seen(nodeSays{taints: []string{"x"}, ready: v1.ConditionUnknown, version: 5}.of("a")))
		x.see("NodeHeard a True lease=0 posts=6", seen(nodeSays{taints: []string{"x"}, posted: 10, version: 6}.of("a")))
	}},
	{"the node is back before its conditions are written", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.SetConditions(x.node("a"), readyUnknown) })
		x.see("NodeHeard a True lease=0 posts=2", seen(nodeSays{posted: 10, version: 1}.of("a")))
		x.see("Rejected a SetConditions 409", failed(jobs[0], 409))
		if got := x.state.Nodes.Health[x.node("a")].Conditions[cluster.NodeReady]; got != cluster.ConditionTrue {
			x.t.Errorf("it is %v", got)
		}
	}},
	{"conditions that could not be written", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.SetConditions(x.node("a"), readyUnknown) })
		x.see("Rejected a SetConditions 500", failed(jobs[0], 500))
		if got := x.state.Nodes.Health[x.node("a")].Conditions[cluster.NodeReady]; got != cluster.ConditionTrue {
			x.t.Errorf("it is %v", got)
		}
	}},
	{"a node that goes takes what was decided about it along", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.AddTaint(x.node("a"), taintGone); s.SetConditions(x.node("a"), readyUnknown) })
		x.see("NodeRemoved a, NodeAdded b", goneNow(nodeSays{}.of("a")), seen(nodeSays{}.of("b")))
		x.see("", failed(jobs[0], 404), failed(jobs[1], 404)) // another may be in its row
	}},
	{"a node that can't be read stays as it was", func(x *told) {
		bad := nodeSays{}.of("a")
		bad.Spec.Taints = []v1.Taint{{Key: "x", Effect: "Never"}}
		x.see("", seen(bad))
	}},
}

// TestNodeStories tells what State hears of nodes, observation by observation.
func TestNodeStories(t *testing.T) {
	for _, story := range nodeStories {
		t.Run(story.why, func(t *testing.T) {
			x := newTold(t)
			x.see("NodeAdded a", seen(nodeSays{}.of("a")))
			story.it(x)
		})
	}
}

// TestObjectStories tells what State hears of budgets: other objects are the same, but that
// nothing is decided about them.
func TestObjectStories(t *testing.T) {
	x := newTold(t)
	x.see("ObjectSet", seen(budgetOf("b", 1)))
	x.see("", seen(budgetOf("b", 1)))
	x.see("ObjectSet", seen(budgetOf("b", 2)))
	has := func(want int32) {
		t.Helper()
		if got := x.state.Budgets.Get("default", "b").Allowed; got != want {
			t.Errorf("the budget allows %d, want %d", got, want)
		}
	}
	store := func(allowed int32) *job {
		jobs := x.decide(func(s *cluster.State) {
			b := *s.Budgets.Get("default", "b")
			b.Allowed = allowed
			s.Store(&b)
		})
		return jobs[0]
	}
	j := store(5)
	has(5)
	x.see("", done(j))
	x.see("", seen(budgetOf("b", 5)))
	j = store(6)
	x.see("Rejected Store 409", failed(j, 409))
	has(5)
	j = store(7)
	x.see("ObjectSet", seen(budgetOf("b", 8)))
	x.see("Rejected Store 409", failed(j, 409))
	has(8)
	if jobs := x.decide(func(s *cluster.State) { s.Store(&cluster.DisruptionBudget{Namespace: "default", Name: "none"}) }); jobs != nil {
		t.Errorf("%d requests are made about a budget that isn't there", len(jobs))
	}
	x.see("Rejected Store 404")
	x.see("ObjectSet, ObjectSet", seen(budgetOf("c", 1)), seen(budgetOf("d", 1)))
	box := all(&policyv1.PodDisruptionBudget{}, budgetOf("d", 1))
	box.of.kind = "PodDisruptionBudget"
	x.see("ObjectRemoved, ObjectRemoved", box)
	if x.state.Budgets.Len() != 1 {
		t.Errorf("%d budgets are left", x.state.Budgets.Len())
	}
}

// TestAnswersToCreate answers the creation of a pod.
func TestAnswersToCreate(t *testing.T) {
	x := newTold(t)
	spec := &cluster.PodSpec{Name: "new", Class: &cluster.Class{Namespace: "default"}}
	jobs := x.decide(func(s *cluster.State) { s.Create(spec); s.Create(spec) })
	x.see("", done(jobs[0]))
	x.see("Rejected Create 409", failed(jobs[1], 409))
	x.see("", failed(jobs[1], 409))
	if lanes := []string{jobs[0].lane, jobs[1].lane}; lanes[0] != lanes[1] || !slices.Contains(lanes, "pod default/new") {
		t.Errorf("they are done in %v", lanes)
	}
}
