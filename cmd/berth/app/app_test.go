package app

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// run runs the program without a process of its own.
func run(ctx context.Context, args []string, policies ...*scheduler.Plugin) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = Run(ctx, Env{Args: args, Stdout: &out, Stderr: &err}, policies...)
	return status, out.String(), err.String()
}

var small = []string{"compare", "-q", "--trace", "synthetic:gpu?nodes=5", "--policies", "bestfit"}

// Stopped before any run was finished, there is nothing to print, and nothing
// that an earlier result should be replaced with.
func TestStoppedBeforeAnyRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	args := append(small, "--save", dir)
	if status, _, stderr := run(t.Context(), args); status != 0 {
		t.Fatal(status, stderr)
	}
	before, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, stdout, stderr := run(ctx, args)
	if status != exitInterrupted || stdout != "" || stderr != "berth: stopped before any run was finished\n" {
		t.Errorf("got status %d\n%s\n%s", status, stdout, stderr)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "results.json")); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the earlier result is now\n%s\n%v", after, err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWorldFails(t *testing.T) {
	var stderr bytes.Buffer
	status := Run(t.Context(), Env{Args: small, Stdout: fullDisk{}, Stderr: &stderr})
	if status != exitWorldFailed || stderr.String() != "berth: no space left\n" {
		t.Errorf("got status %d, %q", status, stderr.String())
	}
}

func TestPoliciesOfOnesOwn(t *testing.T) {
	constant := func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { return 7 }
	mine := scheduler.ScoreFunc("Mine", "Mine likes all nodes. It is for tests.", constant)
	args := []string{"compare", "-q", "-o", "csv", "--trace", "synthetic:gpu?nodes=5", "--policies", "mine,mine:2+bestfit"}
	status, stdout, stderr := run(t.Context(), args, mine)
	if status != 0 || !strings.Contains(stdout, ",mine,") || !strings.Contains(stdout, ",mine:2+bestfit,") {
		t.Errorf("got status %d\n%s\n%s", status, stdout, stderr)
	}
	status, stdout, stderr = run(t.Context(), []string{"compare", "--help"}, mine)
	if status != 0 || !regexp.MustCompile(`\n  mine +Mine likes all nodes\n`).MatchString(stdout) {
		t.Errorf("got status %d\n%s\n%s", status, stdout, stderr)
	}

	panics := scheduler.ScoreFunc("Panics", "Panics panics.", func(*cluster.State, cluster.PodID, cluster.NodeID) int64 { panic("out of\nluck") })
	args = append(small[:len(small):len(small)], "--policies", "panics")
	want := "berth: policy panics on synthetic:gpu?nodes=5 with seed 42: out of luck; run with -v to see where\n"
	if status, stdout, stderr := run(t.Context(), args, panics); status != exitBadInput || stdout != "" || stderr != want {
		t.Errorf("got status %d\n%s\n%s", status, stdout, stderr)
	}
	if _, _, stderr := run(t.Context(), append(args, "-v"), panics); !strings.Contains(stderr, "app_test.go") {
		t.Errorf("with -v, got no place:\n%s", stderr)
	}

	// Two policies of one name are the author's mistake, found at once.
	want = "berth: two plugins are called Mine (case doesn't count)\n"
	if status, _, stderr := run(t.Context(), []string{"version"}, mine, mine); status != exitBadInput || stderr != want {
		t.Errorf("got status %d, %q", status, stderr)
	}
}
