package scheduler_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// TestCells checks that nodes are in one cell if they share a zone, and what is counted
// there.
func TestCells(t *testing.T) {
	s := cluster.NewState()
	events := []cluster.Event{node("a1", 1000), node("b1", 1000), node("a2", 1000), node("nowhere", 1000)}
	for i, zone := range []string{"a", "b", "a"} {
		events[i].NodeSpec.Labels = cluster.Labels{{Key: "zone", Value: zone}}
	}
	for _, on := range []string{"a1", "a2", "b1", "nowhere"} {
		p := pod("on-"+on, 1)
		p.PodSpec.On = on
		events = append(events, p)
	}
	s.Observe(0, events)
	ok := true
	rule := &scheduler.DomainRule{
		Columns: []scheduler.DomainColumn{{Key: "zone", Least: true}},
		Brings:  func(cluster.ClassID) ([]scheduler.Share, bool) { return []scheduler.Share{{Column: 0, Weight: 3}}, ok },
	}
	cells, done := scheduler.Cells(s, rule)
	var got []string
	for _, at := range cells {
		least, eligible := at.Least(0)
		got = append(got, fmt.Sprint(at.Nodes(), at.In(0), at.Count(0), at.Total(0), least, eligible))
	}
	want := []string{"2 true 6 9 3 2", "1 true 3 9 3 2", "1 false 0 9 3 2"}
	if !done || !slices.Equal(got, want) {
		t.Errorf("the cells have %q (%v), want %q", got, done, want)
	}
	ok = false
	if _, done := scheduler.Cells(s, rule); done {
		t.Error("there are cells of a rule whose columns don't do")
	}
}
