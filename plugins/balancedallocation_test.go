package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

func TestBalancedAllocation(t *testing.T) {
	amounts := func(cpu, memory int64) cluster.Amounts {
		return cluster.Amounts{cluster.CPU: cpu, cluster.Memory: memory}
	}
	tests := []struct {
		name                 string
		capacity, used, pods cluster.Amounts
		want                 string
	}{
		// The deviation of two fractions is half their difference d: evenness 100 - 50*d.
		{"nothing asked", amounts(10, 10), amounts(5, 0), amounts(0, 0), ""},
		{"no change", amounts(10, 10), amounts(2, 2), amounts(3, 3), "n:75"},
		// d from 0 to 0.4: evenness from 100 to 80; 50 + (50-20)/2 = 65.
		{"less even", amounts(10, 10), amounts(2, 2), amounts(5, 1), "n:65"},
		// d from 0.4 to 0: 50 + (50+20)/2 = 85.
		{"more even", amounts(10, 10), amounts(4, 0), amounts(1, 5), "n:85"},
		// d from 1 to 0: evenness from 50 to 100.
		{"as much as can be", amounts(10, 10), amounts(10, 0), amounts(0, 10), "n:100"},
		{"as little as can be", amounts(10, 10), amounts(0, 0), amounts(10, 0), "n:50"},
		// d from 0 to 0.1: evenness 95; 50 + 45/2 = 72.5 → 72.
		{"half a point is cut off", amounts(10, 10), amounts(0, 0), amounts(1, 0), "n:72"},
		// d from 0 to 1/3: evenness 100 - 16.7 = 83.3 → 83; 50 + 33/2 = 66.5 → 66.
		{"evenness is cut off", amounts(3, 10), amounts(0, 0), amounts(1, 0), "n:66"},
		// CPU from 0.5 to 1.5, which counts as 1; memory stays 1: d from 0.5 to 0; 50 + (50+25)/2 = 87.5 → 87.
		{"more than all counts as all", amounts(10, 10), amounts(5, 20), amounts(10, 0), "n:87"},
		{"one resource is always even", amounts(10, 0), amounts(5, 0), amounts(4, 3), "n:75"},
		{"no resources too", amounts(0, 0), amounts(0, 0), amounts(4, 3), "n:75"},
	}
	for _, tt := range tests {
		w := halfFull(tt.capacity, tt.used, nil, nil)
		if got := w.score(t, plugins.NodeResourcesBalancedAllocation, "", cluster.Class{Requests: tt.pods}); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

// TestBalancedAllocationIgnoresEstimates checks that pods count with what they
// request, on the node and incoming.
func TestBalancedAllocationIgnoresEstimates(t *testing.T) {
	w := newWorld()
	w.join(cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1 << 30}})
	w.on("n", cluster.Class{BestEffortCPU: 5, BestEffortMemory: 1})
	if got := w.score(t, plugins.NodeResourcesBalancedAllocation, "", cluster.Class{BestEffortCPU: 1, BestEffortMemory: 1}); got != "" {
		t.Errorf("a pod that asks for nothing: %s", got)
	}
	pod := cluster.Class{BestEffortMemory: 1, Requests: cluster.Amounts{cluster.CPU: 400}, Estimates: &cluster.Estimates{IncomingCPU: 1}}
	// d from 0 to 0.4.
	if got := w.score(t, plugins.NodeResourcesBalancedAllocation, "", pod); got != "n:65" {
		t.Errorf("a pod that asks for CPU: %s; want n:65", got)
	}
}

// TestBalancedAllocationResources scores with more than two resources.
func TestBalancedAllocationResources(t *testing.T) {
	const three = `{"resources": [{"name": "cpu"}, {"name": "memory"}, {"name": "example.com/nic", "weight": 1}]}`
	tests := []struct {
		name string
		args string
		used cluster.Amounts
		pod  cluster.Class
		want string
	}{
		// Fractions 0.6, 0.3, 0.3: mean 0.4, squares 0.04 + 0.01 + 0.01, deviation sqrt(0.02) = 0.1414: evenness
		// 85.86 → 85; before it was 100. 50 + (50-15)/2 = 67.5 → 67.
		{"three", three, nil, cluster.Class{Requests: cluster.Amounts{cluster.CPU: 6, cluster.Memory: 3}, Extended: extended(nic, 3)}, "n:67"},
		// Without NICs wanted, these count for nothing: d from 0 to 0.3, evenness 85; 67.5 → 67.
		{"the third isn't wanted", three, nil, cluster.Class{Requests: cluster.Amounts{cluster.CPU: 6, cluster.Memory: 3}}, "n:67"},
		// Only NICs wanted: 0, 0, 0.9: mean 0.3, 0.09 + 0.09 + 0.36 = 0.54, sqrt(0.18) = 0.4243: 57.57 → 57; 50 + 7/2 = 53.
		{"only the third is wanted", three, nil, cluster.Class{Extended: extended(nic, 9)}, "n:53"},
		// Before: 0.9, 0, 0, evenness 57; after 0.9, 0.9, 0.9: 50 + (50+43)/2 = 96.5 → 96.
		{"more even", three, cluster.Amounts{cluster.CPU: 9}, cluster.Class{Requests: cluster.Amounts{cluster.Memory: 9}, Extended: extended(nic, 9)}, "n:96"},
		{"ephemeral storage, of which the node has none", `{"resources": [{"name": "ephemeral-storage"}, {"name": "cpu"}]}`, nil,
			cluster.Class{Requests: cluster.Amounts{cluster.EphemeralStorage: 1}}, "n:75"},
		{"what no node has", `{"resources": [{"name": "example.com/gone"}]}`, nil, cluster.Class{Requests: cluster.Amounts{cluster.CPU: 5}}, ""},
		{"pods can't be balanced", `{"resources": [{"name": "pods"}]}`, nil, cluster.Class{Requests: cluster.Amounts{cluster.CPU: 5}}, ""},
		{"memory alone isn't wanted", `{"resources": [{"name": "memory"}]}`, nil, cluster.Class{Requests: cluster.Amounts{cluster.CPU: 5}}, ""},
	}
	for _, tt := range tests {
		w := halfFull(cluster.Amounts{cluster.CPU: 10, cluster.Memory: 10, cluster.PodSlots: 10}, tt.used, extended(nic, 10), nil)
		if got := w.score(t, plugins.NodeResourcesBalancedAllocation, tt.args, tt.pod); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

// TestBalancedAllocationRoundsAsUpstream scores pods that take the same share of
// three resources, on nodes that have as much of each. The mean of three times 0.8
// is not quite 0.8 as a float, so that evenness is just under 100; that of three
// times 1/11 is, as long as the squares are those of differences.
func TestBalancedAllocationRoundsAsUpstream(t *testing.T) {
	for _, tt := range []struct {
		capacity, pod int64
		want          string
	}{{5, 4, "n:74"}, {11, 1, "n:75"}} {
		w := halfFull(cluster.Amounts{cluster.CPU: tt.capacity, cluster.Memory: tt.capacity}, nil, extended(nic, tt.capacity), nil)
		pod := cluster.Class{Requests: cluster.Amounts{cluster.CPU: tt.pod, cluster.Memory: tt.pod}, Extended: extended(nic, tt.pod)}
		args := `{"resources": [{"name": "cpu"}, {"name": "memory"}, {"name": "example.com/nic"}]}`
		if got := w.score(t, plugins.NodeResourcesBalancedAllocation, args, pod); got != tt.want {
			t.Errorf("%d of %d: %s; want %s", tt.pod, tt.capacity, got, tt.want)
		}
	}
	// Without CPU the other two count, which are half apart: evenness 75; 50 + (50-25)/2 = 62.5.
	w := halfFull(cluster.Amounts{cluster.Memory: 2}, nil, extended(nic, 2), nil)
	args := `{"resources": [{"name": "cpu"}, {"name": "memory"}, {"name": "example.com/nic"}]}`
	pod := cluster.Class{Requests: cluster.Amounts{cluster.Memory: 2}, Extended: extended(nic, 1)}
	if got := w.score(t, plugins.NodeResourcesBalancedAllocation, args, pod); got != "n:62" {
		t.Errorf("without CPU: %s; want n:62", got)
	}
}

func TestBalancedAllocationArgs(t *testing.T) {
	for args, words := range map[string]string{
		`{"resources": [{"name": "cpu"}, {"name": "cpu"}]}`: "stands twice",
		`{"resources": [{"name": "cpu", "weight": 2}]}`:     "weight 2",
		`{"resources": [{"name": "cpu", "weight": -1}]}`:    "weight -1",
		`{"weights": []}`: "weights",
	} {
		refuses(t, plugins.NodeResourcesBalancedAllocation, args, words)
	}
}
