package plugins

import (
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// refusing is an extender that lets pods run nowhere, though it might if others went;
// or what it is asked to filter it leaves, and only turns the victims round.
type refusing struct{ turns bool }

func (refusing) Name() string                                  { return "refusing" }
func (refusing) Ignorable() bool                               { return false }
func (refusing) Interested(*cluster.State, cluster.PodID) bool { return true }

func (x refusing) Verbs() scheduler.Verbs {
	if x.turns {
		return scheduler.VerbPreempt
	}
	return scheduler.VerbFilter
}

func (refusing) Filter(_ *cluster.State, _ cluster.PodID, nodes []cluster.NodeID) (f scheduler.Filtered, err error) {
	for _, n := range nodes {
		f.Rejected = append(f.Rejected, scheduler.ExtenderRejection{Node: n, Reason: "no"})
	}
	return f, nil
}

func (refusing) Prioritize(*cluster.State, cluster.PodID, []cluster.NodeID) ([]scheduler.ExtenderScore, int64, error) {
	panic("it is not asked")
}

func (refusing) Preempt(_ *cluster.State, _ cluster.PodID, cs []scheduler.Candidate) ([]scheduler.Candidate, error) {
	for _, c := range cs {
		slices.Reverse(c.Victims)
	}
	return cs, nil
}

// preempting returns a State of nodes of 1000 milli-CPUs with pods that started at
// the times given, 500 for each, and a more important pod that wants cpu.
func preempting(cpu int64, started ...[]cluster.Time) (*cluster.State, cluster.PodID) {
	s := cluster.NewState()
	var events []cluster.Event
	pod := func(name string, priority int32, cpu int64, on string, at *cluster.Time) {
		class := &cluster.Class{Priority: priority, Requests: cluster.Amounts{cluster.CPU: cpu}}
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Class: class, On: on, Started: at}})
	}
	for i, times := range started {
		name := string(rune('a' + i))
		s.Observe(0, []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: name, Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.PodSlots: 10},
		}}})
		for j, at := range times {
			pod(name+string(rune('0'+j)), 0, 500, name, &at)
		}
	}
	pod("p", 5, cpu, "", nil)
	s.Observe(0, events)
	return s, events[len(events)-1].Pod
}

func extended(t *testing.T, x scheduler.Extender) *scheduler.Profile {
	t.Helper()
	pr, err := scheduler.NewProfile([]*scheduler.Plugin{NodeResourcesFit, DefaultPreemption}, []scheduler.Weighted{{Name: "NodeResourcesFit", Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	pr.SetExtenders([]scheduler.Extender{x})
	return pr
}

// TestPreemptionWhereAnExtenderRefuses keeps a node for a pod that nobody need make
// room for, on a node where an extender doesn't let it run: upstream takes that for
// an error, and lets it keep the node.
func TestPreemptionWhereAnExtenderRefuses(t *testing.T) {
	s, p := preempting(100, []cluster.Time{1})
	s.Nominate(p, 0)
	s.TakeDecisions()
	pr := extended(t, refusing{})
	if _, _, ok := pr.Select(s, p); ok {
		t.Error("the pod gets a node")
	}
	if pre, ok := pr.Preemption(s, p); ok {
		t.Errorf("proposes %+v", pre)
	}
}

// TestPreemptionOfTurnedVictims has an extender put victims in another order. Of two
// nodes the one is taken whose oldest pod is younger.
func TestPreemptionOfTurnedVictims(t *testing.T) {
	s, p := preempting(1000, []cluster.Time{1, 5}, []cluster.Time{2, 3})
	pre, ok := extended(t, refusing{turns: true}).Preemption(s, p)
	if !ok || s.Nodes.Name[pre.Node] != "b" || len(pre.Victims) != 2 || s.Pods.Name[pre.Victims[0]] != "b1" {
		t.Errorf("proposes %+v, %v", pre, ok)
	}
}
