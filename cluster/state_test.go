package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// testClasses are pods of many kinds.
var testClasses = []*Class{
	{Namespace: "a", Requests: Amounts{CPU: 500, Memory: 1 << 28}},
	{Namespace: "a", BestEffortCPU: 2, BestEffortMemory: 1},
	{Namespace: "b", Priority: 7, Requests: Amounts{CPU: 4000}, GPUs: GPURequest{Count: 1, Shares: 300}},
	{Namespace: "b", GPUs: GPURequest{Count: 2, Shares: WholeGPU, Models: []string{"A10", "T4"}}},
	{Namespace: "b", Extended: []NamedAmount{{"example.com/nic", 2}}},
}

// A history is a State that random things happen to.
type history struct {
	*State
	rng  *rand.Rand
	pods int
}

func newHistory(seed uint64, nodes int) *history {
	h := &history{State: NewState(), rng: rand.New(rand.NewPCG(seed, 0))}
	for i := range nodes {
		h.addNode(i)
	}
	return h
}

func (h *history) addNode(i int) {
	h.Observe(h.Now, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{
		Name: fmt.Sprint("node-", i), Capacity: Amounts{CPU: 64000, Memory: 1 << 34, PodSlots: 20},
		Extended: []NamedAmount{{"example.com/nic", 8}}, GPUs: i % 9, GPUModel: []string{"T4", "A10"}[i%2],
	}}})
}

// addPod adds a pod, some with a nomination, be it for a node that is not there.
func (h *history) addPod() PodID {
	h.pods++
	spec := &PodSpec{Name: fmt.Sprint("pod-", h.pods), Class: testClasses[h.rng.IntN(len(testClasses))], Run: Never}
	if h.rng.IntN(3) == 0 {
		spec.Nominated = fmt.Sprint("node-", h.rng.IntN(10))
	}
	events := []Event{{Time: h.Now, Kind: PodAdded, PodSpec: spec}}
	h.Observe(h.Now, events)
	return events[0].Pod
}

// onNodes returns the pods that are on some node.
func (h *history) onNodes() (pods []PodID) {
	for p := range PodID(h.Pods.Rows()) {
		if h.Pods.Node[p] != None {
			pods = append(pods, p)
		}
	}
	return pods
}

// bind binds p to a random node on which its GPUs fit, if there is one.
func (h *history) bind(p PodID) { h.fit(p, h.Bind) }

// fit does what is to be done with p and such a node: Bind or Reserve.
func (h *history) fit(p PodID, do func(PodID, NodeID, Allocation)) {
	want := h.Class(p).GPUs
	for range 20 {
		n := h.Nodes.Live()[h.rng.IntN(len(h.Nodes.Live()))]
		var a Allocation
		left := want.Count
		for i, free := range h.Nodes.GPUFree[n] {
			if left > 0 && free >= want.Shares {
				a.GPUs = a.GPUs.With(i)
				left--
			}
		}
		if left == 0 {
			do(p, n, a)
			return
		}
	}
}

// removeNodes removes some nodes, with pods on them or not, and leaves one at least.
func (h *history) removeNodes() {
	for len(h.Nodes.Live()) > 1 && h.rng.IntN(4) > 0 {
		n := h.Nodes.Live()[h.rng.IntN(len(h.Nodes.Live()))]
		h.Observe(h.Now, []Event{{Kind: NodeRemoved, Node: n}})
	}
}

// write does something at random that Undo can take back.
func (h *history) write() {
	pods := h.onNodes()
	switch {
	case len(pods) > 0 && h.rng.IntN(3) == 0:
		h.Remove(pods[h.rng.IntN(len(pods))])
	case len(pods) > 0 && h.rng.IntN(3) == 0:
		h.Evict(pods[h.rng.IntN(len(pods))])
	case len(pods) > 0 && h.rng.IntN(5) == 0:
		h.Preempt(pods[h.rng.IntN(len(pods))])
	case h.rng.IntN(4) == 0:
		h.writeBeside(pods)
	case len(pods) > 0 && h.rng.IntN(2) == 0:
		h.writeReserved(pods[h.rng.IntN(len(pods))])
	default:
		h.writePending()
	}
}

// writeBeside does what is no matter of pods' places.
func (h *history) writeBeside(pods []PodID) {
	n := h.Nodes.Live()[h.rng.IntN(len(h.Nodes.Live()))]
	taints := []Taint{{"a", "", NoExecute}, {"a", "", NoSchedule}, {"b", "x", NoExecute}, {"b", "y", NoExecute}}
	switch what := h.rng.IntN(6); {
	case what == 0 && len(h.Nodes.Taints[n]) > 0:
		h.RemoveTaint(n, h.Nodes.Taints[n][0])
	case what <= 1:
		h.AddTaint(n, taints[h.rng.IntN(len(taints))])
	case what == 2:
		h.SetConditions(n, Conditions{NodeReady: ConditionStatus(h.rng.IntN(4))})
	case what == 3:
		h.Store(&DisruptionBudget{Namespace: "x", Name: fmt.Sprint(h.rng.IntN(3)), Allowed: h.rng.Int32N(100)})
	case what == 4:
		h.Create(&PodSpec{Name: "new", Class: testClasses[0]})
	case len(pods) > 0:
		p := pods[h.rng.IntN(len(pods))]
		[]func(){func() { h.MarkUnready(p) }, func() { h.Delete(p, DeletionByPodGC) }, func() { h.RequestEviction(p) }, func() { h.Finalise(p, DeletionByPodGC) }}[h.rng.IntN(4)]()
	}
}

// writeReserved does what can be done with a pod for which room is held, if p is one.
func (h *history) writeReserved(p PodID) {
	switch {
	case h.Pods.Phase[p] != Assumed:
	case h.rng.IntN(3) > 0:
		h.Release(p)
	case h.Nodes.IsLive(h.Pods.Node[p]):
		h.Confirm(p)
	}
}

// writePending does what can be done with a pod on no node.
func (h *history) writePending() {
	live := h.Nodes.Live()
	for p := range PodID(h.Pods.Rows()) {
		if h.Pods.Node[p] != None {
			continue
		}
		if h.Pods.Phase[p] != Pending { // a trial removed it
			h.Try(p, live[h.rng.IntN(len(live))], Allocation{})
			return
		}
		switch h.rng.IntN(7) {
		case 0, 1:
			h.bind(p)
			return
		case 2, 3:
			h.fit(p, h.Reserve)
			return
		case 4:
			n := NodeID(None)
			if h.rng.IntN(4) > 0 {
				n = live[h.rng.IntN(len(live))]
			}
			h.Nominate(p, n)
			return
		case 5:
			h.Try(p, live[h.rng.IntN(len(live))], Allocation{})
			return
		}
	}
}

// content is a text of everything that can be read, but for counters that only
// ever grow.
func (h *history) content() string {
	ns, ps := &h.Nodes, &h.Pods
	text := fmt.Sprintln(h.Now, h.Pending(), ns.Live(), ns.Name, ns.Cap, ns.Used, ns.EstimatedCPU, ns.EstimatedMemory,
		ns.GPUFree, ns.Stamp, ps.Name, ps.Class, ps.Phase, ps.Node, ps.Allocation, ps.Arrived, ps.Order,
		ps.Nominated, ps.Started, ps.Preempted, ps.Unready, ps.Starting, ns.Taints, ns.Health, slices.Collect(h.Budgets.All()), h.nominees, h.hopes, ns.spare)
	for n := range NodeID(ns.Rows()) {
		text += fmt.Sprintln(n, slices.Collect(h.PodsOn(n)), slices.Collect(h.Nominees(n)))
	}
	return text
}

func TestUndoTakesEverythingBack(t *testing.T) {
	for seed := range uint64(200) {
		h := newHistory(seed, 1+int(seed%7))
		for i := range 30 {
			if p := h.addPod(); i%3 == 0 {
				h.fit(p, h.Reserve)
				h.TakeDecisions()
			}
		}
		h.removeNodes()
		for range 10 {
			h.write()
		}
		// Nested marks, undone from the inside out.
		var marks []int
		var texts []string
		for range 4 {
			marks, texts = append(marks, h.Mark()), append(texts, h.content())
			for range h.rng.IntN(12) {
				h.write()
			}
		}
		for i := len(marks) - 1; i >= 0; i-- {
			h.Undo(marks[i])
			if got := h.content(); got != texts[i] {
				t.Fatalf("seed %d, mark %d: after Undo\n%s\nbefore\n%s", seed, i, got, texts[i])
			}
		}
	}
}

// TestColumnsAreSums compares the columns with sums over pods, after many events
// and decisions, some of them refused.
func TestColumnsAreSums(t *testing.T) {
	for seed := range uint64(40) {
		h := newHistory(seed, 6)
		for step := range 150 {
			h.Now += Second
			p := h.addPod()
			h.bind(p)
			var events []Event
			for _, d := range h.TakeDecisions() {
				if h.rng.IntN(4) == 0 {
					events = append(events, Event{Kind: Rejected, Pod: d.Pod, Node: d.Node, Decision: d, Reason: "no"})
				} else {
					events = append(events, Event{Kind: PodBound, Pod: d.Pod, Node: d.Node})
				}
			}
			for _, p := range h.onNodes() {
				if h.rng.IntN(15) == 0 && h.Pods.Phase[p] == Bound {
					events = append(events, Event{Kind: PodEnded, Pod: p, Node: h.Pods.Node[p]})
				}
			}
			h.Observe(h.Now, events)
			if step%30 == 29 {
				h.Observe(h.Now, []Event{{Kind: NodeRemoved, Node: h.Nodes.Live()[0]}})
				h.addNode(100 + step)
			}
			checkSums(t, h.State)
		}
		if rows := h.Pods.Rows(); rows > 120 {
			t.Errorf("seed %d: 150 pods, most of which ended, took %d rows; rows aren't reused", seed, rows)
		}
	}
}

func checkSums(t *testing.T, s *State) {
	t.Helper()
	ns, pending := &s.Nodes, 0
	for p := range PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == Pending {
			pending++
		}
	}
	if pending != s.Pending() {
		t.Fatalf("Pending() = %d, and %d pods are pending", s.Pending(), pending)
	}
	for n := range NodeID(ns.Rows()) {
		used := make([]int64, len(ns.Used))
		free := make([]int32, len(ns.GPUFree[n]))
		for i := range free {
			free[i] = WholeGPU
		}
		for p := range s.PodsOn(n) {
			for r := range used {
				used[r] += s.Class(p).Requests.Get(Resource(r))
			}
			for i := range free {
				if s.Pods.Allocation[p].GPUs.Has(i) {
					free[i] -= s.Class(p).GPUs.Shares
				}
			}
			if s.Pods.Node[p] != n {
				t.Fatalf("pod %s is in the list of %s, and on row %d", s.PodName(p), ns.Name[n], s.Pods.Node[p])
			}
		}
		for r := range used {
			if ns.Used[r][n] != used[r] {
				t.Fatalf("node %s: used %s is %d, and its pods add up to %d", ns.Name[n], s.ResourceName(Resource(r)), ns.Used[r][n], used[r])
			}
		}
		if !slices.Equal(free, ns.GPUFree[n]) {
			t.Fatalf("node %s: free GPU shares are %v, and its pods leave %v", ns.Name[n], ns.GPUFree[n], free)
		}
	}
}

// TestStampsMeanContent checks that a row has a stamp that it had before only if
// its content is what it was then.
func TestStampsMeanContent(t *testing.T) {
	h := newHistory(3, 4)
	was := map[uint64]string{}
	look := func() {
		for _, n := range h.Nodes.Live() {
			var pods []string
			for p := range h.PodsOn(n) {
				pods = append(pods, fmt.Sprint(h.Pods.Name[p], h.Pods.Phase[p] == Terminating, h.Pods.Allocation[p]))
			}
			text := fmt.Sprint(h.Nodes.Name[n], h.Nodes.GPUFree[n], pods)
			if before, ok := was[h.Nodes.Stamp[n]]; ok && before != text {
				t.Fatalf("stamp %d stood for %s, and now for %s", h.Nodes.Stamp[n], before, text)
			}
			was[h.Nodes.Stamp[n]] = text
		}
	}
	for range 300 {
		h.addPod()
		look()
		mark := h.Mark()
		for range h.rng.IntN(4) {
			h.write()
			look()
		}
		h.Undo(mark)
		look()
		h.bind(h.addPod())
		h.TakeDecisions()
		look()
		if pods := h.onNodes(); len(pods) > 20 {
			h.Observe(h.Now, []Event{{Kind: PodEnded, Pod: pods[0], Node: h.Pods.Node[pods[0]]}})
		}
	}
}

func TestProgrammerErrorsPanic(t *testing.T) {
	gpuPod := testClasses[2]
	for name, do := range map[string]func(*history, PodID){
		"bind twice":               func(h *history, p PodID) { h.Bind(p, 1, Allocation{1}); h.Bind(p, 1, Allocation{1}) },
		"bind without a GPU":       func(h *history, p PodID) { h.Bind(p, 1, Allocation{}) },
		"bind to a GPU too many":   func(h *history, p PodID) { h.Bind(p, 1, Allocation{3}) },
		"evict a pod on no node":   func(h *history, p PodID) { h.Evict(p) },
		"leave a trial Remove":     func(h *history, p PodID) { h.Bind(p, 1, Allocation{1}); h.Remove(p); h.TakeDecisions() },
		"observe before decisions": func(h *history, p PodID) { h.Bind(p, 1, Allocation{1}); h.Observe(0, nil) },
		"bind to a removed node": func(h *history, p PodID) {
			h.Observe(0, []Event{{Kind: NodeRemoved, Node: 1}})
			h.Bind(p, 1, Allocation{1})
		},
		"add a node twice":          func(h *history, _ PodID) { h.addNode(1) },
		"take a decision for event": func(h *history, p PodID) { h.Observe(0, []Event{{Kind: Bind, Pod: p}}) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(1, 3)
			events := []Event{{Kind: PodAdded, PodSpec: &PodSpec{Name: "p", Class: gpuPod}}}
			h.Observe(0, events)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			do(h, events[0].Pod)
		})
	}
}
