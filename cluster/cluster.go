// Package cluster is the vocabulary that every other package speaks: nodes,
// pods, the events that change them and the decisions made about them; State,
// which holds what is known about a cluster in columns; and Run, the loop that
// drives controllers from a cluster's events.
//
// Data flows one way round. A Cluster (simulated, live or recorded) yields
// events; State takes them in; controllers read State and decide by writing to
// it; the decisions go back to the Cluster, and their outcomes arrive as events.
// A controller never calls a Cluster, and a Cluster never calls a controller.
//
// The package imports the standard library only. Nothing in it reads a clock,
// starts a goroutine or depends on the order of a map.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Time is nanoseconds since the run began. It is passed in, never read: only a
// Cluster knows what time it is.
type Time int64

// Durations in units of Time.
const (
	Millisecond Time = 1e6
	Second      Time = 1e9
	Minute           = 60 * Second
	Hour             = 60 * Minute
)

// Never is later than every other Time.
const Never = Time(1<<63 - 1)

// Seconds returns t in seconds.
func (t Time) Seconds() float64 { return float64(t) / float64(Second) }

// NodeID is a node's row in State.Nodes. Rows are reused; nothing that outlives
// a node may hold its NodeID.
type NodeID int32

// PodID is a pod's row in State.Pods. Rows are reused from the Step after the
// one that saw the pod's end.
type PodID int32

// ClassID is a row of State's table of classes.
type ClassID int32

// None stands for no node, or no pod.
const None = -1

// A Cluster is a source of events and a sink of decisions. It alone has a clock
// or does I/O.
type Cluster interface {
	// Next waits until something happens or the deadline passes, and returns
	// the time and the events up to that time, in order. The slice stays the
	// Cluster's; it is valid until the next call of Next, and State.Observe
	// fills in the rows of what was added. Next returns io.EOF when nothing can
	// happen any more.
	Next(ctx context.Context, deadline Time) (now Time, events []Event, err error)

	// Apply begins to carry out decisions, in order. Outcomes arrive as events:
	// a decision that can't be carried out as a Rejected event, not as an error.
	Apply(ctx context.Context, ds []Decision) error
}

// A Controller looks at what happened and decides what to do.
type Controller interface {
	// Step is called after each batch of events has been taken in by s. It
	// decides by calling s's methods (Bind, Evict), and returns the time at
	// which it wants to be called even if nothing happens: Never if it doesn't.
	Step(s *State, events []Event) (wake Time)
}

// A Recorder sees everything that happens in a run and changes nothing.
type Recorder interface {
	// Record is called once after each round, with what was observed and what
	// was decided in answer. Rows of pods that ended are still readable.
	Record(s *State, events []Event, ds []Decision) error
}

// Recorders records with each of its members in turn.
type Recorders []Recorder

// Record implements Recorder. It stops at the first error.
func (rs Recorders) Record(s *State, events []Event, ds []Decision) error {
	for _, r := range rs {
		if err := r.Record(s, events, ds); err != nil {
			return err
		}
	}
	return nil
}

// Run drives controllers from c's events until they end (then it returns nil),
// ctx is done, or c or rec fails.
func Run(ctx context.Context, c Cluster, s *State, rec Recorder, controllers ...Controller) error {
	wake := Never
	for {
		now, events, err := c.Next(ctx, wake)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("waiting for events: %w", err)
		}
		s.Observe(now, events)
		wake = Never
		for _, ctl := range controllers {
			wake = min(wake, ctl.Step(s, events))
		}
		ds := s.TakeDecisions()
		if err := rec.Record(s, events, ds); err != nil {
			return fmt.Errorf("recording: %w", err)
		}
		if err := c.Apply(ctx, ds); err != nil {
			return fmt.Errorf("carrying out decisions: %w", err)
		}
	}
}
