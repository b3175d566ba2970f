package cluster

import (
	"fmt"
	"testing"
)

// TestImagesAreKnownByNode adds, changes and removes nodes with images, and looks
// at how many have one, of which size, and which.
func TestImagesAreKnownByNode(t *testing.T) {
	s := NewState()
	rows := map[string]NodeID{}
	see := func(what, want string) {
		t.Helper()
		for name, n := range rows {
			on := false
			for _, image := range s.Nodes.Images[n] {
				for _, x := range image.Names {
					on = on || x == "x:1"
				}
			}
			if is := s.Nodes.Image("x:1"); is == nil && on || is != nil && is.On(n) != on {
				t.Errorf("%s: whether x:1 is on %s should be %t", what, name, on)
			}
		}
		got := "none"
		if is := s.Nodes.Image("x:1"); is != nil {
			got = fmt.Sprintf("%d nodes, %d bytes", is.Nodes, is.Bytes)
		}
		if got != want {
			t.Errorf("%s: %s; want %s", what, got, want)
		}
	}
	spec := func(name string, bytes ...int64) *NodeSpec {
		spec := &NodeSpec{Name: name}
		for _, b := range bytes {
			spec.Images = append(spec.Images, Image{Names: []string{"y:1", "x:1"}, Bytes: b})
		}
		return spec
	}
	add := func(spec *NodeSpec) {
		events := []Event{{Kind: NodeAdded, NodeSpec: spec}}
		s.Observe(0, events)
		rows[spec.Name] = events[0].Node
	}
	change := func(spec *NodeSpec) {
		s.Observe(0, []Event{{Kind: NodeChanged, Node: rows[spec.Name], NodeSpec: spec}})
	}
	remove := func(name string) {
		s.Observe(0, []Event{{Kind: NodeRemoved, Node: rows[name]}})
		delete(rows, name)
	}
	see("at first", "none")
	add(spec("a", 100))
	see("a has it", "1 nodes, 100 bytes")
	add(spec("b", 200, 300))
	see("b has it twice, larger", "2 nodes, 100 bytes")
	for i := range 200 {
		add(spec(fmt.Sprint("c", i)))
	}
	add(spec("d", 400))
	see("d has it, far down", "3 nodes, 100 bytes")
	change(spec("a", 150))
	see("a's changes size while others have it", "3 nodes, 100 bytes")
	remove("a")
	see("a leaves", "2 nodes, 100 bytes")
	change(spec("d"))
	see("d's is gone", "1 nodes, 100 bytes")
	change(spec("b", 250))
	see("b's, the only one, changes size", "1 nodes, 250 bytes")
	add(spec("e"))
	see("e gets a's row, without", "1 nodes, 250 bytes")
	remove("b")
	see("b leaves", "none")
	add(spec("f", 500))
	see("f has it", "1 nodes, 500 bytes")
}
