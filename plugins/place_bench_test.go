package plugins

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// A treadmill is a cluster in which every pod that comes takes the place of the
// oldest one: it stays as full as it is, and a benchmark or a count of
// allocations can go on for ever.
type treadmill struct {
	*cluster.State
	profile *scheduler.Profile
	specs   []cluster.PodSpec // of the pods on nodes, and of those that will follow
	pods    []cluster.PodID   // in the rows of specs
	next    int               // the oldest
	events  []cluster.Event   // scratch
}

// podsPerNode makes about half of the GPUs and a fifth of the CPUs busy.
const podsPerNode = 2

// treadmillClasses are what pods ask for: without GPUs, shares of one, and whole
// ones, in the proportions of the openb trace, roughly.
func treadmillClasses() (classes []*cluster.Class) {
	for i := range int64(8) {
		classes = append(classes,
			onlyCPU(1000+2000*i), sharing(2000+500*i, 100+100*int32(i)), sharing(4000+500*i, 150+100*int32(i)), whole(6000+1000*i, 1))
	}
	classes = append(classes, whole(16000, 2), whole(32000, 4))
	for i, c := range classes {
		c.Requests = append(c.Requests, int64(1+i%4)<<32) // of memory
	}
	return classes
}

// treadmillNode describes one of four kinds of nodes.
func treadmillNode(i int) *cluster.NodeSpec {
	spec := &cluster.NodeSpec{Name: fmt.Sprintf("node-%05d", i), Capacity: cluster.Amounts{
		cluster.CPU: 96000, cluster.Memory: 1 << 38, cluster.PodSlots: 1001,
	}}
	if kind := i % 4; kind > 0 {
		spec.GPUs, spec.GPUModel = 1<<kind, []string{"", "T4", "V100", "A10"}[kind]
	}
	return spec
}

// newTreadmill returns a cluster of so many nodes, on which pods are.
func newTreadmill(tb testing.TB, nodes int, plugins []*scheduler.Plugin, policy string) *treadmill {
	tb.Helper()
	profile, err := scheduler.NewProfile(plugins, []scheduler.Weighted{{Name: policy, Weight: 1}})
	if err != nil {
		tb.Fatal(err)
	}
	w := &treadmill{State: cluster.NewState(), profile: profile}
	classes := treadmillClasses()
	for _, c := range classes {
		w.Mix = append(w.Mix, cluster.MixShare{Class: c, Pods: 1})
	}
	for i := range nodes {
		w.events = append(w.events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: treadmillNode(i)})
	}
	for i := range nodes * podsPerNode {
		w.specs = append(w.specs, cluster.PodSpec{Name: fmt.Sprint("pod-", i), Class: classes[i%len(classes)], Run: cluster.Never})
	}
	for i := range w.specs {
		w.events = append(w.events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &w.specs[i]})
	}
	w.Observe(0, w.events)
	n := 0
	for _, e := range w.events[nodes:] {
		for !w.put(e.Pod, w.Nodes.Live()[n%nodes]) {
			n++
		}
		n++
		w.pods = append(w.pods, e.Pod)
	}
	w.TakeDecisions()
	for range 3 * len(classes) { // fills memories and scratch
		w.place(tb)
	}
	return w
}

// put binds p to n if it fits there.
func (w *treadmill) put(p cluster.PodID, n cluster.NodeID) bool {
	c := w.Class(p)
	a, v := firstGPUs(w.Nodes.GPUFree[n], c.GPUs)
	if v.Code != scheduler.Success || c.Requests[cluster.CPU] > w.Free(n, cluster.CPU) || c.Requests[cluster.Memory] > w.Free(n, cluster.Memory) {
		return false
	}
	w.Bind(p, n, a)
	return true
}

// place ends the oldest pod and places another like it: from its arrival to the
// decision.
func (w *treadmill) place(tb testing.TB) {
	old := w.pods[w.next]
	w.events = append(w.events[:0],
		cluster.Event{Kind: cluster.PodEnded, Pod: old, Node: w.Pods.Node[old]},
		cluster.Event{Kind: cluster.PodAdded, PodSpec: &w.specs[w.next]})
	w.Observe(w.Now+cluster.Millisecond, w.events)
	p := w.events[1].Pod
	n, a, ok := w.profile.Select(w.State, p)
	if !ok {
		tb.Fatalf("%s has no place: %v", w.PodName(p), w.profile.Diagnose(w.State, p))
	}
	w.Bind(p, n, a)
	if ds := w.TakeDecisions(); len(ds) != 1 {
		tb.Fatalf("%d decisions for one pod", len(ds))
	}
	w.pods[w.next] = p
	w.next = (w.next + 1) % len(w.pods)
}

func (w *treadmill) run(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w.place(b)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pods/s")
}

// BenchmarkPlace places a pod with all required plugins and one policy.
func BenchmarkPlace(b *testing.B) {
	for _, nodes := range []int{1000, 5000, 50000} {
		for _, pl := range []*scheduler.Plugin{LeastAllocated, MostAllocated, BestFit, DotProd, GPUPacking, GPUClustering, FGD, Random} {
			b.Run(fmt.Sprintf("nodes=%d/policy=%s", nodes, strings.ToLower(pl.Name)), func(b *testing.B) {
				newTreadmill(b, nodes, All, pl.Name).run(b)
			})
		}
	}
}

// spread scores as LeastAllocated does by default, without its options.
type spread struct{}

func (spread) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	ns := &s.Nodes
	cpu, memory := s.Estimate(s.Pods.Class[p])
	return func(n cluster.NodeID) int64 {
		return (leastPart(ns.Cap[cluster.CPU][n], ns.EstimatedCPU[n]+cpu) + leastPart(ns.Cap[cluster.Memory][n], ns.EstimatedMemory[n]+memory)) / 2
	}
}

func (spread) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	cpus, memories := s.Nodes.Cap[cluster.CPU], s.Nodes.Cap[cluster.Memory]
	usedCPU, usedMemory := s.Nodes.EstimatedCPU, s.Nodes.EstimatedMemory
	cpu, memory := s.Estimate(s.Pods.Class[p])
	for i, n := range nodes {
		out[i] = (leastPart(cpus[n], usedCPU[n]+cpu) + leastPart(memories[n], usedMemory[n]+memory)) / 2
	}
	return true
}

// rungs are the same policy on each rung.
func rungs() []*scheduler.Plugin {
	rung2 := &scheduler.Plugin{Name: "Spread", New: func(scheduler.Args) (any, error) { return spread{}, nil }}
	rung0 := scheduler.ScoreFunc("Spread", "", func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
		ns := &s.Nodes
		cpu, memory := s.Estimate(s.Pods.Class[p])
		return (leastPart(ns.Cap[cluster.CPU][n], ns.EstimatedCPU[n]+cpu) + leastPart(ns.Cap[cluster.Memory][n], ns.EstimatedMemory[n]+memory)) / 2
	})
	return []*scheduler.Plugin{rung0, rung1(rung2), rung2}
}

// BenchmarkRung places a pod with the same policy on each rung of the ladder, and
// with no more filters than it takes.
func BenchmarkRung(b *testing.B) {
	const nodes = 5000
	for rung, pl := range rungs() {
		b.Run(fmt.Sprintf("rung=%d/nodes=%d", rung, nodes), func(b *testing.B) {
			newTreadmill(b, nodes, []*scheduler.Plugin{NodeResourcesFit, GPUDevices, pl}, pl.Name).run(b)
		})
	}
}

// last returns the pod that was placed last.
func (w *treadmill) last() cluster.PodID { return w.pods[(w.next+len(w.pods)-1)%len(w.pods)] }

// placeAlike checks that two lists of plugins place pods alike for a while.
func placeAlike(t *testing.T, policy string, plugins, others []*scheduler.Plugin) {
	t.Helper()
	a, b := newTreadmill(t, 60, plugins, policy), newTreadmill(t, 60, others, policy)
	for range 300 {
		a.place(t)
		b.place(t)
		p, q := a.last(), b.last()
		if a.Pods.Node[p] != b.Pods.Node[q] || a.Pods.Allocation[p] != b.Pods.Allocation[q] {
			t.Fatalf("%s places %s on node %d, and on another rung on node %d", policy, a.PodName(p), a.Pods.Node[p], b.Pods.Node[q])
		}
	}
}

// TestRungsPlaceAlike checks that what is measured against each other decides
// alike.
func TestRungsPlaceAlike(t *testing.T) {
	plugins := []*scheduler.Plugin{NodeResourcesFit, GPUDevices, BestFit, FGD, GPUClustering, GPUPacking, DotProd, LeastAllocated, MostAllocated, Random}
	var lower []*scheduler.Plugin
	for _, pl := range plugins {
		lower = append(lower, rung1(pl))
	}
	for _, pl := range plugins[2:] {
		placeAlike(t, pl.Name, plugins, lower)
	}
	for _, pl := range rungs() {
		placeAlike(t, "Spread", []*scheduler.Plugin{NodeResourcesFit, GPUDevices, pl}, []*scheduler.Plugin{NodeResourcesFit, GPUDevices, rungs()[2]})
	}
}
