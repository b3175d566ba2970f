package schedulertest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestInOtherRows compares two States name by name.
func TestInOtherRows(t *testing.T) {
	moved := 0
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := RandomState(rng, 1+rng.IntN(20))
		for range 5 {
			Churn(rng, s)
		}
		asks := AddPod(s, rng, "asks")
		twin, rows := InOtherRows(rng, s)
		if s.Now != twin.Now || s.Seed != twin.Seed || s.Pending() != twin.Pending() || len(s.Nodes.Live()) != len(twin.Nodes.Live()) {
			t.Fatalf("seed %d: the States differ in time, seed, or the number of nodes or pending pods", seed)
		}
		if twin.Pods.Name[rows[asks]] != "asks" || twin.Pods.Phase[rows[asks]] != cluster.Pending {
			t.Fatalf("seed %d: the pending pod is not there", seed)
		}
		for i, n := range s.Nodes.Live() {
			m := twin.Nodes.Live()[i]
			if n != m {
				moved++
			}
			equalNodes(t, s, n, twin, m)
			here, there := slices.Collect(s.PodsOn(n)), slices.Collect(twin.PodsOn(m))
			if len(here) != len(there) {
				t.Fatalf("seed %d, node %s: %d pods, and %d", seed, s.Nodes.Name[n], len(here), len(there))
			}
			for j, p := range here {
				q := there[j]
				if rows[p] != q || s.PodName(p) != twin.PodName(q) || s.Pods.Allocation[p] != twin.Pods.Allocation[q] || s.Pods.Arrived[p] != twin.Pods.Arrived[q] {
					t.Fatalf("seed %d: pod %s is not %s", seed, s.PodName(p), twin.PodName(q))
				}
			}
		}
	}
	if moved < 100 {
		t.Errorf("only %d nodes have other rows", moved)
	}
}

func equalNodes(t *testing.T, s *cluster.State, n cluster.NodeID, twin *cluster.State, m cluster.NodeID) {
	t.Helper()
	if s.Nodes.Name[n] != twin.Nodes.Name[m] || s.GPUModel(n) != twin.GPUModel(m) || !slices.Equal(s.Nodes.GPUFree[n], twin.Nodes.GPUFree[m]) ||
		s.Nodes.EstimatedCPU[n] != twin.Nodes.EstimatedCPU[m] || s.Nodes.EstimatedMemory[n] != twin.Nodes.EstimatedMemory[m] {
		t.Fatalf("node %s is not %s, which stands in its place", s.Nodes.Name[n], twin.Nodes.Name[m])
	}
	for r := range s.Nodes.Cap {
		r := cluster.Resource(r)
		other := twin.Resource(s.ResourceName(r))
		if s.Nodes.Cap[r][n] != twin.Nodes.Cap[other][m] || s.Nodes.Used[r][n] != twin.Nodes.Used[other][m] {
			t.Fatalf("node %s has another amount of %s", s.Nodes.Name[n], s.ResourceName(r))
		}
	}
}

// TestRandomIsVaried holds what plugins are tried on to being worth it: pods
// that fit somewhere but not everywhere, rows that change hands, pods on nodes
// that are gone.
func TestRandomIsVaried(t *testing.T) {
	var nowhere, somewhere, everywhere, reused, onGone int
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := RandomState(rng, 1+rng.IntN(40))
		for range 10 {
			names := slices.Clone(s.Nodes.Name)
			Churn(rng, s)
			for n, name := range names {
				if s.Nodes.Name[n] != name {
					reused++
				}
			}
			for _, n := range s.Pods.Node {
				if n != cluster.None && !slices.Contains(s.Nodes.Live(), n) {
					onGone++
				}
			}
			switch p := AddPod(s, rng, "asks"); len(feasible(s, p)) {
			case 0:
				nowhere++
			case len(s.Nodes.Live()):
				everywhere++
			default:
				somewhere++
			}
		}
	}
	if nowhere < 20 || somewhere < 200 || everywhere < 5 || reused < 20 || onGone < 20 {
		t.Errorf("of 400 pods %d fit nowhere, %d somewhere, %d everywhere; %d rows changed hands, %d pods were on nodes that are gone",
			nowhere, somewhere, everywhere, reused, onGone)
	}
}
