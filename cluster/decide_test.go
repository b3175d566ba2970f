package cluster

import (
	"fmt"
	"testing"
)

// TestRejectedIsInverse wants State to be as before, once what was decided can't be carried out.
func TestRejectedIsInverse(t *testing.T) {
	taint := Taint{Key: "k", Effect: NoExecute}
	for _, c := range []struct {
		kind Kind
		do   func(*State)
	}{
		{AddTaint, func(s *State) { s.AddTaint(0, taint) }},
		{RemoveTaint, func(s *State) { s.RemoveTaint(0, Taint{Key: "old", Effect: NoSchedule}) }},
		{SetConditions, func(s *State) { s.SetConditions(0, Conditions{ConditionUnknown}) }},
		{MarkUnready, func(s *State) { s.MarkUnready(0) }},
		{Evict, func(s *State) { s.Evict(0) }},
		{Evict, func(s *State) { s.Delete(0, DeletionByTaint) }},
		{Preempt, func(s *State) { s.Preempt(0) }},
		{RequestEviction, func(s *State) { s.RequestEviction(0) }},
		{Finalise, func(s *State) { s.Finalise(0, DeletionByPodGC) }},
		{Create, func(s *State) { s.Create(&PodSpec{Name: "q", Class: &Class{}}) }},
		{Store, func(s *State) { s.Store(&DisruptionBudget{Name: "b", Allowed: 2}) }},
		{Store, func(s *State) { s.Store(&DisruptionBudget{Name: "new"}) }},
	} {
		s := NewState()
		s.Observe(0, []Event{
			{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n", Taints: []Taint{{Key: "old", Effect: NoSchedule}}, Health: NodeHealth{Conditions: Healthy}}},
			{Kind: PodAdded, PodSpec: &PodSpec{Name: "p", On: "n", Class: &Class{}}},
			{Kind: ObjectSet, Object: &DisruptionBudget{Name: "b", Allowed: 1}},
		})
		content := func() string {
			return fmt.Sprint(s.Nodes.Taints, s.Nodes.Health, s.Pods.Phase, s.Pods.Unready, s.Pods.Preempted, s.Budgets.Len(), s.Budgets.Get("", "b").Allowed, s.Budgets.Get("", "new"))
		}
		before := content()
		c.do(s)
		ds := s.TakeDecisions()
		if len(ds) != 1 || ds[0].Kind != c.kind {
			t.Fatalf("%v gives the decisions %v", c.kind, ds)
		}
		if content() == before && c.kind != Create {
			t.Errorf("%v doesn't show", c.kind)
		}
		if sumOf(s, ds[0]) == sumOf(s, Decision{Kind: c.kind, Pod: ds[0].Pod, Node: ds[0].Node}) && ds[0].Detail != nil {
			t.Errorf("the digest does not tell what %v says", c.kind)
		}
		s.Observe(1, []Event{{Kind: Rejected, Pod: ds[0].Pod, Node: ds[0].Node, Decision: ds[0]}})
		if after := content(); after != before {
			t.Errorf("%v rejected: %s, was %s", c.kind, after, before)
		}
	}
}

func sumOf(s *State, d Decision) string {
	h := NewDigest()
	h.add(s, &d)
	return h.Sum()
}

func TestBeats(t *testing.T) {
	for _, c := range []struct {
		beats Beats
		now   Time
		want  string
	}{
		{Beats{}, 100, "0 false"},
		{Beat(5), 4, "0 false"},
		{Beat(5), 5, "5 true"},
		{Beat(5), 500, "5 true"},
		{Beat(-5), 0, "-5 true"},
		{Beats{3, 10, Never}, 2, "0 false"},
		{Beats{3, 10, Never}, 12, "3 true"},
		{Beats{3, 10, Never}, 13, "13 true"},
		{Beats{3, 10, 33}, 100, "23 true"},
		{Beats{3, 10, 34}, 100, "33 true"},
		{Beats{-7, 10, Never}, 0, "-7 true"},
		{Beats{-7, 10, Never}, 3, "3 true"},
	} {
		at, ok := c.beats.Latest(c.now)
		if got := fmt.Sprint(int64(at), ok); got != c.want {
			t.Errorf("%v at %d: %s instead of %s", c.beats, c.now, got, c.want)
		}
	}
}

func TestIsReady(t *testing.T) {
	s := NewState()
	s.Observe(0, []Event{
		{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n", Capacity: Amounts{PodSlots: 3}}},
		{Kind: PodAdded, PodSpec: &PodSpec{Name: "p", Class: &Class{}}},
	})
	expect := func(why string, want bool) {
		t.Helper()
		if s.IsReady(0) != want {
			t.Errorf("%s: IsReady is %t", why, !want)
		}
	}
	expect("pending", false)
	s.Bind(0, 0, Allocation{})
	expect("assumed", false)
	s.TakeDecisions()
	s.Observe(1, []Event{{Kind: PodBound, Pod: 0, Node: 0}})
	expect("bound", true)
	s.MarkUnready(0)
	expect("marked", false)
	s.TakeDecisions()
	s.Observe(2, []Event{{Kind: PodReady, Pod: 0, Ready: true}})
	expect("ready again", true)
	s.Observe(3, []Event{{Kind: PodReady, Pod: 0}})
	expect("not ready", false)
}

// TestFinaliseOffNodes finalises pods that State has on no node, and has it undone and
// rejected.
func TestFinaliseOffNodes(t *testing.T) {
	s := NewState()
	s.Observe(0, []Event{
		{Kind: PodAdded, PodSpec: &PodSpec{Name: "ending", Terminating: true, Class: &Class{}}},
		{Kind: PodAdded, PodSpec: &PodSpec{Name: "stray", On: "lost", Class: &Class{}}},
	})
	for p, want := range []Phase{Terminating, Bound} {
		p := PodID(p)
		if got := s.Stray(p); (got == "lost") != (p == 1) {
			t.Errorf("%s is on the unknown node %q", s.PodName(p), got)
		}
		mark := s.Mark()
		s.Finalise(p, DeletionByPodGC)
		if s.Pods.Phase[p] != Terminating {
			t.Errorf("%s is %v", s.PodName(p), s.Pods.Phase[p])
		}
		s.Undo(mark)
		if s.Pods.Phase[p] != want {
			t.Errorf("undone, %s is %v", s.PodName(p), s.Pods.Phase[p])
		}
		s.Finalise(p, DeletionByPodGC)
		d := s.TakeDecisions()[0]
		s.Observe(1, []Event{{Kind: Rejected, Pod: p, Node: None, Decision: d}})
		if s.Pods.Phase[p] != want {
			t.Errorf("rejected, %s is %v", s.PodName(p), s.Pods.Phase[p])
		}
	}
	// It is described again, and is on its node once for all that.
	s.Observe(2, []Event{{Kind: PodChanged, Pod: 1, PodSpec: &PodSpec{Name: "stray", On: "lost", Class: &Class{}}}})
	s.Observe(2, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "lost"}}})
	if s.Nodes.Used[PodSlots][0] != 1 {
		t.Errorf("%d pods are on the node", s.Nodes.Used[PodSlots][0])
	}
	if s.Stray(1) != "" || s.Pods.Node[1] == None {
		t.Error("the node has come, and its pod is a stray still")
	}
	s.Observe(3, []Event{{Kind: PodAdded, PodSpec: &PodSpec{Name: "again", On: "nowhere", Class: &Class{}}}, {Kind: PodEnded, Pod: 2}})
	if s.Stray(2) != "" {
		t.Error("a pod that has ended is a stray")
	}
}
