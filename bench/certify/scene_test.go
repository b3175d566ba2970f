package certify

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestScene has pods come and go and nodes be tainted, and looks back.
func TestScene(t *testing.T) {
	s := cluster.NewState()
	taint := cluster.Taint{Key: "k", Effect: cluster.NoSchedule}
	s.Observe(0, []cluster.Event{
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n1", Taints: []cluster.Taint{taint}}},
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n2"}},
	})
	n1, _ := s.Nodes.Named("n1")
	var sc scene
	a, b := &Pod{Name: "default/a", Node: "n1"}, &Pod{Name: "default/b", Node: "n2"}
	var moments []int
	for _, do := range []func(){
		func() {},
		func() { sc.pod(b, false) },
		func() { sc.pod(a, false) },
		func() { sc.pod(b, true) },
		func() {
			s.Observe(1, []cluster.Event{{Kind: cluster.NodeChanged, Node: n1, NodeSpec: &cluster.NodeSpec{Name: "n1"}}})
		},
		func() {
			s.Observe(2, []cluster.Event{{Kind: cluster.NodeChanged, Node: n1, NodeSpec: &cluster.NodeSpec{Name: "n1", Taints: []cluster.Taint{taint}}}})
		},
		func() { s.Observe(3, []cluster.Event{{Kind: cluster.NodeRemoved, Node: n1}}) },
	} {
		do()
		sc.look(s)
		moments = append(moments, len(sc.changes))
	}
	const onA, onB, tainted = "default/a on n1", "default/b on n2", "n1 has the taint k:NoSchedule"
	for i, want := range [][]string{{tainted}, {onB, tainted}, {onA, onB, tainted}, {onA, tainted}, {onA}, {onA, tainted}, {onA}} {
		if got := sc.at(moments[i]); !slices.Equal(got, want) {
			t.Errorf("moment %d: %q instead of %q", i, got, want)
		}
	}
}
