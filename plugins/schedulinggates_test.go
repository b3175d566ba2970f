package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

func TestSchedulingGates(t *testing.T) {
	w := newWorld()
	gates := instance[scheduler.PreEnqueuer](t, plugins.SchedulingGates, "")
	if v := gates.PreEnqueue(w.State, w.pending(cluster.Class{}, "")); v.Code != scheduler.Success || v.Reasons != nil {
		t.Errorf("a pod without gates: %v", v)
	}
	v := gates.PreEnqueue(w.State, w.pending(cluster.Class{Gates: []string{"a.com/x", "b.com/y"}}, ""))
	const want = "waiting for scheduling gates: [a.com/x b.com/y]"
	if v.Code != scheduler.Unresolvable || len(v.Reasons) != 1 || v.Reasons[0] != want {
		t.Errorf("a pod with two gates: %v; want %s", v, want)
	}
}
