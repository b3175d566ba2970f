package plugins_test

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

const (
	nic  = "example.com/nic"
	huge = "hugepages-2Mi"
)

func extended(name string, amount int64) []cluster.NamedAmount {
	return []cluster.NamedAmount{{Name: name, Amount: amount}}
}

// TestFitFilter asks about a node with 4 CPUs, 8 bytes of memory, 6 of ephemeral
// storage, 3 pods and 2 NICs, of which one pod has 1, 2, 3 and 1.
func TestFitFilter(t *testing.T) {
	requests := func(cpu, memory, storage int64) cluster.Class {
		return cluster.Class{Requests: cluster.Amounts{cluster.CPU: cpu, cluster.Memory: memory, cluster.EphemeralStorage: storage}}
	}
	tests := []struct {
		name  string
		class cluster.Class
		want  string
	}{
		{"nothing", cluster.Class{}, "n:ok"},
		{"all that is left", requests(3000, 6, 3), "n:ok"},
		{"CPU", requests(3001, 0, 0), "n:2 Insufficient cpu"},
		{"all the CPU there is", requests(4000, 0, 0), "n:2 Insufficient cpu"},
		{"more CPU than there is", requests(4001, 0, 0), "n:3 Insufficient cpu"},
		{"memory", requests(0, 7, 0), "n:2 Insufficient memory"},
		{"more memory than there is", requests(0, 9, 0), "n:3 Insufficient memory"},
		{"ephemeral storage", requests(0, 0, 4), "n:2 Insufficient ephemeral-storage"},
		{"more ephemeral storage than there is", requests(0, 0, 7), "n:3 Insufficient ephemeral-storage"},
		{"everything", requests(4000, 8, 6), "n:2 Insufficient cpu, Insufficient memory, Insufficient ephemeral-storage"},
		{"one of two never fits", requests(4000, 9, 0), "n:3 Insufficient cpu, Insufficient memory"},
		{"the other never fits", requests(4001, 8, 0), "n:3 Insufficient cpu, Insufficient memory"},
		{"the last NIC", cluster.Class{Extended: extended(nic, 1)}, "n:ok"},
		{"two NICs", cluster.Class{Extended: extended(nic, 2)}, "n:2 Insufficient example.com/nic"},
		{"three NICs", cluster.Class{Extended: extended(nic, 3)}, "n:3 Insufficient example.com/nic"},
		{"what no node has", cluster.Class{Extended: extended(huge, 1)}, "n:3 Insufficient hugepages-2Mi"},
		{"by name", cluster.Class{Extended: []cluster.NamedAmount{{Name: "a.com/x", Amount: 1}, {Name: nic, Amount: 2}, {Name: "z.com/x", Amount: 1}},
			Requests: cluster.Amounts{cluster.Memory: 7}},
			"n:3 Insufficient memory, Insufficient a.com/x, Insufficient example.com/nic, Insufficient z.com/x"},
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "n", Extended: extended(nic, 2), Capacity: cluster.Amounts{
			cluster.CPU: 4000, cluster.Memory: 8, cluster.EphemeralStorage: 6, cluster.PodSlots: 2}})
		running := requests(1000, 2, 3)
		running.Extended = extended(nic, 1)
		w.on("n", running)
		if got := w.filter(t, plugins.NodeResourcesFit, "", tt.class); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestFitCountsPods checks that too many pods are never out of preemption's
// reach, and come first among the reasons.
func TestFitCountsPods(t *testing.T) {
	w := newWorld()
	w.join(cluster.NodeSpec{Name: "free", Capacity: cluster.Amounts{cluster.PodSlots: 2}})
	w.join(cluster.NodeSpec{Name: "full", Capacity: cluster.Amounts{cluster.PodSlots: 1}})
	w.join(cluster.NodeSpec{Name: "none"})
	w.on("free", cluster.Class{})
	w.on("full", cluster.Class{})
	if got, want := w.filter(t, plugins.NodeResourcesFit, "", cluster.Class{}),
		"free:ok\nfull:2 Too many pods\nnone:2 Too many pods"; got != want {
		t.Errorf("a pod that requests nothing: %s; want %s", got, want)
	}
	if got, want := w.filter(t, plugins.NodeResourcesFit, "", cluster.Class{Requests: cluster.Amounts{cluster.CPU: 1}}),
		"free:3 Insufficient cpu\nfull:3 Too many pods, Insufficient cpu\nnone:3 Too many pods, Insufficient cpu"; got != want {
		t.Errorf("a pod that requests CPU: %s; want %s", got, want)
	}
}

// TestFitOvercommitted checks that a node with less than nothing free of one
// resource takes pods that want none of it.
func TestFitOvercommitted(t *testing.T) {
	w := newWorld()
	w.join(cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 8, cluster.PodSlots: 9}})
	w.on("n", cluster.Class{Requests: cluster.Amounts{cluster.CPU: 2000}})
	for cpu, want := range map[int64]string{0: "n:ok", 1: "n:2 Insufficient cpu"} {
		if got := w.filter(t, plugins.NodeResourcesFit, "", cluster.Class{Requests: cluster.Amounts{cluster.CPU: cpu, cluster.Memory: 8}}); got != want {
			t.Errorf("%d m: %s; want %s", cpu, got, want)
		}
	}
}

func TestFitIgnores(t *testing.T) {
	const args = `{"ignoredResources": ["example.com/nic", "hugepages-2Mi", "cpu"], "ignoredResourceGroups": ["gone.com", "node.kubernetes.io"]}`
	tests := []struct{ resource, want string }{
		{nic, "n:ok"},
		{"example.com/other", "n:3 Insufficient example.com/other"},
		{"gone.com/a", "n:ok"},
		{"gone.com/b", "n:ok"},
		{"gone.com.au/b", "n:3 Insufficient gone.com.au/b"},
		{huge, "n:3 Insufficient hugepages-2Mi"},                                  // not an extended resource
		{"node.kubernetes.io/a", "n:3 Insufficient node.kubernetes.io/a"},         // Kubernetes' own
		{"requests.example.com/a", "n:3 Insufficient requests.example.com/a"},     // kept for quotas
		{"attachable-volumes-csi-x", "n:3 Insufficient attachable-volumes-csi-x"}, // no slash
		{"cpu", "n:3 Insufficient cpu"},                                           // every cluster has it
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.PodSlots: 9}})
		c := cluster.Class{Extended: extended(tt.resource, 1)}
		if tt.resource == "cpu" {
			c = cluster.Class{Requests: cluster.Amounts{cluster.CPU: 1}}
		}
		if got := w.filter(t, plugins.NodeResourcesFit, args, c); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.resource, got, tt.want)
		}
	}
}

// TestFitIgnoresByEitherOption checks that one of the options is enough, and that
// both may be as long.
func TestFitIgnoresByEitherOption(t *testing.T) {
	for _, args := range []string{
		`{"ignoredResources": ["example.com/nic"]}`,
		`{"ignoredResourceGroups": ["example.com"]}`,
		`{"ignoredResources": ["example.com/nic"], "ignoredResourceGroups": ["gone.com"]}`,
	} {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.PodSlots: 9}})
		if got := w.filter(t, plugins.NodeResourcesFit, args, cluster.Class{Extended: extended(nic, 1)}); got != "n:ok" {
			t.Errorf("%s: %s", args, got)
		}
	}
}

func TestFitArgs(t *testing.T) {
	shape := func(points string) string {
		return `{"scoringStrategy": {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": [` + points + `]}}}`
	}
	weight := func(w string) string {
		return `{"scoringStrategy": {"type": "LeastAllocated", "resources": [{"name": "cpu", "weight": ` + w + `}]}}`
	}
	for args, words := range map[string]string{
		`{"ignoredResourceGroups": ["a.com/b"]}`:                                         "before the slash",
		`{"scoringStrategy": {}}`:                                                        `unknown type ""`,
		`{"scoringStrategy": {"type": "Random"}}`:                                        `unknown type "Random"`,
		`{"scoringStrategy": {"type": "RequestedToCapacityRatio"}}`:                      "not set",
		`{"scoringStrategy": {"type": "MostAllocated", "requestedToCapacityRatio": {}}}`: "is set",
		shape(``):                                       "no points",
		shape(`{"utilization": -1}`):                    "utilization -1",
		shape(`{"utilization": 101}`):                   "utilization 101",
		shape(`{"score": -1}`):                          "score -1",
		shape(`{"score": 11}`):                          "score 11",
		shape(`{"utilization": 5}, {"utilization": 5}`): "must increase",
		shape(`{"utilization": 5}, {"utilization": 4}`): "utilization 4, after 5",
		weight("101"):                                   "weight 101",
		weight("-1"):                                    "weight -1",
		`{"strategy": "LeastAllocated"}`:                "strategy",
	} {
		refuses(t, plugins.NodeResourcesFit, args, words)
	}
	for _, args := range []string{
		weight("100"), weight("1"), weight("0"),
		shape(`{"utilization": 0, "score": 0}, {"utilization": 1, "score": 10}, {"utilization": 100}`),
	} {
		if _, err := plugins.NodeResourcesFit.New(options(args)); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestFitIsFast checks that asking about all nodes at once needs no memory.
func TestFitIsFast(t *testing.T) {
	w := newWorld()
	for _, name := range []string{"a", "b", "c"} {
		w.join(cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{cluster.CPU: 9000, cluster.Memory: 9, cluster.PodSlots: 9}})
	}
	p, nodes, out := w.pending(cluster.Class{Requests: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1}}, ""), slices.Clone(w.Nodes.Live()), make([]int64, 3)
	for _, pl := range []*scheduler.Plugin{
		plugins.NodeResourcesFit, plugins.LeastAllocated, plugins.NodeResourcesBalancedAllocation, plugins.ImageLocality, plugins.TaintToleration,
	} {
		inst := instance[any](t, pl, "")
		allocs := testing.AllocsPerRun(10, func() {
			if f, ok := inst.(scheduler.Filter); ok {
				scheduler.Narrow(f, w.State, p, nodes)
			}
			scheduler.Scores(inst.(scheduler.Scorer), w.State, p, nodes, out)
		})
		if allocs > 0 {
			t.Errorf("%s allocates %v times", pl.Name, allocs)
		}
	}
}
