//go:build ptrace

package app

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// lazyFit is NodeResourcesFit that does three percent more when it scores: beside what it
// does for a node, it counts to turns/100.
type lazyFit struct {
	scheduler.BatchFilter
	scheduler.BatchScorer
	scheduler.Dependent
	scheduler.Waker
	turns int
}

var counted int

func (f *lazyFit) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	for range len(nodes) * f.turns / 100 {
		counted++
	}
	return f.BatchScorer.ScoreBatch(s, p, nodes, out)
}

// withLazyFit returns all plugins, with NodeResourcesFit as lazy as that.
func withLazyFit(turns int) []*scheduler.Plugin {
	known := slices.Clone(plugins.All)
	at := slices.Index(known, plugins.NodeResourcesFit)
	lazy := *plugins.NodeResourcesFit
	lazy.New = func(args scheduler.Args) (any, error) {
		inst, err := plugins.NodeResourcesFit.New(args)
		if err != nil {
			return nil, err
		}
		return &lazyFit{inst.(scheduler.BatchFilter), inst.(scheduler.BatchScorer), inst.(scheduler.Dependent), inst.(scheduler.Waker), turns}, nil
	}
	known[at] = &lazy
	return known
}

// TestVerifyRegressionIsNamed checks that berth bench --against names a plugin that was
// made three percent slower, and nothing if nothing was.
func TestVerifyRegressionIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "before")
	measure := func(turns int, args ...string) (status int, out, errs string) {
		var stdout, stderr bytes.Buffer
		env := Env{Args: append([]string{"bench", "-q", "basic/nodes=500/classes=1$", "--samples", "2"}, args...), Stdout: &stdout, Stderr: &stderr}
		status = runWith(t.Context(), env, withLazyFit(turns))
		return status, stdout.String(), stderr.String()
	}
	if status, _, errs := measure(0, "--save", dir); status != 0 {
		t.Fatal(status, errs)
	}
	against := filepath.Join(dir, "result.json")
	if status, out, errs := measure(0, "--against", against); status != 0 {
		t.Errorf("unchanged, the exit status is %d: %s\n%s", status, errs, out)
	}
	const slower = 65 // about 2.6 of 86 instructions for a node
	status, out, errs := measure(slower, "--against", against)
	_, compared, _ := strings.Cut(out, "\nCompared with ")
	t.Log(compared)
	if status != exitNo || !strings.Contains(errs, "1 regressions since ") || !strings.Contains(errs, "plugin NodeResourcesFit at score: instructions +") {
		t.Errorf("three percent slower, the exit status is %d: %s", status, errs)
	}
}
