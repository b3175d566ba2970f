package scheduler_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// gang is a Gate that lets pods go once so many are on nodes.
type gang struct {
	filter
	size   int
	atMost cluster.Time
}

func (g gang) Permit(s *cluster.State, p cluster.PodID, _ cluster.NodeID) (scheduler.Verdict, cluster.Time) {
	return g.Settle(s, p), g.atMost
}

func (g gang) Settle(s *cluster.State, _ cluster.PodID) (v scheduler.Verdict) {
	placed := 0
	for p, n := range s.Pods.Node {
		if n != cluster.None && s.Pods.Phase[p] != cluster.Ended {
			placed++
		}
	}
	if placed < g.size {
		v.Code = scheduler.Wait
	}
	return v
}

// newGang returns a world whose pods wait for each other.
func newGang(t *testing.T, size int, atMost cluster.Time) *world {
	t.Helper()
	w := newWorld(t, "n1")
	g := gang{func(*cluster.State, cluster.PodID, cluster.NodeID) (v scheduler.Verdict) { return v }, size, atMost}
	w.scheduler = scheduler.New(mustProfile(t, []*scheduler.Plugin{required("Asked", askedFilter{w}), room, required("Gang", g)}))
	return w
}

// TestGang has two pods hold their room until the third has some, and then be bound
// together.
func TestGang(t *testing.T) {
	w := newGang(t, 3, cluster.Minute)
	got, wake := w.step(1, pod("a", 300), pod("b", 300))
	w.want(t, "two of three", got, "", "a b")
	if wake != cluster.Minute+1 {
		t.Errorf("the scheduler wants to be woken at %v s", wake.Seconds())
	}
	if n := w.Pods.Node[w.pods["a"]]; n != w.node("n1") || w.Pending() != 0 {
		t.Errorf("a has node %d, and %d pods are pending, while two wait", n, w.Pending())
	}
	got, _ = w.step(2, pod("c", 300))
	w.want(t, "the third", got, "c@n1 a@n1 b@n1", "c")
}

// TestGangTimesOut has a pod wait in vain: its room is free again, which another one
// was waiting for, and it is tried again when something happens.
func TestGangTimesOut(t *testing.T) {
	w := newGang(t, 2, cluster.Minute)
	w.step(0, pod("a", 600))
	got, _ := w.step(1, pod("b", 600))
	w.want(t, "there is room for one", got, "", "b")
	got, _ = w.step(cluster.Minute)
	w.want(t, "the other's turn, and then its own again", got, "", "b a")
	if a, b := w.Pods.Node[w.pods["a"]], w.Pods.Node[w.pods["b"]]; a != cluster.None || b == cluster.None {
		t.Errorf("after a minute a has node %d and b %d; b should have one, a none", a, b)
	}
	if st := w.scheduler.Stats(); st.Scheduled != 0 || st.Unschedulable != 3 {
		t.Errorf("%d scheduled and %d not; want 0 and 3", st.Scheduled, st.Unschedulable)
	}
}

// TestHeldPodEnds ends a pod that waits, and takes the node of another away.
func TestHeldPodEnds(t *testing.T) {
	w := newGang(t, 3, cluster.Hour)
	w.step(0, pod("a", 600))
	got, _ := w.step(1, pod("b", 600))
	w.want(t, "no room", got, "", "b")
	got, _ = w.step(2, w.ended("a"))
	w.want(t, "a is gone", got, "", "b")
	if n := w.Pods.Node[w.pods["b"]]; n == cluster.None {
		t.Error("b does not hold the room that a left")
	}
	got, _ = w.step(3, w.removed("n1"), node("n2", 2000))
	w.want(t, "another node", got, "", "")
	got, _ = w.step(4, pod("c", 10), pod("d", 10))
	w.want(t, "enough pods, of which one loses its node then", got, "d@n2", "c d")
	if b, c := w.Pods.Node[w.pods["b"]], w.Pods.Node[w.pods["c"]]; b != cluster.None || c != w.node("n2") {
		t.Errorf("b has node %d and c %d; b should have none, and c wait on n2", b, c)
	}
}
