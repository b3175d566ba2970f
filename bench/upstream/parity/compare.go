package parity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"

	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
)

// A Mismatch is one thing about one pod in which Berth and upstream differ.
type Mismatch struct {
	Step int    // of the scenario
	Pod  string // namespace/name
	What string // is compared, for example "verdict on node-3"
	Want string // upstream's
	Got  string // Berth's
}

// kind is what was compared, whatever the node: the words up to the first that names one.
func (m Mismatch) kind() string {
	kind, _, _ := strings.Cut(m.What, " node-")
	return kind
}

// String is one line.
func (m Mismatch) String() string {
	return fmt.Sprintf("step %d, pod %s: %s: upstream %s, Berth %s", m.Step+1, m.Pod, m.What, m.Want, m.Got)
}

// A Comparison collects what was compared.
type Comparison struct {
	Pods, Comparisons int
	Ranked            int // pods that were decided about by a ranking, too
	Mismatches        []Mismatch
}

// comparer compares one attempt.
type comparer struct {
	*Comparison
	berth   *Berth
	attempt lockstep.Attempt
	want    *oracle.Result
	pod     cluster.PodID
}

// Visit compares one attempt; it is a lockstep.Visitor for what Berth has followed.
func (c *Comparison) Visit(b *Berth, a lockstep.Attempt) error {
	if a.Dry {
		if err := b.addDry(a.Pod); err != nil {
			return err
		}
		defer b.endPod(podKey(a.Pod))
	}
	id, ok := b.pods[podKey(a.Pod)]
	if !ok {
		return fmt.Errorf("Berth does not know pod %s", podKey(a.Pod))
	}
	c.Pods++
	(&comparer{c, b, a, a.Result, id}).all()
	return nil
}

// equal counts a comparison, and notes a mismatch.
func (c *comparer) equal(what string, want, got any) bool {
	c.Comparisons++
	w, g := fmt.Sprint(want), fmt.Sprint(got)
	if w == g {
		return true
	}
	c.Mismatches = append(c.Mismatches, Mismatch{c.attempt.Step, podKey(c.attempt.Pod), what, w, g})
	return false
}

func (c *comparer) all() {
	s := c.berth.State
	plugin, v := c.berth.Kube.PreEnqueue(s, c.pod)
	if !c.equal("PreEnqueue", c.want.Gate, status(plugin, v)) || !c.want.Gate.Success() {
		return
	}
	if len(s.Nodes.Live()) == 0 {
		return // upstream returns an error before it asks anything
	}
	var e scheduler.Evaluation
	if wrong := caught(func() { e = c.berth.Kube.Evaluate(s, c.pod) }); wrong != nil {
		c.overflow(wrong)
		return
	}
	if c.want.Err != "" || e.Err != nil {
		c.failure(&e)
		return
	}
	c.filters(&e)
	c.scores(&e)
	c.choice(&e)
	if c.want.Preemption != nil || len(e.Feasible) == 0 {
		c.preemption()
	}
}

// caught returns the ScoreError that do panics with, nil if it doesn't.
func caught(do func()) (wrong *scheduler.ScoreError) {
	defer func() {
		if cause := recover(); cause != nil {
			var ok bool
			if wrong, ok = cause.(*scheduler.ScoreError); !ok {
				panic(cause)
			}
		}
	}()
	do()
	return nil
}

// overflow compares pods for which a score is out of bounds, because amounts times 100 overflow: there
// upstream's cycle fails for the same plugin. Both have looked at nodes by then.
func (c *comparer) overflow(wrong *scheduler.ScoreError) {
	same := strings.Contains(c.want.Err, "invalid score") && strings.Contains(c.want.Err, wrong.Plugin)
	c.equal("invalid score", true, same)
	for _, pr := range []*scheduler.Profile{c.berth.Kube, c.berth.Lowest} {
		again := caught(func() { pr.Select(c.berth.State, c.pod) })
		c.equal("invalid score again", true, again != nil)
	}
}

// failure compares pods that neither side can score: that they can't, and which plugin says so. Both
// have looked at nodes, so the place where the next cycle begins moves on.
func (c *comparer) failure(e *scheduler.Evaluation) {
	plugin := func(text string) string {
		text, _, _ = strings.Cut(text, ": ")
		return text
	}
	got := ""
	if e.Err != nil {
		got = e.Err.Error()
	}
	if c.berth.extended {
		c.equal("error", c.want.Err != "", got != "") // each has its words for what an extender did
	} else {
		c.equal("error", plugin(c.want.Err), plugin(got))
	}
	for _, pr := range []*scheduler.Profile{c.berth.Kube, c.berth.Lowest, c.berth.Ranked} {
		_, _, ok := pr.Select(c.berth.State, c.pod)
		c.equal("choice after an error", false, ok)
	}
}

// status writes a verdict as the oracle does.
func status(plugin string, v scheduler.Verdict) oracle.Status {
	reasons := slices.Sorted(slices.Values(v.Reasons))
	if len(reasons) == 0 {
		reasons = nil
	}
	return oracle.Status{Code: v.Code.String(), Plugin: plugin, Reasons: reasons}
}

func (c *comparer) filters(e *scheduler.Evaluation) {
	s := c.berth.State
	if !c.want.PreFilter.Success() || e.Ruled.Code != scheduler.Success {
		// Upstream names no plugin if several leave no node together.
		c.equal("PreFilter code", c.want.PreFilter.Code, e.Ruled.Code)
		c.equal("PreFilter reasons", c.want.PreFilter.Reasons, e.Ruled.Reasons)
		return
	}
	t := c.berth.Kube.NewTrial(s, c.pod)
	defer t.Close()
	visits := slices.Concat(c.want.Visits, c.want.Rest)
	if c.want.Nominated != nil {
		visits = append(visits, *c.want.Nominated)
	}
	for _, visit := range visits {
		n, ok := s.Nodes.Named(visit.Node)
		if !ok {
			c.equal("node", visit.Node, "none")
			continue
		}
		plugin, v := t.VerdictWithNominees(n)
		c.equal("verdict on "+visit.Node, visit.Status, status(plugin, v))
	}
	var feasible []string
	for _, f := range e.Feasible {
		feasible = append(feasible, s.Nodes.Name[f.Node])
	}
	want := c.want.Feasible
	if c.want.Chosen != "" && len(want) == 0 {
		want = []string{c.want.Chosen} // a single feasible node is not scored
	}
	if c.want.Unordered {
		want = slices.Sorted(slices.Values(want))
		slices.Sort(feasible)
	}
	c.equal("feasible nodes", want, feasible)
}

func (c *comparer) scores(e *scheduler.Evaluation) {
	if len(c.want.Scores) == 0 {
		return
	}
	s := c.berth.State
	got := map[string]*scheduler.NodeScore{}
	for i := range e.Feasible {
		got[s.Nodes.Name[e.Feasible[i].Node]] = &e.Feasible[i]
	}
	for _, want := range c.want.Scores {
		g, ok := got[want.Node]
		if !ok {
			continue // told with the feasible nodes
		}
		have := map[string]int64{}
		for _, p := range g.Scores {
			have[p.Plugin] = p.Score * p.Weight
		}
		for _, p := range want.Plugins {
			if absent[p.Plugin] && p.Score == 0 {
				continue
			}
			score, ok := have[p.Plugin]
			if !ok {
				c.equal(p.Plugin+"'s score of "+want.Node, p.Score, "none")
				continue
			}
			c.equal(p.Plugin+"'s score of "+want.Node, p.Score, score)
			delete(have, p.Plugin)
		}
		if len(want.Plugins) > 0 || len(have) > 0 {
			c.equal("plugins that score "+want.Node+" in Berth alone", 0, len(have))
			c.equal("total of "+want.Node, want.Total, g.Total)
		}
	}
}

// choice compares what both profiles choose, on the fast path, with upstream's; and moves on the place
// where the next cycle begins to look.
func (c *comparer) choice(e *scheduler.Evaluation) {
	s := c.berth.State
	name := func(n cluster.NodeID, ok bool) string {
		if !ok {
			return ""
		}
		return s.Nodes.Name[n]
	}
	evaluated := ""
	if e.Chosen >= 0 {
		evaluated = s.Nodes.Name[e.Feasible[e.Chosen].Node]
	}
	n, _, ok := c.berth.Kube.Select(s, c.pod)
	kube := name(n, ok)
	n, _, ok = c.berth.Lowest.Select(s, c.pod)
	lowest := name(n, ok)
	c.ranked(e, lowest)
	if c.want.Chosen == "" {
		c.equal("choice", "", kube)
		c.equal("choice by lowest", "", lowest)
		c.equal("rejectors", c.want.Rejectors, c.berth.Kube.Rejectors(s, c.pod))
		if message := e.Diagnosis.String(); !strings.HasPrefix(c.want.Message, message) {
			c.equal("message", c.want.Message, message)
		}
		return
	}
	best := c.want.Best
	if len(best) == 0 {
		best = []string{c.want.Chosen}
	}
	if c.want.Unordered || c.want.Drawn {
		c.equal("choice among "+strings.Join(best, " "), true, slices.Contains(best, kube))
	} else {
		c.equal("choice", c.want.Chosen, kube)
		c.equal("choice of Evaluate", c.want.Chosen, evaluated)
	}
	c.equal("choice by lowest among "+strings.Join(best, " "), true, slices.Contains(best, lowest))
}

// ranked compares what is kept from one decision to the next with the same said anew: unless only a sample
// of nodes is looked at, as upstream does where nothing scores.
func (c *comparer) ranked(e *scheduler.Evaluation, lowest string) {
	s, pr := c.berth.State, c.berth.Ranked
	if c.berth.extended || !pr.Prefers() || len(s.Nodes.Live()) >= sampledFrom {
		return
	}
	n, _, ok := pr.Select(s, c.pod)
	chosen := ""
	if ok {
		chosen = s.Nodes.Name[n]
	}
	c.equal("choice by ranking", lowest, chosen)
	if !ok {
		c.equal("rejectors by ranking", c.want.Rejectors, pr.Rejectors(s, c.pod))
	}
	totals := map[cluster.NodeID]int64{}
	if !pr.Kept(s, c.pod, func(n cluster.NodeID, total int64) { totals[n] = total }) || e.Diagnosis.Err != nil {
		return
	}
	c.Ranked++
	if s.Pods.Nominated[c.pod] != cluster.None {
		return
	}
	c.equal("feasible nodes by ranking", len(e.Feasible), len(totals))
	for i := range e.Feasible {
		if f := &e.Feasible[i]; e.Scored {
			c.equal("total by ranking of "+s.Nodes.Name[f.Node], f.Total, totals[f.Node])
		}
	}
}

// sampledFrom is the number of nodes from which upstream looks at a sample.
const sampledFrom = 100

func (c *comparer) preemption() {
	s := c.berth.State
	pre, ok := c.berth.Kube.Preemption(s, c.pod)
	if !c.berth.extended && len(s.Nodes.Live()) < sampledFrom {
		ranked, finds := c.berth.Ranked.Preemption(s, c.pod)
		c.equal("preemption by ranking", fmt.Sprint(pre, ok), fmt.Sprint(ranked, finds))
	}
	want := c.want.Preemption
	if want == nil || !want.Nominates || want.Node == "" {
		c.clears(ok && pre.Node == cluster.None)
		got := "nothing"
		if ok && pre.Node != cluster.None {
			got = "preempts on " + s.Nodes.Name[pre.Node]
		}
		c.equal("preemption", "nothing", got)
		return
	}
	if !ok || pre.Node == cluster.None {
		c.equal("preemption", "on "+want.Node, "nothing")
		return
	}
	node := s.Nodes.Name[pre.Node]
	i := slices.IndexFunc(want.Candidates, func(cand oracle.Candidate) bool { return cand.Node == node })
	if i >= 0 && !want.Candidates[i].Best && byTies(want.Candidates, i) {
		return
	}
	if i < 0 || !want.Candidates[i].Best {
		c.equal("preemption", "on "+want.Node, "on "+node)
		return
	}
	c.equal("preemption's node is a best candidate", true, true)
	if want.Candidates[i].Tied {
		return // which of two equal pods goes depends on their order on the node
	}
	var victims []string
	for _, v := range pre.Victims {
		victims = append(victims, s.PodName(v))
	}
	c.equal("victims on "+node, slices.Sorted(slices.Values(want.Candidates[i].Victims)), slices.Sorted(slices.Values(victims)))
}

// clears compares whether a pod that nobody makes room for loses its nomination.
func (c *comparer) clears(got bool) {
	node, want := c.attempt.Pod.Status.NominatedNodeName, c.want.Preemption
	c.equal("nomination is taken away", want != nil && want.Nominates && node != "", got)
}

// byTies tells whether a candidate may be a best one by the order in which equal pods are reprieved,
// since that says who the victims are: its own, or those of every candidate that upstream puts first.
func byTies(list []oracle.Candidate, i int) bool {
	return list[i].Tied || !slices.ContainsFunc(list, func(cand oracle.Candidate) bool { return cand.Best && !cand.Tied })
}
