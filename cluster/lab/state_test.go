//go:build linux

package lab

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	l := &Lab{Config: Config{Dir: dir}}
	if made, err := readJournal(dir); err != nil || len(made) != 0 {
		t.Errorf("a folder without a journal made %v, %v", made, err)
	}
	for _, r := range []record{{madeCgroup, "berth-x"}, {madeNetwork, "berth-x-switch"}} {
		if err := l.record(r.kind, r.name); err != nil {
			t.Fatal(err)
		}
	}
	want := []record{{madeCgroup, "berth-x"}, {madeNetwork, "berth-x-switch"}}
	text, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(text) + 1 { // killed at any point
		if err := os.WriteFile(filepath.Join(dir, journalFile), text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		made, err := readJournal(dir)
		if err != nil || !slices.Equal(made, want[:strings.Count(string(text[:cut]), "\n")]) {
			t.Errorf("%d bytes say %v, %v", cut, made, err)
		}
	}
}

func TestJournalOfSomebodyElse(t *testing.T) {
	for _, line := range []string{"cgroup system.slice\n", "cgroup berth-x/../../etc\n", "file berth-x\n", "nonsense\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if made, err := readJournal(dir); err == nil {
			t.Errorf("%q is taken for %v", line, made)
		}
	}
}

func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	l := &Lab{Config: Config{Name: "x", Dir: dir}}
	if err := l.claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.lock.Close()
	if err := l.claim(t.Context()); err != nil {
		t.Errorf("a folder with nothing but a lock, as one killed at once leaves: %v", err)
	}
	if err := l.record(madeCgroup, "berth-x"); err != nil {
		t.Fatal(err)
	}
	l.lock.Close()
	if err := l.claim(t.Context()); err == nil || !strings.Contains(err.Error(), "berth lab down --name x") {
		t.Errorf("a lab that is up: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Config.Dir = other
	if err := l.claim(t.Context()); err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("a folder with something else in it: %v", err)
	}
}

func TestOpenWhereThereIsNone(t *testing.T) {
	if _, err := Open(t.TempDir(), nil); !errors.Is(err, ErrNoLab) {
		t.Errorf("error %v", err)
	}
	if err := Down(t.Context(), t.TempDir()); !errors.Is(err, ErrNoLab) {
		t.Errorf("error %v", err)
	}
}

func TestDownOfAnEmptyLab(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	l := &Lab{Config: Config{Name: "x", Dir: dir}}
	if err := l.claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.lock.Close()
	if err := Down(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}
