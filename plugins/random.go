package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Random is the baseline of Weng et al. (ATC'23): any feasible node is as good as
// any other.
var Random = &scheduler.Plugin{
	Name: "Random",
	Doc: "Random takes any feasible node, and for a pod that shares a GPU any fitting GPU, each as likely. " +
		"It scores nothing: alone in a policy it chooses among equals at random, beside others it only chooses GPUs.",
	New:  func(scheduler.Args) (any, error) { return random{}, nil },
	Ties: scheduler.TiesRandom,
}

type random struct{}

// Allocate implements scheduler.Allocator.
func (random) Allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	want, free := s.Class(p).GPUs, s.Nodes.GPUFree[n]
	if !want.Shared() {
		return firstGPUs(free, want)
	}
	d := s.Nodes.For(s.Draw("gpu", p), n)
	best := -1
	for i, f := range free {
		if f >= want.Shares && (best < 0 || d.At(i) > d.At(best)) {
			best = i
		}
	}
	return oneGPU(best)
}
