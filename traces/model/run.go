package model

import (
	"io"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// A Run yields the pods of a workload under a seed, in order of time. It holds the
// bursts that have begun, and no pod.
type Run struct {
	w      *Workload
	seed   int64
	plan   plan
	begins beginnings
	active heap.Heap[burst]

	begun   int64 // bursts
	number  int64 // of the next burst's first job
	first   float64
	stretch float64 // of times, for the load to be as asked for

	job      job
	at       cluster.Time
	part     int // of the job's pods: those that come next
	of, pods int32
	class    *cluster.Class // of that part
}

// Run returns the workload under a seed.
func (w *Workload) Run(seed int64) *Run {
	p := w.plan(seed)
	days := w.size.Days
	if w.size.Load > 0 {
		days = max(p.demand/float64(w.size.Load*w.total)/day, 1e-6)
	}
	r := w.run(seed, p, days, 0, 1)
	b, ok := r.nextBurst()
	if !ok {
		return r
	}
	first, last := b.at, b.at
	if w.size.Load > 0 { // go through all once, to see from when to when
		for ; ok; b, ok = r.nextBurst() {
			last = b.at
			r.take(b)
		}
	}
	stretch := 1.0
	if last > first {
		stretch = float64(days*day) / (last - first)
	}
	return w.run(seed, p, days, first, stretch)
}

func (w *Workload) run(seed int64, p plan, days, first, stretch float64) *Run {
	return &Run{w: w, seed: seed, plan: p, begins: w.beginnings(seed, p.bursts, days), first: first, stretch: stretch, part: -1}
}

// nextBurst returns the burst whose next job is the next of all.
func (r *Run) nextBurst() (burst, bool) {
	for r.begun < r.plan.bursts && (len(r.active) == 0 || r.begins.at <= r.active[0].at) {
		b := r.w.begin(r.seed, r.begun, r.number)
		b.at = r.begins.at
		r.number += b.left
		if r.begun++; r.begun == r.plan.bursts {
			b.left -= r.plan.cut
		} else {
			r.begins.next()
		}
		r.active.Push(b)
	}
	if len(r.active) == 0 {
		return burst{}, false
	}
	return r.active.Pop(), true
}

// take draws a burst's next job, and puts back what is left of it.
func (r *Run) take(b burst) job {
	j := r.w.job(r.seed, &b)
	if b.left > 0 {
		r.active.Push(b)
	}
	return j
}

// Next returns the next pod and when it comes. It is not ok behind the last.
func (r *Run) Next() (at cluster.Time, pod *cluster.PodSpec, ok bool) {
	if r.part < 0 {
		b, ok := r.nextBurst()
		if !ok {
			return 0, nil, false
		}
		r.at = ticked(float64((b.at-r.first)*r.stretch), r.w.m.Arrivals.Tick)
		r.job = r.take(b)
		r.part, r.of, r.pods, r.class = 0, 0, 0, nil
	}
	kind := &r.w.m.Jobs[r.job.kind]
	name := "job-" + strconv.FormatInt(r.job.number, 10)
	part := kind.Pods[r.part]
	if r.class == nil {
		r.class = r.w.classes[part.Class]
		if kind.Owner != "" {
			owned := *r.class
			owned.Owner = cluster.OwnerRef{Kind: kind.Owner, Name: name}
			r.class = &owned
		}
	}
	pod = &cluster.PodSpec{Name: name, Class: r.class, Run: r.job.run, Labels: cluster.MakeLabels(r.w.m.Classes[part.Class].Labels)}
	if len(kind.Pods) > 1 || part.Count > 1 {
		pod.Name += "-" + strconv.Itoa(int(r.pods))
	}
	r.pods++
	if r.of++; r.of == part.Count {
		r.of, r.class = 0, nil
		if r.part++; r.part == len(kind.Pods) {
			r.part = -1
		}
	}
	return r.at, pod, true
}

// events are the nodes of a workload, all at time 0, and then its pods.
type events struct {
	nodes []*cluster.NodeSpec
	run   *Run
}

// Events returns the workload under a seed as a stream.
func (w *Workload) Events(seed int64) Stream { return &events{w.Nodes, w.Run(seed)} }

// Next implements Stream.
func (es *events) Next() (cluster.Event, error) {
	e := cluster.Event{Pod: cluster.None, Node: cluster.None}
	if len(es.nodes) > 0 {
		e.Kind, e.NodeSpec = cluster.NodeAdded, es.nodes[0]
		es.nodes = es.nodes[1:]
		return e, nil
	}
	at, pod, ok := es.run.Next()
	if !ok {
		return e, io.EOF
	}
	e.Time, e.Kind, e.PodSpec = at, cluster.PodAdded, pod
	return e, nil
}
