package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/clustertest"
	"github.com/berthsim/berth/cluster/sim"
)

func node(name string, cpu int64) cluster.Event {
	return cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
		Name: name, Capacity: cluster.Amounts{cluster.CPU: cpu, cluster.PodSlots: 10},
	}}
}

func pod(at cluster.Time, name string, cpu int64, run cluster.Time) cluster.Event {
	return cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
		Name: name, Class: &cluster.Class{Requests: cluster.Amounts{cluster.CPU: cpu}}, Run: run,
	}}
}

func start(t *testing.T, opts sim.Options, events ...cluster.Event) (*sim.Cluster, *cluster.State) {
	t.Helper()
	s := cluster.NewState()
	c, err := sim.New(s, (*sim.List)(&events), opts)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// next plays one round with decisions made by decide, and tells what happened.
func next(t *testing.T, c *sim.Cluster, s *cluster.State, deadline cluster.Time, decide func()) string {
	t.Helper()
	now, events, err := c.Next(context.Background(), deadline)
	if err != nil {
		return err.Error()
	}
	s.Observe(now, events)
	text := fmt.Sprintf("%ds", now/cluster.Second)
	for _, e := range events {
		text += " " + e.Kind.String()
		if e.Kind != cluster.NodeAdded && e.Pod != cluster.None {
			text += "(" + s.Pods.Name[e.Pod] + ")"
		}
		text += strings.TrimSuffix(" "+e.Reason, " ")
	}
	if decide != nil {
		decide()
	}
	if err := c.Apply(context.Background(), s.TakeDecisions()); err != nil {
		t.Fatal(err)
	}
	return text
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLifeOfAPod(t *testing.T) {
	c, s := start(t, sim.Options{}, node("n", 100), pod(2*cluster.Second, "a", 60, 5*cluster.Second), pod(7*cluster.Second, "b", 60, 0))
	expect(t, next(t, c, s, cluster.Never, nil), "0s NodeAdded")
	expect(t, next(t, c, s, cluster.Second, nil), "1s")
	expect(t, next(t, c, s, cluster.Never, func() { s.Bind(0, 0, cluster.Allocation{}) }), "2s PodAdded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "2s PodBound(a)")
	// What frees room comes before what wants it.
	expect(t, next(t, c, s, cluster.Never, func() { s.Bind(1, 0, cluster.Allocation{}) }), "7s PodEnded(a) PodAdded(b)")
	// A pod that runs for no time ends as soon as it is bound.
	expect(t, next(t, c, s, cluster.Never, nil), "7s PodBound(b)")
	expect(t, next(t, c, s, cluster.Never, nil), "7s PodEnded(b)")
	expect(t, next(t, c, s, cluster.Never, nil), "EOF")
}

func TestEvictionEndsAPodOnce(t *testing.T) {
	c, s := start(t, sim.Options{}, node("n", 100), pod(0, "a", 60, 5*cluster.Second), pod(9*cluster.Second, "b", 1, cluster.Never))
	expect(t, next(t, c, s, cluster.Never, func() { s.Bind(0, 0, cluster.Allocation{}) }), "0s NodeAdded PodAdded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "0s PodBound(a)")
	expect(t, next(t, c, s, 3*cluster.Second, func() { s.Evict(0) }), "3s")
	expect(t, next(t, c, s, cluster.Never, nil), "3s PodEnded(a)")
	// Its own end, at 5 s, has been overtaken.
	expect(t, next(t, c, s, cluster.Never, nil), "5s")
	expect(t, next(t, c, s, cluster.Never, nil), "9s PodAdded(b)")
}

func TestRefusals(t *testing.T) {
	refuse := true
	c, s := start(t, sim.Options{Refuse: func(cluster.Decision) string {
		if refuse {
			return "not today"
		}
		return ""
	}}, node("n", 100), pod(0, "a", 60, 5*cluster.Second))
	bind := func() { s.Bind(0, 0, cluster.Allocation{}) }
	expect(t, next(t, c, s, cluster.Never, bind), "0s NodeAdded PodAdded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "0s Rejected(a) not today")
	if s.Free(0, cluster.CPU) != 100 || s.Pods.Phase[0] != cluster.Pending {
		t.Errorf("after the refusal %d milli-CPUs are free, and the pod is %v", s.Free(0, cluster.CPU), s.Pods.Phase[0])
	}
	refuse = false
	expect(t, next(t, c, s, cluster.Second, bind), "1s")
	expect(t, next(t, c, s, cluster.Never, func() { refuse = true; s.Evict(0) }), "1s PodBound(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "1s Rejected(a) not today")
	// An eviction that was refused changes nothing.
	expect(t, next(t, c, s, cluster.Never, nil), "6s PodEnded(a)")
}

func TestAKubeletRefusesWhatDoesNotFit(t *testing.T) {
	c, s := start(t, sim.Options{}, node("n", 100), pod(0, "a", 101, cluster.Second))
	expect(t, next(t, c, s, cluster.Never, func() { s.Bind(0, 0, cluster.Allocation{}) }), "0s NodeAdded PodAdded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "0s Rejected(a) Node didn't have enough resource: cpu")
}

func TestBadSources(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		events sim.List
		want   string
	}{
		{sim.List{pod(5, "a", 1, 1), pod(4, "b", 1, 1)}, "the workload goes back in time, from 5 to 4 ns"},
		{sim.List{{Kind: cluster.PodEnded}}, "a workload can't contain the event PodEnded"},
	} {
		s := cluster.NewState()
		c, err := sim.New(s, &test.events, sim.Options{})
		for err == nil {
			_, _, err = c.Next(context.Background(), cluster.Never)
		}
		expect(t, err.Error(), test.want)
	}
	if _, err := sim.New(cluster.NewState(), failing{broken}, sim.Options{}); !errors.Is(err, broken) {
		t.Errorf("a failing source gives %v", err)
	}
}

type failing struct{ err error }

func (f failing) Next() (cluster.Event, error) { return cluster.Event{}, f.err }

func TestCancel(t *testing.T) {
	c, _ := start(t, sim.Options{}, pod(0, "a", 1, 1))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for i := range 5000 {
		if _, _, err := c.Next(ctx, cluster.Time(i)); errors.Is(err, context.Canceled) {
			return
		}
	}
	t.Error("Next went on for 5000 calls after its context was done")
}

// TestContract plays random workloads, with and without refusals.
func TestContract(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var events []cluster.Event
		for i := range 1 + rng.IntN(5) {
			events = append(events, node(fmt.Sprint("n", i), 1000))
		}
		for i := range 200 {
			at, run := cluster.Time(rng.IntN(60))*cluster.Second, cluster.Time(rng.IntN(20))*cluster.Second
			events = append(events, pod(at, fmt.Sprint("p", i), int64(rng.IntN(400)), run))
		}
		slices.SortStableFunc(events, func(a, b cluster.Event) int { return int(a.Time - b.Time) })
		opts := sim.Options{}
		if seed%2 == 1 {
			opts.Refuse = func(d cluster.Decision) string {
				if rng.IntN(3) == 0 {
					return "by chance"
				}
				return ""
			}
		}
		c, s := start(t, opts, events...)
		if bound := clustertest.Test(t, c, s); bound < 100 {
			t.Errorf("seed %d: only %d of 200 pods were bound", seed, bound)
		}
	}
}
