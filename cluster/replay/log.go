// Package replay writes the log of a run, and plays it back: the same events come at the same
// times, and every decision is compared with what was decided then.
package replay

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A Log is a cluster.Recorder that writes a run: every round's time, events and decisions. The
// objects, nodes and pods of the run must all have come as events.
//
// Events that follow from decisions are outcomes, which a replay of the workload alone doesn't
// see: that pods were bound, refused, told to end or have ended, that a pod came which a
// controller had made, taints that a controller put on a node, the statuses of budgets and
// quotas. All else has come from outside.
type Log struct {
	// Outside, if set, decides it instead, where an event can be either.
	Outside func(s *cluster.State, e *cluster.Event) bool

	to     *wire.Writer
	pods   []cluster.PodID  // numbers in the log, by row
	nodes  []cluster.NodeID // likewise
	origin origin
}

// NewLog returns a recorder that writes to a file. Whoever made the Writer closes it.
func NewLog(to *wire.Writer) *Log { return &Log{to: to, origin: newOrigin()} }

// Meta returns what a file says of a run of s: its seed, and what pods it expects.
func Meta(s *cluster.State) wire.Meta {
	return wire.Meta{Kind: wire.Run, Seed: s.Seed, Mix: s.Mix}
}

// Record implements cluster.Recorder. It returns the error that the round could not be written.
func (l *Log) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	if err := l.to.Round(s.Now, wire.Batch{Events: len(events), Decisions: len(ds)}); err != nil {
		return fmt.Errorf("logging a round: %w", err)
	}
	for i := range events {
		if err := l.event(s, &events[i]); err != nil {
			return fmt.Errorf("logging %v: %w", events[i].Kind, err)
		}
	}
	for i := range ds {
		d := l.numbered(&ds[i])
		if err := l.to.Decision(s.Now, &d); err != nil {
			return fmt.Errorf("logging %v: %w", d.Kind, err)
		}
		l.origin.decided(&ds[i])
	}
	return nil
}

// Flush has the file hold all that was recorded up to now.
func (l *Log) Flush() error { return l.to.Flush() }

// event writes an event.
func (l *Log) event(s *cluster.State, e *cluster.Event) error {
	outside := l.origin.outside(e)
	if l.Outside != nil && either(e.Kind) {
		outside = l.Outside(s, e)
	}
	x := *e
	x.Pod, x.Node = l.podNumber(e.Pod), l.nodeNumber(e.Node)
	if e.Kind == cluster.Rejected {
		x.Decision = l.numbered(&e.Decision)
	}
	var err error
	if outside {
		err = l.to.Event(&x)
	} else {
		err = l.to.Outcome(&x)
	}
	if err != nil {
		return err
	}
	switch e.Kind {
	case cluster.PodAdded:
		l.pods = at(l.pods, int(e.Pod), x.Pod)
	case cluster.NodeAdded:
		l.nodes = at(l.nodes, int(e.Node), x.Node)
	}
	return nil
}

// numbered returns a decision with numbers instead of rows.
func (l *Log) numbered(d *cluster.Decision) cluster.Decision {
	x := *d
	x.Pod, x.Node = l.podNumber(d.Pod), l.nodeNumber(d.Node)
	return x
}

// podNumber returns the number of the pod in a row, None where there never was one.
func (l *Log) podNumber(row cluster.PodID) cluster.PodID {
	if row < 0 || int(row) >= len(l.pods) {
		return cluster.None
	}
	return l.pods[row]
}

func (l *Log) nodeNumber(row cluster.NodeID) cluster.NodeID {
	if row < 0 || int(row) >= len(l.nodes) {
		return cluster.None
	}
	return l.nodes[row]
}

// at returns a list with x at index i.
func at[T ~int32](list []T, i int, x T) []T {
	for len(list) <= i {
		list = append(list, cluster.None)
	}
	list[i] = x
	return list
}
