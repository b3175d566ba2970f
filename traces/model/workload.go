package model

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// A Size says how large a workload is. What is 0 is as recorded; but given two of
// Pods, Days and Load, the third follows. Given all, they contradict each other.
type Size struct {
	Pods  int64   // how many come
	Days  float64 // over how long
	Load  float64 // mean demand, as a share of capacity
	Nodes int     // of each kind in proportion; arrivals stay as they are
}

// A Workload generates from a model. It is read-only, so that many Runs may share it.
type Workload struct {
	Nodes []*cluster.NodeSpec
	Mix   cluster.Mix // of classes without their owners
	Pods  int64       // as many as come, or, if that follows from days and load, are expected
	Load  float64     // that is asked for, or expected; for GPUs, or for CPUs if no node has any

	m       *Model
	size    Size
	classes []*cluster.Class
	each    []float64 // of each job, what its pods use of what the load is of
	demand  float64   // expected of a recorded job, in units of what the load is of times seconds
	total   float64   // what there is of it

	sources []int64   // bursts of each source and those before
	upTo    [][]int64 // of each source, jobs of each of its kinds and those before
	kinds   [][]int32 // of each source, which kinds of jobs these are
}

// MaxPods is as many pods as a workload has at most.
const MaxPods = 100_000_000

// Workload returns a workload of a size. What is wrong with that size is an
// *input.Error without a file.
func (m *Model) Workload(size Size) (*Workload, error) {
	w := &Workload{m: m, size: size, Nodes: m.nodes(size.Nodes)}
	if size.Pods > 0 && size.Days > 0 && size.Load > 0 {
		return nil, &input.Error{Problem: "pods, days and load are given, of which two make the third", Remedy: "leave one out"}
	}
	for i := range m.Classes {
		w.classes = append(w.classes, m.Classes[i].class())
	}
	w.index()
	w.measure()
	return w, w.complete()
}

// nodes makes n nodes, of each kind in proportion by largest remainder; 0 for as
// many as recorded. Kinds take turns, since order of arrival decides among nodes of
// equal score and must not go by kind.
func (m *Model) nodes(n int) (nodes []*cluster.NodeSpec) {
	recorded := 0
	for _, k := range m.Nodes {
		recorded += k.Count
	}
	n = cmp.Or(n, recorded)
	counts, order, missing := make([]int, len(m.Nodes)), make([]int, len(m.Nodes)), n
	for i, k := range m.Nodes {
		counts[i], order[i] = n*k.Count/recorded, i
		missing -= counts[i]
	}
	remainder := func(i int) int { return n * m.Nodes[i].Count % recorded }
	slices.SortStableFunc(order, func(i, j int) int { return remainder(j) - remainder(i) })
	for _, i := range order[:missing] {
		counts[i]++
	}
	owed := make([]int, len(counts)) // of n parts: the kind that is owed most comes next
	for range n {
		next := 0
		for i := range counts {
			if owed[i] += counts[i]; owed[i] > owed[next] {
				next = i
			}
		}
		owed[next] -= n
		nodes = append(nodes, m.Nodes[next].node(fmt.Sprintf("node-%04d", len(nodes))))
	}
	return nodes
}

// index fills in what sources and jobs are drawn from.
func (w *Workload) index() {
	bursts := int64(0)
	w.upTo, w.kinds = make([][]int64, len(w.m.Sources)), make([][]int32, len(w.m.Sources))
	for _, s := range w.m.Sources {
		bursts += s.Weight
		w.sources = append(w.sources, bursts)
	}
	for i := range w.m.Jobs {
		j := &w.m.Jobs[i]
		before := int64(0)
		if list := w.upTo[j.Source]; len(list) > 0 {
			before = list[len(list)-1]
		}
		w.upTo[j.Source] = append(w.upTo[j.Source], before+j.Count)
		w.kinds[j.Source] = append(w.kinds[j.Source], int32(i))
	}
}

// measure fills in the mix, and what jobs use.
func (w *Workload) measure() {
	ofGPUs := slices.ContainsFunc(w.m.Nodes, func(k NodeKind) bool { return k.GPUs > 0 })
	for _, n := range w.Nodes {
		if ofGPUs {
			w.total += float64(n.GPUs * cluster.WholeGPU)
		} else {
			w.total += float64(n.Capacity.Get(cluster.CPU))
		}
	}
	pods := make([]int64, len(w.classes))
	means := make([]float64, len(w.m.Runs))
	for i := range means {
		means[i] = w.m.Runs[i].Mean()
	}
	jobs, _ := w.m.Totals()
	for i := range w.m.Jobs {
		j := &w.m.Jobs[i]
		use := 0.0
		for _, p := range j.Pods {
			pods[p.Class] += j.Count * int64(p.Count)
			each := w.m.Classes[p.Class].CPU
			if ofGPUs {
				each = w.m.Classes[p.Class].shares()
			}
			use += float64(float64(each) * float64(p.Count))
		}
		w.each = append(w.each, use)
		if j.Run >= 0 {
			w.demand += float64(float64(use*means[j.Run]) * (float64(j.Count) / float64(jobs)))
		}
	}
	for i, c := range w.classes {
		if pods[i] > 0 {
			w.Mix = append(w.Mix, cluster.MixShare{Class: c, Pods: pods[i]})
		}
	}
}

// day is how many seconds one has.
const day = 86400.0

// complete fills in what of the size follows, and what is expected.
func (w *Workload) complete() error {
	jobs, pods := w.m.Totals()
	ofPod := w.demand * float64(jobs) / float64(pods) // expected of a pod
	perDay := float64(pods) / w.m.Arrivals.Days
	s := &w.size
	if s.Load > 0 && (ofPod <= 0 || w.total <= 0) {
		return &input.Error{Problem: "no pod uses anything for any time, so there is no load to ask for", Remedy: "leave load out"}
	}
	if s.Days == 0 && s.Pods == 0 {
		s.Days = w.m.Arrivals.Days
	}
	expected := float64(s.Pods)
	switch {
	case s.Load > 0 && s.Pods == 0:
		expected = float64(float64(s.Load*w.total)*s.Days) * day / ofPod
	case s.Load > 0:
		s.Days = float64(float64(s.Pods)*ofPod) / day / float64(s.Load*w.total)
	case s.Pods == 0:
		expected = float64(s.Days * perDay)
	case s.Days == 0:
		s.Days = float64(s.Pods) / perDay
	}
	if expected < 0.5 || expected > MaxPods {
		return &input.Error{Problem: fmt.Sprintf("it comes to %s pods", number(round(expected))), Remedy: fmt.Sprintf("choose days, load and nodes so that there are from 1 to %d", MaxPods)}
	}
	if s.Days > maxDays || s.Days < 1e-6 {
		return &input.Error{Problem: fmt.Sprintf("it comes to %s days", number(round(s.Days))), Remedy: "choose pods and load so that it takes less than a century"}
	}
	w.Pods, w.Load = int64(expected+0.5), s.Load
	if s.Load == 0 && s.Pods == 0 {
		s.Pods = w.Pods
	}
	if w.Load == 0 && w.total > 0 {
		w.Load = float64(expected*ofPod) / w.total / float64(s.Days*day)
	}
	return nil
}
