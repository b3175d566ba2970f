// Package schedulertest checks plugins against the contract that the scheduler
// relies on, as testing/fstest checks file systems. An author calls TestPlugin
// from a test of the plugin's package.
package schedulertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// trials is how many random clusters a plugin is tried on.
const trials = 60

// TestPlugin checks on random clusters, which fill up and empty while the same
// instance goes on deciding, that
//
//   - every rung of the ladder agrees with rung 1, on an instance that has seen
//     all that happened before and on a fresh one;
//   - asking twice gives the same answer;
//   - scores, normalised if need be, lie in 0 to MaxScore;
//   - reasons are given for every refusal, and for nothing else;
//   - devices allocated are free, of the right number, and no more;
//   - nothing was written to the State.
func TestPlugin(t *testing.T, pl *scheduler.Plugin) {
	t.Helper()
	if err := scheduler.Validate([]*scheduler.Plugin{pl}); err != nil {
		t.Fatal(err)
	}
	for trial := range uint64(trials) {
		c := &check{t: t, plugin: pl, trial: trial, inst: instance(t, pl)}
		rng := rand.New(rand.NewPCG(trial, 1))
		s := RandomState(rng, 1+rng.IntN(40))
		for range 12 {
			Churn(rng, s)
			for class := range 3 {
				c.run(s, AddPod(s, rng, fmt.Sprintf("asks-%d", class)))
			}
		}
	}
}

// A check is one plugin's on one random cluster.
type check struct {
	t      *testing.T
	plugin *scheduler.Plugin
	trial  uint64
	inst   any
}

func instance(t *testing.T, pl *scheduler.Plugin) any {
	t.Helper()
	inst, err := pl.New(nil)
	if err != nil {
		t.Fatalf("%s: New: %v", pl.Name, err)
	}
	return inst
}

func (c *check) errorf(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("%s, cluster %d: %s", c.plugin.Name, c.trial, fmt.Sprintf(format, args...))
}

func (c *check) run(s *cluster.State, p cluster.PodID) {
	c.t.Helper()
	before := Fingerprint(s)
	known := false
	if f, ok := c.inst.(scheduler.Filter); ok {
		known = true
		c.filter(s, p, f)
	}
	if sc, ok := c.inst.(scheduler.Scorer); ok {
		known = true
		c.scorer(s, p, sc)
	}
	if a, ok := c.inst.(scheduler.Allocator); ok {
		known = true
		c.allocator(s, p, a)
	}
	switch c.inst.(type) {
	case scheduler.PreEnqueuer, scheduler.Preemptor:
		known = true // whose answers are checked by whole runs
	}
	if !known {
		c.errorf("an instance is a %T, which implements none of the plugin interfaces", c.inst)
	}
	if Fingerprint(s) != before {
		c.errorf("the State was written to")
	}
}

func (c *check) filter(s *cluster.State, p cluster.PodID, f scheduler.Filter) {
	c.t.Helper()
	live := s.Nodes.Live()
	var want []cluster.NodeID
	may := f.Filter(s, p)
	for _, n := range live {
		if may == nil {
			want = append(want, n)
			continue
		}
		v := may(n)
		if (v.Code == scheduler.Success) != (len(v.Reasons) == 0) {
			c.errorf("node %s: code %d with reasons %q", s.Nodes.Name[n], v.Code, v.Reasons)
		}
		if v.Code == scheduler.Success {
			want = append(want, n)
		}
	}
	for _, f := range []scheduler.Filter{f, f, instance(c.t, c.plugin).(scheduler.Filter)} {
		got := scheduler.Narrow(f, s, p, slices.Clone(live))
		if !slices.Equal(got, want) {
			c.errorf("pod %s: FilterBatch keeps rows %v, Filter %v", s.PodName(p), got, want)
		}
	}
}

func (c *check) scorer(s *cluster.State, p cluster.PodID, sc scheduler.Scorer) {
	c.t.Helper()
	nodes := feasible(s, p)
	if len(nodes) == 0 {
		return // a Scorer may rely on the required filters
	}
	want := make([]int64, len(nodes))
	if score := sc.Score(s, p); score != nil {
		for i, n := range nodes {
			want[i] = score(n)
		}
	}
	got := make([]int64, len(nodes))
	for _, other := range []scheduler.Scorer{sc, sc, instance(c.t, c.plugin).(scheduler.Scorer)} {
		scheduler.Scores(other, s, p, nodes, got)
		for i, n := range nodes {
			if got[i] != want[i] {
				c.errorf("pod %s, node %s: ScoreBatch gives %d, Score %d", s.PodName(p), s.Nodes.Name[n], got[i], want[i])
			}
		}
	}
	if norm, ok := sc.(scheduler.Normalizer); ok {
		norm.Normalize(s, p, nodes, got)
	}
	for i, n := range nodes {
		if got[i] < 0 || got[i] > scheduler.MaxScore {
			c.errorf("pod %s, node %s: the score %d is out of bounds", s.PodName(p), s.Nodes.Name[n], got[i])
		}
	}
}

func (c *check) allocator(s *cluster.State, p cluster.PodID, al scheduler.Allocator) {
	c.t.Helper()
	want := s.Class(p).GPUs
	for _, n := range s.Nodes.Live() {
		a, v := al.Allocate(s, p, n)
		again, _ := instance(c.t, c.plugin).(scheduler.Allocator).Allocate(s, p, n)
		if a != again {
			c.errorf("pod %s, node %s: allocates %v, and asked again %v", s.PodName(p), s.Nodes.Name[n], a, again)
		}
		free, fitting, got := s.Nodes.GPUFree[n], int32(0), int32(0)
		for i, f := range free {
			if f >= want.Shares {
				fitting++
				if a.GPUs.Has(i) {
					got++
				}
			}
		}
		switch {
		case (v.Code == scheduler.Success) != (fitting >= want.Count):
			c.errorf("pod %s, node %s: code %d where %d of %d GPUs asked for would do", s.PodName(p), s.Nodes.Name[n], v.Code, fitting, want.Count)
		case v.Code == scheduler.Success && (got != want.Count || a.GPUs>>len(free) != 0):
			c.errorf("pod %s, node %s: GPUs %b of %v do not serve %d with %d shares", s.PodName(p), s.Nodes.Name[n], a.GPUs, free, want.Count, want.Shares)
		}
	}
}

// feasible returns the nodes that have room for p and GPUs that will do.
func feasible(s *cluster.State, p cluster.PodID) (nodes []cluster.NodeID) {
	class := s.Class(p)
nodes:
	for _, n := range s.Nodes.Live() {
		for r, want := range class.Requests {
			if want > 0 && want > s.Free(n, cluster.Resource(r)) {
				continue nodes
			}
		}
		fitting := int32(0)
		for _, free := range s.Nodes.GPUFree[n] {
			if free >= class.GPUs.Shares {
				fitting++
			}
		}
		if fitting >= class.GPUs.Count && s.AllowsModel(s.Pods.Class[p], n) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
