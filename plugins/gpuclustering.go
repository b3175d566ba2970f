package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// GPUClustering keeps pods with like GPU requests together (Gandiva, OSDI'18), as
// Weng et al. (ATC'23) measured it.
var GPUClustering = &scheduler.Plugin{
	Name: "GPUClustering",
	Doc: "GPUClustering prefers nodes that already host pods asking for as many GPUs as this one, " +
		"best where there are no others, and among those the fuller.",
	New: func(scheduler.Args) (any, error) { return &gpuClustering{}, nil },
}

type gpuClustering struct {
	hosted []hosted // by row
}

// hosted says which kinds of GPU pods a node had when its row had a stamp.
type hosted struct {
	stamp uint64
	kinds kinds
}

// kinds is a set of kinds of GPU pods: bit 0 stands for those that share a GPU,
// bit k for those with k whole ones. 63 whole GPUs and more are one kind.
type kinds uint64

func kindOf(want cluster.GPURequest) kinds {
	switch {
	case want.Count == 0:
		return 0
	case want.Shared():
		return 1
	}
	return 1 << min(want.Count, 63)
}

// Score implements scheduler.Scorer.
func (g *gpuClustering) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	kind := kindOf(s.Class(p).GPUs)
	return func(n cluster.NodeID) int64 { return clusteringScore(s, n, kind, kindsOn(s, n)) }
}

// Depends implements scheduler.Dependent.
func (*gpuClustering) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// ScoreBatch implements scheduler.BatchScorer. Unlike Score it remembers what it
// found on nodes that have not changed since.
func (g *gpuClustering) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	for len(g.hosted) < s.Nodes.Rows() {
		g.hosted = append(g.hosted, hosted{})
	}
	kind := kindOf(s.Class(p).GPUs)
	for i, n := range nodes {
		h := &g.hosted[n]
		if h.stamp != s.Nodes.Stamp[n] {
			*h = hosted{s.Nodes.Stamp[n], kindsOn(s, n)}
		}
		out[i] = clusteringScore(s, n, kind, h.kinds)
	}
	return true
}

func kindsOn(s *cluster.State, n cluster.NodeID) (set kinds) {
	for p := range s.PodsOn(n) {
		set |= kindOf(s.Class(p).GPUs)
	}
	return set
}

func clusteringScore(s *cluster.State, n cluster.NodeID, kind, there kinds) int64 {
	if kind == 0 {
		return 0
	}
	fullness := 25 * (paperGPU - s.Free(n, cluster.GPU)) / paperGPU
	switch {
	case there == kind:
		return bounded(fullness + 75)
	case there&kind != 0:
		return bounded(fullness + 50)
	case there == 0:
		return bounded(fullness + 25)
	}
	return bounded(fullness)
}
