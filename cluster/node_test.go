package cluster

import (
	"fmt"
	"slices"
	"testing"
)

// TestNodeComesBack removes a node with a pod that runs, one that ends and one that is only
// assumed there, and adds it anew.
func TestNodeComesBack(t *testing.T) {
	s := NewState()
	add := Event{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n", Capacity: Amounts{CPU: 1000, PodSlots: 9}, GPUs: 2}}
	s.Observe(0, []Event{add, {Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "other"}}})
	for i := range 4 {
		s.Observe(0, []Event{{Kind: PodAdded, PodSpec: &PodSpec{Name: fmt.Sprint("p", i), Class: &Class{Requests: Amounts{CPU: 100}, GPUs: GPURequest{Count: 1, Shares: 300}}}}})
		s.Bind(PodID(i), 0, Allocation{GPUs: GPUSet(0).With(1 - i/3)})
		s.TakeDecisions()
	}
	s.Observe(1, []Event{{Kind: PodBound, Pod: 0}, {Kind: PodBound, Pod: 1}, {Kind: PodBound, Pod: 2}, {Kind: NodeRemoved, Node: 0}})
	s.Delete(1, DeletionByTaint)
	s.TakeDecisions()
	s.Observe(2, []Event{{Kind: PodEnded, Pod: 2}})
	s.Observe(3, []Event{add})
	n, _ := s.Nodes.Named("n")
	if n == 0 || !slices.Equal(slices.Collect(s.PodsOn(n)), []PodID{0, 1}) || !slices.Equal(slices.Collect(s.PodsOn(0)), []PodID{3}) {
		t.Errorf("on row %d are the pods %v, on row 0 still %v", n, slices.Collect(s.PodsOn(n)), slices.Collect(s.PodsOn(0)))
	}
	if s.Nodes.Used[CPU][n] != 200 || fmt.Sprint(s.Nodes.GPUFree[n]) != "[1000 400]" || s.Pods.Phase[1] != Terminating {
		t.Errorf("%d milli-CPUs are used, %v shares are free, a pod that was to end is %v", s.Nodes.Used[CPU][n], s.Nodes.GPUFree[n], s.Pods.Phase[1])
	}
	// What was assumed can't be carried out; then the row is free, and the next node has it.
	s.Observe(4, []Event{{Kind: Rejected, Pod: 3, Decision: Decision{Kind: Bind, Pod: 3, Node: 0}}})
	s.Observe(5, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "new"}}})
	if row, _ := s.Nodes.Named("new"); row != 0 {
		t.Errorf("row 0 is empty, and a new node has row %d", row)
	}
	// It comes back once.
	s.Observe(6, []Event{{Kind: NodeRemoved, Node: n}, {Kind: PodEnded, Pod: 0}, {Kind: PodEnded, Pod: 1}, add})
	if n, _ := s.Nodes.Named("n"); s.Nodes.Used[CPU][n] != 0 {
		t.Errorf("%d milli-CPUs are used by nobody", s.Nodes.Used[CPU][n])
	}
	// Rows that are empty before it does are spare once.
	s.Observe(7, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "a"}}, {Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "b"}}})
	s.Observe(8, []Event{{Kind: PodAdded, PodSpec: &PodSpec{Name: "on-b", On: "b", Class: &Class{}}}})
	a, _ := s.Nodes.Named("a")
	b, _ := s.Nodes.Named("b")
	onB := slices.Collect(s.PodsOn(b))
	s.Observe(9, []Event{{Kind: NodeRemoved, Node: b}, {Kind: PodEnded, Pod: onB[0]}, {Kind: NodeRemoved, Node: a}})
	for _, name := range []string{"b", "c", "d"} {
		s.Observe(10, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: name}}})
	}
	rows := slices.Sorted(slices.Values(s.Nodes.Live()))
	if len(slices.Compact(slices.Clone(rows))) != len(rows) {
		t.Errorf("two nodes share a row: %v", rows)
	}
}
