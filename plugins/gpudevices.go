package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// GPUDevices knows that a node's free shares are spread over its GPUs.
var GPUDevices = &scheduler.Plugin{
	Name: "GPUDevices",
	Doc: "GPUDevices rules out nodes whose GPUs are of the wrong model or too full one by one. " +
		"A pod that shares gets the fullest GPU that will do, one that wants whole GPUs the first free ones.",
	New:      func(scheduler.Args) (any, error) { return gpuDevices{}, nil },
	Required: true,
}

type gpuDevices struct{}

var (
	wrongModel = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't have the GPU model that the pod asks for"}}
	gpusTooFew = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't have as many GPUs as the pod asks for"}}
	gpusTaken  = scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"node(s) didn't have enough free GPUs"}}
)

// Filter implements scheduler.Filter.
func (gpuDevices) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	c, want := s.Pods.Class[p], s.Class(p).GPUs
	if want.Count == 0 {
		return nil
	}
	return func(n cluster.NodeID) scheduler.Verdict {
		switch free := s.Nodes.GPUFree[n]; {
		case !s.AllowsModel(c, n):
			return wrongModel
		case len(free) < int(want.Count):
			return gpusTooFew
		case !serves(free, want):
			return gpusTaken
		}
		return scheduler.Verdict{}
	}
}

// FilterBatch implements scheduler.BatchFilter.
func (gpuDevices) FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	c, want := s.Pods.Class[p], s.Class(p).GPUs
	if want.Count == 0 {
		return nodes
	}
	kept := nodes[:0]
	for _, n := range nodes {
		if serves(s.Nodes.GPUFree[n], want) && s.AllowsModel(c, n) {
			kept = append(kept, n)
		}
	}
	return kept
}

// Depends implements scheduler.Dependent.
func (gpuDevices) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	if s.ClassByID(c).GPUs.Count == 0 {
		return scheduler.Dependence{Filter: scheduler.Class}
	}
	return scheduler.Dependence{Filter: scheduler.Row}
}

// Allocate implements scheduler.Allocator.
func (gpuDevices) Allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	want, free := s.Class(p).GPUs, s.Nodes.GPUFree[n]
	if want.Shared() {
		return oneGPU(fullest(free, want.Shares))
	}
	return firstGPUs(free, want)
}

// serves reports whether enough of the GPUs have what is wanted of each free.
func serves(free []int32, want cluster.GPURequest) bool {
	count := int32(0)
	for _, f := range free {
		if f >= want.Shares {
			count++
		}
	}
	return count >= want.Count
}

// fullest returns the GPU with the fewest free shares that has as many as
// wanted, the first among equals; -1 if none has.
func fullest(free []int32, shares int32) int {
	best := -1
	for i, f := range free {
		if f >= shares && (best < 0 || f < free[best]) {
			best = i
		}
	}
	return best
}

// oneGPU returns the allocation of one GPU, and none if i is -1.
func oneGPU(i int) (cluster.Allocation, scheduler.Verdict) {
	if i < 0 {
		return cluster.Allocation{}, gpusTaken
	}
	return cluster.Allocation{GPUs: cluster.GPUSet(0).With(i)}, scheduler.Verdict{}
}

// firstGPUs returns the first GPUs that have what is wanted of each free.
func firstGPUs(free []int32, want cluster.GPURequest) (cluster.Allocation, scheduler.Verdict) {
	var set cluster.GPUSet
	left := want.Count
	for i, f := range free {
		if left > 0 && f >= want.Shares {
			set = set.With(i)
			left--
		}
	}
	if left > 0 {
		return cluster.Allocation{}, gpusTaken
	}
	return cluster.Allocation{GPUs: set}, scheduler.Verdict{}
}
