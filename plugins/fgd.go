package plugins

import (
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// FGD is fragmentation gradient descent (Weng et al., ATC'23): a pod goes where
// it adds the least to Fragmentation, down to the single GPU.
var FGD = &scheduler.Plugin{
	Name: "FGD",
	Doc: "FGD prefers the node, and on it the GPU, where the pod adds least to the free GPU that pods to be expected can't use. " +
		"It needs to know which pods to expect (State.Mix).",
	New: func(scheduler.Args) (any, error) { return &fgd{}, nil },
}

type fgd struct {
	frag   *Fragmentation
	before []before       // by row
	seen   [][]gradient   // by class and row
	kept   int            // gradients in seen
	after  []int32        // scratch: a node's GPUs with the pod on it
	plain  bool           // don't remember: the slow twin, for tests
	state  *cluster.State // that all this is about
}

// before is a node's fragmentation when its row had a stamp.
type before struct {
	stamp uint64
	frag  float64
}

// A gradient is what a node scores for a class, and the GPU to share there, when
// its row had a stamp.
type gradient struct {
	stamp uint64
	score int8
	gpu   int8 // -1 for pods that don't share one
}

// maxGradients bounds what is remembered: 64 MiB. Classes past it are scored
// afresh each time.
const maxGradients = 4 << 20

// Score implements scheduler.Scorer.
func (f *fgd) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	f.prepare(s)
	c := s.Pods.Class[p]
	return func(n cluster.NodeID) int64 { return int64(f.gradient(s, c, n).score) }
}

// ScoreBatch implements scheduler.BatchScorer. Unlike Score it remembers what it
// found for the class on nodes that have not changed since.
func (f *fgd) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	f.prepare(s)
	c := s.Pods.Class[p]
	seen := f.remembered(s, c)
	if seen == nil {
		for i, n := range nodes {
			out[i] = int64(f.gradient(s, c, n).score)
		}
		return true
	}
	stamps := s.Nodes.Stamp
	for i, n := range nodes {
		if seen[n].stamp != stamps[n] {
			seen[n] = f.gradient(s, c, n)
		}
		out[i] = int64(seen[n].score)
	}
	return true
}

// Depends implements scheduler.Dependent.
func (*fgd) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// Allocate implements scheduler.Allocator.
func (f *fgd) Allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	want := s.Class(p).GPUs
	if !want.Shared() {
		return firstGPUs(s.Nodes.GPUFree[n], want)
	}
	f.prepare(s)
	return oneGPU(int(f.gradient(s, s.Pods.Class[p], n).gpu))
}

func (f *fgd) prepare(s *cluster.State) {
	if f.state == s {
		return
	}
	if s.Mix == nil {
		panic("plugin FGD needs to know which pods to expect: set State.Mix")
	}
	*f = fgd{frag: NewFragmentation(s.Mix), plain: f.plain, state: s}
}

// remembered returns what is remembered for class c, by row; nil if there is no
// room for more.
func (f *fgd) remembered(s *cluster.State, c cluster.ClassID) []gradient {
	for len(f.seen) <= int(c) {
		f.seen = append(f.seen, nil)
	}
	if missing := s.Nodes.Rows() - len(f.seen[c]); missing > 0 {
		if f.plain || f.kept+missing > maxGradients {
			return nil
		}
		f.seen[c] = append(f.seen[c], make([]gradient, missing)...)
		f.kept += missing
	}
	return f.seen[c]
}

// gradient returns what n scores for class c: 100 times the logistic function of
// the GPUs by which the fragmentation falls.
func (f *fgd) gradient(s *cluster.State, c cluster.ClassID, n cluster.NodeID) gradient {
	class, now := s.ClassByID(c), f.fragmentation(s, n)
	g := gradient{stamp: s.Nodes.Stamp[n], gpu: -1}
	cpu := s.Free(n, cluster.CPU) - class.Requests[cluster.CPU]
	free := s.Nodes.GPUFree[n]
	f.after = append(f.after[:0], free...)
	if !class.GPUs.Shared() {
		if class.GPUs.Count > 0 {
			a, _ := firstGPUs(free, class.GPUs)
			for i := range f.after {
				if a.GPUs.Has(i) {
					f.after[i] -= class.GPUs.Shares
				}
			}
		}
		g.score = f.descent(now, s.GPUModel(n), cpu)
		return g
	}
	for i, have := range free {
		if have < class.GPUs.Shares {
			continue
		}
		f.after[i] -= class.GPUs.Shares
		if score := f.descent(now, s.GPUModel(n), cpu); g.gpu < 0 || score > g.score {
			g.score, g.gpu = score, int8(i)
		}
		f.after[i] = have
	}
	return g
}

// descent scores the fall from now to what the fragmentation would be with
// f.after free.
func (f *fgd) descent(now float64, model string, cpu int64) int8 {
	gpus := (now - f.frag.ifFree(model, cpu, f.after)) / cluster.WholeGPU
	logistic := 1 / (1 + math.Exp(-gpus))
	return int8(scheduler.MaxScore * logistic)
}

// fragmentation returns n's, remembered from when its row last changed.
func (f *fgd) fragmentation(s *cluster.State, n cluster.NodeID) float64 {
	if f.plain {
		return f.frag.Of(s, n)
	}
	for len(f.before) < s.Nodes.Rows() {
		f.before = append(f.before, before{})
	}
	b := &f.before[n]
	if b.stamp != s.Nodes.Stamp[n] {
		*b = before{s.Nodes.Stamp[n], f.frag.Of(s, n)}
	}
	return b.frag
}
