package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// smallTrace fills 40 nodes: a run takes milliseconds.
const smallTrace = "synthetic:gpu?nodes=40"

// paperPolicies are those that the FGD paper compares.
var paperPolicies = []string{"random", "dotprod", "gpuclustering", "gpupacking", "bestfit", "fgd"}

// experiment is one on a trace, for the rest as it is completed.
func experiment(trace string, policies []string, seeds ...int64) *Experiment {
	x := &Experiment{Axes: Axes{Trace: []string{trace}, Policy: policies, Seed: seeds}}
	x.Complete()
	return x
}

// do runs an experiment with all plugins.
func do(t testing.TB, x *Experiment, jobs int) *Results {
	t.Helper()
	r, err := x.Do(context.Background(), Options{Plugins: plugins.All, Jobs: jobs, TraceDir: os.Getenv("BERTH_TRACES")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// untimed is everything that results say but for what the machine decides.
func untimed(t testing.TB, r *Results) string {
	t.Helper()
	clean := *r
	clean.Runs = slices.Clone(r.Runs)
	text := ""
	for i := range clean.Runs {
		clean.Runs[i].Timing = nil
		text += fmt.Sprintln(clean.Runs[i].Curves) // maps are printed in order of their keys
	}
	var b strings.Builder
	if err := clean.Write(&b, FormatJSON, nil); err != nil {
		t.Fatal(err)
	}
	return text + b.String()
}

func TestSameResultsHoweverTheyAreRun(t *testing.T) {
	x := experiment(smallTrace, paperPolicies, 42, 43, 44)
	x.Axes.Trace = append(x.Axes.Trace, "synthetic:gpu?nodes=40&mode=time&pods=300")
	want := untimed(t, do(t, x, 1))
	for _, how := range []struct{ jobs, processors int }{{1, 1}, {2, 1}, {1, 2}, {2, 2}, {7, 2}, {0, 2}} {
		before := runtime.GOMAXPROCS(how.processors)
		got := untimed(t, do(t, x, how.jobs))
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Errorf("with %d jobs on %d processors, got\n%s\nwant\n%s", how.jobs, how.processors, got, want)
		}
	}
}

// TestRowsDontMatter plays a trace on a State whose rows are handed out in
// another order, and in which other classes came first.
func TestRowsDontMatter(t *testing.T) {
	for _, spec := range []string{smallTrace, "synthetic:gpu?nodes=40&mode=time&pods=300"} {
		tr, err := traces.Opener{}.Open(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, policy := range paperPolicies {
			opened, err := OpenPolicy(plugins.All, policy)
			if err != nil {
				t.Fatal(err)
			}
			j := job{point: Point{Trace: spec, Policy: policy}, trace: tr, policy: opened, seed: 42}
			want, err := play(context.Background(), j, cluster.NewState(), &Options{})
			if err != nil {
				t.Fatal(err)
			}
			for shuffle := range int64(3) {
				got, err := play(context.Background(), j, shuffledState(shuffle, tr.Nodes), &Options{})
				if err != nil {
					t.Fatal(err)
				}
				got.run.Timing, want.run.Timing = nil, nil
				if a, b := fmt.Sprint(*got.run), fmt.Sprint(*want.run); a != b {
					t.Errorf("%s on %s, rows in order %d: got\n%s\nwant\n%s", policy, spec, shuffle, a, b)
				}
			}
		}
	}
}

// shuffledState returns an empty State with so many spare rows of nodes, and as
// many of pods, in an order drawn under a seed.
func shuffledState(seed int64, rows int) *cluster.State {
	s := cluster.NewState()
	var events []cluster.Event
	for i := range rows {
		events = append(events,
			cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: fmt.Sprint("before-", i), GPUs: i % 9, GPUModel: "old"}},
			cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
				Name: fmt.Sprint("before-", i), Class: &cluster.Class{Namespace: fmt.Sprint("before-", i%7)},
			}})
	}
	s.Observe(0, events)
	key := func(e cluster.Event) cluster.Draw {
		return cluster.NewDraw(seed, "rows", fmt.Sprint(e.Kind, e.Node, e.Pod))
	}
	slices.SortFunc(events, func(a, b cluster.Event) int {
		if key(a) < key(b) {
			return -1
		}
		return 1
	})
	for i := range events {
		e := &events[i]
		if e.Kind == cluster.NodeAdded {
			*e = cluster.Event{Kind: cluster.NodeRemoved, Node: e.Node}
		} else {
			*e = cluster.Event{Kind: cluster.PodEnded, Pod: e.Pod, Node: cluster.None}
		}
	}
	s.Observe(0, events)
	return s
}

func TestOneRunWhereNothingVaries(t *testing.T) {
	dir := writeOpenb(t, timedNodes, timedPods)
	trace := "openb:" + dir + "?mode=time"
	r := do(t, experiment(trace, []string{"bestfit", "random"}, 7, 8, 9), 2)
	var got []string
	for _, run := range r.Runs {
		got = append(got, fmt.Sprint(run.Policy, " ", run.Seed, " ", run.Unseeded))
	}
	if want := []string{"bestfit 7 true", "random 7 false", "random 8 false", "random 9 false"}; !slices.Equal(got, want) {
		t.Errorf("got the runs %q, want %q", got, want)
	}
	for _, s := range r.Summary {
		if want := map[string]int{"bestfit": 1, "random": 3}[s.Policy]; s.N != want || (s.CI95 == nil) != (want == 1) {
			t.Errorf("%s of %s: n is %d with the interval %v, want %d", s.Metric, s.Policy, s.N, s.CI95, want)
		}
	}
	// A filling comes in an order drawn from the seed, whoever places it.
	r = do(t, experiment("openb:"+dir, []string{"bestfit"}, 7, 8), 1)
	if len(r.Runs) != 2 || r.Runs[0].Unseeded || r.Runs[1].Unseeded {
		t.Errorf("of a filling, got %d runs, want 2 that depend on their seeds", len(r.Runs))
	}
}

func TestCancelledBeforeAnyRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := experiment(smallTrace, []string{"bestfit"}, 42).Do(ctx, Options{Plugins: plugins.All})
	if !errors.Is(err, context.Canceled) || r == nil || len(r.Runs) != 0 || r.Reproduce.Complete {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestCancelledHalfWay(t *testing.T) {
	x := experiment(smallTrace, []string{"bestfit", "fgd"}, 42, 43, 44, 45)
	x.Baseline = "bestfit"
	whole := do(t, x, 1)
	if !whole.Reproduce.Complete || len(whole.Runs) != 8 {
		t.Fatalf("%d runs, complete: %v", len(whole.Runs), whole.Reproduce.Complete)
	}
	for _, jobs := range []int{1, 2} {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := x.Do(ctx, Options{Plugins: plugins.All, Jobs: jobs, Progress: func(done, total int, last *Run) {
			if done < 1 || total != 8 || last.Digest == "" {
				t.Errorf("progress: %d of %d, %+v", done, total, last)
			}
			if done == 3 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || r == nil {
			t.Fatalf("got %v, %v", r, err)
		}
		// What was under way may be finished, but nothing else begun.
		if n := len(r.Runs); r.Reproduce.Complete || n < 3 || n > 3+jobs {
			t.Errorf("with %d jobs, %d runs, complete: %v", jobs, n, r.Reproduce.Complete)
		}
		for _, line := range r.Compare(whole) {
			if !strings.HasSuffix(line, ": was run, is not now") {
				t.Error(line)
			}
		}
		if len(r.Summary) == 0 || !strings.Contains(write(t, r, FormatTable), "INCOMPLETE") {
			t.Error("the report doesn't say that it is incomplete")
		}
	}
}

func TestPluginThatFails(t *testing.T) {
	var nodes []cluster.NodeID
	tests := []struct {
		name, want string
		score      func(*cluster.State, cluster.PodID, cluster.NodeID) int64
	}{
		{"Panics", "out of luck", func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { panic("out of luck") }},
		{"Slips", "runtime error: index out of range [0] with length 0", func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { return int64(nodes[0]) }},
		{"Exceeds", "plugin Exceeds scores 101 for node ", func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { return 101 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := append(slices.Clone(plugins.All), scheduler.ScoreFunc(tt.name, "For tests.", tt.score))
			x := experiment(smallTrace, []string{"bestfit", strings.ToLower(tt.name)}, 42, 43)
			r, err := x.Do(context.Background(), Options{Plugins: list, Jobs: 2})
			var failed *PluginError
			if r != nil || !errors.As(err, &failed) {
				t.Fatalf("got %v, %v", r, err)
			}
			want := "policy " + strings.ToLower(tt.name) + " on " + smallTrace + " with seed 42: " + tt.want
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %q, want %q", err, want)
			}
			if !strings.Contains(failed.Stack, "runner_test.go") && tt.name != "Exceeds" {
				t.Errorf("the stack doesn't lead to the plugin:\n%s", failed.Stack)
			}
		})
	}
}

func TestExperimentErrors(t *testing.T) {
	var value *ValueError
	_, err := experiment(smallTrace, []string{"nobody"}, 1).Do(context.Background(), Options{Plugins: plugins.All})
	if !errors.As(err, &value) || value.Key != "policy" || value.Value != "nobody" {
		t.Errorf("got %v", err)
	}
	var input *traces.Error
	_, err = experiment("synthetic:gpu?nodes=0", []string{"fgd"}, 1).Do(context.Background(), Options{Plugins: plugins.All})
	if !errors.As(err, &input) || input.File != "synthetic:gpu?nodes=0" {
		t.Errorf("got %v", err)
	}
}

// writeOpenb writes a trace of openb's format to a folder of its own.
func writeOpenb(t testing.TB, nodes, pods string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"openb_node_list_gpu_node.csv": nodes, "openb_pod_list_default.csv": pods} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
