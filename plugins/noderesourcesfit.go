package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeResourcesFit is kube's plugin of that name
// (pkg/scheduler/framework/plugins/noderesources/fit.go).
var NodeResourcesFit = &scheduler.Plugin{
	Name: "NodeResourcesFit",
	Doc: "NodeResourcesFit rules out nodes without room for what the pod requests. " +
		"When a policy names it, it scores as LeastAllocated does, as kube's default is.",
	New:      func(scheduler.Args) (any, error) { return &fit{}, nil },
	Required: true,
}

type fit struct{ leastAllocated }

// Filter implements scheduler.Filter. A request of nothing fits even where less
// than nothing is free.
func (f *fit) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	requests := s.Class(p).Requests
	return func(n cluster.NodeID) (v scheduler.Verdict) {
		for r := range requests {
			r := cluster.Resource(r)
			if requests[r] > 0 && requests[r] > s.Free(n, r) {
				v.Reasons = append(v.Reasons, insufficient(s, r))
				v.Code = max(v.Code, preemptable(requests[r] > s.Nodes.Cap[r][n] && r != cluster.PodSlots))
			}
		}
		return v
	}
}

// preemptable returns the code of a pod that does not fit: whether preemption
// can help depends on whether it would fit an empty node.
func preemptable(tooLarge bool) scheduler.Code {
	if tooLarge {
		return scheduler.Unresolvable
	}
	return scheduler.Unschedulable
}

func insufficient(s *cluster.State, r cluster.Resource) string {
	if r == cluster.PodSlots {
		return "Too many pods"
	}
	return "Insufficient " + s.ResourceName(r)
}

// FilterBatch implements scheduler.BatchFilter, a column at a time.
func (f *fit) FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	for r, want := range s.Class(p).Requests {
		if want <= 0 {
			continue
		}
		capacity, used := s.Nodes.Cap[r], s.Nodes.Used[r]
		kept := nodes[:0]
		for _, n := range nodes {
			if want <= capacity[n]-used[n] {
				kept = append(kept, n)
			}
		}
		nodes = kept
	}
	return nodes
}
