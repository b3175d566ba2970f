package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/berthsim/berth/eviction/evictiontest"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"patience": main}) }

// A policy of one's own, with everything around it, is to take 40 lines.
func TestWholeProgramIsShort(t *testing.T) {
	const most = 40
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > most {
		t.Errorf("main.go has %d lines, more than %d", lines, most)
	}
}

func TestPatience(t *testing.T) { evictiontest.TestPolicy(t, policy) }

// TestComparesWithOthers runs the program as a user does.
func TestComparesWithOthers(t *testing.T) {
	out, err := exec.Command("patience").Output()
	if err != nil {
		t.Fatal(err)
	}
	deleted := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 {
			deleted[f[0]] = f[1]
		}
	}
	for _, name := range []string{"kube", "budgetaware", "gangaware", "circuitbreaker", "patience"} {
		if deleted[name] == "" {
			t.Errorf("no %s in\n%s", name, out)
		}
	}
	if deleted["patience"] == deleted["kube"] {
		t.Errorf("patience saves nothing:\n%s", out)
	}
}
