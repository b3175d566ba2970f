package kube

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// TestDry tells what State hears when nobody carries out what is decided, but others may.
func TestDry(t *testing.T) {
	x := newTold(t)
	x.tr.dry = true
	x.see("NodeAdded a, PodAdded p, PodAdded q on a", seen(nodeSays{}.of("a")), seen(podSays{}.of("p")), seen(podSays{on: "a", ready: true}.of("q")))
	has := func(want ...string) {
		t.Helper()
		var got []string
		for _, taint := range x.state.Nodes.Taints[x.node("a")] {
			got = append(got, taint.Key)
		}
		if len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
			t.Errorf("a has the taints %q, want %q", got, want)
		}
	}
	x.decide(func(s *cluster.State) { s.AddTaint(x.node("a"), taintGone) })
	x.see("NodeChanged a x gone", seen(nodeSays{taints: []string{"x"}}.of("a")))
	x.decide(func(s *cluster.State) { s.RemoveTaint(x.node("a"), taintGone) })
	has("x")
	x.see("NodeChanged a x", seen(nodeSays{taints: []string{"x"}, version: 1}.of("a")))
	x.see("NodeChanged a", seen(nodeSays{version: 2}.of("a")))
	has()
	x.decide(func(s *cluster.State) { s.AddTaint(x.node("a"), taintGone) })
	x.see("NodeChanged a gone", seen(nodeSays{taints: []string{"gone"}}.of("a"))) // somebody else did
	x.see("NodeChanged a", seen(nodeSays{}.of("a")))

	x.decide(func(s *cluster.State) { s.SetConditions(x.node("a"), readyUnknown) })
	x.see("", seen(nodeSays{version: 3}.of("a")))
	x.see("", seen(nodeSays{ready: v1.ConditionUnknown}.of("a"))) // somebody else did
	x.see("NodeHeard a True lease=0 posts=9", seen(nodeSays{posted: 10}.of("a")))

	x.decide(func(s *cluster.State) { s.MarkUnready(x.pod("q")); s.Nominate(x.pod("p"), x.node("a")) })
	x.see("PodReady q a true", seen(podSays{on: "a", ready: true, version: 1}.of("q")))
	x.see("PodChanged p for a", seen(podSays{label: "x"}.of("p")))
	x.see("", seen(podSays{label: "x", nominated: "a"}.of("p")))
	x.see("PodChanged p", seen(podSays{label: "x"}.of("p")))

	x.decide(func(s *cluster.State) { s.Evict(x.pod("q")) })
	x.see("", seen(podSays{on: "a", ready: true, version: 2}.of("q")))
	x.is("q", cluster.Terminating, "a")
	x.see("PodTold q a", seen(podSays{on: "a", ready: true, deleted: true}.of("q")))
	if len(x.tr.flights) != 0 {
		t.Errorf("%d decisions are under way still", len(x.tr.flights))
	}
}
