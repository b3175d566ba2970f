package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// halfFull has a node called n with these amounts, and pods on it that request
// used.
func halfFull(capacity, used cluster.Amounts, extendedCapacity, extendedUsed []cluster.NamedAmount) *world {
	w := newWorld()
	w.join(cluster.NodeSpec{Name: "n", Capacity: capacity, Extended: extendedCapacity})
	w.on("n", cluster.Class{Requests: used, Extended: extendedUsed})
	return w
}

func strategyArgs(kind, resources string) string {
	return `{"scoringStrategy": {"type": "` + kind + `", "resources": [` + resources + `]}}`
}

// TestAllocated scores a pod that requests 1 CPU and 3 bytes of memory.
func TestAllocated(t *testing.T) {
	amounts := func(cpu, memory int64) cluster.Amounts {
		return cluster.Amounts{cluster.CPU: cpu, cluster.Memory: memory}
	}
	tests := []struct {
		name           string
		capacity, used cluster.Amounts
		least, most    string
	}{
		// CPU (4000-1500)*100/4000 = 62.5 → 62, memory (7-5)*100/7 = 28.5 → 28; (62+28)/2 = 45.
		// CPU 1500*100/4000 = 37.5 → 37, memory 5*100/7 = 71.4 → 71; (37+71)/2 = 54.
		{"each part is cut off", amounts(4000, 7), amounts(500, 2), "n:45", "n:54"},
		// CPU (3000-1000)*100/3000 = 66.6 → 66, memory (8-3)*100/8 = 62.5 → 62; 64. And 33, 37.5 → 37; 35.
		{"nothing used", amounts(3000, 8), nil, "n:64", "n:35"},
		// CPU 75, memory (3-3)*100/3 = 0; 75/2 = 37.5 → 37. And 25, 100; 125/2 = 62.5 → 62.
		{"the mean is cut off", amounts(4000, 3), nil, "n:37", "n:62"},
		// CPU 0 (and 0 for most too: it doesn't fit), memory 6*100/9 = 66, 33: (0+66)/2 = 33; (100+33)/2 = 66.
		{"too little CPU", amounts(900, 9), nil, "n:33", "n:66"},
		{"no CPU at all", amounts(0, 8), nil, "n:62", "n:37"},
		{"no memory at all", amounts(3000, 0), nil, "n:66", "n:33"},
		{"nothing at all", amounts(0, 0), nil, "n:0", "n:0"},
	}
	pod := cluster.Class{Requests: amounts(1000, 3)}
	for _, tt := range tests {
		for _, pl := range []*scheduler.Plugin{plugins.LeastAllocated, plugins.NodeResourcesFit} {
			if got := halfFull(tt.capacity, tt.used, nil, nil).score(t, pl, "", pod); got != tt.least {
				t.Errorf("%s: %s scores %s; want %s", tt.name, pl.Name, got, tt.least)
			}
		}
		most := strategyArgs("MostAllocated", "")
		if got := halfFull(tt.capacity, tt.used, nil, nil).score(t, plugins.MostAllocated, "", pod); got != tt.most {
			t.Errorf("%s: MostAllocated scores %s; want %s", tt.name, got, tt.most)
		}
		if got := halfFull(tt.capacity, tt.used, nil, nil).score(t, plugins.NodeResourcesFit, most, pod); got != tt.most {
			t.Errorf("%s: NodeResourcesFit with MostAllocated scores %s; want %s", tt.name, got, tt.most)
		}
	}
}

// TestAllocatedEstimates scores pods that ask for nothing, or as a whole, on a
// node with 1 CPU and 1000 MiB.
func TestAllocatedEstimates(t *testing.T) {
	const mebi = 1 << 20
	node := cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1000 * mebi}
	asWhole := &cluster.Estimates{
		CPU: 500, Memory: 500 * mebi, IncomingCPU: 200, IncomingMemory: 600 * mebi,
		IncomingExtended: extended(huge, 30),
	}
	tests := []struct {
		name     string
		on, asks cluster.Class
		want     string // CPU and memory alike; then CPU alone, memory alone
	}{
		// 100 m of 1000 m leave 90, 200 MiB of 1000 MiB leave 80; 170/2 = 85.
		{"nothing asked", cluster.Class{}, cluster.Class{BestEffortCPU: 1, BestEffortMemory: 1}, "n:85 n:90 n:80"},
		{"by two containers each", cluster.Class{BestEffortCPU: 2, BestEffortMemory: 2},
			cluster.Class{BestEffortCPU: 2, BestEffortMemory: 2}, "n:40 n:60 n:20"},
		// 500 m and 500 MiB on the node, 200 m and 600 MiB incoming: 30 left, and none.
		{"as a whole", cluster.Class{Estimates: asWhole}, cluster.Class{Estimates: asWhole}, "n:15 n:30 n:0"},
		{"requests don't count besides", cluster.Class{}, cluster.Class{Estimates: asWhole, BestEffortCPU: 5, BestEffortMemory: 5,
			Requests: cluster.Amounts{cluster.CPU: 900, cluster.Memory: mebi}}, "n:60 n:80 n:40"},
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "n", Capacity: node})
		w.on("n", tt.on)
		got := w.score(t, plugins.NodeResourcesFit, "", tt.asks) +
			" " + w.score(t, plugins.NodeResourcesFit, strategyArgs("LeastAllocated", `{"name": "cpu"}`), tt.asks) +
			" " + w.score(t, plugins.NodeResourcesFit, strategyArgs("LeastAllocated", `{"name": "memory"}`), tt.asks)
		if got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	w := halfFull(nil, nil, extended(huge, 100), extended(huge, 10))
	for _, pod := range []struct {
		class cluster.Class
		want  string
	}{
		{cluster.Class{Extended: extended(huge, 60)}, "n:30"},
		{cluster.Class{Extended: extended(huge, 60), Estimates: asWhole}, "n:60"},
		{cluster.Class{Estimates: asWhole}, "n:60"},
		{cluster.Class{Extended: extended(huge, 60), Estimates: &cluster.Estimates{IncomingExtended: extended(huge, 0)}}, "n:0"},
	} {
		if got := w.score(t, plugins.NodeResourcesFit, strategyArgs("LeastAllocated", `{"name": "hugepages-2Mi"}`), pod.class); got != pod.want {
			t.Errorf("huge pages of %+v: %s; want %s", pod.class, got, pod.want)
		}
	}
}

// TestAllocatedResources scores a node with 10 of everything, of which 2 are used,
// for a pod that wants 3: 50 hundredths are left, and 50 taken; or, of what the
// pod doesn't want, 80 are left and 20 taken.
func TestAllocatedResources(t *testing.T) {
	all := func(amount int64) (cluster.Amounts, []cluster.NamedAmount) {
		var named []cluster.NamedAmount
		for _, name := range []string{"attachable-volumes-csi-x", "example.com/nic", "foo", "hugepages-2Mi", "node.kubernetes.io/x", "requests.example.com/x"} {
			named = append(named, cluster.NamedAmount{Name: name, Amount: amount})
		}
		return cluster.Amounts{cluster.CPU: amount, cluster.Memory: amount, cluster.EphemeralStorage: amount, cluster.PodSlots: amount}, named
	}
	tests := []struct{ resources, some, none string }{ // if the pod wants 3 of each, and if it wants nothing
		{`{"name": "cpu"}`, "n:50", "n:80"},
		{`{"name": "memory"}`, "n:50", "n:80"},
		{`{"name": "ephemeral-storage"}`, "n:50", "n:80"},
		{`{"name": "example.com/nic"}`, "n:50", "n:0"},
		{`{"name": "hugepages-2Mi"}`, "n:50", "n:0"},
		{`{"name": "attachable-volumes-csi-x"}`, "n:50", "n:0"},
		{`{"name": "node.kubernetes.io/x"}`, "n:50", "n:0"},
		{`{"name": "requests.example.com/x"}`, "n:0", "n:0"},
		{`{"name": "foo"}`, "n:0", "n:0"},
		{`{"name": "pods"}`, "n:0", "n:0"},
		{`{"name": "example.com/unknown"}`, "n:0", "n:0"},
		{`{"name": "pods", "weight": 9}, {"name": "memory"}`, "n:50", "n:80"},
		{`{"name": "example.com/nic", "weight": 9}, {"name": "memory"}`, "n:50", "n:80"},
	}
	for _, tt := range tests {
		capacity, extendedCapacity := all(10)
		used, extendedUsed := all(2)
		w := halfFull(capacity, used, extendedCapacity, extendedUsed)
		wants, extendedWants := all(3)
		args := strategyArgs("LeastAllocated", tt.resources)
		if got := w.score(t, plugins.NodeResourcesFit, args, cluster.Class{Requests: wants, Extended: extendedWants}); got != tt.some {
			t.Errorf("%s, 3 wanted: %s; want %s", tt.resources, got, tt.some)
		}
		if got := w.score(t, plugins.NodeResourcesFit, args, cluster.Class{}); got != tt.none {
			t.Errorf("%s, none wanted: %s; want %s", tt.resources, got, tt.none)
		}
	}
}

// TestAllocatedWeights scores a node with 90 of its CPU left, and 60 of its memory.
func TestAllocatedWeights(t *testing.T) {
	for resources, want := range map[string]string{
		`{"name": "cpu", "weight": 3}, {"name": "memory"}`:                         "n:82", // (3*90+60)/4 = 82.5
		`{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 100}`:          "n:60", // 6090/101 = 60.3
		`{"name": "cpu", "weight": 0}, {"name": "memory", "weight": 0}`:            "n:75",
		`{"name": "cpu"}, {"name": "cpu"}, {"name": "memory"}`:                     "n:80", // named twice, counted twice
		`{"name": "cpu", "weight": 2}, {"name": "example.com/nic", "weight": 100}`: "n:90",
		`{"name": "memory"}, {"name": "ephemeral-storage", "weight": 5}`:           "n:60", // the node has none
	} {
		w := halfFull(cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 10}, cluster.Amounts{cluster.Memory: 1}, nil, nil)
		pod := cluster.Class{Requests: cluster.Amounts{cluster.CPU: 100, cluster.Memory: 3, cluster.EphemeralStorage: 1}}
		if got := w.score(t, plugins.NodeResourcesFit, strategyArgs("LeastAllocated", resources), pod); got != want {
			t.Errorf("%s: %s; want %s", resources, got, want)
		}
	}
}

// TestRequestedToCapacityRatio scores a pod that requests 1 CPU and 1 byte.
func TestRequestedToCapacityRatio(t *testing.T) {
	const up = `{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}`
	const down = `{"utilization": 0, "score": 10}, {"utilization": 100, "score": 0}`
	const hill = `{"utilization": 20, "score": 2}, {"utilization": 50, "score": 9}, {"utilization": 53, "score": 1}`
	tests := []struct {
		name, shape string
		cpu, memory int64 // the node's
		want        string
	}{
		// 1000*100/3000 = 33.3 → 33, 1*100/4 = 25; (33+25)/2 = 29.
		{"up", up, 3000, 4, "n:29"},
		// 33 and 20: 26.5 is rounded up to 27.
		{"rounded", up, 3000, 5, "n:27"},
		// 33 and 16: 24.5 is rounded up, away from zero, not to even.
		{"rounded away from zero", up, 3000, 6, "n:25"},
		// 33: 100 - 33 = 67; 25: 75; 71.
		{"down", down, 3000, 4, "n:71"},
		// CPU is full: 0, which is left out; memory 75.
		{"what scores 0 is left out", down, 1000, 4, "n:75"},
		// 1000*100/100000 = 1 and 25: 13.
		{"what scores 1 is not", up, 100000, 4, "n:13"},
		{"all of it", down, 1000, 1, "n:0"},
		{"nearly all of it", up, 1010, 0, "n:99"},                // 1000*100/1010 = 99.01
		{"more than there is counts as all", up, 500, 4, "n:63"}, // (100+25)/2 = 62.5
		{"nothing of one", up, 0, 4, "n:25"},
		{"nothing at all", up, 0, 0, "n:0"},
		// 10 comes before the first point: 20. 1*100/4 = 25: 20 + 70*5/30 = 31.6 → 31; 25.5 → 26.
		{"before the first point", hill, 10000, 4, "n:26"},
		// At the first point 20, at the second 90.
		{"at points", hill, 5000, 2, "n:55"},
		// 1000*100/1923 = 52.002 → 52: 90 - 80*2/3 = 90 - 53.3 → 37 (cut off toward zero); memory 100: 10; 23.5 → 24.
		{"downhill, and past the last point", hill, 1923, 1, "n:24"},
		{"one point", `{"utilization": 40, "score": 7}`, 1000, 9, "n:70"},
	}
	for _, tt := range tests {
		w := halfFull(cluster.Amounts{cluster.CPU: tt.cpu, cluster.Memory: tt.memory}, nil, nil, nil)
		args := `{"scoringStrategy": {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": {"shape": [` + tt.shape + `]}}}`
		if got := w.score(t, plugins.NodeResourcesFit, args, cluster.Class{Requests: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1}}); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}
