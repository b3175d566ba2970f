package kube

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// podStories are what State hears of pods, observation by observation. Each begins with nodes a
// and b and a pod p that wants one.
var podStories = []struct {
	why string
	it  func(x *told)
}{
	{"what a bound pod does is heard of", func(x *told) {
		x.see("PodAdded q on a starting unready", seen(podSays{on: "a"}.of("q")))
		x.see("PodChanged q on a, PodReady q a true", seen(podSays{on: "a", ready: true}.of("q")))
		x.see("PodReady q a false", seen(podSays{on: "a", unready: true}.of("q")))
		x.see("PodChanged q on a unready", seen(podSays{on: "a", unready: true, label: "x"}.of("q")))
		x.see("", seen(podSays{on: "a", unready: true, label: "x", version: 3}.of("q")))
		x.see("PodChanged q on a terminating unready, PodTold q a", seen(podSays{on: "a", unready: true, label: "x", deleted: true}.of("q")))
		x.see("PodEnded q a", seen(podSays{on: "a", phase: v1.PodFailed}.of("q")))
		x.see("", seen(podSays{on: "a", phase: v1.PodFailed, label: "y"}.of("q")), goneNow(podSays{on: "a"}.of("q")))
	}},
	{"a node that comes after a pod on it comes in the next batch", func(x *told) {
		x.see("PodAdded q on c starting unready; NodeAdded c", seen(podSays{on: "c"}.of("q")), seen(nodeSays{}.of("c")))
		x.is("q", cluster.Bound, "c")
		x.see("PodChanged q on c, PodReady q c true; NodeRemoved c", seen(podSays{on: "c", ready: true}.of("q")), goneNow(nodeSays{}.of("c")))
	}},
	{"a pod that had ended before it was seen never was", func(x *told) {
		x.see("", seen(podSays{on: "a", phase: v1.PodSucceeded}.of("q")))
	}},
	{"a pod that wants a node and is told to end, ends without one", func(x *told) {
		x.see("PodChanged p terminating", seen(podSays{deleted: true}.of("p")))
		x.see("PodEnded p", goneNow(podSays{deleted: true}.of("p")))
	}},
	{"another pod of its name is another pod", func(x *told) {
		x.see("PodEnded p, PodAdded p", seen(podSays{uid: "p-2"}.of("p")))
		x.see("", goneNow(podSays{}.of("p")))
		x.is("p", cluster.Pending, "")
	}},
	{"what comes and goes takes two batches at least", func(x *told) {
		x.see("PodAdded q; PodChanged q, PodEnded q, PodAdded q; PodEnded q",
			seen(podSays{}.of("q")), seen(podSays{label: "x"}.of("q")), goneNow(podSays{}.of("q")), seen(podSays{uid: "q-2"}.of("q")), goneNow(podSays{uid: "q-2"}.of("q")))
	}},
	{"the watch shows a binding first", func(x *told) {
		j := x.bind("p", "a")
		x.is("p", cluster.Assumed, "a")
		x.see("PodBound p a, PodChanged p on a starting unready, PodReady p a false", seen(podSays{on: "a"}.of("p")))
		x.see("", done(j))
		x.is("p", cluster.Bound, "a")
	}},
	{"the answer shows a binding first", func(x *told) {
		j := x.bind("p", "a")
		x.see("PodBound p a, PodChanged p on a starting unready, PodReady p a false", done(j))
		x.see("", seen(podSays{on: "a"}.of("p")))
	}},
	{"a watch from before a binding takes nothing back", func(x *told) {
		j := x.bind("p", "a")
		x.see("PodChanged p", seen(podSays{label: "x"}.of("p")))
		x.is("p", cluster.Assumed, "a")
		x.see("PodBound p a, PodChanged p on a starting unready, PodReady p a false", done(j))
		x.see("", seen(podSays{label: "y", nominated: "b"}.of("p")))
		x.is("p", cluster.Bound, "a")
	}},
	{"somebody else has bound it", func(x *told) {
		x.see("PodAdded q", seen(podSays{}.of("q")))
		x.see("PodChanged q on b starting unready, PodReady q b false", seen(podSays{on: "b"}.of("q")))
		x.is("q", cluster.Bound, "b")
	}},
	{"somebody else was faster", func(x *told) {
		j := x.bind("p", "a")
		x.see("Rejected p a Bind 409, PodChanged p on b starting unready, PodReady p b false", seen(podSays{on: "b"}.of("p")))
		x.see("", failed(j, 409))
		x.is("p", cluster.Bound, "b")
	}},
	{"somebody else was faster, and the answer than the watch", func(x *told) {
		j := x.bind("p", "a")
		x.see("Rejected p a Bind 409", failed(j, 409))
		x.is("p", cluster.Pending, "")
		x.see("PodChanged p on b starting unready, PodReady p b false", seen(podSays{on: "b"}.of("p")))
	}},
	{"it was told to end before it could be bound", func(x *told) {
		j := x.bind("p", "a")
		x.see("Rejected p a Bind 409, PodChanged p terminating", seen(podSays{deleted: true}.of("p")))
		x.see("PodEnded p", goneNow(podSays{deleted: true}.of("p")))
		x.see("", failed(j, 404))
	}},
	{"it was gone before it could be bound", func(x *told) {
		j := x.bind("p", "a")
		x.see("Rejected p a Bind 404, PodEnded p", goneNow(podSays{}.of("p")))
		x.see("PodAdded p", seen(podSays{uid: "p-2"}.of("p")))
		x.see("", failed(j, 404)) // it is about another pod, in the same row maybe
		x.is("p", cluster.Pending, "")
	}},
	{"it was bound, and gone before anybody saw it", func(x *told) {
		x.bind("p", "a")
		x.see("PodBound p a, PodEnded p a", goneNow(podSays{on: "a"}.of("p")))
	}},
	{"what was missed is found when all is listed anew", func(x *told) {
		j := x.bind("p", "a")
		x.see("PodAdded q", seen(podSays{}.of("q")))
		x.see("PodEnded q, PodBound p a, PodChanged p on a starting unready, PodReady p a false, PodAdded r", all(&v1.Pod{}, podSays{}.of("r"), podSays{on: "a"}.of("p")))
		x.see("", done(j))
	}},
	{"its node left and came back, so State has it on the one that left", func(x *told) {
		j := x.bind("p", "a")
		x.see("NodeRemoved a, NodeAdded a", seen(nodeSays{uid: "a-2"}.of("a")))
		x.see("Rejected p a Bind 409, PodChanged p on a starting unready, PodReady p a false", done(j))
		x.is("p", cluster.Bound, "a")
		if n := x.state.Pods.Node[x.pod("p")]; n != x.node("a") {
			x.t.Errorf("it is in row %d, and the node in %d", n, x.node("a"))
		}
	}},
	{"a preemption shows until the watch has caught up", func(x *told) {
		x.see("PodAdded q on a", seen(podSays{on: "a", ready: true}.of("q")))
		jobs := x.decide(func(s *cluster.State) { s.Preempt(x.pod("q")) })
		x.see("PodChanged q on a terminating preempted", seen(podSays{on: "a", ready: true, label: "x"}.of("q")))
		x.see("", done(jobs[0]))
		x.see("PodChanged q on a terminating preempted", seen(podSays{on: "a", ready: true, label: "y"}.of("q")))
		x.see("PodTold q a", seen(podSays{on: "a", ready: true, label: "y", deleted: true}.of("q")))
		x.is("q", cluster.Terminating, "a")
		if !x.state.Pods.Preempted[x.pod("q")] {
			x.t.Error("it isn't preempted")
		}
	}},
	{"an eviction that budgets don't allow", func(x *told) {
		x.see("PodAdded q on a", seen(podSays{on: "a", ready: true}.of("q")))
		jobs := x.decide(func(s *cluster.State) { s.RequestEviction(x.pod("q")) })
		x.see("Rejected q a RequestEviction 429", failed(jobs[0], 429))
		x.is("q", cluster.Bound, "a")
	}},
	{"an eviction that failed, of a pod that somebody else has told to end", func(x *told) {
		x.see("PodAdded q on a", seen(podSays{on: "a", ready: true}.of("q")))
		jobs := x.decide(func(s *cluster.State) { s.Evict(x.pod("q")) })
		x.see("PodTold q a", seen(podSays{on: "a", ready: true, deleted: true}.of("q")))
		x.see("Rejected q a Evict 500, PodChanged q on a terminating", failed(jobs[0], 500))
		x.is("q", cluster.Terminating, "a")
	}},
	{"nominations are as decided until the watch has caught up", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.Nominate(x.pod("p"), x.node("a")) })
		x.see("PodChanged p for a", seen(podSays{label: "x", version: 1}.of("p")))
		x.see("", doneAs(jobs[0], "15"))
		x.see("PodChanged p for a", seen(podSays{label: "y", version: 4}.of("p")))
		x.see("", seen(podSays{label: "y", nominated: "a", version: 5}.of("p")))
		x.see("PodChanged p", seen(podSays{label: "y", version: 6}.of("p")))
	}},
	{"a nomination that failed", func(x *told) {
		jobs := x.decide(func(s *cluster.State) { s.Nominate(x.pod("p"), x.node("a")) })
		x.see("Rejected p a Nominate 422, PodChanged p", failed(jobs[0], 422))
		if n := x.state.Pods.Nominated[x.pod("p")]; n != cluster.None {
			x.t.Errorf("row %d is kept for it", n)
		}
	}},
	{"a binding that failed leaves the nomination that the server has", func(x *told) {
		x.see("PodChanged p for b", seen(podSays{nominated: "b"}.of("p")))
		j := x.bind("p", "a")
		x.see("PodChanged p", seen(podSays{nominated: "b", label: "x"}.of("p")))
		x.see("Rejected p a Bind 500, PodChanged p for b", failed(j, 500))
	}},
	{"a pod is not ready since that was decided", func(x *told) {
		x.see("PodAdded q on a", seen(podSays{on: "a", ready: true}.of("q")))
		jobs := x.decide(func(s *cluster.State) { s.MarkUnready(x.pod("q")) })
		x.see("PodChanged q on a unready", seen(podSays{on: "a", ready: true, label: "x", version: 1}.of("q")))
		x.see("", doneAs(jobs[0], "13"))
		x.see("", seen(podSays{on: "a", unready: true, label: "x", version: 3}.of("q")))
		x.see("PodReady q a true", seen(podSays{on: "a", ready: true, label: "x", version: 4}.of("q")))
	}},
	{"marking it failed", func(x *told) {
		x.see("PodAdded q on a", seen(podSays{on: "a", ready: true}.of("q")))
		jobs := x.decide(func(s *cluster.State) { s.MarkUnready(x.pod("q")) })
		x.see("Rejected q a MarkUnready 403", failed(jobs[0], 403))
		if !x.state.IsReady(x.pod("q")) {
			x.t.Error("it isn't ready")
		}
	}},
	{"a place was reserved, and somebody else has bound it there", func(x *told) {
		x.decide(func(s *cluster.State) { s.Reserve(x.pod("p"), x.node("a"), cluster.Allocation{}) })
		x.see("PodChanged p on a starting unready, PodReady p a false", seen(podSays{on: "a"}.of("p")))
		if jobs := x.decide(func(s *cluster.State) { s.Confirm(x.pod("p")) }); jobs != nil {
			x.t.Errorf("%d requests are made", len(jobs))
		}
		x.see("PodBound p a")
		x.see("PodChanged p on a, PodReady p a true", seen(podSays{on: "a", ready: true}.of("p")))
	}},
	{"a place was reserved, and somebody else has bound it elsewhere", func(x *told) {
		x.decide(func(s *cluster.State) { s.Reserve(x.pod("p"), x.node("a"), cluster.Allocation{}) })
		x.see("PodChanged p on b starting unready, PodReady p b false", seen(podSays{on: "b"}.of("p")))
		x.decide(func(s *cluster.State) { s.Confirm(x.pod("p")) })
		x.see("Rejected p a Bind 409, PodChanged p on b starting unready")
		x.is("p", cluster.Bound, "b")
	}},
	{"what can't be read is left alone, and is known as it was", func(x *told) {
		bad := podSays{}.of("p")
		bad.Spec.Containers[0].Resources.Requests[v1.ResourceCPU] = resource.MustParse("-1")
		worse := podSays{}.of("q")
		worse.Spec.Containers[0].Resources.Requests[v1.ResourceCPU] = resource.MustParse("-1")
		x.see("", seen(bad), seen(worse))
		x.is("p", cluster.Pending, "")
		x.see("PodEnded p", goneNow(bad), goneNow(worse))
	}},
}

// TestPodStories tells what State hears of pods, observation by observation.
func TestPodStories(t *testing.T) {
	for _, story := range podStories {
		t.Run(story.why, func(t *testing.T) {
			x := newTold(t)
			x.see("NodeAdded a, NodeAdded b, PodAdded p", seen(nodeSays{}.of("a")), seen(nodeSays{}.of("b")), seen(podSays{}.of("p")))
			story.it(x)
		})
	}
}
