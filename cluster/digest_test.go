package cluster

import "testing"

// TestDigest holds the digest to a value noted when it was introduced, and
// checks that it differs if anything does.
func TestDigest(t *testing.T) {
	sum := func(change func(s *State, d *Decision)) string {
		s := NewState()
		events := []Event{
			{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n1", GPUs: 2}},
			{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n2", GPUs: 2}},
			{Kind: PodAdded, PodSpec: &PodSpec{Name: "p1", Class: &Class{Namespace: "a"}}},
			{Kind: PodAdded, PodSpec: &PodSpec{Name: "p2", Class: &Class{Namespace: "a"}}},
			{Kind: PodAdded, PodSpec: &PodSpec{Name: "p1", Class: &Class{Namespace: "b"}}},
		}
		s.Observe(5*Second, events)
		d := Decision{Kind: Bind, Allocation: Allocation{1}}
		if change != nil {
			change(s, &d)
		}
		h := NewDigest()
		if err := h.Record(s, nil, []Decision{d, d}); err != nil {
			t.Fatal(err)
		}
		return h.Sum()
	}
	const want = "26cb85a3d7af3915a8ca96aa063b2d20db420a4361c234344e5b637cd2ab043d"
	seen := map[string]string{sum(nil): "base"}
	if got := sum(nil); got != want {
		t.Errorf("digest = %s, want %s", got, want)
	}
	for name, change := range map[string]func(*State, *Decision){
		"time":      func(s *State, _ *Decision) { s.Now++ },
		"kind":      func(_ *State, d *Decision) { d.Kind = Evict },
		"pod":       func(_ *State, d *Decision) { d.Pod = 1 },
		"namespace": func(_ *State, d *Decision) { d.Pod = 2 },
		"node":      func(_ *State, d *Decision) { d.Node = 1 },
		"devices":   func(_ *State, d *Decision) { d.GPUs = 2 },
	} {
		got := sum(change)
		if other, ok := seen[got]; ok {
			t.Errorf("with another %s the digest is that of %s", name, other)
		}
		seen[got] = name
	}
}

// TestDigestOfManyDecisions checks that buffering loses nothing.
func TestDigestOfManyDecisions(t *testing.T) {
	s := NewState()
	s.Observe(0, []Event{
		{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: "n"}},
		{Kind: PodAdded, PodSpec: &PodSpec{Name: "p", Class: &Class{}}},
	})
	seen := map[string]int{}
	h := NewDigest()
	for i := range 1000 {
		if other, ok := seen[h.Sum()]; ok {
			t.Fatalf("the digests after %d and %d decisions are equal", other, i)
		}
		seen[h.Sum()] = i
		if err := h.Record(s, nil, []Decision{{Kind: Bind}}); err != nil {
			t.Fatal(err)
		}
	}
	whole := NewDigest()
	for range 1000 {
		if err := whole.Record(s, nil, []Decision{{Kind: Bind}}); err != nil {
			t.Fatal(err)
		}
	}
	if whole.Sum() != h.Sum() {
		t.Error("the digest depends on when it is looked at")
	}
}
