package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// source is the project's root, from here.
const source = "../../.."

func TestVersionIsTheModules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(source, "cluster/lab/components/go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "k8s.io/kubernetes "+Kubernetes+"\n") {
		t.Errorf("the programs say that they are of %s, which isn't what they are built from", Kubernetes)
	}
}

func TestFindSource(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got, err := FindSource(here)
	if want := filepath.Join(here, source); err != nil || got != want {
		t.Errorf("found %s, %v, want %s", got, err, want)
	}
	if _, err := FindSource(t.TempDir()); err == nil {
		t.Error("a source tree was found where there is none")
	}
}

// fakeGo is a go command that notes that it was called, and makes what it should without building.
func fakeGo(t *testing.T, script string) (program, calls string) {
	t.Helper()
	program, calls = filepath.Join(t.TempDir(), "go"), filepath.Join(t.TempDir(), "calls")
	text := "#!/bin/sh\necho \"$*\" >> " + calls + "\nwhile [ \"$1\" != -o ]; do shift; done\n" + script + "\n"
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, calls
}

func TestBuildOnce(t *testing.T) {
	program, calls := fakeGo(t, `echo built > "$2"`)
	cache := filepath.Join(t.TempDir(), "cache")
	said := 0
	b := &Builder{Source: source, Cache: cache, Go: program, Say: func(string) { said++ }}
	for _, name := range []string{"components", "agent", "components", "agent"} {
		dir, err := b.Build(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]string{"components"}, Components...)
		if name == "agent" {
			want = []string{"agent", "pause", "pause.tar", "work", "work.tar"}
		}
		for _, file := range want {
			if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	text, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != 4 || said != 2 {
		t.Errorf("the go command was called %d times, and somebody told %d times:\n%s", n, said, text)
	}
	for _, want := range []string{"-s -w -X k8s.io/component-base/version.gitVersion=" + Kubernetes, "gitMinor=36", "-trimpath"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s isn't in\n%s", want, text)
		}
	}
	if left, err := filepath.Glob(filepath.Join(cache, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	program, _ := fakeGo(t, "echo first >&2; echo no such package >&2; exit 1")
	cache := filepath.Join(t.TempDir(), "cache")
	b := &Builder{Source: source, Cache: cache, Go: program, Say: func(string) {}}
	_, err := b.Build(t.Context(), "components")
	if err == nil || !strings.Contains(err.Error(), "no such package") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
