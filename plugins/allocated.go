package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// LeastAllocated is the scoring strategy of that name of kube's NodeResourcesFit,
// over CPU and memory alike.
var LeastAllocated = &scheduler.Plugin{
	Name: "LeastAllocated",
	Doc:  "LeastAllocated prefers the node that would have the largest share of its CPU and memory left: it spreads.",
	New:  func(scheduler.Args) (any, error) { return leastAllocated{}, nil },
}

// MostAllocated is the scoring strategy of that name of kube's NodeResourcesFit,
// over CPU and memory alike.
var MostAllocated = &scheduler.Plugin{
	Name: "MostAllocated",
	Doc:  "MostAllocated prefers the node that would have the smallest share of its CPU and memory left: it packs.",
	New:  func(scheduler.Args) (any, error) { return mostAllocated{}, nil },
}

type leastAllocated struct{}

// Score implements scheduler.Scorer.
func (leastAllocated) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	cpu, memory := s.Estimate(s.Pods.Class[p])
	return func(n cluster.NodeID) int64 { return allocated(s, n, cpu, memory, leastPart) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (leastAllocated) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	cpu, memory := s.Estimate(s.Pods.Class[p])
	for i, n := range nodes {
		out[i] = allocated(s, n, cpu, memory, leastPart)
	}
	return true
}

// leastPart returns the share of capacity that is left, in whole hundredths, 0
// if nothing is.
func leastPart(capacity, requested int64) int64 {
	if requested > capacity {
		return 0
	}
	return (capacity - requested) * scheduler.MaxScore / capacity
}

type mostAllocated struct{}

// Score implements scheduler.Scorer.
func (mostAllocated) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	cpu, memory := s.Estimate(s.Pods.Class[p])
	return func(n cluster.NodeID) int64 { return allocated(s, n, cpu, memory, mostPart) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (mostAllocated) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	cpu, memory := s.Estimate(s.Pods.Class[p])
	for i, n := range nodes {
		out[i] = allocated(s, n, cpu, memory, mostPart)
	}
	return true
}

// mostPart returns the share of capacity that is taken, in whole hundredths. A
// node may be asked for more than it has, since estimates count pods that ask
// for nothing.
func mostPart(capacity, requested int64) int64 {
	return min(requested, capacity) * scheduler.MaxScore / capacity
}

// allocated returns the mean of part over n's CPU and memory with the pod's
// added, in whole numbers. A resource of which n has none is left out.
func allocated(s *cluster.State, n cluster.NodeID, cpu, memory int64, part func(capacity, requested int64) int64) int64 {
	var sum, count int64
	if capacity := s.Nodes.Cap[cluster.CPU][n]; capacity > 0 {
		sum += part(capacity, s.Nodes.EstimatedCPU[n]+cpu)
		count++
	}
	if capacity := s.Nodes.Cap[cluster.Memory][n]; capacity > 0 {
		sum += part(capacity, s.Nodes.EstimatedMemory[n]+memory)
		count++
	}
	if count == 0 {
		return 0
	}
	return sum / count
}
