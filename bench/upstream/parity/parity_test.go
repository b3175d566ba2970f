package parity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/bench/upstream/scenario"
	"github.com/berthsim/berth/bench/upstream/setting"
	"github.com/berthsim/berth/bench/upstream/tally"
)

// TestParity compares generated scenarios: SEED=… and PODS=… choose others, and more of them. A case
// that differs is made smaller and written to testdata, where TestScenarios keeps it.
func TestParity(t *testing.T) {
	seed, pods := setting.Int(t, "SEED", 1), setting.Int(t, "PODS", 3000)
	run, err := Scenarios(uint64(seed), pods)
	if err != nil {
		t.Fatal(err)
	}
	var counts strings.Builder
	run.Tally.Write(&counts)
	t.Logf("outcomes compared, seed %d, %d clusters:\n%s", seed, run.Clusters, counts.String())
	for i, m := range run.Mismatches {
		if i < 20 {
			t.Error(m)
		}
	}
	if run.Failed != nil {
		keep(t, Minimise(run.Failed))
	}
	if missing := run.Tally.Missing(tally.Expected); pods >= 20000 && len(missing) > 0 {
		t.Errorf("no pod met these outcomes: %s", strings.Join(missing, "; "))
	}
	t.Logf("%d pods were also decided about by what is kept", run.Ranked)
	if 5*run.Ranked < run.Pods {
		t.Errorf("only %d of %d pods have a ranking", run.Ranked, run.Pods)
	}
	t.Log(run)
}

// keep writes a scenario that differs to where TestScenarios will find it.
func keep(t *testing.T, s *scenario.Scenario) {
	t.Helper()
	var b strings.Builder
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", "found.yaml")
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Errorf("a smallest scenario that differs is in %s; give it a name that says what it shows, and keep it once it is mended", name)
}

// TestScenarios compares the scenarios that are kept: corners told by hand, and what once differed.
func TestScenarios(t *testing.T) {
	kept, err := KeptScenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		t.Run(k.Name, func(t *testing.T) {
			mismatches, err := Compare(k.Scenario)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range mismatches {
				t.Error(m)
			}
		})
	}
}
