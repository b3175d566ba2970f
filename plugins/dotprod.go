package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// DotProd scores by the dot product of what the pod asks for and what the node
// has free (Grandl et al., SIGCOMM'14), as Weng et al. (ATC'23) measured it: the
// smaller the product, the better. Both are scaled by the paper's largest node.
var DotProd = &scheduler.Plugin{
	Name: "DotProd",
	Doc:  "DotProd prefers the node whose free CPU and GPU, times the pod's requests, give the smallest sum.",
	New:  func(scheduler.Args) (any, error) { return dotProd{}, nil },
}

type dotProd struct{}

// Score implements scheduler.Scorer.
func (dotProd) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	requests := s.Class(p).Requests
	return func(n cluster.NodeID) int64 { return dotProdScore(s, requests, n) }
}

// Depends implements scheduler.Dependent.
func (dotProd) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// ScoreBatch implements scheduler.BatchScorer.
func (dotProd) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	requests := s.Class(p).Requests
	for i, n := range nodes {
		out[i] = dotProdScore(s, requests, n)
	}
	return true
}

func dotProdScore(s *cluster.State, requests cluster.Amounts, n cluster.NodeID) int64 {
	cpu := float64(float64(s.Free(n, cluster.CPU)) / paperCPU * (float64(requests[cluster.CPU]) / paperCPU))
	gpu := float64(float64(s.Free(n, cluster.GPU)) / paperGPU * (float64(requests[cluster.GPU]) / paperGPU))
	return bounded(int64(scheduler.MaxScore * (1 - (cpu+gpu)/2)))
}
