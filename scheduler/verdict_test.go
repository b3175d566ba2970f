package scheduler_test

import (
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// crowd returns a State with so many nodes that lack CPU, memory and both for
// the pod it returns, and so many that don't.
func crowd(cpu, memory, both, roomy int) (*cluster.State, cluster.PodID) {
	s := cluster.NewState()
	var events []cluster.Event
	add := func(count int, amounts cluster.Amounts) {
		for range count {
			name := fmt.Sprint("n", len(events))
			events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name, Capacity: amounts}})
		}
	}
	add(cpu, cluster.Amounts{cluster.CPU: 99, cluster.Memory: 100, cluster.PodSlots: 9})
	add(memory, cluster.Amounts{cluster.CPU: 100, cluster.Memory: 99, cluster.PodSlots: 9})
	add(both, cluster.Amounts{cluster.CPU: 99, cluster.Memory: 99, cluster.PodSlots: 9})
	add(roomy, cluster.Amounts{cluster.CPU: 100, cluster.Memory: 100, cluster.PodSlots: 9})
	class := &cluster.Class{Namespace: "test", Requests: cluster.Amounts{cluster.CPU: 100, cluster.Memory: 100}}
	events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: class, Run: cluster.Never}})
	s.Observe(0, events)
	return s, events[len(events)-1].Pod
}

// TestDiagnosisInKubesWords has messages as kube-scheduler writes them into the
// condition PodScheduled (FitError in pkg/scheduler/framework/types.go): each
// reason with the number of its nodes, in the order of these texts.
func TestDiagnosisInKubesWords(t *testing.T) {
	for _, tt := range []struct {
		cpu, memory, both, roomy int
		want                     string
	}{
		{3, 9, 0, 0, "0/12 nodes are available: 3 Insufficient cpu, 9 Insufficient memory."},
		{3, 10, 0, 0, "0/13 nodes are available: 10 Insufficient memory, 3 Insufficient cpu."}, // as texts, "10" comes before "3"
		{1, 1, 2, 0, "0/4 nodes are available: 3 Insufficient cpu, 3 Insufficient memory."},
		{2, 0, 0, 0, "0/2 nodes are available: 2 Insufficient cpu."},
		{2, 0, 0, 1, "0/3 nodes are available: 2 Insufficient cpu."},
		{0, 0, 0, 0, "no nodes available to schedule pods"},
	} {
		s, p := crowd(tt.cpu, tt.memory, tt.both, tt.roomy)
		d := mustProfile(t, []*scheduler.Plugin{room}).Diagnose(s, p)
		if got := d.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if refused := tt.cpu + tt.memory + tt.both; d.Nodes != refused+tt.roomy || len(d.Verdicts) != refused {
			t.Errorf("%d nodes and %d verdicts; want %d and %d", d.Nodes, len(d.Verdicts), refused+tt.roomy, refused)
		}
	}
}

// TestDiagnosisNamesTheFirst checks which filters are asked, in which order: the
// required ones in the order of the list, then the policy's in the policy's.
func TestDiagnosisNamesTheFirst(t *testing.T) {
	refusing := func(names ...string) filter {
		return func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) (v scheduler.Verdict) {
			for _, name := range names {
				if s.Nodes.Name[n] == name {
					v = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"no " + name}}
				}
			}
			return v
		}
	}
	plugins := []*scheduler.Plugin{
		plugin("Fourth", refusing("a", "b", "c", "d")), required("First", refusing("a")), plugin("Third", refusing("b", "c")),
		required("Second", refusing("a", "b")), plugin("Unused", refusing("e")),
	}
	s := shuffled(3, "e", "d", "c", "b", "a")
	d := mustProfile(t, plugins, weigh("Third", "Second", "Fourth")...).Diagnose(s, addPod(s, "p"))
	got := ""
	for _, v := range d.Verdicts {
		got += fmt.Sprintln(s.Nodes.Name[v.Node], v.Plugin, v.Code, v.Reasons[0])
	}
	const want = `d Fourth UnschedulableAndUnresolvable no d
c Third UnschedulableAndUnresolvable no c
b Second UnschedulableAndUnresolvable no b
a First UnschedulableAndUnresolvable no a
`
	if got != want || d.Nodes != 5 {
		t.Errorf("of %d nodes got\n%swant\n%s", d.Nodes, got, want)
	}
	for name, want := range map[string]scheduler.Code{"a": scheduler.Unresolvable, "e": scheduler.Success} {
		if n, _ := s.Nodes.Named(name); d.Of(n).Code != want {
			t.Errorf("the verdict on %s is %v, want %v", name, d.Of(n).Code, want)
		}
	}
	for code, want := range map[scheduler.Code]string{scheduler.Unresolvable: "dcba", scheduler.Success: "e", scheduler.Unschedulable: ""} {
		got := ""
		for _, n := range d.With(s, code) {
			got += s.Nodes.Name[n]
		}
		if got != want {
			t.Errorf("the nodes with %v are %q, want %q", code, got, want)
		}
	}
}

// choosy is a Preselector that is told what to say.
type choosy struct {
	filter
	names []string
	v     scheduler.Verdict
}

func (c choosy) Preselect(*cluster.State, cluster.PodID) ([]string, bool, scheduler.Verdict) {
	return c.names, c.names != nil, c.v
}

// TestDiagnosisOfPreselection has nodes that nobody looked at.
func TestDiagnosisOfPreselection(t *testing.T) {
	passing := filter(func(*cluster.State, cluster.PodID, cluster.NodeID) (v scheduler.Verdict) { return v })
	never := scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"not today", "nor tomorrow"}}
	s, p := newState(1001, "n1", "n2", "n3") // one more than each has
	for _, tt := range []struct {
		pre  choosy
		want string
		n2   scheduler.Code
		n3   scheduler.Code
		gone int // nodes that preemption can't help on
	}{
		{choosy{filter: passing}, "0/3 nodes are available: 3 Insufficient cpu.", scheduler.Unschedulable, scheduler.Unschedulable, 0},
		{choosy{passing, []string{"n2"}, scheduler.Verdict{}},
			"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [Choosy].", scheduler.Unschedulable, scheduler.Unresolvable, 2},
		{choosy{passing, []string{"n1", "n2", "n3", "n4"}, scheduler.Verdict{}}, "0/3 nodes are available: 3 Insufficient cpu.",
			scheduler.Unschedulable, scheduler.Unschedulable, 0},
		{choosy{passing, nil, never}, "0/3 nodes are available: not today, nor tomorrow.", scheduler.Unresolvable, scheduler.Unresolvable, 3},
	} {
		d := mustProfile(t, []*scheduler.Plugin{required("Choosy", tt.pre), room}).Diagnose(s, p)
		if got := d.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		n2, n3, gone := d.Of(1).Code, d.Of(2).Code, len(d.With(s, scheduler.Unresolvable))
		if n2 != tt.n2 || n3 != tt.n3 || gone != tt.gone {
			t.Errorf("%s: the verdicts on n2 and n3 are %v and %v, and preemption can't help on %d; want %v, %v and %d",
				tt.want, n2, n3, gone, tt.n2, tt.n3, tt.gone)
		}
	}
}
