//go:build verify

package app

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/bench/suite"
)

// module is the root of this module.
const module = "../../.."

// slowed returns a copy of the module in which NodeResourcesFit runs some more statements when it
// scores for a pod.
func slowed(t *testing.T, more int) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "module")
	parts, err := os.ReadDir(module)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if name := part.Name(); part.IsDir() && !strings.HasPrefix(name, ".") && name != "bin" && name != "docs" {
			if err := os.CopyFS(filepath.Join(root, name), os.DirFS(filepath.Join(module, name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "plugins/allocated.go"} {
		text, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			t.Fatal(err)
		}
		const before = "\tst.terms = appendEstimated(st.terms[:0], s, p, st.resources, &st.columns)\n"
		slow := fmt.Sprintf("\tfor range %d {\n\t\t_ = out\n\t}\n", more)
		if strings.HasSuffix(name, ".go") && strings.Count(string(text), before) != 1 {
			t.Fatalf("%s has the line %q not once", name, before)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Replace(string(text), before, slow+before, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// build builds berth so that it counts statements.
func build(t *testing.T, root string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "berth")
	args := append(strings.Fields("build -trimpath -cover -covermode=atomic -coverpkg=github.com/berthsim/berth/... -o"), program, "./cmd/berth")
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return program
}

// TestVerifyRegressionIsNamed checks that berth bench --against names a plugin that was made three
// percent slower, and nothing if nothing was.
func TestVerifyRegressionIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "before")
	bench := func(program string, args ...string) (status int, out string) {
		t.Helper()
		cmd := exec.Command(program, append([]string{"bench", "-q", "basic/nodes=500/classes=1$", "--samples", "2"}, args...)...)
		cmd.Env = append(os.Environ(), "GOCOVERDIR="+t.TempDir())
		text, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(text)
	}
	program := build(t, module)
	if status, out := bench(program, "--save", dir); status != 0 {
		t.Fatal(status, out)
	}
	against := filepath.Join(dir, "result.json")
	if status, out := bench(program, "--against", against); status != 0 {
		t.Errorf("unchanged, the exit status is %d: %s", status, out)
	}
	before, err := suite.Load(against)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range before.Plugins {
		if c.Plugin != "NodeResourcesFit" || c.Point != "score" {
			continue
		}
		status, out := bench(build(t, slowed(t, int(c.Statements[0]*3/100))), "--against", against)
		_, compared, _ := strings.Cut(out, "\nCompared with ")
		t.Log(compared)
		if status != exitNo || !strings.Contains(out, "1 regression since ") || !strings.Contains(out, "plugin NodeResourcesFit at score: statements +") {
			t.Errorf("three percent slower, the exit status is %d", status)
		}
		return
	}
	t.Error("NodeResourcesFit was not measured")
}
