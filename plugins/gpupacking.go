package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// GPUPacking fills what is in use before it opens what is not, as Weng et al.
// (ATC'23) measured it.
var GPUPacking = &scheduler.Plugin{
	Name: "GPUPacking",
	Doc:  "GPUPacking prefers room on GPUs in use, then idle GPUs on nodes in use, then idle nodes.",
	New:  func(scheduler.Args) (any, error) { return gpuPacking{}, nil },
}

type gpuPacking struct{}

// Score implements scheduler.Scorer.
func (gpuPacking) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	want := s.Class(p).GPUs
	if want.Count == 0 {
		return nil
	}
	return func(n cluster.NodeID) int64 { return packingScore(s.Nodes.GPUFree[n], want) }
}

// Depends implements scheduler.Dependent.
func (gpuPacking) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// ScoreBatch implements scheduler.BatchScorer.
func (gpuPacking) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	want := s.Class(p).GPUs
	if want.Count == 0 {
		clear(out)
		return false
	}
	for i, n := range nodes {
		out[i] = packingScore(s.Nodes.GPUFree[n], want)
	}
	return true
}

// packingScore gives 50 and more to GPUs in use, 33 to 50 to idle ones on a node
// in use, less than 33 to an idle node. The paper takes GPUs in order of free
// shares: a pod that shares gets the fullest that will do, and one that wants
// whole GPUs can only get idle ones.
func packingScore(free []int32, want cluster.GPURequest) int64 {
	idle, gpus := int64(0), int64(len(free))
	for _, f := range free {
		if f == cluster.WholeGPU {
			idle++
		}
	}
	if idle == gpus {
		return bounded(max(33-gpus, gpus))
	}
	if !want.Shared() {
		return max(50-int64(want.Count), 33)
	}
	i := fullest(free, want.Shares)
	if i < 0 || free[i] == cluster.WholeGPU {
		return 49
	}
	return max(100-int64(free[i])*100/cluster.WholeGPU/10, 50)
}
