package replay

import (
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestWatched goes through what may happen to a cluster, and wants what others made of it to be
// an outcome.
func TestWatched(t *testing.T) {
	node := func(keys ...string) *cluster.NodeSpec {
		spec := &cluster.NodeSpec{Name: "n"}
		for _, key := range keys {
			spec.Taints = append(spec.Taints, cluster.Taint{Key: key, Effect: cluster.NoExecute})
		}
		return spec
	}
	budget := func(generation int64, allowed int32) *cluster.DisruptionBudget {
		return &cluster.DisruptionBudget{Namespace: "a", Name: "b", Generation: generation, Allowed: allowed}
	}
	changed := func(was, is *cluster.NodeSpec) cluster.Event {
		return cluster.Event{Kind: cluster.NodeChanged, OldNode: was, NodeSpec: is}
	}
	set := func(o cluster.Object) cluster.Event { return cluster.Event{Kind: cluster.ObjectSet, Object: o} }
	outside := Watched()
	for _, test := range []struct {
		why  string
		e    cluster.Event
		want bool
	}{
		{"a pod comes", cluster.Event{Kind: cluster.PodAdded}, true},
		{"it is bound", cluster.Event{Kind: cluster.PodChanged}, false},
		{"it is told to end", cluster.Event{Kind: cluster.PodTold}, false},
		{"it has ended", cluster.Event{Kind: cluster.PodEnded}, false},
		{"a node falls silent", cluster.Event{Kind: cluster.NodeHeard}, true},
		{"and is found to be", changed(node("x"), node("x", cluster.TaintUnreachable)), false},
		{"and is back", changed(node(cluster.TaintNotReady, "x"), node("x")), false},
		{"somebody taints a node", changed(node(), node("x")), true},
		{"both at once", changed(node(), node("x", cluster.TaintNotReady)), true},
		{"a new label", changed(node(), node()), true},
		{"a budget", set(budget(1, 0)), true},
		{"is counted", set(budget(1, 2)), false},
		{"and asks for something else", set(budget(2, 2)), true},
		{"is gone", cluster.Event{Kind: cluster.ObjectRemoved, Object: budget(2, 2)}, true},
		{"and another of its name is there", set(budget(2, 3)), true},
	} {
		if got := outside(nil, &test.e); got != test.want {
			t.Errorf("%s: from outside is %v, want %v", test.why, got, test.want)
		}
	}
}
