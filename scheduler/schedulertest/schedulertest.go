// Package schedulertest checks plugins against the contract that the scheduler
// relies on, as testing/fstest checks file systems. An author calls TestPlugin
// from a test of the plugin's package.
package schedulertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// How many random clusters a plugin is tried on, how often each changes in
// between, and how many pods it is asked about each time.
const (
	trials = 100
	rounds = 5
	asks   = 3
)

// TestPlugin checks on random clusters, where pods and nodes come and go while
// the same instance goes on deciding, that
//
//   - every rung of the ladder agrees with rung 1, on an instance that has seen
//     all that happened before and on a fresh one, within a trial that is undone
//     and after it;
//   - a TrialFilter that is told of a trial says what it would say if asked anew,
//     and a Preselector leaves out only nodes that the Filter refuses;
//   - asking twice gives the same answer;
//   - scores, normalised if need be, lie in 0 to MaxScore;
//   - reasons are given for every refusal, and for nothing else;
//   - devices allocated are free, of the right number, and no more;
//   - lanes are in range, and a Sorter chooses one of those it is offered;
//   - a Waker says so when something happens that makes a node acceptable;
//   - a Dependent's answers are the same as long as what they depend on is;
//   - nothing was written to the State;
//   - the same nodes and pods in other rows get the same answers.
func TestPlugin(t *testing.T, pl *scheduler.Plugin) {
	t.Helper()
	if err := Check(pl); err != nil {
		t.Fatal(err)
	}
}

// Check checks what TestPlugin checks, and returns the first fault it finds. Of a
// plugin that stands for others only the name is checked.
func Check(pl *scheduler.Plugin) error {
	if err := scheduler.Validate([]*scheduler.Plugin{pl}); err != nil || pl.New == nil {
		return err
	}
	for trial := range uint64(trials) {
		if err := checkOn(pl, trial); err != nil {
			return fmt.Errorf("plugin %s, cluster %d: %w", pl.Name, trial, err)
		}
	}
	return nil
}

// checkOn checks pl on one random cluster.
func checkOn(pl *scheduler.Plugin, trial uint64) error {
	rng := rand.New(rand.NewPCG(trial, 1))
	s := RandomState(rng, 1+rng.IntN(30))
	old, err := pl.New(nil)
	if err != nil {
		return fmt.Errorf("making an instance: %w", err)
	}
	profile, err := keeping(pl)
	if err != nil {
		return fmt.Errorf("making a profile: %w", err)
	}
	for round := range rounds {
		Churn(rng, s)
		c := check{plugin: pl, rng: rng, state: s, old: old}
		for i := range asks {
			c.pods = append(c.pods, AddPod(s, rng, fmt.Sprintf("asks-%d-%d", round, i)))
			c.extras = append(c.extras, AddPod(s, rng, fmt.Sprintf("tried-%d-%d", round, i)))
		}
		if err := c.all(); err != nil {
			return err
		}
		if err := c.kept(profile); err != nil {
			return err
		}
		if err := c.wakes(); err != nil {
			return err
		}
		for _, p := range slices.Concat(c.pods, c.extras) {
			s.Observe(s.Now, []cluster.Event{{Kind: cluster.PodEnded, Pod: p, Node: cluster.None}})
		}
	}
	return nil
}

// A check asks two instances of a plugin about the same pods: one that has seen
// all that happened before, and a fresh one.
type check struct {
	plugin     *scheduler.Plugin
	rng        *rand.Rand
	state      *cluster.State
	pods       []cluster.PodID // pending, to be asked about
	extras     []cluster.PodID // pending, to be bound in trials
	old, fresh any
}

// all asks within a trial, once it has been undone, and with all in other rows.
func (c *check) all() (err error) {
	if c.fresh, err = c.plugin.New(nil); err != nil {
		return fmt.Errorf("making an instance: %w", err)
	}
	mark := c.state.Mark()
	tryOut(c.rng, c.state, c.extras)
	if err := c.unwritten(); err != nil {
		return fmt.Errorf("within a trial: %w", err)
	}
	c.state.Undo(mark)
	if err := c.unwritten(); err != nil {
		return err
	}
	if err := c.trials(); err != nil {
		return err
	}
	if c.rng.IntN(4) > 0 { // building another State costs as much as the rest
		return nil
	}
	stranger, err := c.plugin.New(nil)
	if err != nil {
		return fmt.Errorf("making an instance: %w", err)
	}
	return c.otherRows(stranger)
}

// unwritten asks about all pods and checks that nothing was written. A write is
// reported before what may have come of it.
func (c *check) unwritten() error {
	before := Fingerprint(c.state)
	var failed error
	for _, p := range c.pods {
		if failed = c.ask(p); failed != nil {
			failed = fmt.Errorf("pod %s: %w", c.state.PodName(p), failed)
			break
		}
	}
	if so, ok := c.old.(scheduler.Sorter); ok && failed == nil {
		failed = c.sorter(so, c.fresh.(scheduler.Sorter))
	}
	if Fingerprint(c.state) != before {
		return errors.New("the State was written to")
	}
	return failed
}

// ask asks about one pod all that the plugin can answer.
func (c *check) ask(p cluster.PodID) error {
	known := false
	if f, ok := c.old.(scheduler.Filter); ok {
		known = true
		if err := c.filter(p, f, c.fresh.(scheduler.Filter)); err != nil {
			return err
		}
	}
	if sc, ok := c.old.(scheduler.Scorer); ok {
		known = true
		if err := c.scorer(p, sc, c.fresh.(scheduler.Scorer)); err != nil {
			return err
		}
	}
	if al, ok := c.old.(scheduler.Allocator); ok {
		known = true
		if err := c.allocator(p, al, c.fresh.(scheduler.Allocator)); err != nil {
			return err
		}
	}
	if pre, ok := c.old.(scheduler.PreEnqueuer); ok {
		known = true
		if err := c.preEnqueuer(p, pre, c.fresh.(scheduler.PreEnqueuer)); err != nil {
			return err
		}
	}
	switch c.old.(type) {
	case scheduler.Preemptor, scheduler.Sorter:
		known = true
	}
	if !known {
		return fmt.Errorf("an instance is a %T, which implements none of the plugin interfaces", c.old)
	}
	return nil // what a Preemptor proposes is left to tests of whole runs; Sorters are asked about all pods
}

// filter compares verdicts by rung 1 with each other, and what is kept of the
// nodes with them: of all nodes, and of a part in another order.
func (c *check) filter(p cluster.PodID, old, fresh scheduler.Filter) error {
	s, live := c.state, c.state.Nodes.Live()
	want := verdicts(s, p, fresh, live)
	for i, v := range verdicts(s, p, old, live) {
		if err := v.wrong(); err != nil {
			return fmt.Errorf("node %s: %w", s.Nodes.Name[live[i]], err)
		}
		if !v.equal(want[i]) {
			return fmt.Errorf("node %s: Filter says %v, and a fresh instance's %v", s.Nodes.Name[live[i]], v, want[i])
		}
	}
	var kept, part, keptPart []cluster.NodeID
	for i, n := range live {
		if want[i].Code == scheduler.Success {
			kept = append(kept, n)
		}
	}
	for _, i := range c.rng.Perm(len(live))[:len(live)/2] {
		part = append(part, live[i])
		if want[i].Code == scheduler.Success {
			keptPart = append(keptPart, live[i])
		}
	}
	if err := c.preselect(p, want, old, fresh); err != nil {
		return err
	}
	for _, f := range []scheduler.Filter{old, old, fresh} {
		if got := scheduler.Narrow(f, s, p, slices.Clone(live)); !slices.Equal(got, kept) {
			return fmt.Errorf("FilterBatch keeps of all nodes the rows %v, Filter %v", got, kept)
		}
		if got := scheduler.Narrow(f, s, p, slices.Clone(part)); !slices.Equal(got, keptPart) {
			return fmt.Errorf("FilterBatch keeps of rows %v the rows %v, Filter %v", part, got, keptPart)
		}
	}
	return nil
}

// scorer compares the scores of feasible nodes; a Scorer may rely on the filters
// that every profile has, and a PreScorer on that it is not asked to score what
// it can't.
func (c *check) scorer(p cluster.PodID, old, fresh scheduler.Scorer) error {
	s, nodes := c.state, feasible(c.state, p)
	failed := preScore(s, p, fresh)
	for _, sc := range []scheduler.Scorer{old, old, fresh} {
		if err := preScore(s, p, sc); fmt.Sprint(err) != fmt.Sprint(failed) {
			return fmt.Errorf("what PreScore says is %v, and asked again %v", failed, err)
		}
	}
	if len(nodes) == 0 || failed != nil {
		return nil
	}
	want, wantSays := scores(s, p, fresh, nodes)
	got, says := scores(s, p, old, nodes)
	if err := sameScore(s, nodes, "Score", got, says, want, wantSays); err != nil {
		return err
	}
	for _, sc := range []scheduler.Scorer{old, old, fresh} {
		for i := range got {
			got[i] = -1 << 40 // what a batch leaves as it is would show
		}
		says := scheduler.Scores(sc, s, p, nodes, got)
		if err := sameScore(s, nodes, "ScoreBatch", got, says, want, wantSays); err != nil {
			return err
		}
	}
	if !wantSays {
		return nil
	}
	normalize(s, p, fresh, nodes, want)
	normalize(s, p, old, nodes, got)
	if err := sameScore(s, nodes, "Normalize", got, true, want, true); err != nil {
		return err
	}
	for i, n := range nodes {
		if got[i] < 0 || got[i] > scheduler.MaxScore {
			return fmt.Errorf("node %s: the score %d is out of bounds", s.Nodes.Name[n], got[i])
		}
	}
	return nil
}

func (c *check) preEnqueuer(p cluster.PodID, old, fresh scheduler.PreEnqueuer) error {
	v := verdict(old.PreEnqueue(c.state, p))
	if err := v.wrong(); err != nil {
		return fmt.Errorf("PreEnqueue: %w", err)
	}
	for _, pre := range []scheduler.PreEnqueuer{old, fresh} {
		if again := verdict(pre.PreEnqueue(c.state, p)); !again.equal(v) {
			return fmt.Errorf("PreEnqueue says %v, and asked again %v", v, again)
		}
	}
	return nil
}

// allocator checks devices on every node. On one that the pod can't be bound to
// for another reason, an Allocator may or may not find devices.
func (c *check) allocator(p cluster.PodID, old, fresh scheduler.Allocator) error {
	s, possible := c.state, feasible(c.state, p)
	for _, n := range s.Nodes.Live() {
		a, v := old.Allocate(s, p, n)
		for _, al := range []scheduler.Allocator{old, fresh} {
			if again, w := al.Allocate(s, p, n); a != again || !verdict(v).equal(verdict(w)) {
				return fmt.Errorf("node %s: Allocate gives %b with %v, and asked again %b with %v",
					s.Nodes.Name[n], a.GPUs, v, again.GPUs, w)
			}
		}
		if err := verdict(v).wrong(); err != nil {
			return fmt.Errorf("node %s: Allocate: %w", s.Nodes.Name[n], err)
		}
		err := serves(s, p, n, a)
		switch {
		case v.Code == scheduler.Success && err != nil:
			return fmt.Errorf("node %s: %w", s.Nodes.Name[n], err)
		case v.Code != scheduler.Success && slices.Contains(possible, n):
			return fmt.Errorf("node %s: Allocate says %v where the devices are free", s.Nodes.Name[n], v)
		case v.Code != scheduler.Success && a != cluster.Allocation{}:
			return fmt.Errorf("node %s: Allocate says %v and gives devices", s.Nodes.Name[n], v)
		}
	}
	return nil
}
