// Package tally counts what a differential test has seen, by class of outcome, so that a test that
// compares nothing of some kind can't look green.
package tally

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
)

// Tally counts attempts and what came of them.
type Tally struct {
	// Pods counts attempts to place a pod.
	Pods int
	// Classes counts outcomes by class, such as "filter NodePorts Unschedulable".
	Classes map[string]int

	weights map[string]int64
}

// New makes an empty tally.
func New() *Tally { return &Tally{Classes: map[string]int{}} }

// Weigh sets the weights of the profile's score plugins, which tell the highest score from others.
func (t *Tally) Weigh(weights map[string]int64) { t.weights = weights }

// Merge adds the counts of another tally.
func (t *Tally) Merge(other *Tally) {
	t.Pods += other.Pods
	for class, n := range other.Classes {
		t.Classes[class] += n
	}
}

// Add counts one attempt.
func (t *Tally) Add(a lockstep.Attempt) {
	t.Pods++
	r := a.Result
	t.choice(r)
	if !r.Gate.Success() {
		t.count("gate", r.Gate.Plugin, r.Gate.Code)
		return
	}
	t.preFilter(r)
	for _, list := range [2][]oracle.Verdict{r.Visits, r.Rest} {
		for _, v := range list {
			t.verdict(v.Status)
		}
	}
	if r.Nominated != nil {
		t.count("nominated node", r.Nominated.Code)
	}
	t.scores(r)
	if r.Preemption != nil {
		t.preemption(r.Preemption)
	}
}

func (t *Tally) count(words ...string) { t.Classes[strings.Join(words, " ")]++ }

func (t *Tally) choice(r *oracle.Result) {
	switch {
	case !r.Gate.Success():
		t.count("choice gated")
	case r.Err != "":
		t.count("choice error")
	case r.Chosen == "":
		t.count("choice none")
	case r.Nominated != nil && r.Nominated.Success():
		t.count("choice nominated")
	case len(r.Scores) == 0:
		t.count("choice unscored")
	case len(r.Best) > 1:
		t.count("choice among equals")
	default:
		t.count("choice scored")
	}
	if r.Chosen != "" && len(r.Rest) > 0 && r.NodeSet == nil && r.Nominated == nil {
		t.count("sampled")
	}
}

func (t *Tally) preFilter(r *oracle.Result) {
	if !r.PreFilter.Success() {
		t.count("prefilter", r.PreFilter.Plugin, r.PreFilter.Code)
	}
	switch {
	case r.NodeSet == nil:
	case len(r.Visits) == 0:
		t.count("prefilter set of no node")
	case len(r.NodeSet) == 1:
		t.count("prefilter set of one")
	default:
		t.count("prefilter set of several")
	}
}

func (t *Tally) verdict(s oracle.Status) {
	if s.Success() {
		t.count("filter Success")
		return
	}
	for _, reason := range s.Reasons {
		t.count("filter", s.Plugin, s.Code, class(reason))
	}
}

// class makes reasons that differ only in a resource's name one.
func class(reason string) string {
	name, ok := strings.CutPrefix(reason, "Insufficient ")
	switch {
	case !ok:
		return reason
	case strings.HasPrefix(name, "hugepages-"):
		return "Insufficient hugepages"
	case strings.Contains(name, "/"):
		return "Insufficient extended resource"
	}
	return reason
}

func (t *Tally) scores(r *oracle.Result) {
	if len(r.Scores) == 0 {
		return
	}
	for _, plugin := range r.ScoreSkipped {
		t.count("score", plugin, "skipped")
	}
	for _, n := range r.Scores {
		for _, p := range n.Plugins {
			switch p.Score {
			case 0:
				t.count("score", p.Plugin, "zero")
			case 100 * t.weights[p.Plugin]:
				t.count("score", p.Plugin, "highest")
			default:
				t.count("score", p.Plugin, "between")
			}
		}
	}
}

func (t *Tally) preemption(p *oracle.Preemption) {
	if p.Node != "" {
		t.count("preemption nominated")
	} else {
		t.count("preemption failed:", refusal(p.Status.Reasons))
	}
	best := 0
	for _, c := range p.Candidates {
		if c.Best {
			best++
		}
		if c.PDBViolations > 0 {
			t.count("preemption candidate violates a budget")
		}
		if c.Tied {
			t.count("preemption candidate with equal pods")
		}
	}
	if best > 1 {
		t.count("preemption several best")
	}
	if len(p.Candidates) > best {
		t.count("preemption candidate not best")
	}
	if len(p.Evicted) < len(p.Victims) {
		t.count("preemption victim already terminating")
	}
	if len(p.Cleared) > 0 {
		t.count("preemption cleared a nomination")
	}
}

// refusals are the parts of PostFilter's message that tell its cases apart, in order of precedence.
var refusals = []string{
	"preemptionPolicy=Never",
	"a terminating pod on the nominated node",
	"No preemption victims found",
	"Insufficient",
	"node(s)",
	"Preemption is not helpful",
}

func refusal(reasons []string) string {
	text := strings.Join(reasons, " ")
	for _, r := range refusals {
		if strings.Contains(text, r) {
			return r
		}
	}
	return text
}

// Missing lists the classes that were expected and not seen.
func (t *Tally) Missing(expected []string) []string {
	return slices.DeleteFunc(slices.Clone(expected), func(class string) bool { return t.Classes[class] > 0 })
}

// Write prints the counts, a class a line.
func (t *Tally) Write(w io.Writer) {
	for _, class := range slices.Sorted(maps.Keys(t.Classes)) {
		fmt.Fprintf(w, "%9d  %s\n", t.Classes[class], class)
	}
}
