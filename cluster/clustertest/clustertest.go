// Package clustertest checks a cluster.Cluster against the contract that Run and
// controllers rely on, as testing/fstest checks file systems.
package clustertest

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// maxRounds bounds a run, for clusters that would go on for ever.
const maxRounds = 100_000

// Test runs c to its end with a controller that binds every pod to some node with
// room and evicts some of them, and checks that
//
//   - time never goes back, and each batch holds only events up to its time, in
//     the order of time, and within an instant of kind;
//   - nothing happens before the deadline that Next was given, or it is news;
//   - rows that events name are those of known pods and nodes;
//   - each binding is answered once, by PodBound or Rejected, and each eviction by
//     PodEnded or Rejected;
//   - a refused pod is Pending again, and its room is free;
//   - after io.EOF comes io.EOF.
//
// It returns how many pods were bound, so that the caller can tell that something
// was tested. The State must be the one that c was made for.
func Test(t *testing.T, c cluster.Cluster, s *cluster.State) (bound int) {
	t.Helper()
	k := &check{t: t, cluster: c, state: s, asked: map[cluster.PodID]cluster.Kind{}}
	ctx := context.Background()
	deadline := cluster.Never
	for range maxRounds {
		now, events, err := c.Next(ctx, deadline)
		if errors.Is(err, io.EOF) {
			k.atEnd(ctx)
			return k.bound
		}
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		k.batch(now, events, deadline)
		s.Observe(now, events)
		k.outcomes(events)
		k.decide()
		ds := s.TakeDecisions()
		for _, d := range ds {
			k.asked[d.Pod] = d.Kind
		}
		if err := c.Apply(ctx, ds); err != nil {
			t.Fatalf("Apply: %v", err)
		}
		deadline = cluster.Never
		if s.Pending() > 0 && len(ds) > 0 {
			deadline = now + cluster.Second
		}
	}
	t.Fatalf("the cluster did not end in %d rounds", maxRounds)
	return 0
}

type check struct {
	t       *testing.T
	cluster cluster.Cluster
	state   *cluster.State

	now   cluster.Time
	asked map[cluster.PodID]cluster.Kind // decisions without an answer
	bound int
	tried int
}

// batch checks what Next returned.
func (k *check) batch(now cluster.Time, events []cluster.Event, deadline cluster.Time) {
	k.t.Helper()
	if now < k.now {
		k.t.Fatalf("time went from %d back to %d", k.now, now)
	}
	if now > deadline && len(events) == 0 {
		k.t.Fatalf("Next returned nothing at %d, after the deadline %d", now, deadline)
	}
	for i, e := range events {
		if e.Time > now {
			k.t.Fatalf("at %d came an event of %d: %v", now, e.Time, e.Kind)
		}
		if i > 0 && (e.Time < events[i-1].Time || e.Time == events[i-1].Time && e.Kind < events[i-1].Kind) {
			k.t.Fatalf("at %d, %v of %d comes after %v of %d", now, e.Kind, e.Time, events[i-1].Kind, events[i-1].Time)
		}
		switch e.Kind {
		case cluster.PodEnded, cluster.PodBound, cluster.Rejected:
			if e.Pod < 0 || int(e.Pod) >= k.state.Pods.Rows() || k.state.Pods.Phase[e.Pod] == cluster.Ended {
				k.t.Fatalf("%v of row %d, in which there is no pod", e.Kind, e.Pod)
			}
		}
	}
	k.now = now
}

// outcomes checks events that answer decisions, once the State has taken them in.
func (k *check) outcomes(events []cluster.Event) {
	k.t.Helper()
	for _, e := range events {
		was, open := k.asked[e.Pod]
		switch e.Kind {
		case cluster.PodBound:
			if !open || was != cluster.Bind {
				k.t.Fatalf("PodBound of %s, which nobody has bound", k.state.PodName(e.Pod))
			}
			k.bound++
			delete(k.asked, e.Pod)
		case cluster.Rejected:
			if !open || was != e.Decision.Kind || e.Reason == "" {
				k.t.Fatalf("%v of %s was rejected because of %q; the open question is %v", e.Decision.Kind, k.state.PodName(e.Pod), e.Reason, was)
			}
			if was == cluster.Bind && (k.state.Pods.Phase[e.Pod] != cluster.Pending || k.state.Pods.Node[e.Pod] != cluster.None) {
				k.t.Fatalf("%s was refused, and is %v", k.state.PodName(e.Pod), k.state.Pods.Phase[e.Pod])
			}
			delete(k.asked, e.Pod)
		case cluster.PodEnded:
			if was == cluster.Bind && open {
				k.t.Fatalf("%s ended before its binding was answered", k.state.PodName(e.Pod))
			}
			delete(k.asked, e.Pod)
		}
	}
}

// decide binds pods wherever there is room, and evicts one now and then.
func (k *check) decide() {
	s := k.state
	for p := range cluster.PodID(s.Pods.Rows()) {
		switch s.Pods.Phase[p] {
		case cluster.Pending:
			k.bind(p)
		case cluster.Bound:
			if k.tried++; k.tried%17 == 0 {
				s.Evict(p)
			}
		}
	}
}

func (k *check) bind(p cluster.PodID) {
	s := k.state
	want := s.Class(p)
nodes:
	for _, n := range s.Nodes.Live() {
		for r, amount := range want.Requests {
			if amount > s.Free(n, cluster.Resource(r)) {
				continue nodes
			}
		}
		var a cluster.Allocation
		left := want.GPUs.Count
		for i, free := range s.Nodes.GPUFree[n] {
			if left > 0 && free >= want.GPUs.Shares {
				a.GPUs = a.GPUs.With(i)
				left--
			}
		}
		if left == 0 {
			s.Bind(p, n, a)
			return
		}
	}
}

// atEnd checks what must hold once the events have ended.
func (k *check) atEnd(ctx context.Context) {
	k.t.Helper()
	for p, kind := range k.asked {
		k.t.Errorf("the %v of %s was never answered", kind, k.state.PodName(p))
	}
	if _, _, err := k.cluster.Next(ctx, cluster.Never); !errors.Is(err, io.EOF) {
		k.t.Errorf("Next after the end returned %v, not io.EOF", err)
	}
}
