package plugins

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// TestFGDByHand: 100 × σ((F − F after) / 1000), cut off, with σ(x) = 1/(1 + e⁻ˣ).
// A pod that shares gets the best GPU, the first among equals.
func TestFGDByHand(t *testing.T) {
	mixOf := func(classes ...*cluster.Class) (mix cluster.Mix) { // alike frequent
		for _, c := range classes {
			mix = append(mix, cluster.MixShare{Class: c, Pods: 5})
		}
		return mix
	}
	halves := mixOf(sharing(0, 500))
	for _, tt := range []struct {
		why  string
		mix  cluster.Mix
		node gpuNode
		pod  *cluster.Class
		want int64
		gpus cluster.GPUSet
	}{
		// F = 0. On GPU 0, 700 and 600 are left: F = 0, 50. On GPU 1, 1000 and
		// 300: F = 300, σ(−0.3) = 0.4256, 42.
		{"not on the GPU that others would lose", halves, gpuNode{gpus: []int32{1000, 600}}, sharing(0, 300), 50, 0b01},
		// F = 400. On GPU 0, 0 and 1000: F = 0, σ(0.4) = 0.5987, 59. On GPU 1,
		// 400 and 600: F = 400, 50.
		{"on the GPU that is lost already", halves, gpuNode{gpus: []int32{400, 1000}}, sharing(0, 400), 59, 0b01},
		{"the same the other way round", halves, gpuNode{gpus: []int32{1000, 400}}, sharing(0, 400), 59, 0b10},
		{"the first of equals", halves, gpuNode{gpus: []int32{200, 1000, 1000}}, sharing(0, 500), 50, 0b010},
		// F = 300 before and after.
		{"whole GPUs, the first that are free", halves, gpuNode{gpus: []int32{300, 1000, 1000, 1000}}, whole(0, 2), 50, 0b0110},
		// F = 300 as one GPU will do; then none will, and all that is free is lost: 300.
		{"the last GPU", halves, gpuNode{gpus: []int32{300, 1000}}, whole(0, 1), 50, 0b10},
		// F = 0; with 6 CPUs left, one of them short, F = 1000: σ(−1) = 0.2689, 26.
		{"the CPU that others need", mixOf(sharing(7000, 500)), gpuNode{cpu: 10000, gpus: []int32{1000}}, onlyCPU(4000), 26, 0},
		{"CPU enough for others", mixOf(sharing(6000, 500)), gpuNode{cpu: 10000, gpus: []int32{1000}}, onlyCPU(4000), 50, 0},
		// F = 0. Then 500 and 1000: half the pods lose 0, half 500: F = 250,
		// σ(−0.25) = 0.4378, 43.
		{"two kinds of pods", mixOf(sharing(0, 500), whole(0, 1)), gpuNode{gpus: idle(2)}, sharing(0, 500), 43, 0b01},
		// All of 8000 is lost on the wrong model: F falls by 8000, σ(8) = 0.99966.
		{"where nobody else can", mixOf(only(whole(0, 1), "A10")), gpuNode{gpus: idle(8), model: "T4"}, whole(0, 8), 99, 0xff},
	} {
		s := stateOf(tt.node)
		s.Mix = tt.mix
		p := arrive(s, tt.pod)
		if got := scoresOf(t, FGD, s, p)[0]; got != tt.want {
			t.Errorf("%s: %d, want %d", tt.why, got, tt.want)
		}
		a, v := instanceOf(t, FGD).(scheduler.Allocator).Allocate(s, p, 0)
		if v.Code != scheduler.Success || a.GPUs != tt.gpus {
			t.Errorf("%s: GPUs %b, want %b", tt.why, a.GPUs, tt.gpus)
		}
	}
}

func TestFGDNeedsAMix(t *testing.T) {
	s := stateOf(gpuNode{gpus: idle(1)})
	p := arrive(s, sharing(0, 1))
	defer func() {
		if recover() == nil {
			t.Error("FGD scores without knowing which pods to expect")
		}
	}()
	scoresOf(t, FGD, s, p)
}

// twinGradient is what FGD says of a node by the text of the paper: the score,
// and the GPU to share.
func twinGradient(typical []twinPod, s *cluster.State, c *cluster.Class, n cluster.NodeID) (score int64, gpus cluster.GPUSet) {
	model, free := s.GPUModel(n), s.Nodes.GPUFree[n]
	cpu := s.Free(n, cluster.CPU)
	descend := func(after []int32) int64 {
		x := (twinFragmentation(typical, model, cpu, free) - twinFragmentation(typical, model, cpu-c.Requests[cluster.CPU], after)) / 1000
		return int64(100 * (1 / (1 + math.Exp(-x))))
	}
	if !c.GPUs.Shared() {
		after := slices.Clone(free)
		for i, taken := 0, int32(0); taken < c.GPUs.Count; i++ {
			if after[i] == cluster.WholeGPU {
				after[i] = 0
				gpus = gpus.With(i)
				taken++
			}
		}
		return descend(after), gpus
	}
	for i := range free {
		if free[i] < c.GPUs.Shares {
			continue
		}
		after := slices.Clone(free)
		after[i] -= c.GPUs.Shares
		if x := descend(after); gpus == 0 || x > score {
			score, gpus = x, cluster.GPUSet(0).With(i)
		}
	}
	return score, gpus
}

// roomy returns the nodes with room for p.
func roomy(t testing.TB, s *cluster.State, p cluster.PodID) []cluster.NodeID {
	nodes := slices.Clone(s.Nodes.Live())
	for _, pl := range []*scheduler.Plugin{NodeResourcesFit, GPUDevices} {
		nodes = scheduler.Narrow(instanceOf(t, pl).(scheduler.Filter), s, p, nodes)
	}
	return nodes
}

// longRun has pods and nodes come and go for a long time, rows included, and
// pods bound where bind says, one of the nodes with room.
func longRun(t *testing.T, seed uint64, bind func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (cluster.NodeID, cluster.Allocation)) {
	rng := rand.New(rand.NewPCG(seed, 5))
	s := schedulertest.RandomState(rng, 2+rng.IntN(25))
	reused := 0
	for range 60 {
		names := slices.Clone(s.Nodes.Name)
		schedulertest.Churn(rng, s)
		for n, name := range names {
			if s.Nodes.Name[n] != name {
				reused++
			}
		}
		for range 10 {
			p := schedulertest.AddPod(s, rng, "p")
			if nodes := roomy(t, s, p); len(nodes) > 0 {
				n, a := bind(s, p, nodes)
				s.Bind(p, n, a)
				s.TakeDecisions()
			}
		}
	}
	if reused < 5 {
		t.Errorf("seed %d: only %d rows were reused by other nodes", seed, reused)
	}
}

// TestFGDRemembersTheTruth compares an FGD that remembers with one that doesn't,
// and with the slow twin, over long runs in which rows change hands: same
// scores, same devices, so the same decisions.
func TestFGDRemembersTheTruth(t *testing.T) {
	for seed := range uint64(12) {
		memo, plain := &fgd{}, &fgd{plain: true}
		var typical []twinPod
		longRun(t, seed, func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (cluster.NodeID, cluster.Allocation) {
			if typical == nil {
				typical = twinTypical(s.Mix)
			}
			if seed%3 == 2 {
				memo.kept = maxGradients - 100 // almost all that may be remembered
			}
			got, want := make([]int64, len(nodes)), make([]int64, len(nodes))
			if !memo.ScoreBatch(s, p, nodes, got) || !plain.ScoreBatch(s, p, nodes, want) {
				t.Fatalf("seed %d: it has no say about %s", seed, s.PodName(p))
			}
			best := 0
			for i, n := range nodes {
				score, gpus := twinGradient(typical, s, s.Class(p), n)
				a, _ := memo.Allocate(s, p, n)
				b, _ := plain.Allocate(s, p, n)
				if got[i] != score || want[i] != score || a.GPUs != gpus || b.GPUs != gpus {
					t.Fatalf("seed %d, node %s: remembered %d and GPUs %b, computed %d and %b, twin %d and %b",
						seed, s.Nodes.Name[n], got[i], a.GPUs, want[i], b.GPUs, score, gpus)
				}
				if got[i] > got[best] {
					best = i
				}
			}
			a, _ := memo.Allocate(s, p, nodes[best])
			return nodes[best], a
		})
		held := 0
		for _, rows := range memo.seen {
			held += len(rows)
			if len(rows) > memo.state.Nodes.Rows() {
				t.Errorf("seed %d: %d gradients of a class are remembered, for %d rows", seed, len(rows), memo.state.Nodes.Rows())
			}
		}
		if held == 0 || seed%3 != 2 && held != memo.kept || plain.kept != 0 {
			t.Errorf("seed %d: %d gradients are remembered, counted as %d, and %d by the plain twin", seed, held, memo.kept, plain.kept)
		}
	}
}

// TestGPUClusteringRemembersTheTruth compares what it remembers by row with what
// rung 1 counts anew.
func TestGPUClusteringRemembersTheTruth(t *testing.T) {
	for seed := range uint64(12) {
		g := &gpuClustering{}
		longRun(t, seed, func(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (cluster.NodeID, cluster.Allocation) {
			got := make([]int64, len(nodes))
			g.ScoreBatch(s, p, nodes, got)
			anew, best := (&gpuClustering{}).Score(s, p), 0
			for i, n := range nodes {
				if want := anew(n); got[i] != want {
					t.Fatalf("seed %d, node %s: remembered %d, counted %d", seed, s.Nodes.Name[n], got[i], want)
				}
				if got[i] > got[best] {
					best = i
				}
			}
			a, _ := gpuDevices{}.Allocate(s, p, nodes[best])
			return nodes[best], a
		})
	}
}
