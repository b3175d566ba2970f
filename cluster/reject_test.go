package cluster

import "testing"

// TestRejectedAndToldToEnd has a pod be bound and told to end at once, and then the one and the
// other rejected: it wants a node again, and its room is free.
func TestRejectedAndToldToEnd(t *testing.T) {
	for _, kind := range []Kind{Preempt, Evict} {
		s := NewState()
		events := []Event{
			{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n", Capacity: Amounts{CPU: 1000, PodSlots: 3}}},
			{Kind: PodAdded, PodSpec: &PodSpec{Name: "p", Class: &Class{Requests: Amounts{CPU: 400}}, Run: Never}},
		}
		s.Observe(0, events)
		n, p := events[0].Node, events[1].Pod
		s.Bind(p, n, Allocation{})
		if kind == Preempt {
			s.Preempt(p)
		} else {
			s.Evict(p)
		}
		ds := append([]Decision(nil), s.TakeDecisions()...)
		if len(ds) != 2 || ds[0].Kind != Bind || ds[1].Kind != kind {
			t.Fatalf("%+v was decided", ds)
		}
		s.Observe(1, []Event{{Kind: Rejected, Pod: p, Node: n, Decision: ds[0]}})
		if s.Pods.Phase[p] != Terminating || s.Pods.Node[p] != None || s.Nodes.Used[CPU][n] != 0 || s.Pending() != 0 {
			t.Errorf("%v: its Bind is rejected: it is %v on %d, %d are used, %d pending", kind, s.Pods.Phase[p], s.Pods.Node[p], s.Nodes.Used[CPU][n], s.Pending())
		}
		s.Observe(2, []Event{{Kind: Rejected, Pod: p, Node: n, Decision: ds[1]}})
		if s.Pods.Phase[p] != Pending || s.Pods.Node[p] != None || s.Pods.Preempted[p] || s.Pending() != 1 {
			t.Errorf("%v is rejected too: it is %v on %d, %d pending", kind, s.Pods.Phase[p], s.Pods.Node[p], s.Pending())
		}
		s.Bind(p, n, Allocation{})
		s.TakeDecisions()
		s.Observe(3, []Event{{Kind: PodBound, Pod: p, Node: n}})
		if s.Pods.Phase[p] != Bound || s.Nodes.Used[CPU][n] != 400 {
			t.Errorf("%v: at last it is %v, and %d are used", kind, s.Pods.Phase[p], s.Nodes.Used[CPU][n])
		}
	}
}
