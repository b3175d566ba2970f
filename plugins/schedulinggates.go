package plugins

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// SchedulingGates is kube's plugin of that name
// (pkg/scheduler/framework/plugins/schedulinggates).
var SchedulingGates = &scheduler.Plugin{
	Name:     "SchedulingGates",
	Doc:      "SchedulingGates holds back pods that have scheduling gates, until the last gate is taken off.",
	New:      func(scheduler.Args) (any, error) { return schedulingGates{}, nil },
	Required: true,
}

type schedulingGates struct{}

// PreEnqueue implements scheduler.PreEnqueuer.
func (schedulingGates) PreEnqueue(s *cluster.State, p cluster.PodID) scheduler.Verdict {
	gates := s.Class(p).Gates
	if len(gates) == 0 {
		return scheduler.Verdict{}
	}
	return scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{fmt.Sprintf("waiting for scheduling gates: %v", gates)}}
}

// Wakes implements scheduler.Waker.
func (schedulingGates) Wakes() scheduler.Action { return scheduler.UpdatePodSchedulingGatesEliminated }

// Wake implements scheduler.Waker: only the pod's own gates matter.
func (schedulingGates) Wake(_ *cluster.State, _ *cluster.Class, c *scheduler.Change) bool {
	return c.Own
}
