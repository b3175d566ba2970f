package generate_test

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

func text(t *testing.T, s *scenario.Scenario) string {
	t.Helper()
	var b strings.Builder
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReproducible makes each scenario twice and wants the same text.
func TestReproducible(t *testing.T) {
	for i := range uint64(20) {
		o := generate.Options{Nodes: 20, Pods: 20, Loose: i%2 == 0}
		first, second := generate.Scenario(7, i, o), generate.Scenario(7, i, o)
		if text(t, first) != text(t, second) {
			t.Fatalf("index %d differs from itself", i)
		}
	}
	if text(t, generate.Scenario(7, 1, generate.Options{})) == text(t, generate.Scenario(8, 1, generate.Options{})) {
		t.Error("the seed has no effect")
	}
}

// TestSizes holds the numbers of nodes to what the package promises.
func TestSizes(t *testing.T) {
	const n = 300
	above := 0
	seen := map[int]bool{}
	for i := range uint64(n) {
		nodes := 0
		for _, step := range generate.Scenario(1, i, generate.Options{Pods: 1}).Steps {
			if _, ok := step.Object.(*v1.Node); ok && step.Verb == scenario.Add {
				nodes++
			}
		}
		if nodes < 5 || nodes > 301 { // one may be added later
			t.Errorf("index %d has %d nodes", i, nodes)
		}
		if nodes > 100 {
			above++
		}
		seen[nodes] = true
	}
	if above < n/3 {
		t.Errorf("%d of %d clusters have more than 100 nodes, want a third", above, n)
	}
	for _, nodes := range []int{5, 99, 100, 101, 300} {
		if !seen[nodes] {
			t.Errorf("no cluster of %d nodes", nodes)
		}
	}
}

// FuzzBytes plays what comes of any bytes; the oracle checks that upstream agrees with itself.
func FuzzBytes(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("sharp corners"))
	f.Add([]byte{1, 0, 2, 0, 3, 0, 255, 255, 128, 128, 7, 7, 9, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := lockstep.Run(generate.FromBytes(data, generate.Options{}), nil); err != nil {
			t.Fatal(err)
		}
	})
}
