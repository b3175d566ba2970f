package cluster

import (
	"fmt"
	"testing"
)

// newPod adds a pod, and returns its row.
func newPod(s *State, spec PodSpec) PodID {
	events := []Event{{Kind: PodAdded, PodSpec: &spec}}
	s.Observe(s.Now, events)
	return events[0].Pod
}

func stateWithNode(name string) (*State, NodeID) {
	s := NewState()
	events := []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: name, Capacity: Amounts{CPU: 1000, PodSlots: 10}}}}
	s.Observe(0, events)
	return s, events[0].Node
}

// TestChangesFollowPods adds up what the log tells, over more than it holds, and wants
// the pods that there are; whoever is too far behind is told so.
func TestChangesFollowPods(t *testing.T) {
	s, n := stateWithNode("n")
	position, on, staying := uint64(0), 0, 0
	read := func() {
		t.Helper()
		list, now, ok := s.ChangesSince(position)
		if !ok {
			t.Fatalf("position %d of %d is too long ago", position, now)
		}
		for _, c := range list {
			on, staying = on+int(c.On), staying+int(c.Staying)
		}
		position = now
	}
	for i := range 3 * minChanges {
		p := newPod(s, PodSpec{Name: fmt.Sprint("p", i), Class: &Class{Namespace: "d"}})
		s.Bind(p, n, Allocation{})
		if i%2 == 0 {
			s.Evict(p)
		}
		s.TakeDecisions()
		read()
		if want := 1 - (i+1)%2; on != 1 || staying != want {
			t.Fatalf("pod %d: %d pods on the node, %d that stay; want 1 and %d", i, on, staying, want)
		}
		s.Observe(s.Now, []Event{{Kind: PodEnded, Pod: p, Node: n}})
		read()
		if on != 0 || staying != 0 {
			t.Fatalf("pod %d has ended: %d pods on the node, %d that stay", i, on, staying)
		}
	}
	if _, _, ok := s.ChangesSince(0); ok {
		t.Error("the log holds everything since the beginning")
	}
}

// TestUndoneChangesAreForgotten wants nothing of a trial in the log, unless it was read.
func TestUndoneChangesAreForgotten(t *testing.T) {
	s, n := stateWithNode("n")
	p := newPod(s, PodSpec{Name: "p", Class: &Class{Namespace: "d"}})
	before, mark := s.LastChange(), s.Mark()
	s.Try(p, n, Allocation{})
	s.Undo(mark)
	if now := s.LastChange(); now != before {
		t.Errorf("a trial that nobody has seen left %d changes", now-before)
	}
	s.Try(p, n, Allocation{})
	s.ChangesSince(before)
	s.Undo(mark)
	list, _, ok := s.ChangesSince(before)
	if !ok || len(list) != 2 || list[0].On+list[1].On != 0 {
		t.Errorf("a trial that was read left %v (%t), want it and its inverse", list, ok)
	}
}

// TestBoundPodGetsNoNomination has a pod hope for a node, get another, and the node join.
func TestBoundPodGetsNoNomination(t *testing.T) {
	s, n := stateWithNode("n")
	p := newPod(s, PodSpec{Name: "p", Class: &Class{Namespace: "d"}, Nominated: "later"})
	if s.Hope(p) != "later" {
		t.Fatalf("it hopes for %q", s.Hope(p))
	}
	s.Bind(p, n, Allocation{})
	s.TakeDecisions()
	s.Observe(s.Now, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "later"}}})
	if s.AnyNominee() || s.Pods.Nominated[p] != None {
		t.Error("a node is kept for a pod that is bound")
	}
}
