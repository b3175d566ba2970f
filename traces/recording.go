package traces

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A recording of a live cluster says of pods when they came, and of outcomes when they were
// bound and ended. How long a pod ran is work that was asked for, and the only thing of the
// outcomes that a replay of the workload sees: who plays it decides anew where and when.

// A lifetime is what a recording tells of a pod: -1 where it doesn't.
type lifetime struct{ came, bound, ended cluster.Time }

// lifetimes are those of a recording's pods from outside, in the order in which they came.
type lifetimes struct {
	pods    []lifetime
	until   cluster.Time // up to when the recording goes
	endless bool         // pods that run at its end never do

	content string // hash of all of the file
}

// readLifetimes reads all of a recording.
func readLifetimes(path string, endless bool) (*lifetimes, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := wire.NewReader(f, wire.ReadOptions{Name: path})
	if err != nil {
		return nil, err
	}
	ls := &lifetimes{endless: endless}
	for {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			ls.content, _ = r.Content()
			return ls, nil
		}
		if err != nil {
			return nil, err
		}
		ls.until = max(ls.until, x.Time)
		if x.What == wire.Workload || x.What == wire.Outcome {
			ls.take(&x.Event)
		}
	}
}

// take takes in an event. Pods are numbered, those from outside evenly, those that were refused
// among them: nobody knows for how long they would have run.
func (ls *lifetimes) take(e *cluster.Event) {
	switch came := (lifetime{e.Time, -1, -1}); {
	case e.Kind == cluster.PodRefused:
		ls.pods = append(ls.pods, came)
		return
	case e.Kind == cluster.PodAdded && e.Pod&1 == 0:
		ls.pods = append(ls.pods, came)
	}
	if e.Pod >= 0 && e.Pod&1 == 0 && int(e.Pod>>1) < len(ls.pods) {
		ls.see(e)
	}
}

func (ls *lifetimes) see(e *cluster.Event) {
	l := &ls.pods[e.Pod>>1]
	onNode := e.Kind == cluster.PodBound || e.PodSpec != nil && e.PodSpec.On != ""
	if onNode && l.bound < 0 {
		l.bound = e.Time
	}
	if e.Kind == cluster.PodEnded {
		l.ended = e.Time
	}
}

// run returns how long the i-th pod ran. ok is false of a pod that went before it had a node:
// nobody knows what it would have done.
func (ls *lifetimes) run(i int) (run cluster.Time, ok bool) {
	l := &ls.pods[i]
	switch {
	case l.ended >= 0 && l.bound < 0:
		return 0, false
	case l.ended >= 0:
		return l.ended - l.bound, true
	case ls.endless:
		return cluster.Never, true
	case l.bound >= 0:
		return ls.until - l.bound, true
	}
	return ls.until - l.came, true
}

// unbound returns how many pods went before they had a node.
func (ls *lifetimes) unbound() (count int) {
	for i := range ls.pods {
		if _, ok := ls.run(i); !ok {
			count++
		}
	}
	return count
}

// lived is the workload of a recording, in which pods run for as long as they did. Nodes that
// went and came back are there from when they came first, without what controllers had found of
// them then.
type lived struct {
	from  Stream
	times *lifetimes
	pods  int // that have come
	nodes map[string]bool
}

// Next implements Stream.
func (l *lived) Next() (cluster.Event, error) {
	for {
		e, err := l.from.Next()
		if err != nil {
			return e, err
		}
		e.Pod, e.Node = cluster.None, cluster.None // they are nobody's numbers once some are left out
		switch e.Kind {
		case cluster.NodeAdded:
			if l.nodes[e.NodeSpec.Name] {
				continue
			}
			l.nodes[e.NodeSpec.Name] = true
			spec := *e.NodeSpec
			spec.Taints = slices.DeleteFunc(slices.Clone(spec.Taints), func(t cluster.Taint) bool { return slices.Contains(passing, t.Key) })
			e.NodeSpec = &spec
		case cluster.PodAdded:
			run, ok := l.times.run(l.pods)
			l.pods++
			if !ok {
				continue
			}
			spec := *e.PodSpec
			spec.Run, spec.On = run, ""
			e.PodSpec = &spec
		}
		return e, nil
	}
}
