package extenders

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/parity"
	"github.com/berthsim/berth/bench/upstream/setting"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/extender"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// expected is what must have been seen, lest a test that sees nothing looks green.
var expected = []string{
	"slow", "filter status", "filter no JSON", "prioritize status", "prioritize no JSON", "prioritize scores",
	"filter names keeps some", "filter names keeps one", "filter names keeps none", "filter names another order",
	"filter names about others", "filter names error", "filter names unknown node",
	"filter nodes keeps some", "filter nodes keeps one", "filter nodes keeps none", "filter nodes another order",
	"filter nodes about others", "filter nodes error",
	"preempt uids, none left", "preempt uids, some left", "preempt uids, all left",
	"preempt pods, none left", "preempt pods, some left", "preempt pods, all left",
	"pod: an extender's error", "pod: rejected by extenders", "pod: choice is drawn", "pod: one is left",
	"pod: some are left out", "pod: scored by an extender", "pod: preempts", "pod: preemption fails", "pod: has a node kept for it",
	"extender: dead", "extender: ignorable", "extender: not ignorable", "extender: manages resources",
}

// TestExtenders compares generated scenarios: SEED=… and PODS=… choose others, and more of them.
func TestExtenders(t *testing.T) {
	seed, pods := setting.Int(t, "SEED", 1), setting.Int(t, "PODS", 3000)
	server := NewServer()
	defer server.Close()
	var all parity.Comparison
	for index := uint64(0); all.Pods < pods && len(all.Mismatches) < 20; index++ {
		if err := compare(uint64(seed), index, server, &all); err != nil {
			t.Fatalf("seed %d, scenario %d: %v", seed, index, err)
		}
		for _, m := range all.Mismatches {
			t.Errorf("scenario %d: %v", index, m)
		}
		if t.Failed() {
			break
		}
	}
	var lines strings.Builder
	for _, what := range slices.Sorted(maps.Keys(server.seen)) {
		fmt.Fprintf(&lines, "%7d %s\n", server.seen[what], what)
	}
	t.Logf("answers and outcomes, seed %d:\n%s%d pods, %d comparisons, %d mismatches", seed, lines.String(), all.Pods, all.Comparisons, len(all.Mismatches))
	for _, what := range expected {
		if server.seen[what] == 0 && pods >= 3000 && !t.Failed() {
			t.Errorf("never seen: %s", what)
		}
	}
}

// compare plays one scenario.
func compare(seed, index uint64, server *Server, all *parity.Comparison) error {
	s, err := Scenario(seed, index, server)
	if err != nil {
		return err
	}
	clear(server.nodes)
	o, err := oracle.New(oracle.Config{Profile: s.Config})
	if err != nil {
		return err
	}
	defer o.Close()
	b, err := parity.Configured(s.Config)
	if err != nil {
		return err
	}
	list, err := extendersOf(s.Config, server)
	if err != nil {
		return err
	}
	b.SetExtenders(list)
	see := func(a lockstep.Attempt) error {
		server.outcome(a)
		return all.Visit(b, a)
	}
	return lockstep.Play(s, o, see, b, server)
}

// extendersOf makes Berth's extenders of a configuration.
func extendersOf(config []byte, server *Server) (list []scheduler.Extender, err error) {
	cfg, err := manifest.ReadSchedulerConfig(bytes.NewReader(config), "scenario", plugins.All)
	if err != nil {
		return nil, err
	}
	for _, c := range cfg.Extenders {
		x, err := extender.New(c)
		if err != nil {
			return nil, err
		}
		list = append(list, x.Client(context.Background()))
		server.count(map[bool]string{true: "extender: ignorable", false: "extender: not ignorable"}[c.Ignorable])
		if strings.HasPrefix(c.URLPrefix, server.Dead) {
			server.count("extender: dead")
		}
		if len(c.ManagedResources) > 0 {
			server.count("extender: manages resources")
		}
	}
	return list, nil
}

// outcome counts what came of a pod.
func (s *Server) outcome(a lockstep.Attempt) {
	r := a.Result
	for what, is := range map[string]bool{
		"an extender's error":    r.Err != "" && !strings.HasPrefix(r.Err, "no nodes"),
		"rejected by extenders":  slices.Contains(r.Rejectors, "Extender"),
		"choice is drawn":        r.Drawn && len(r.Best) > 1,
		"one is left":            r.Chosen != "" && len(r.Scores) == 0,
		"some are left out":      len(r.Rest) > 0 && len(r.Visits) > 0,
		"scored by an extender":  len(r.Scores) > 0 && len(r.Scores[0].Plugins) > 0 && strings.HasPrefix(r.Scores[0].Plugins[len(r.Scores[0].Plugins)-1].Plugin, "http"),
		"preempts":               r.Preemption != nil && r.Preemption.Node != "",
		"preemption fails":       r.Preemption != nil && r.Preemption.Status.Code == "Error",
		"has a node kept for it": r.Nominated != nil,
	} {
		if is {
			s.count("pod:", what)
		}
	}
}
