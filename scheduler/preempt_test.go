package scheduler_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// evictAll is a Preemptor that takes the first node on which a pod fits without
// the less important ones, and makes all of these go.
type evictAll struct{}

func (evictAll) Preempt(s *cluster.State, p cluster.PodID, _ scheduler.Diagnosis, t *scheduler.Trial) (pre scheduler.Preemption, ok bool) {
	for _, n := range s.Nodes.Live() {
		var victims []cluster.PodID
		for q := range s.PodsOn(n) {
			if s.Class(q).Priority < s.Class(p).Priority {
				victims = append(victims, q)
			}
		}
		mark := t.Mark()
		for _, q := range victims {
			t.Remove(q)
		}
		_, v := t.VerdictWithNominees(n)
		t.Undo(mark)
		if v.Code == scheduler.Success && len(victims) > 0 {
			return scheduler.Preemption{Node: n, Victims: victims}, true
		}
	}
	return pre, false
}

// TestEachPodPreempts has two pods of one class come to a full cluster at once.
// Each makes room for itself: that one fits nowhere and has found whom to make
// go says nothing about the other.
func TestEachPodPreempts(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	pr := mustProfile(t, []*scheduler.Plugin{room, required("EvictAll", evictAll{})})
	w.scheduler = scheduler.New(pr)
	w.step(0, pod("a", 900), pod("b", 900), pod("c", 900))
	w.step(1, w.bound("a"), w.bound("b"), w.bound("c"))

	events := []cluster.Event{podOf("x", 600, 5), podOf("y", 600, 5)}
	w.Observe(2, events)
	w.scheduler.Step(w.State, events)
	got := ""
	for _, d := range w.TakeDecisions() {
		got += d.Kind.String() + " " + w.Pods.Name[d.Pod] + " " + w.Nodes.Name[d.Node] + "; "
	}
	const want = "Preempt a n1; Nominate x n1; Preempt b n2; Nominate y n2; "
	if got != want {
		t.Errorf("decided %q, want %q", got, want)
	}
	w.pods["x"], w.pods["y"] = events[0].Pod, events[1].Pod
	decided, _ := w.step(3, w.ended("b"))
	if decided != "y@n2" {
		t.Errorf("when the victim on n2 has ended, decided %q, want y@n2", decided)
	}
	decided, _ = w.step(4, w.ended("a"))
	if decided != "x@n1" {
		t.Errorf("when the victim on n1 has ended, decided %q, want x@n1", decided)
	}
}
