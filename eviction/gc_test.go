package eviction

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// finalised returns what was decided, as text.
func finalised(w *world, ds []cluster.Decision) (lines []string) {
	for _, d := range ds {
		lines = append(lines, fmt.Sprintf("%gs %v %s %s", w.Now.Seconds(), d.Kind, w.Pods.Name[d.Pod], d.Detail))
	}
	return lines
}

// until lets time pass to t, with the controller called when it wants to be.
func (w *world) until(t cluster.Time) (lines []string) {
	w.t.Helper()
	for w.wake <= t {
		w.Now = w.wake
		lines = append(lines, finalised(w, w.happens())...)
	}
	w.Now = t
	return append(lines, finalised(w, w.happens())...)
}

func TestCollectOrphans(t *testing.T) {
	w := newWorld(t, &GC{})
	if w.wake != cluster.Never {
		t.Errorf("wants to wake at %d for nothing", w.wake)
	}
	w.pod("on-n", "a", rs, nil)
	p := w.pod("ending", "a", rs, func(s *cluster.PodSpec) { s.Terminating = true })
	w.pod("stray", "a", rs, func(s *cluster.PodSpec) { s.On = "lost" })
	w.pod("waits", "a", rs, func(s *cluster.PodSpec) { s.On = "" })
	expectLines(t, w.until(33*second))
	// The stray's node has been missing since 0 s. The other goes at 33 s, and is noticed at 40 s.
	w.happens(cluster.Event{Kind: cluster.NodeRemoved, Node: 0})
	expectLines(t, w.until(79*second), "40s Finalise stray DeletionByPodGC")
	// What isn't gone is finalised again.
	expectLines(t, w.until(80*second), "80s Finalise on-n DeletionByPodGC", "80s Finalise ending DeletionByPodGC", "80s Finalise stray DeletionByPodGC")
	w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: p})
	expectLines(t, w.until(141*second), "120s Finalise on-n DeletionByPodGC", "120s Finalise stray DeletionByPodGC")
	w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: 0}, cluster.Event{Kind: cluster.PodEnded, Pod: 2})
	if w.until(200 * second); w.wake != cluster.Never {
		t.Errorf("wants to wake at %d for nothing", w.wake)
	}
}

// TestNodeComesBack has a node missing for less than 40 s, or so it looks every 20 s.
func TestNodeComesBack(t *testing.T) {
	w := newWorld(t, &GC{})
	w.pod("p", "a", rs, nil)
	w.happens(cluster.Event{Kind: cluster.NodeRemoved, Node: 0})
	expectLines(t, w.until(39*second))
	w.happens(node("n"))
	expectLines(t, w.until(300*second))
}

// TestRowOfRemovedNode has a node's row become another's at once.
func TestRowOfRemovedNode(t *testing.T) {
	w := newWorld(t, &GC{})
	w.pod("p", "a", rs, nil)
	w.happens(cluster.Event{Kind: cluster.NodeRemoved, Node: 0})
	spec := &cluster.PodSpec{Name: "q", On: "m", Class: &cluster.Class{}}
	w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: 0}, node("m"), cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	if n, _ := w.Nodes.Named("m"); n != 0 {
		t.Errorf("the new node has row %d, so nothing is tested", n)
	}
	if w.until(cluster.Minute); w.wake != cluster.Never {
		t.Errorf("wants to wake at %d for nothing", w.wake)
	}
}

func TestCollectEnding(t *testing.T) {
	down := node("down")
	down.NodeSpec.Health.Conditions = cluster.Conditions{cluster.ConditionUnknown}
	taint := cluster.Taint{Key: "node.kubernetes.io/out-of-service", Value: "x", Effect: cluster.NoExecute}
	on := func(n string, ending bool) func(*cluster.PodSpec) {
		return func(s *cluster.PodSpec) { s.On, s.Terminating = n, ending }
	}
	w := newWorld(t, &GC{})
	w.happens(down)
	w.pod("stays", "a", rs, on("down", false))
	w.pod("b", "a", rs, on("down", true))
	w.pod("a", "a", rs, on("down", true))
	w.pod("ready", "a", rs, on("n", true))
	w.pod("no-node", "a", rs, on("", true))
	w.AddTaint(0, taint)
	w.AddTaint(1, taint)
	w.TakeDecisions()
	w.Now = 5 * second
	w.pod("older", "a", rs, on("down", true))
	expectLines(t, w.until(20*second), "20s Finalise a ", "20s Finalise b ", "20s Finalise older ", "20s Finalise no-node ")
}

// finding is a GC that looks for everything at each Step.
type finding struct{ GC }

func (f *finding) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	if !f.any() {
		f.next = (s.Now + collectEvery - 1) / collectEvery * collectEvery
	}
	f.find(s)
	return f.GC.Step(s, nil)
}

// TestCollectAsFound holds GC against a twin that looks for everything at each Step.
func TestCollectAsFound(t *testing.T) {
	collected := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		w, slow := newWorld(t, &GC{}), newWorld(t, &finding{})
		for i := range 60 {
			at := w.Now + cluster.Time(rng.IntN(3))*7*second
			got, want := w.until(at), slow.until(at)
			events := randomNews(w, rng, i)
			again := slices.Clone(events)
			got = append(got, finalised(w, w.happens(events...))...)
			want = append(want, finalised(slow, slow.happens(again...))...)
			if collected += len(got); !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: %v, want %v", seed, i, got, want)
			}
		}
	}
	if collected < 1000 {
		t.Errorf("only %d pods were collected", collected)
	}
}

// randomNews returns what happens to one node or pod.
func randomNews(w *world, rng *rand.Rand, i int) []cluster.Event {
	name := fmt.Sprint("node-", rng.IntN(3))
	n, there := w.Nodes.Named(name)
	spec := node(name).NodeSpec
	spec.Health.Conditions[cluster.NodeReady] = cluster.ConditionStatus(1 + rng.IntN(2))
	if rng.IntN(3) == 0 {
		spec.Taints = []cluster.Taint{{Key: cluster.TaintOutOfService, Effect: cluster.NoExecute}}
	}
	p := cluster.PodID(rng.IntN(w.Pods.Rows() + 1))
	switch what := rng.IntN(8); {
	case what <= 1 && !there:
		return []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: spec}}
	case what == 0:
		return []cluster.Event{{Kind: cluster.NodeRemoved, Node: n}}
	case what == 1:
		return []cluster.Event{{Kind: cluster.NodeChanged, Node: n, NodeSpec: spec}}
	case what <= 3 && int(p) < w.Pods.Rows() && w.Pods.Phase[p] != cluster.Ended:
		return []cluster.Event{{Kind: cluster.PodEnded, Pod: p}}
	case what == 4 && int(p) < w.Pods.Rows() && w.Pods.Phase[p] != cluster.Ended:
		changed := &cluster.PodSpec{Name: w.Pods.Name[p], Class: w.Class(p), Terminating: true}
		return []cluster.Event{{Kind: cluster.PodChanged, Pod: p, PodSpec: changed}}
	}
	added := &cluster.PodSpec{Name: fmt.Sprint("pod-", i), Class: &cluster.Class{Namespace: "x"}, Terminating: rng.IntN(2) == 0}
	added.On = []string{"", name, name, "lost"}[rng.IntN(4)]
	return []cluster.Event{{Time: w.Now, Kind: cluster.PodAdded, PodSpec: added}}
}
