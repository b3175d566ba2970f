package replay

import (
	"bytes"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// TestOrigin tells some events after some decisions: which have come from outside?
func TestOrigin(t *testing.T) {
	taint := cluster.Taint{Key: "k", Effect: cluster.NoExecute}
	pod := &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "a"}}
	budget := func(allowed int32, unavailable int32) *cluster.DisruptionBudget {
		return &cluster.DisruptionBudget{Name: "b", Allowed: allowed, MaxUnavailable: &cluster.IntOrPercent{Value: unavailable}}
	}
	quota := func(used, hard int64) *cluster.ResourceQuota {
		return &cluster.ResourceQuota{Name: "q", Hard: []cluster.NamedAmount{{Name: "pods", Amount: hard}}, Used: []cluster.NamedAmount{{Name: "pods", Amount: used}}}
	}
	service := &cluster.Service{Name: "s"}
	stored := cluster.Stored{To: service}
	set := func(o cluster.Object) cluster.Event { return cluster.Event{Kind: cluster.ObjectSet, Object: o} }
	came, refused := cluster.Event{Kind: cluster.PodAdded, PodSpec: pod}, cluster.Event{Kind: cluster.PodRefused, PodSpec: pod}
	changed := cluster.Event{Kind: cluster.NodeChanged, Node: 3}
	rejected := func(d cluster.Decision) cluster.Event { return cluster.Event{Kind: cluster.Rejected, Decision: d} }
	create := cluster.Decision{Kind: cluster.Create, Detail: pod}
	store := cluster.Decision{Kind: cluster.Store, Detail: stored}
	addTaint := cluster.Decision{Kind: cluster.AddTaint, Node: 3, Detail: taint}
	for _, tt := range []struct {
		why     string
		decided []cluster.Decision
		events  []cluster.Event
		want    []bool
	}{
		{"pods that nobody made", nil, []cluster.Event{came, refused}, []bool{true, true}},
		{"a pod that a controller made, and another", []cluster.Decision{create}, []cluster.Event{came, came}, []bool{false, true}},
		{"two pods that a controller made", []cluster.Decision{create, create}, []cluster.Event{refused, came, came}, []bool{false, false, true}},
		{"a pod that could not be made", []cluster.Decision{create}, []cluster.Event{rejected(create), came}, []bool{false, true}},
		{"a node is described", nil, []cluster.Event{changed}, []bool{true}},
		{"a node gets a taint, and is described", []cluster.Decision{addTaint}, []cluster.Event{{Kind: cluster.NodeHeard, Node: 3}, changed, changed}, []bool{true, false, true}},
		{"another node gets one", []cluster.Decision{addTaint}, []cluster.Event{{Kind: cluster.NodeChanged, Node: 4}}, []bool{true}},
		{"a node that leaves doesn't get one", []cluster.Decision{addTaint}, []cluster.Event{{Kind: cluster.NodeRemoved, Node: 3}, {Kind: cluster.NodeAdded, Node: 3}, changed}, []bool{true, true, true}},
		{"a taint that could not be put", []cluster.Decision{addTaint}, []cluster.Event{rejected(addTaint), changed}, []bool{false, true}},
		{"objects", nil, []cluster.Event{set(service), set(service), {Kind: cluster.ObjectRemoved, Object: service}}, []bool{true, true, true}},
		{"an object that a controller stores", []cluster.Decision{store}, []cluster.Event{set(&cluster.Service{Name: "s"}), set(service)}, []bool{false, true}},
		{"another than the one it stores", []cluster.Decision{store}, []cluster.Event{set(&cluster.Service{Name: "s", Selector: cluster.Labels{}})}, []bool{true}},
		{"an object that could not be stored", []cluster.Decision{store}, []cluster.Event{rejected(store), set(service)}, []bool{false, true}},
		{"budgets", nil, []cluster.Event{set(budget(0, 1)), set(budget(1, 1)), set(budget(1, 2))}, []bool{true, false, true}},
		{"quotas", nil, []cluster.Event{set(quota(0, 1)), set(quota(1, 1)), set(quota(1, 2))}, []bool{true, false, true}},
		{"a budget that was removed", nil, []cluster.Event{set(budget(0, 1)), {Kind: cluster.ObjectRemoved, Object: budget(0, 1)}, set(budget(1, 1))}, []bool{true, true, true}},
		{"what only follows", nil, []cluster.Event{{Kind: cluster.PodBound}, {Kind: cluster.PodEnded}, {Kind: cluster.PodTold}, {Kind: cluster.PodReady}, {Kind: cluster.PodChanged}}, []bool{false, false, false, false, false}},
	} {
		o := newOrigin()
		for i := range tt.decided {
			o.decided(&tt.decided[i])
		}
		for i := range tt.events {
			if got := o.outside(&tt.events[i]); got != tt.want[i] {
				t.Errorf("%s: event %d, %v, is from outside: %t", tt.why, i, tt.events[i].Kind, got)
			}
		}
		if len(o.created) > 0 {
			t.Errorf("%s: pods are still expected: %v", tt.why, o.created)
		}
	}
}

// TestOutside checks that whoever records may know better what has come from outside, where
// that can be either.
func TestOutside(t *testing.T) {
	s := cluster.NewState()
	var b bytes.Buffer
	to, err := wire.Create(&b, Meta(s), wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := NewLog(to)
	l.Outside = func(_ *cluster.State, e *cluster.Event) bool { return e.Kind == cluster.PodEnded }
	round := func(events ...cluster.Event) {
		s.Observe(s.Now+1, events)
		if err := l.Record(s, events, nil); err != nil {
			t.Fatal(err)
		}
	}
	round(cluster.Event{Time: 1, Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n"}})
	round(cluster.Event{Time: 2, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", On: "n", Class: &cluster.Class{}}})
	l.Outside = nil
	round(cluster.Event{Time: 3, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "q", On: "n", Class: &cluster.Class{}}})
	l.Outside = func(_ *cluster.State, e *cluster.Event) bool { return e.Kind == cluster.PodEnded }
	round(cluster.Event{Time: 4, Kind: cluster.PodReady, Pod: 1, Ready: true}, cluster.Event{Time: 4, Kind: cluster.PodEnded, Pod: 1})
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	r := reader(t, b.Bytes(), wire.ReadOptions{Workload: true})
	var got []cluster.Kind
	for {
		x, err := r.Next()
		if err != nil {
			break
		}
		got = append(got, x.Event.Kind)
		if x.Event.Kind == cluster.PodEnded && x.Event.Pod != 0 {
			t.Errorf("pod %d has ended; want the first from outside", x.Event.Pod)
		}
	}
	if len(got) != 3 || got[0] != cluster.NodeAdded || got[1] != cluster.PodAdded || got[2] != cluster.PodEnded {
		t.Errorf("the workload has %v", got)
	}
}

// TestRows checks that what has gone is known until its row is another's.
func TestRows(t *testing.T) {
	rs := newRows[cluster.PodID]()
	rs.come(10, 2)
	rs.leave(10)
	if _, live := rs.live(10); live || rs.row(10) != 2 {
		t.Errorf("what has gone is live, or not known any more")
	}
	rs.come(12, 2)
	if row, live := rs.live(12); !live || row != 2 || rs.row(10) != cluster.None || len(rs.of) != 1 {
		t.Errorf("row 2 is of %+v", rs.of)
	}
	if rs.row(cluster.None) != cluster.None {
		t.Error("none is somewhere")
	}
}
