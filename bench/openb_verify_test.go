//go:build verify

package bench

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const openbFolder = "alibaba-openb-gpu-v2023"

// TestVerifyPodLists runs every list of pods that there is. FGD is made to
// allocate more than BestFit; where a workload leaves nothing to gain, it may
// lose a little, but not more.
func TestVerifyPodLists(t *testing.T) {
	const mayLose = 0.5 // % of capacity
	traces := podListTraces(t)
	x := experiment(traces[0], []string{"bestfit", "fgd"}, 42)
	x.Axes.Trace = traces
	results := do(t, x, 0)
	at100 := map[Point]float64{}
	for _, run := range results.Runs {
		v, ok := run.Metrics["gpu_allocated_pct_at_100"]
		if !ok {
			t.Errorf("%s under %s: no pod came when 100 %% was asked for", run.Trace, run.Policy)
		}
		at100[Point{Trace: run.Trace, Policy: run.Policy}] = v
	}
	t.Logf("%-52s %6s %8s %8s %10s", "allocated at 100 %, % of capacity, seed 42", "pods", "bestfit", "fgd", "difference")
	for _, tr := range results.Traces {
		bestfit, fgd := at100[Point{Trace: tr.Name, Policy: "bestfit"}], at100[Point{Trace: tr.Name, Policy: "fgd"}]
		t.Logf("%-52s %6d %8.2f %8.2f %+10.2f", tr.Name, tr.Pods, bestfit, fgd, fgd-bestfit)
		if !(fgd >= bestfit-mayLose) {
			t.Errorf("%s: FGD allocates %.2f %%, BestFit %.2f %%", tr.Name, fgd, bestfit)
		}
	}
}

// podListTraces names a trace for each list of pods in the folder.
func podListTraces(t *testing.T) (traces []string) {
	t.Helper()
	const prefix = "openb_pod_list_"
	files, err := filepath.Glob(filepath.Join(recordedFolder(t), openbFolder, prefix+"*.csv*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(file), prefix), ".")
		traces = append(traces, "openb:"+openbFolder+"?pods="+name)
	}
	if traces = slices.Compact(traces); len(traces) == 0 {
		t.Fatalf("there are no lists of pods in %s", openbFolder)
	}
	return traces
}

// TestVerifyDigests checks that every decision on a recorded trace is what it
// was, on every machine. A change that is meant is recorded with -update.
func TestVerifyDigests(t *testing.T) {
	recordedFolder(t)
	r := do(t, experiment(paperTrace, paperPolicies, 42), 0)
	digests := map[string]string{}
	for _, run := range r.Runs {
		digests[run.Policy] = run.Digest
		t.Logf("%-14s %s", run.Policy, run.Digest)
	}
	text, err := json.MarshalIndent(map[string]any{"trace": paperTrace, "seed": 42, "digests": digests}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "digests.json", string(text)+"\n")
}
