package perf

import (
	"fmt"
	"runtime"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Side is one of those that play scripts.
type Side struct {
	Name string
	new  func(*Script) (player, error)
}

// Sides are upstream with its default sampling, upstream looking at all nodes, and Berth, which looks at
// all nodes. Upstream uses so many goroutines.
func Sides(parallelism int) [3]Side {
	return [3]Side{
		{"sampled", func(s *Script) (player, error) { return newUpstream(s, parallelism, 0) }},
		{"all", func(s *Script) (player, error) { return newUpstream(s, parallelism, 100) }},
		{"berth", func(s *Script) (player, error) { return newBerth(s) }},
	}
}

// A player plays one script.
type player interface {
	// prepare does, of a step, what is no part of the measurement.
	prepare(*step) error
	do(*step) error
	// ready is called when the measurement is about to begin.
	ready() error
	// node returns the node that a pod was given, "" if none.
	node(pod int) string
	evaluated() int // nodes that were looked at; 0 if it doesn't count them
	close()
}

// A Result is what playing a script took. It is about the measured pods.
type Result struct {
	Placed    int
	Time      time.Duration
	Mallocs   uint64 // objects allocated
	Evaluated int    // nodes looked at; 0 if the side doesn't count them
}

// PerPod returns the time for each pod that was placed.
func (r Result) PerPod() time.Duration { return r.Time / time.Duration(max(1, r.Placed)) }

// Play plays a script on a cluster of its own.
func (side Side) Play(s *Script) (Result, error) {
	p, err := side.new(s)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	var r Result
	first := s.untimed()
	if err := play(p, s.steps[:first], &r); err != nil {
		return Result{}, fmt.Errorf("%s: %w", side.Name, err)
	}
	if err := p.ready(); err != nil {
		return Result{}, fmt.Errorf("%s: %w", side.Name, err)
	}
	runtime.GC()
	before, evaluated := mallocs(), p.evaluated()
	if err := play(p, s.steps[first:], &r); err != nil {
		return Result{}, fmt.Errorf("%s: %w", side.Name, err)
	}
	r.Mallocs, r.Evaluated = mallocs()-before, p.evaluated()-evaluated
	for i := range s.steps {
		if st := &s.steps[i]; st.counted && p.node(st.pod) != "" {
			r.Placed++
		}
	}
	return r, nil
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func play(p player, steps []step, r *Result) error {
	for i := range steps {
		st := &steps[i]
		if err := p.prepare(st); err != nil {
			return err
		}
		began := time.Now()
		if err := p.do(st); err != nil {
			return err
		}
		if st.timed {
			r.Time += time.Since(began)
		}
	}
	return nil
}

// untimed returns the number of steps before the first that is timed.
func (s *Script) untimed() int {
	for i := range s.steps {
		if s.steps[i].timed {
			return i
		}
	}
	return len(s.steps)
}

// Settle has the pods that come before the measured ones be where Berth puts them, for all sides. So all
// measure from the same cluster, and nobody needs to place these pods again.
func (s *Script) Settle() error {
	p, err := newBerth(s)
	if err != nil {
		return err
	}
	steps := s.steps[:s.untimed()]
	if err := play(p, steps, &Result{}); err != nil {
		return err
	}
	for i := range steps {
		st := &steps[i]
		old, ok := st.object.(*v1.Pod)
		if !ok || st.kind != added || p.node(st.pod) == "" {
			continue
		}
		pod := old.DeepCopy()
		start := metav1.NewTime(epoch.Add(st.at))
		pod.Spec.NodeName, pod.Status.Phase, pod.Status.StartTime = p.node(st.pod), v1.PodRunning, &start
		st.object, s.pods[st.pod] = pod, pod
	}
	return nil
}
