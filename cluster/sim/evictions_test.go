package sim_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
)

// oneEach lets a budget pay for as many pods as it allows, whatever they are, and
// forbids the eviction of pods called "never".
type oneEach struct{}

func (oneEach) Evict(s *cluster.State, p cluster.PodID, ending bool, latest func(*cluster.DisruptionBudget) *cluster.DisruptionBudget) (*cluster.DisruptionBudget, int16, string) {
	b := latest(s.Budgets.Get("", "b"))
	switch {
	case ending:
		return nil, 0, ""
	case s.Pods.Name[p] == "never":
		return nil, 403, "never"
	case b.Allowed == 0:
		return nil, 429, "too many"
	}
	charged := *b
	charged.Allowed--
	return &charged, 0, ""
}

// TestEvictionCheck wants two pods of a budget for one gone at an instant to be told
// apart, although State doesn't know that the budget has paid.
func TestEvictionCheck(t *testing.T) {
	events := []cluster.Event{node("n", 100), {Kind: cluster.ObjectSet, Object: &cluster.DisruptionBudget{Name: "b", Allowed: 1}}}
	for _, name := range []string{"never", "first", "second"} {
		events = append(events, pod(0, name, 1, cluster.Never))
	}
	events = append(events, pod(9*cluster.Second, "last", 1, cluster.Never))
	c, s := start(t, sim.Options{Evictions: oneEach{}}, events...)
	round := func(deadline cluster.Time, decide func()) string {
		now, events, err := c.Next(context.Background(), deadline)
		if err != nil {
			t.Fatal(err)
		}
		s.Observe(now, events)
		var text strings.Builder
		for _, e := range events {
			fmt.Fprintf(&text, "%v ", e.Kind)
			switch {
			case e.Object != nil:
				fmt.Fprintf(&text, "%d ", e.Object.(*cluster.DisruptionBudget).Allowed)
			case e.Kind == cluster.Rejected:
				fmt.Fprintf(&text, "%s %d %s ", s.Pods.Name[e.Pod], e.Code, e.Reason)
			}
		}
		decide()
		if err := c.Apply(context.Background(), s.TakeDecisions()); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	evict := func(pods ...cluster.PodID) func() {
		return func() {
			for _, p := range pods {
				s.RequestEviction(p)
			}
		}
	}
	round(0, func() {
		for p := range cluster.PodID(3) {
			s.Bind(p, 0, cluster.Allocation{})
		}
	})
	round(0, evict(0, 1, 2))
	expect(t, round(0, func() {}), "Rejected never 403 never Rejected second 429 too many ObjectSet 0 ")
	expect(t, round(0, func() {}), "PodEnded ")
	expect(t, fmt.Sprint(s.Pods.Phase[:3], s.Budgets.Get("", "b").Allowed), "[Bound Ended Bound] 0")
	// What is stored comes back as it is, or charged.
	expect(t, round(cluster.Second, func() { s.Store(&cluster.DisruptionBudget{Name: "b", Allowed: 7}) }), "")
	expect(t, round(0, func() { s.Store(&cluster.DisruptionBudget{Name: "b", Allowed: 5}); s.RequestEviction(2) }), "ObjectSet 7 ")
	expect(t, round(0, func() {}), "ObjectSet 5 ObjectSet 4 ")
	expect(t, fmt.Sprint(s.Budgets.Get("", "b").Allowed), "4")
}

// TestNoEvictionCheck wants everything to be allowed if nobody is asked, and pods that
// are finalised to be gone.
func TestNoEvictionCheck(t *testing.T) {
	c, s := start(t, sim.Options{}, node("n", 100), pod(0, "a", 1, cluster.Never), pod(0, "b", 1, cluster.Never))
	bind := func() { s.Bind(0, 0, cluster.Allocation{}); s.Bind(1, 0, cluster.Allocation{}) }
	expect(t, next(t, c, s, cluster.Never, bind), "0s NodeAdded PodAdded(a) PodAdded(b)")
	expect(t, next(t, c, s, 0, func() { s.RequestEviction(0); s.Finalise(1, cluster.DeletionByPodGC) }), "0s PodBound(a) PodBound(b)")
	expect(t, next(t, c, s, 0, nil), "0s PodEnded(b)")
	expect(t, next(t, c, s, 0, nil), "0s PodEnded(a)")
}

// TestCordon wants the taint that cordons a node, and no other, to say so in its spec too.
func TestCordon(t *testing.T) {
	c, s := start(t, sim.Options{}, node("n", 100))
	taint := func(key string, do func(cluster.NodeID, cluster.Taint)) func() {
		return func() { do(0, cluster.Taint{Key: key, Effect: cluster.NoSchedule}) }
	}
	for _, test := range []struct {
		do   func()
		want bool
	}{
		{taint("x", s.AddTaint), false}, {taint(cluster.TaintUnschedulable, s.AddTaint), true},
		{taint("x", s.RemoveTaint), true}, {taint(cluster.TaintUnschedulable, s.RemoveTaint), false},
	} {
		next(t, c, s, 0, test.do)
		expect(t, next(t, c, s, 0, nil), "0s NodeChanged")
		expect(t, fmt.Sprint(s.Nodes.Unschedulable[0]), fmt.Sprint(test.want))
	}
}
