package hints

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// never are outcomes that upstream can't produce: it always queues, or a change of the kind always
// counts.
var never = map[Outcome]bool{
	{"NodeName", "NodeAdd", skip}:                                   true,
	{"NodePorts", "NodeAdd", skip}:                                  true,
	{"NodeDeclaredFeatures", "NodeAdd", skip}:                       true,
	{"NodeDeclaredFeatures", "NodeUpdateNodeDeclaredFeature", skip}: true,
	// The queue's own addition to plugins that want to hear of new nodes and not of taints.
	{"NodeName", "NodeUpdateNodeTaint", skip}:             true,
	{"NodeAffinity", "NodeUpdateNodeTaint", skip}:         true,
	{"NodePorts", "NodeUpdateNodeTaint", skip}:            true,
	{"NodeResourcesFit", "NodeUpdateNodeTaint", skip}:     true,
	{"InterPodAffinity", "NodeUpdateNodeTaint", skip}:     true,
	{"NodeDeclaredFeatures", "NodeUpdateNodeTaint", skip}: true,
}

// events are all that can happen to nodes and pods, as label names them.
var events = []string{
	"NodeAdd", "NodeDelete", "NodeUpdateNodeAllocatable", "NodeUpdateNodeDeclaredFeature", "NodeUpdateNodeLabel", "NodeUpdateNodeTaint",
	"PodAdd", "PodDelete", "PodUpdate", "PodUpdatePodLabel", "PodUpdatePodScaleDown", "PodUpdatePodSchedulingGatesEliminated", "PodUpdatePodToleration",
}

// TestHints compares generated changes: SEED=… and HINTS=… choose others, and more of them.
func TestHints(t *testing.T) {
	run, err := Compare(uint64(setting.Int(t, "SEED", 1)), setting.Int(t, "HINTS", 40000))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range run.Mismatches {
		if i < 5 {
			t.Error(m)
		}
	}
	t.Logf("%d changes, %d comparisons, %d mismatches\n%s", run.Cases, run.Comparisons, len(run.Mismatches), run.table())
	if len(run.Mismatches) > 0 {
		return
	}
	for _, o := range run.expected() {
		if n := run.Seen[o]; never[o] && n > 0 {
			t.Errorf("%v was seen, and upstream can't produce it", o)
		} else if !never[o] && n == 0 {
			t.Errorf("%v was never seen", o)
		}
	}
}

// expected lists, for each plugin, that it ignores an event of some kind, or that it queues and that it
// skips at one.
func (r *Run) expected() (all []Outcome) {
	interested := map[Outcome]bool{}
	for o := range r.Seen {
		if o.Verdict != ignored {
			interested[Outcome{Plugin: o.Plugin, Event: o.Event}] = true
		}
	}
	for _, p := range plugins {
		for _, e := range events {
			if interested[Outcome{Plugin: p, Event: e}] {
				all = append(all, Outcome{p, e, queue}, Outcome{p, e, skip})
			} else {
				all = append(all, Outcome{p, e, ignored})
			}
		}
	}
	return all
}

// table shows how often each outcome was seen.
func (r *Run) table() string {
	var b strings.Builder
	for _, o := range r.expected() {
		fmt.Fprintf(&b, "%-21s %-38s %-7s %7d\n", o.Plugin, o.Event, o.Verdict, r.Seen[o])
	}
	return b.String()
}
