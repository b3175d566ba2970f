package scheduler_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// TestNomineesKeepGPUs has one whole GPU left on a node that is kept for a pod
// that wants a whole one, and a less important pod that wants one, too. There are
// shares enough for both, but on other GPUs.
func TestNomineesKeepGPUs(t *testing.T) {
	s := cluster.NewState()
	asking := func(name string, priority, shares int32) cluster.Event {
		return cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Run: cluster.Never, Class: &cluster.Class{
			Namespace: "test", Priority: priority, GPUs: cluster.GPURequest{Count: 1, Shares: shares},
		}}}
	}
	gpuNode := node("n1", 1000)
	gpuNode.NodeSpec.GPUs = 3
	important := asking("important", 5, cluster.WholeGPU)
	important.PodSpec.Nominated = "n1"
	events := []cluster.Event{gpuNode, asking("half", 0, 500), asking("other half", 0, 500), important, asking("less", 0, cluster.WholeGPU)}
	s.Observe(0, events)
	for i, p := range []cluster.PodID{events[1].Pod, events[2].Pod} {
		s.Bind(p, events[0].Node, cluster.Allocation{GPUs: cluster.GPUSet(0).With(i)})
	}
	s.TakeDecisions()
	pr := mustProfile(t, []*scheduler.Plugin{room, gpus})
	if got := selected(pr, s, events[4].Pod); got != "" {
		t.Errorf("a less important pod gets the last whole GPU of %s, which is kept", got)
	}
	if got := selected(pr, s, events[3].Pod); got != "n1" {
		t.Errorf("the pod for which n1 is kept gets %q", got)
	}
}
