package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// BestFit is the classic heuristic on CPU and GPU together, as Weng et al.
// (ATC'23) measured it. Both are scaled by the paper's largest node.
var BestFit = &scheduler.Plugin{
	Name: "BestFit",
	Doc:  "BestFit prefers the node that would have the least CPU and GPU left.",
	New:  func(scheduler.Args) (any, error) { return bestFit{}, nil },
}

type bestFit struct{}

// Score implements scheduler.Scorer.
func (bestFit) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	requests := s.Class(p).Requests
	return func(n cluster.NodeID) int64 { return bestFitScore(s, requests, n) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (bestFit) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	requests := s.Class(p).Requests
	for i, n := range nodes {
		out[i] = bestFitScore(s, requests, n)
	}
	return true
}

func bestFitScore(s *cluster.State, requests cluster.Amounts, n cluster.NodeID) int64 {
	cpu := float64(s.Free(n, cluster.CPU)-requests[cluster.CPU]) / paperCPU
	gpu := float64(s.Free(n, cluster.GPU)-requests[cluster.GPU]) / paperGPU
	return int64(scheduler.MaxScore * (1 - (float64(0.5*cpu) + float64(0.5*gpu))))
}

// Depends implements scheduler.Dependent.
func (bestFit) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// KeepsBest implements scheduler.BestKeeper: only what scores as much as the best is MaxScore
// after rounding down, and if all score the same, all are 0.
func (bestFit) KeepsBest() {}

// Normalize implements scheduler.Normalizer: the worst node scores 0, the best
// MaxScore, and all score 0 if none is worse than another.
func (bestFit) Normalize(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, scores []int64) {
	lo, hi := scores[0], scores[0]
	for _, v := range scores {
		lo, hi = min(lo, v), max(hi, v)
	}
	for i, v := range scores {
		if hi == lo {
			scores[i] = 0
		} else {
			scores[i] = (v - lo) * scheduler.MaxScore / (hi - lo)
		}
	}
}
