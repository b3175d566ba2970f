package scheduler_test

import (
	"slices"
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

// TestHeldPodTaken has another controller decide about a pod that waits, just before
// its Gate lets it go, or its time is over.
func TestHeldPodTaken(t *testing.T) {
	evict := func(w *world, p cluster.PodID) { w.Evict(p) }
	release := func(w *world, p cluster.PodID) { w.Release(p) }
	confirm := func(w *world, p cluster.PodID) { w.Confirm(p) }
	for _, tt := range []struct {
		name  string
		take  func(*world, cluster.PodID)
		tell  func(*world, string) cluster.Event // of what came of it, if set
		size  int                                // of the gang
		now   cluster.Time                       // when b comes
		want  string
		phase cluster.Phase // of a then
		where string        // in the queue; if anywhere, a is tried again
	}{
		{"evicted, and let go", evict, nil, 2, 2, "b@n1", cluster.Terminating, ""},
		{"evicted, and its time is over", evict, nil, 3, cluster.Minute, "", cluster.Terminating, ""},
		{"evicted and ended", evict, (*world).ended, 2, 2, "", cluster.Ended, ""},
		{"released, and its time is over", release, nil, 3, cluster.Minute, "", cluster.Pending, "backoff"},
		{"bound, and let go", confirm, (*world).bound, 2, 2, "b@n1", cluster.Bound, ""},
		{"bound in vain", confirm, (*world).refused, 3, 2, "", cluster.Pending, "backoff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newGang(t, tt.size, cluster.Minute)
			got, _ := w.step(0, pod("a", 300))
			w.want(t, "one waits", got, "", "a")
			a := w.pods["a"]
			tt.take(w, a)
			w.TakeDecisions()
			events := []cluster.Event{pod("b", 300)}
			if tt.tell != nil {
				events = append(events, tt.tell(w, "a"))
			}
			got, _ = w.step(tt.now, events...)
			w.want(t, "another comes", got, tt.want, "b")
			if phase, where := w.Pods.Phase[a], w.scheduler.Where(w.State, a); phase != tt.phase || where != tt.where {
				t.Errorf("a is %v, and %q; want %v and %q", phase, where, tt.phase, tt.where)
			}
			w.step(tt.now + 10*cluster.Second)
			if again := slices.Contains(w.asked, "a"); again != (tt.where != "") {
				t.Errorf("a is tried again: %v", again)
			}
		})
	}
}
