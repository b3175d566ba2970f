package scheduler_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// want checks what a step decided and which pods were tried for it.
func (w *world) want(t *testing.T, why, decided, wantDecided, wantAsked string) {
	t.Helper()
	if asked := strings.Join(w.asked, " "); decided != wantDecided || asked != wantAsked {
		t.Errorf("%s: tried %q and decided %q; want %q and %q", why, asked, decided, wantAsked, wantDecided)
	}
}

func TestOrderOfQueue(t *testing.T) {
	w := newWorld(t, "n1")
	got, wake := w.step(1, podOf("low", 1, -5), podOf("a", 1, 0), podOf("high", 1, 9), podOf("b", 1, 0), podOf("higher", 1, 10))
	w.want(t, "priority, then arrival", got, "higher@n1 high@n1 a@n1 b@n1 low@n1", "higher high a b low")
	if wake != cluster.Never {
		t.Errorf("the scheduler wants to be woken at %d", wake)
	}
}

// TestOrderOfArrivalIsNotOfRows frees rows so that a later pod gets an earlier one.
func TestOrderOfArrivalIsNotOfRows(t *testing.T) {
	w := newWorld(t)
	w.step(1, pod("x", 1), pod("y", 1), pod("z", 1))
	w.step(2, w.ended("z"), w.ended("x"), w.ended("y"))
	w.step(3, pod("a", 1), pod("b", 2), pod("c", 3))
	if w.pods["a"] < w.pods["b"] && w.pods["b"] < w.pods["c"] {
		t.Fatal("the rows are in order of arrival")
	}
	got, _ := w.step(4, node("n1", 1000))
	w.want(t, "without nodes something was wrong, and the pods rest", got, "", "")
	got, _ = w.step(2 * cluster.Second)
	w.want(t, "rows out of order", got, "a@n1 b@n1 c@n1", "a b c")
}

// TestParked tries what fits nowhere again when room was made, and then only.
// Every pod asks for something else, so that none shares a class.
func TestParked(t *testing.T) {
	w := newWorld(t, "n1", "empty")
	w.step(1, w.removed("empty"), pod("big", 990))
	got, _ := w.step(2, podOf("a", 101, 0), podOf("b", 102, 7), podOf("c", 103, 0))
	w.want(t, "no room", got, "", "b a c")
	got, _ = w.step(3)
	w.want(t, "nothing happened", got, "", "")
	got, _ = w.step(4, w.bound("big"))
	w.want(t, "a binding was confirmed", got, "", "")
	got, _ = w.step(5, pod("d", 104), pod("tiny", 1))
	w.want(t, "others came", got, "tiny@n1", "d tiny")
	got, _ = w.step(6, w.ended("c"))
	w.want(t, "a pod without a node ended", got, "", "")
	got, _ = w.step(7, node("n2", 102))
	w.want(t, "a node with room for one came", got, "b@n2", "b a d")
	got, _ = w.step(8, w.removed("n2"))
	w.want(t, "a node left", got, "", "")
	got, _ = w.step(9, podOf("e", 105, 3))
	w.want(t, "one came that is before the others", got, "", "e")
	got, _ = w.step(10, w.ended("big"))
	w.want(t, "a pod ended", got, "e@n1 a@n1 d@n1", "e a d")
	got, _ = w.step(11, w.ended("tiny"))
	w.want(t, "nobody waits", got, "", "")
}

func TestParkedStayInOrder(t *testing.T) {
	w := newWorld(t, "n1")
	w.step(1, pod("big", 1000))
	w.step(2, pod("a", 501))
	w.step(3, podOf("b", 502, 1))
	w.step(4, pod("c", 503))
	for i, end := range []string{"big", "b", "a"} {
		got, _ := w.step(cluster.Time(5+i), w.ended(end))
		want := []string{"b@n1", "a@n1", "c@n1"}[i]
		asked := []string{"b a c", "a c", "c"}[i]
		w.want(t, end+" ended", got, want, asked)
	}
}

// TestRefused has bindings refused: such a pod rests for a second, then for two, up
// to the end of the second in which that time is over.
func TestRefused(t *testing.T) {
	const sec = cluster.Second
	w := newWorld(t, "n1")
	w.step(5*sec, pod("a", 600), pod("b", 601))
	if n := w.Pods.Node[w.pods["a"]]; n != w.node("n1") {
		t.Fatal("a is not on its node")
	}
	got, wake := w.step(5*sec, w.refused("a"))
	w.want(t, "a was refused, b has its room", got, "b@n1", "b")
	if wake != 7*sec {
		t.Errorf("after a refusal at 5 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
	got, wake = w.step(5*sec+sec/2, w.refused("b"), pod("c", 100))
	w.want(t, "b was refused, too", got, "c@n1", "c")
	if wake != 7*sec {
		t.Errorf("with refusals at 5 and 5.5 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
	got, wake = w.step(7*sec-1, w.ended("c"))
	w.want(t, "a moment before", got, "", "")
	if wake != 7*sec {
		t.Errorf("a moment before 7 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
	got, wake = w.step(7 * sec)
	w.want(t, "their rest is over, and there is room for one", got, "a@n1", "a b")
	if wake != 330*sec {
		t.Errorf("with one that fits nowhere the scheduler wants to be woken at %v s", wake.Seconds())
	}
	got, wake = w.step(7*sec, w.refused("a"))
	w.want(t, "a was refused again, b has its room", got, "b@n1", "b")
	if wake != 10*sec {
		t.Errorf("after a second refusal at 7 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
}

// TestRefusedPods has two pods rest that come back at the same time.
func TestRefusedPods(t *testing.T) {
	const sec = cluster.Second
	w := newWorld(t, "n1")
	w.step(0, pod("a", 400), podOf("b", 500, 5))
	got, wake := w.step(0, w.refused("a"), w.refused("b"))
	if got != "" || wake != 2*sec {
		t.Errorf("after refusals at 0 the scheduler decides %q and wants to be woken at %v s", got, wake.Seconds())
	}
	got, _ = w.step(2*sec, pod("c", 300))
	w.want(t, "all at once", got, "b@n1 a@n1", "b a c")
}

// TestFlush tries a pod again for which nothing has happened, every five minutes
// and at whole half minutes, until nothing at all has happened for long.
func TestFlush(t *testing.T) {
	const sec = cluster.Second
	w := newWorld(t, "n1")
	_, wake := w.step(30*sec, pod("big", 2000))
	if wake != 360*sec {
		t.Errorf("after a try at 30 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
	got, _ := w.step(359*sec, pod("small", 10))
	w.want(t, "a moment before", got, "small@n1", "small")
	got, wake = w.step(360 * sec)
	w.want(t, "after five minutes and a half", got, "", "big")
	if wake != 690*sec {
		t.Errorf("after another try at 360 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
	got, wake = w.step(690 * sec)
	if tries := w.scheduler.Stats().Unschedulable; got != "" || tries != 3 {
		t.Errorf("after five more: decided %q, %d tries in vain; want 3", got, tries)
	}
	if wake != 1020*sec {
		t.Errorf("after a third try at 690 s the scheduler wants to be woken at %v s", wake.Seconds())
	}
	if _, wake = w.step(1020 * sec); wake != cluster.Never {
		t.Errorf("after eleven minutes without an event the scheduler wants to be woken at %v s", wake.Seconds())
	}
}

func TestRefusedEviction(t *testing.T) {
	w := newWorld(t, "n1")
	w.step(0, pod("a", 900), pod("b", 800))
	a := w.pods["a"]
	w.step(0, w.bound("a"))
	w.Evict(a)
	d := w.TakeDecisions()[0]
	got, wake := w.step(1, cluster.Event{Kind: cluster.Rejected, Pod: a, Node: d.Node, Decision: d})
	if got != "" || wake != 330*cluster.Second || slices.Contains(w.asked, "a") {
		t.Errorf("after the eviction of a bound pod was refused: decided %q, tried %v, to be woken at %d", got, w.asked, wake)
	}
}

// TestEndedWhileWaiting ends pods that are parked, refused or just come, and
// gives their rows to others.
func TestEndedWhileWaiting(t *testing.T) {
	const sec = cluster.Second
	w := newWorld(t, "n1")
	w.step(0, pod("big", 1000))
	w.step(1, pod("parked", 500))
	row := w.pods["parked"]
	w.step(2, w.ended("parked"))
	got, _ := w.step(3, pod("heir", 400))
	if w.pods["heir"] != row {
		t.Fatal("the row was not reused")
	}
	w.want(t, "the heir of a parked pod comes", got, "", "heir")
	got, _ = w.step(4, w.ended("big"))
	w.want(t, "room for the heir", got, "heir@n1", "heir")

	got, _ = w.step(5, pod("refused", 100))
	w.want(t, "a pod to be refused", got, "refused@n1", "refused")
	row = w.pods["refused"]
	w.step(6, w.refused("refused"))
	w.step(7, w.ended("refused"))
	got, _ = w.step(8, pod("heir2", 700))
	if w.pods["heir2"] != row {
		t.Fatal("the row was not reused")
	}
	w.want(t, "the heir of a refused pod comes", got, "", "heir2")
	got, _ = w.step(2 * sec)
	w.want(t, "the time of the refused pod", got, "", "")

	// A pod that comes and ends within one batch.
	events := []cluster.Event{pod("brief", 1)}
	w.Observe(3*sec, events)
	end := []cluster.Event{{Kind: cluster.PodEnded, Pod: events[0].Pod, Node: cluster.None}}
	w.Observe(3*sec, end)
	w.asked = nil
	w.scheduler.Step(w.State, append(events, end...))
	w.want(t, "a pod that came and ended", "", "", "")
	if ds := w.TakeDecisions(); len(ds) != 0 {
		t.Errorf("decided %v about a pod that ended", ds)
	}
}

// TestEndedRefusedPodOnNode ends, while its heir is on a node, the wait of a pod
// that was refused in the same row.
func TestEndedRefusedPodOnNode(t *testing.T) {
	w := newWorld(t, "n1")
	w.step(0, pod("refused", 100))
	w.step(1, w.refused("refused"))
	w.step(2, w.ended("refused"))
	got, _ := w.step(3, pod("heir", 700))
	w.want(t, "the heir", got, "heir@n1", "heir")
	got, _ = w.step(2 * cluster.Second)
	w.want(t, "the time of the refused pod", got, "", "")
}

// TestStaleRefusal refuses the binding of a pod that has ended in the meantime:
// nobody waits for that.
func TestStaleRefusal(t *testing.T) {
	w := newWorld(t, "n1")
	w.step(0, pod("a", 900), pod("b", 800))
	refusal, end := w.refused("a"), w.ended("a")
	got, wake := w.step(1, end, refusal)
	w.want(t, "ended and refused at once", got, "b@n1", "b")
	if wake != cluster.Never {
		t.Errorf("the scheduler wants to be woken at %d for a pod that has ended", wake)
	}
}

// TestChangedPodMakesRoom has a pod on a node ask for less.
func TestChangedPodMakesRoom(t *testing.T) {
	w := newWorld(t, "n1")
	w.step(0, pod("big", 900))
	w.step(1, w.bound("big"), pod("a", 500))
	got, _ := w.step(2, cluster.Event{Kind: cluster.PodChanged, Pod: w.pods["big"], PodSpec: pod("big", 500).PodSpec})
	w.want(t, "the other pod asks for less", got, "a@n1", "a")
}

// TestOneOfAClass tries, of pods that no decision can tell apart, only the first
// as long as nothing changes, but one for which a node is kept in any case.
func TestOneOfAClass(t *testing.T) {
	w := newWorld(t, "n1")
	w.step(0, pod("big", 950))
	got, _ := w.step(1, pod("a", 600), pod("b", 600), pod("c", 600), pod("d", 601))
	w.want(t, "three of a class, and another", got, "", "a d")
	got, _ = w.step(2, pod("e", 600), pod("tiny", 50), pod("f", 600))
	w.want(t, "a pod of another class is bound in between", got, "tiny@n1", "tiny f")

	w = newWorld(t, "n1")
	kept := pod("kept", 600)
	kept.PodSpec.Nominated = "n1"
	if got, _ = w.step(1, pod("first", 600), kept); got != "kept@n1" {
		t.Errorf("with a node kept for the second, decided %q", got)
	}
}
