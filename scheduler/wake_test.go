package scheduler_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// gate is a PreEnqueuer that goes by the class's gates, as kube's SchedulingGates.
type gate struct{}

func (gate) PreEnqueue(s *cluster.State, p cluster.PodID) (v scheduler.Verdict) {
	if len(s.Class(p).Gates) > 0 {
		return scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"gated"}}
	}
	return v
}

// gatedPod is a pod with a gate.
func gatedPod(name string, cpu int64) cluster.Event {
	e := pod(name, cpu)
	e.PodSpec.Class.Gates = []string{"example.com/gate"}
	return e
}

// ungated says that the pod's gate was taken away.
func (w *world) ungated(name string, cpu int64) cluster.Event {
	return cluster.Event{Kind: cluster.PodChanged, Pod: w.pods[name], PodSpec: pod(name, cpu).PodSpec}
}

// newGatedWorld returns a world with a gate and one node.
func newGatedWorld(t *testing.T, more ...*scheduler.Plugin) *world {
	w := newWorld(t, "n1")
	plugins := append([]*scheduler.Plugin{required("Asked", askedFilter{w}), room, required("Gate", gate{})}, more...)
	w.scheduler = scheduler.New(mustProfile(t, plugins))
	return w
}

func TestGated(t *testing.T) {
	w := newGatedWorld(t)
	got, _ := w.step(1, gatedPod("a", 100), pod("b", 200), gatedPod("c", 300))
	w.want(t, "two are gated", got, "b@n1", "b")
	got, _ = w.step(2, w.ended("b"))
	w.want(t, "room is of no use to them", got, "", "")
	got, _ = w.step(3, w.ungated("c", 300))
	w.want(t, "one gate is gone", got, "c@n1", "c")
	got, _ = w.step(4, w.ungated("a", 100))
	w.want(t, "the other gate is gone", got, "a@n1", "a")
}

// TestGatedRowReuse ends a gated pod; another one that is gated gets its row.
func TestGatedRowReuse(t *testing.T) {
	w := newGatedWorld(t)
	w.step(1, gatedPod("a", 100))
	row := w.pods["a"]
	w.step(2, w.ended("a"))
	w.step(3, gatedPod("b", 200))
	if w.pods["b"] != row {
		t.Fatal("the row was not reused")
	}
	got, _ := w.step(4, w.ungated("b", 200))
	w.want(t, "the gate of the heir is gone", got, "b@n1", "b")
}

// TestObjectsWake has a pod fit once there is a Service: what is remembered of
// its class must not outlive the change of an object.
func TestObjectsWake(t *testing.T) {
	service := &cluster.Service{Namespace: "test", Name: "open"}
	w := newGatedWorld(t, required("Served", filter(func(s *cluster.State, _ cluster.PodID, _ cluster.NodeID) (v scheduler.Verdict) {
		if s.Services.Get("test", "open") == nil {
			return scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"no service"}}
		}
		return v
	})))
	got, _ := w.step(1, pod("a", 100))
	w.want(t, "without the Service", got, "", "a")
	got, _ = w.step(2, cluster.Event{Kind: cluster.ObjectSet, Object: service})
	w.want(t, "with the Service", got, "a@n1", "a")
}

// TestCompanyWakes has a pod fit only where another is, as with required pod
// affinity. That other pod comes later.
func TestCompanyWakes(t *testing.T) {
	w := newGatedWorld(t, required("Company", filter(func(s *cluster.State, p cluster.PodID, n cluster.NodeID) (v scheduler.Verdict) {
		if s.Pods.Name[p] != "shy" {
			return v
		}
		for range s.PodsOn(n) {
			return v
		}
		return scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"nobody there"}}
	})))
	got, _ := w.step(1, pod("shy", 100))
	w.want(t, "nobody is there", got, "", "shy")
	got, _ = w.step(2, pod("bold", 200))
	w.want(t, "somebody comes", got, "bold@n1", "bold")
	got, _ = w.step(3, w.bound("bold"))
	w.want(t, "somebody is there", got, "shy@n1", "shy")
}

// TestEndOfNomineeWakes ends a pod that has no node, but for which one was kept.
func TestEndOfNomineeWakes(t *testing.T) {
	w := newWorld(t, "n1")
	nominee := podOf("nominee", 600, 5)
	nominee.PodSpec.Nominated = "n1"
	nominee.PodSpec.Class.Requests = cluster.Amounts{cluster.CPU: 600, cluster.Memory: 1 << 50} // more than n1 has
	got, _ := w.step(1, nominee, pod("other", 500))
	if got != "" {
		t.Fatalf("decided %q while 600 of 1000 are kept for another pod", got)
	}
	if got, _ = w.step(2, w.ended("nominee")); got != "other@n1" {
		t.Errorf("when the other pod has ended, decided %q", got)
	}
}
