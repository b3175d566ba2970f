package plugins

import (
	"fmt"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// A gpuNode describes a node as the formulas see it: by what is free.
type gpuNode struct {
	cpu   int64 // milli-CPUs free
	used  int64 // milli-CPUs in use besides
	gpus  []int32
	model string
}

// idle returns the free shares of GPUs that nobody uses.
func idle(count int) (gpus []int32) {
	for range count {
		gpus = append(gpus, cluster.WholeGPU)
	}
	return gpus
}

// stateOf returns a State with such nodes, in order. Pods fill them up to what
// is described, on each GPU one.
func stateOf(nodes ...gpuNode) *cluster.State {
	s := cluster.NewState()
	for i, spec := range nodes {
		events := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: fmt.Sprint("n", i), GPUs: len(spec.gpus), GPUModel: spec.model,
			Capacity: cluster.Amounts{cluster.CPU: spec.cpu + spec.used, cluster.Memory: 1 << 40, cluster.PodSlots: 1001},
		}}}
		s.Observe(0, events)
		n := events[0].Node
		if spec.used > 0 {
			put(s, n, &cluster.Class{Requests: cluster.Amounts{cluster.CPU: spec.used}}, 0)
		}
		for g, free := range spec.gpus {
			if taken := cluster.WholeGPU - free; taken > 0 {
				put(s, n, sharing(0, taken), cluster.GPUSet(0).With(g))
			}
		}
	}
	return s
}

// sharing is a class that asks for shares of a GPU, whole for some whole ones.
func sharing(cpu int64, shares int32) *cluster.Class {
	return &cluster.Class{Requests: cluster.Amounts{cluster.CPU: cpu}, GPUs: cluster.GPURequest{Count: 1, Shares: shares}}
}

func whole(cpu int64, count int32) *cluster.Class {
	c := sharing(cpu, cluster.WholeGPU)
	c.GPUs.Count = count
	return c
}

func onlyCPU(cpu int64) *cluster.Class {
	return &cluster.Class{Requests: cluster.Amounts{cluster.CPU: cpu}}
}

// only restricts a class to GPU models.
func only(c *cluster.Class, models ...string) *cluster.Class {
	c.GPUs.Models = models
	return c
}

// arrive adds a pending pod.
func arrive(s *cluster.State, c *cluster.Class) cluster.PodID {
	events := []cluster.Event{{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: fmt.Sprint("p", s.Pods.Rows()), Class: c, Run: cluster.Never}}}
	s.Observe(s.Now, events)
	return events[0].Pod
}

// put adds a pod and binds it to n.
func put(s *cluster.State, n cluster.NodeID, c *cluster.Class, gpus cluster.GPUSet) cluster.PodID {
	p := arrive(s, c)
	s.Bind(p, n, cluster.Allocation{GPUs: gpus})
	s.TakeDecisions()
	return p
}

func instanceOf(t testing.TB, pl *scheduler.Plugin) any {
	t.Helper()
	inst, err := pl.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

// scoresOf returns what pl scores all nodes, before normalisation.
func scoresOf(t *testing.T, pl *scheduler.Plugin, s *cluster.State, p cluster.PodID) []int64 {
	t.Helper()
	out := make([]int64, len(s.Nodes.Live()))
	scheduler.Scores(instanceOf(t, pl).(scheduler.Scorer), s, p, s.Nodes.Live(), out)
	return out
}

// A scoreCase is a score that was computed by hand.
type scoreCase struct {
	node gpuNode
	pod  *cluster.Class
	want int64
}

func checkScores(t *testing.T, pl *scheduler.Plugin, cases []scoreCase) {
	t.Helper()
	for _, tt := range cases {
		s := stateOf(tt.node)
		if got := scoresOf(t, pl, s, arrive(s, tt.pod))[0]; got != tt.want {
			t.Errorf("%s, node %+v, pod %v of %+v: %d, want %d", pl.Name, tt.node, tt.pod.Requests, tt.pod.GPUs, got, tt.want)
		}
	}
}

// TestDotProdByHand: 100 × (1 − (c/128000 × rc/128000 + G/8000 × rg/8000) / 2),
// cut off.
func TestDotProdByHand(t *testing.T) {
	checkScores(t, DotProd, []scoreCase{
		// ½ × ¼ + ½ × ⅛ = 0.1875; 100 × (1 − 0.09375) = 90.625.
		{gpuNode{cpu: 64000, gpus: idle(4)}, sharing(32000, 1000), 90},
		// The same is free on a node that is partly used: 3 GPUs and 2 halves.
		{gpuNode{cpu: 64000, used: 32000, gpus: []int32{1000, 500, 1000, 500, 1000, 0}}, sharing(32000, 1000), 90},
		// 1 × ½ + 1 × 0 = 0.5; 100 × 0.75.
		{gpuNode{cpu: 128000, gpus: idle(8)}, onlyCPU(64000), 75},
		// 1 × 1 + 1 × 1 = 2; 100 × 0.
		{gpuNode{cpu: 128000, gpus: idle(8)}, whole(128000, 8), 0},
		// ¾ × 0.08828125 + 0.19125 × 0.05875 = 0.066210938 + 0.011235938 = 0.077446875; 100 × 0.961276563.
		{gpuNode{cpu: 96000, gpus: []int32{1000, 530}}, sharing(11300, 470), 96},
		// Nothing asked, or nothing free: 100 × 1.
		{gpuNode{cpu: 96000, gpus: idle(2)}, onlyCPU(0), 100},
		{gpuNode{used: 1000, gpus: []int32{0}}, sharing(100, 100), 100},
		// A node of twice the size: 2 × 1 + 2 × 1 = 4; 100 × (1 − 2) = −100, brought to 0.
		{gpuNode{cpu: 256000, gpus: idle(16)}, whole(128000, 8), 0},
	})
}

// TestBestFitByHand: 100 × (1 − (½ (c − rc)/128000 + ½ (G − rg)/8000)), cut off.
func TestBestFitByHand(t *testing.T) {
	checkScores(t, BestFit, []scoreCase{
		// ½ × ¼ + ½ × 3/8 = 0.3125; 68.75.
		{gpuNode{cpu: 64000, gpus: idle(4)}, sharing(32000, 1000), 68},
		{gpuNode{cpu: 64000, used: 64000, gpus: []int32{1000, 500, 1000, 500, 1000}}, sharing(32000, 1000), 68},
		// Fits exactly: 100 × (1 − 0).
		{gpuNode{cpu: 32000, gpus: []int32{470, 0}}, sharing(32000, 470), 100},
		// Nothing asked of the largest node: 100 × (1 − 1).
		{gpuNode{cpu: 128000, gpus: idle(8)}, onlyCPU(0), 0},
		// ½ × 1280/128000 = 0.005; 99.5.
		{gpuNode{cpu: 2280}, onlyCPU(1000), 99},
		// ½ × 0 + ½ × 1/8000 = 0.0000625; 99.99375.
		{gpuNode{cpu: 0, gpus: []int32{2}}, sharing(0, 1), 99},
		// Twice the largest node: 100 × (1 − 2), which Normalize brings into bounds.
		{gpuNode{cpu: 256000, gpus: idle(16)}, onlyCPU(0), -100},
		// 100 × (1 − (½ × 129/128 + ½)) = −0.390625, cut off towards 0.
		{gpuNode{cpu: 129000, gpus: idle(8)}, onlyCPU(0), 0},
	})
}

func TestBestFitNormalizeByHand(t *testing.T) {
	norm := instanceOf(t, BestFit).(scheduler.Normalizer)
	for _, tt := range []struct{ raw, want []int64 }{
		{[]int64{68, 0, 100}, []int64{68, 0, 100}},
		{[]int64{3, 4, 6}, []int64{0, 33, 100}},              // 1 × 100 / 3 = 33.3
		{[]int64{-100, 100, 0, 99}, []int64{0, 100, 50, 99}}, // 199 × 100 / 200 = 99.5
		{[]int64{50, 50}, []int64{0, 0}},
		{[]int64{7}, []int64{0}},
		{[]int64{-7, -8}, []int64{100, 0}},
	} {
		got := slices.Clone(tt.raw)
		norm.Normalize(nil, 0, nil, got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("Normalize(%v) = %v, want %v", tt.raw, got, tt.want)
		}
	}
}

// TestGPUClusteringByHand: b = 25 × (8000 − G) / 8000 in whole numbers; b + 75
// where only pods of the same kind are, b + 50 with others, b + 25 where no GPU
// pods are, b where only others are. Pods without GPUs: 0.
func TestGPUClusteringByHand(t *testing.T) {
	type pods []*cluster.Class // of which each that has a GPU takes the first that will do
	for _, tt := range []struct {
		gpus int
		on   pods
		asks *cluster.Class
		want int64
	}{
		{8, nil, onlyCPU(1000), 0},
		{8, pods{sharing(0, 500)}, onlyCPU(1000), 0},
		// G = 8000: b = 0.
		{8, nil, sharing(0, 500), 25},
		{8, pods{onlyCPU(1000)}, sharing(0, 500), 25},
		// G = 4000: b = 12.5 → 12.
		{4, nil, whole(0, 2), 37},
		// G = 7500: b = 1.56 → 1.
		{8, pods{sharing(0, 500)}, sharing(0, 100), 76},
		{8, pods{sharing(0, 500), onlyCPU(1)}, sharing(0, 999), 76},
		{8, pods{sharing(0, 500)}, whole(0, 1), 1},
		{8, pods{sharing(0, 500)}, whole(0, 4), 1},
		// G = 8000 − 500 − 1000 = 6500: b = 4.69 → 4.
		{8, pods{sharing(0, 500), whole(0, 1)}, sharing(0, 500), 54},
		{8, pods{sharing(0, 500), whole(0, 1)}, whole(0, 1), 54},
		{8, pods{sharing(0, 500), whole(0, 1)}, whole(0, 2), 4},
		// G = 8000 − 3 × 2000 = 2000: b = 18.75 → 18.
		{8, pods{whole(0, 2), whole(0, 2), whole(0, 2)}, whole(0, 2), 93},
		{8, pods{whole(0, 2), whole(0, 2), whole(0, 2)}, whole(0, 1), 18},
		// G = 0: b = 25.
		{8, pods{whole(0, 8)}, whole(0, 8), 100},
		// G = 16000: b = −25; 0. G = 15999: b = −24.997 → −24, brought to 0, or + 75.
		{16, nil, whole(0, 1), 0},
		{16, pods{sharing(0, 1)}, whole(0, 1), 0},
		{16, pods{sharing(0, 1)}, sharing(0, 1), 51},
	} {
		s := stateOf(gpuNode{cpu: 10000, gpus: idle(tt.gpus)})
		for _, c := range tt.on {
			a, _ := firstGPUs(s.Nodes.GPUFree[0], c.GPUs)
			put(s, 0, c, a.GPUs)
		}
		if got := scoresOf(t, GPUClustering, s, arrive(s, tt.asks))[0]; got != tt.want {
			t.Errorf("%d GPUs with %d pods, pod asks %+v: %d, want %d", tt.gpus, len(tt.on), tt.asks.GPUs, got, tt.want)
		}
	}
}

// TestGPUPackingByHand: on n GPUs all free max(33 − n, n); else, if k of the
// chosen GPUs are all free, max(50 − k, 33); else max(100 − (free × 100 / 1000) /
// 10, 50) in whole numbers. The fullest GPU that will do is chosen.
func TestGPUPackingByHand(t *testing.T) {
	checkScores(t, GPUPacking, []scoreCase{
		{gpuNode{cpu: 1000, gpus: idle(8)}, onlyCPU(1000), 0},
		{gpuNode{gpus: idle(1)}, sharing(0, 500), 32},
		{gpuNode{gpus: idle(8)}, sharing(0, 500), 25},
		{gpuNode{gpus: idle(8)}, whole(0, 8), 25},
		{gpuNode{gpus: idle(16)}, whole(0, 1), 17},
		{gpuNode{gpus: idle(17)}, whole(0, 1), 17},
		{gpuNode{gpus: idle(32)}, whole(0, 1), 32},
		// 500 are free on the fullest: 100 − 50/10 = 95.
		{gpuNode{gpus: []int32{1000, 600, 500, 400}}, sharing(0, 500), 95},
		// 459: 100 − 45/10 = 100 − 4 = 96.
		{gpuNode{gpus: []int32{1000, 600, 459}}, sharing(0, 450), 96},
		// 999: 100 − 99/10 = 91. 1: 100 − 0 = 100.
		{gpuNode{gpus: []int32{1000, 999}}, sharing(0, 999), 91},
		{gpuNode{gpus: []int32{1, 1000}}, sharing(0, 1), 100},
		// Only a free one will do: 50 − 1 = 49.
		{gpuNode{gpus: []int32{1000, 600}}, sharing(0, 700), 49},
		{gpuNode{gpus: []int32{600, 1000}}, whole(0, 1), 49},
		// 50 − 2 = 48, and at least 33: 50 − 17 = 33, 50 − 20 = 30.
		{gpuNode{gpus: []int32{1000, 1000, 500}}, whole(0, 2), 48},
		{gpuNode{gpus: append(idle(20), 0)}, whole(0, 17), 33},
		{gpuNode{gpus: append(idle(20), 0)}, whole(0, 20), 33},
	})
}

// TestGPUDevicesByHand chooses GPUs, and says why there are none.
func TestGPUDevicesByHand(t *testing.T) {
	t4 := func(gpus ...int32) gpuNode { return gpuNode{cpu: 1000, gpus: gpus, model: "T4"} }
	for _, tt := range []struct {
		node gpuNode
		pod  *cluster.Class
		gpus []int // chosen
		code scheduler.Code
	}{
		{t4(500, 300, 700, 300), sharing(0, 300), []int{1}, 0}, // the first of the fullest
		{t4(500, 300, 700, 300), sharing(0, 301), []int{0}, 0},
		{t4(500, 300, 700, 300), sharing(0, 700), []int{2}, 0},
		{t4(500, 300, 700, 300), sharing(0, 701), nil, scheduler.Unschedulable},
		{t4(1000, 1000), sharing(0, 1), []int{0}, 0},
		{t4(1000, 0, 1000, 999), sharing(0, 999), []int{3}, 0},
		{t4(999, 1000, 500, 1000, 1000), whole(0, 2), []int{1, 3}, 0}, // the first that are all free
		{t4(999, 1000, 500, 1000, 1000), whole(0, 3), []int{1, 3, 4}, 0},
		{t4(999, 1000, 500, 1000, 1000), whole(0, 4), nil, scheduler.Unschedulable},
		{t4(999, 1000, 500, 1000, 1000), whole(0, 6), nil, scheduler.Unresolvable}, // as many it never has
		{t4(), sharing(0, 1), nil, scheduler.Unresolvable},
		{t4(0), onlyCPU(1), []int{}, 0},
		{t4(1000), only(sharing(0, 1), "A10", "T4"), []int{0}, 0},
		{t4(1000), only(sharing(0, 1), "A10", "V100"), nil, scheduler.Unresolvable},
		{gpuNode{cpu: 1000}, only(sharing(0, 1), "A10"), nil, scheduler.Unresolvable},
	} {
		s := stateOf(tt.node)
		p := arrive(s, tt.pod)
		inst := instanceOf(t, GPUDevices)
		v := scheduler.Verdict{}
		if may := inst.(scheduler.Filter).Filter(s, p); may != nil {
			v = may(0)
		}
		if v.Code != tt.code {
			t.Errorf("%v, pod %+v: %v, want %v", tt.node.gpus, tt.pod.GPUs, v, tt.code)
		}
		if tt.code != scheduler.Success {
			continue
		}
		var want cluster.GPUSet
		for _, g := range tt.gpus {
			want = want.With(g)
		}
		if a, v := inst.(scheduler.Allocator).Allocate(s, p, 0); v.Code != scheduler.Success || a.GPUs != want {
			t.Errorf("%v, pod %+v: GPUs %b, want %b", tt.node.gpus, tt.pod.GPUs, a.GPUs, want)
		}
	}
}

// TestRandomGPU takes χ² over the GPUs that will do: 13.8 is the 99.9 % point
// with 2 degrees of freedom. The draws are fixed.
func TestRandomGPU(t *testing.T) {
	const draws = 3000
	al := instanceOf(t, Random).(scheduler.Allocator)
	var count [5]float64
	for i := range draws {
		s := stateOf(gpuNode{gpus: []int32{300, 1000, 299, 500, 0}})
		s.Seed = int64(i)
		a, v := al.Allocate(s, arrive(s, sharing(0, 300)), 0)
		for g := range count {
			if a.GPUs == cluster.GPUSet(0).With(g) && v.Code == scheduler.Success {
				count[g]++
			}
		}
	}
	chi2 := 0.0
	for _, g := range []int{0, 1, 3} {
		chi2 += (count[g] - draws/3) * (count[g] - draws/3) / (draws / 3)
	}
	if count[0]+count[1]+count[3] != draws || chi2 > 13.8 {
		t.Errorf("χ² = %.1f over GPUs 0, 1 and 3: %v", chi2, count)
	}
	s := stateOf(gpuNode{gpus: []int32{300, 1000, 299, 1000, 0, 1000}})
	if a, _ := al.Allocate(s, arrive(s, whole(0, 2)), 0); a.GPUs != 0b1010 {
		t.Errorf("two whole GPUs: %b, want the first that are free", a.GPUs)
	}
}
