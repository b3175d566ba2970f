package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
)

// TestReplay logs runs in which all kinds of controllers decide, and wants each to be played
// again to the same digest; and another policy to be told apart.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"quotas.yaml": "apiVersion: v1\nkind: ResourceQuota\nmetadata: {namespace: default, name: gpus}\nspec: {hard: {requests.nvidia.com/gpu: 20}}\n",
		"queues.yaml": "queues:\n- {name: all, namespaces: [default], guaranteed: {nvidia.com/gpu: 30}}\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x := &Experiment{
		Axes: Axes{
			Trace: []string{"synthetic:gpu?mode=time&nodes=20&pods=400"}, Policy: []string{"bestfit"}, Eviction: []string{none, "kube:grace=20s"},
			Faults: []string{"exp(mtbf=12h,mttr=20m)"}, Quota: []string{none, filepath.Join(dir, "quotas.yaml"), "elastic:" + filepath.Join(dir, "queues.yaml")},
		},
		Storm: Storm{Zones: 2, For: 12 * cluster.Hour},
		Set:   []string{"quota/default/requests.nvidia.com/gpu=25"},
	}
	x.Axes.Quota = x.Axes.Quota[:2]
	replayAll(t, x, filepath.Join(dir, "logs"))
	x.Axes.Quota, x.Set = []string{"elastic:" + filepath.Join(dir, "queues.yaml")}, nil
	replayAll(t, x, filepath.Join(dir, "logs"))
	log := filepath.Join(dir, "logs", logName(0))
	r, err := Replay(t.Context(), log, "dotprod", Options{Plugins: plugins.All})
	if err != nil || r.Difference == nil || !strings.HasPrefix(r.Difference.Then, "Bind of default/") || r.Policy != "dotprod" {
		t.Errorf("under another policy: %+v, %v", r, err)
	}
}

// replayAll runs an experiment, and plays the logs of all its runs again.
func replayAll(t *testing.T, x *Experiment, dir string) {
	t.Helper()
	x.Complete()
	opts := Options{Plugins: plugins.All, Log: dir}
	results, err := x.Do(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(logs) != len(results.Runs) {
		t.Fatalf("there are %d logs of %d runs, %v", len(logs), len(results.Runs), err)
	}
	for i, run := range results.Runs {
		r, err := Replay(t.Context(), filepath.Join(dir, logName(i)), "", Options{Plugins: plugins.All})
		if err != nil {
			t.Fatalf("%v: %v", run.Point, err)
		}
		if r.Difference != nil || r.Digest != run.Digest || r.Decisions == 0 || r.Metrics["wait_mean"] != run.Metrics["wait_mean"] {
			t.Errorf("%v: %+v, and it was %s with %v", run.Point, r, run.Digest, run.Metrics)
		}
	}
}

// TestReplayErrors wants what is no log of a run to be told.
func TestReplayErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	for _, test := range []struct{ content, want string }{
		{"", "x"}, {"version: 1", "x"},
	} {
		if err := os.WriteFile(file, []byte(test.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Replay(t.Context(), file, "", Options{Plugins: plugins.All}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.content, err)
		}
	}
	if _, err := Replay(t.Context(), filepath.Join(dir, "none"), "", Options{}); err == nil || !strings.Contains(err.Error(), "berth compare --log") {
		t.Errorf("no file: %v", err)
	}
	if err := CheckLogDir(dir); err == nil || !strings.Contains(err.Error(), "it holds x, which is no log") {
		t.Errorf("a folder with something else: %v", err)
	}
}
