package scheduler_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestIncoming counts what brings pods to the parts of the queue, as kube-scheduler calls it.
func TestIncoming(t *testing.T) {
	counts := func(w *world) string {
		var list []string
		for _, in := range w.scheduler.Incoming() {
			list = append(list, fmt.Sprintf("%s %s %d", in.Queue, in.Event, in.Pods))
		}
		return strings.Join(list, ", ")
	}
	w := newGatedWorld(t)
	w.step(cluster.Second, gatedPod("a", 100), pod("big", 1<<40), pod("c", 100))
	want := "unschedulable UnschedulablePodAdd 1, active UnschedulablePodAdd 2, unschedulable ScheduleAttemptFailure 1"
	if got := counts(w); got != want {
		t.Errorf("pods that came:\ngot  %s\nwant %s", got, want)
	}
	w.step(2*cluster.Second, w.ungated("a", 100))
	want += ", active UnschedulablePodUpdatePodSchedulingGatesEliminated 1"
	if got := counts(w); got != want {
		t.Errorf("a gate is gone:\ngot  %s\nwant %s", got, want)
	}
	w.step(60*cluster.Second, w.ended("c"))
	want = strings.Replace(want, "Failure 1", "Failure 2", 1) + ", active AssignedPodDelete 1"
	if got := counts(w); got != want {
		t.Errorf("a pod has ended, and the try that follows fails:\ngot  %s\nwant %s", got, want)
	}
	w.step(600 * cluster.Second)
	if got := counts(w); !strings.Contains(got, " UnschedulableTimeout 1") {
		t.Errorf("a pod waited for long: %s has no UnschedulableTimeout", got)
	}
}
