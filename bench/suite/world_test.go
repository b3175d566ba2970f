package suite

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// small returns every workload on a small cluster.
func small() (cases []Case) {
	for _, c := range Cases(60) {
		if c.Classes <= 10 {
			cases = append(cases, c)
		}
	}
	return cases
}

// TestSteadyState checks that a cluster stays as full as it is, and that what must be
// placed is.
func TestSteadyState(t *testing.T) {
	for _, c := range small() {
		t.Run(c.Name(), func(t *testing.T) {
			w := mustWorld(t, c)
			before := census(w.State)
			w.Prepare(500)
			for range 500 {
				w.Place()
			}
			after := census(w.State)
			on := func(phases map[cluster.Phase]int) int { return phases[cluster.Bound] + phases[cluster.Assumed] }
			if d := on(after) - on(before); d < -3 || d > 3 {
				t.Errorf("there were %v, and after a while %v", before, after)
			}
			pending := 0
			if c.Workload == "unschedulable" || c.Workload == "mixed" {
				pending = 60 * podsPerNode / 20
			}
			if after[cluster.Pending] > pending+2 || pending > 0 && after[cluster.Pending] == 0 {
				t.Errorf("%d pods are pending, want about %d", after[cluster.Pending], pending)
			}
			if w.Left() != 0 {
				t.Errorf("%d pods have not come", w.Left())
			}
		})
	}
}

// census counts pods by their phase.
func census(s *cluster.State) map[cluster.Phase]int {
	phases := map[cluster.Phase]int{}
	for p := range cluster.PodID(s.Pods.Rows()) {
		if ph := s.Pods.Phase[p]; ph != cluster.Ended {
			phases[ph]++
		}
	}
	return phases
}

// TestWorkloadsAreWhatTheySay checks the numbers of classes that make workloads what they
// are.
func TestWorkloadsAreWhatTheySay(t *testing.T) {
	classes := func(c Case) int { return mustWorld(t, c).State.Classes() }
	for _, n := range []int{1, 10, 100} {
		if got := classes(Case{"basic", 60, n}); got != n {
			t.Errorf("basic has %d classes, want %d", got, n)
		}
	}
	if got := classes(Case{Workload: "distinct", Nodes: 60}); got < 400 {
		t.Errorf("of 420 distinct pods, there are %d classes", got)
	}
	if got := classes(Case{Workload: "job", Nodes: 60}); got != 10 {
		t.Errorf("jobs' pods have %d classes, want 10: their own labels don't matter", got)
	}
	if got := classes(Case{Workload: "preemption", Nodes: 60}); got != 2 {
		t.Errorf("preemption has %d classes, want 2", got)
	}
}

// TestPreemptionPreempts checks that every pod makes three others go.
func TestPreemptionPreempts(t *testing.T) {
	w := mustWorld(t, Case{Workload: "preemption", Nodes: 60})
	minors := w.made
	w.Prepare(10)
	for range 10 {
		w.Place()
		if !w.placed || len(w.coming) != 1 {
			t.Errorf("a pod was not placed: %v is to come", w.coming)
		}
	}
	if d := w.made - minors; d != 10*(1+victims) {
		t.Errorf("%d pods were made", d)
	}
	if len(w.minors) != 0 {
		t.Errorf("%d pods have not come back", len(w.minors))
	}
	if got := census(w.State); got[cluster.Pending] != 0 || got[cluster.Terminating] != 0 {
		t.Errorf("there are %v", got)
	}
}

// TestWatchingChangesNothing checks that the same is decided, and counted, under labels.
func TestWatchingChangesNothing(t *testing.T) {
	for _, c := range small() {
		a, b := mustWorld(t, c), mustWorld(t, c)
		m := newMarks(c.Name())
		b.watch(m)
		for _, w := range []*World{a, b} {
			w.Prepare(100)
			for range 100 {
				w.Place()
			}
		}
		m.stop()
		if a.digest.Sum() != b.digest.Sum() || a.profile.Work() != b.profile.Work() {
			t.Errorf("%s: under labels something else was decided, or %+v was done, not %+v", c.Name(), b.profile.Work(), a.profile.Work())
		}
		if len(m.stack) != 1 {
			t.Errorf("%s: %d labels are left", c.Name(), len(m.stack))
		}
	}
}

func TestCases(t *testing.T) {
	var names []string
	for _, c := range Cases() {
		names = append(names, c.Name())
	}
	for _, want := range []string{"basic/nodes=500/classes=1", "basic/nodes=5000/classes=1000", "distinct/nodes=5000", "preemption/nodes=5000"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing among %q", want, names)
		}
	}
	if len(names) != 2*4+11 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("there are %d cases: %q", len(names), names)
	}
	if got := Cases(15000, 100000); len(got) != 2*(4+11) || got[4].Name() != "basic/nodes=100000/classes=1" {
		t.Errorf("of two sizes there are %v", got)
	}
}

func TestMatching(t *testing.T) {
	got, err := Matching(Cases(), "spread")
	if err != nil || len(got) != 2 || got[0].Workload != "hardspread" || got[1].Workload != "softspread" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Matching(Cases(), "bsic"); err == nil || !strings.Contains(err.Error(), "there are basic/nodes=500/classes=1, ") {
		t.Errorf("got %v", err)
	}
	if _, err := Matching(Cases(), "("); err == nil || !strings.Contains(err.Error(), "not a regular expression") {
		t.Errorf("got %v", err)
	}
}
