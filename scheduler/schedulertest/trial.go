package schedulertest

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// preselect checks that the nodes which a Preselector leaves out are refused by
// the Filter too: the verdicts on all nodes.
func (c *check) preselect(p cluster.PodID, verdicts []verdict, old, fresh scheduler.Filter) error {
	pre, ok := old.(scheduler.Preselector)
	if !ok {
		return nil
	}
	names, restricted, v := pre.Preselect(c.state, p)
	if err := verdict(v).wrong(); err != nil {
		return fmt.Errorf("in Preselect: %w", err)
	}
	for _, again := range []scheduler.Preselector{pre, fresh.(scheduler.Preselector)} {
		names2, restricted2, v2 := again.Preselect(c.state, p)
		if !slices.Equal(names, names2) || restricted != restricted2 || !verdict(v).equal(verdict(v2)) {
			return fmt.Errorf("at first Preselect gives %q, %t, %v, and asked again %q, %t, %v", names, restricted, v, names2, restricted2, v2)
		}
	}
	for i, n := range c.state.Nodes.Live() {
		name := c.state.Nodes.Name[n]
		if v.Code == scheduler.Success && restricted && verdicts[i].Code == scheduler.Success && !slices.Contains(names, name) {
			return fmt.Errorf("node %s: Preselect leaves it out, and Filter lets the pod pass", name)
		}
	}
	return nil
}

// trials has pods come and go on trial, and checks that a TrialFilter that is
// told so says what it would say if it were asked anew.
func (c *check) trials() error {
	for _, inst := range []any{c.old, c.fresh} {
		f, ok := inst.(scheduler.TrialFilter)
		if !ok {
			return nil
		}
		for _, p := range c.pods {
			if err := c.trial(p, f); err != nil {
				return fmt.Errorf("pod %s, in a trial: %w", c.state.PodName(p), err)
			}
		}
	}
	return nil
}

// A change is what a trial did: put a pod on a node, or take it off.
type change struct {
	mark  int // before
	pod   cluster.PodID
	node  cluster.NodeID
	delta int
}

func (c *check) trial(p cluster.PodID, f scheduler.TrialFilter) error {
	s := c.state
	may, changed := f.FilterTrial(s, p)
	if err := c.asAnew(p, f, may); err != nil || may == nil || changed == nil {
		return err
	}
	var done []change
	for range 6 {
		if ch, ok := c.change(); ok {
			done = append(done, ch)
			changed(ch.pod, ch.node, ch.delta)
		}
		if err := c.asAnew(p, f, may); err != nil {
			return fmt.Errorf("after %d changes: %w", len(done), err)
		}
	}
	for i, ch := range slices.Backward(done) {
		s.Undo(ch.mark)
		changed(ch.pod, ch.node, -ch.delta)
		if err := c.asAnew(p, f, may); err != nil {
			return fmt.Errorf("after %d changes, and undoing all but %d: %w", len(done), i, err)
		}
	}
	return nil
}

// change puts a pod on a random node, or takes one off.
func (c *check) change() (ch change, ok bool) {
	s, live := c.state, c.state.Nodes.Live()
	ch = change{mark: s.Mark(), node: live[c.rng.IntN(len(live))]}
	if c.rng.IntN(2) == 0 {
		for q := range s.PodsOn(ch.node) {
			s.Remove(q)
			ch.pod, ch.delta = q, -1
			return ch, true
		}
	}
	for _, q := range c.extras {
		if s.Pods.Node[q] == cluster.None {
			s.Try(q, ch.node, randomGPUs(c.rng, s, q, ch.node))
			ch.pod, ch.delta = q, +1
			return ch, true
		}
	}
	return ch, false
}

// asAnew checks that may says of all nodes what f says that is asked now.
func (c *check) asAnew(p cluster.PodID, f scheduler.Filter, may func(cluster.NodeID) scheduler.Verdict) error {
	s, live := c.state, c.state.Nodes.Live()
	for i, want := range verdicts(s, p, f, live) {
		var got verdict
		if may != nil {
			got = verdict(may(live[i]))
		}
		if !got.equal(want) {
			return fmt.Errorf("node %s: FilterTrial says %v, and Filter asked anew %v", s.Nodes.Name[live[i]], got, want)
		}
	}
	return nil
}
