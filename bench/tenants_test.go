package bench

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestJain has namespace a run all the time, b half of it, and c not at all: shares of 1, 1/2
// and 0, so (3/2)²/(3·5/4).
func TestJain(t *testing.T) {
	of := func(namespace string) *cluster.Class {
		return &cluster.Class{Namespace: namespace, Requests: cluster.Amounts{cluster.CPU: 1}}
	}
	var ts tenants
	ts.add(of("a"), 0, 50*cluster.Second)
	if _, ok := ts.jain(); ok {
		t.Error("one namespace has an index of fairness")
	}
	ts.add(of("b"), 10*cluster.Second, 0)
	ts.add(of("b"), 0, 10*cluster.Second)
	ts.add(of("c"), 30*cluster.Second, 0)
	ts.add(of("idle"), 0, 0)
	if got, ok := ts.jain(); !ok || math.Abs(got-2.25/3.75) > 1e-12 {
		t.Errorf("the index is %v, %v", got, ok)
	}
}

// TestJainCountsGPUs has a pod with 3 GPUs wait for 10 s and one with 1 run for 30 s, so half
// of the time; the other namespace runs all the time.
func TestJainCountsGPUs(t *testing.T) {
	of := func(namespace string, gpus int32) *cluster.Class {
		return &cluster.Class{Namespace: namespace, GPUs: cluster.GPURequest{Count: gpus, Shares: cluster.WholeGPU}}
	}
	var ts tenants
	ts.add(of("a", 3), 10*cluster.Second, 0)
	ts.add(of("a", 1), 0, 30*cluster.Second)
	ts.add(of("b", 1), 0, cluster.Second)
	if got, ok := ts.jain(); !ok || math.Abs(got-2.25/2.5) > 1e-12 {
		t.Errorf("the index is %v, %v", got, ok)
	}
}

// TestWaitsFromTheFirstTry has a pod be refused at 1 s and again at 2 s, and come at 4 s.
func TestWaitsFromTheFirstTry(t *testing.T) {
	s := cluster.NewState()
	spec := &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "a"}}
	other := &cluster.PodSpec{Name: "q", Class: spec.Class}
	var r refusals
	for _, at := range []cluster.Time{1, 2} {
		r.refuse(&cluster.Event{Time: at * cluster.Second, Kind: cluster.PodRefused, PodSpec: spec})
	}
	if r.tries != 2 || r.pods != 1 || r.waiting() != 1 {
		t.Errorf("%d tries of %d pods, %d waiting", r.tries, r.pods, r.waiting())
	}
	events := []cluster.Event{
		{Time: 4 * cluster.Second, Kind: cluster.PodAdded, PodSpec: spec},
		{Time: 4 * cluster.Second, Kind: cluster.PodAdded, PodSpec: other},
	}
	s.Observe(4*cluster.Second, events)
	for i := range events {
		r.admit(s, &events[i])
	}
	if came := r.came(s, events[0].Pod); came != cluster.Second || r.waiting() != 0 {
		t.Errorf("the refused pod waits since %v, and %d wait for being created", came, r.waiting())
	}
	if came := r.came(s, events[1].Pod); came != 4*cluster.Second {
		t.Errorf("the other pod waits since %v", came)
	}
}
