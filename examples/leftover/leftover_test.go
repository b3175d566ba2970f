package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"leftover": main}) }

// leftover runs the program as a user does.
func leftover(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("leftover", args...).Output()
	if failed, ok := err.(*exec.ExitError); ok {
		t.Fatalf("leftover %s: %v\n%s", strings.Join(args, " "), err, failed.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A policy of one's own, with everything around it, is to take 20 lines.
func TestWholeProgramIsShort(t *testing.T) {
	const most = 20
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > most {
		t.Errorf("main.go has %d lines, more than %d", lines, most)
	}
}

func TestComparesWithOthers(t *testing.T) {
	args := []string{"compare", "--trace", "synthetic:gpu?nodes=20", "--policies", "leftover,bestfit", "--seeds", "1-3", "--baseline", "bestfit"}
	out := leftover(t, args...)
	for _, want := range []string{"\nleftover ", "\nbestfit ", "difference from bestfit", "Reproduced by:"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if again := leftover(t, args...); again != out {
		t.Errorf("once more, it says\n%s\nand not\n%s", again, out)
	}
}

func TestHasEveryVerb(t *testing.T) {
	help := leftover(t, "--help")
	for _, verb := range []string{"compare", "run", "version", "completion", "help"} {
		if !strings.Contains(help, "\n  "+verb+" ") {
			t.Errorf("no verb %s in\n%s", verb, help)
		}
	}
	if help := leftover(t, "compare", "--help"); !strings.Contains(help, "\n  leftover ") {
		t.Errorf("the policy isn't among those there are:\n%s", help)
	}
	if out := leftover(t, "run", "../experiments/fill.yaml", "-q", "-o", "csv"); !strings.Contains(out, ",fgd,") {
		t.Errorf("an experiment file gives\n%s", out)
	}
}
