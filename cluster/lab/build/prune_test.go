package build

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestPruneKeepsWhatIsNeeded has six folders of a part: the three that were needed last stay, and
// one of the others, from which a program runs.
func TestPruneKeepsWhatIsNeeded(t *testing.T) {
	proc := t.TempDir()
	cache, err := filepath.EvalSymlinks(t.TempDir()) // as the kernel names programs
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]int{"agent-a": 6, "agent-b": 1, "agent-c": 5, "agent-d": 2, "agent-e": 4, "agent-f": 3, "kwok-a": 9}
	for name, ago := range days {
		dir := filepath.Join(cache, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "agent"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
		at := time.Now().AddDate(0, 0, -ago)
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for pid, program := range map[string]string{"1": "/sbin/init", "20": filepath.Join(cache, "agent-c", "agent"), "self": filepath.Join(cache, "agent-a", "agent")} {
		if err := os.Mkdir(filepath.Join(proc, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(proc, pid, "exe")); err != nil {
			t.Fatal(err)
		}
	}
	interrupted := filepath.Join(cache, ".removing-agent-a", "agent")
	if err := os.MkdirAll(interrupted, 0o755); err != nil {
		t.Fatal(err)
	}
	b := &Builder{Cache: cache, Proc: proc}
	if err := b.prune("agent"); err != nil {
		t.Fatal(err)
	}
	want := []string{"agent-b", "agent-c", "agent-d", "agent-f", "kwok-a"}
	if got := names(t, cache); !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	used(filepath.Join(cache, "agent-c"))
	if err := os.Remove(filepath.Join(proc, "20", "exe")); err != nil {
		t.Fatal(err)
	}
	if err := b.prune("agent"); err != nil {
		t.Fatal(err)
	}
	want = []string{"agent-b", "agent-c", "agent-d", "kwok-a"}
	if got := names(t, cache); !slices.Equal(got, want) {
		t.Errorf("used once more, left are %v, want %v", got, want)
	}
}

// names are those of what is in a folder.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestBuildingPrunes builds a part where old folders of it are.
func TestBuildingPrunes(t *testing.T) {
	program, _ := fakeGo(t, `echo built > "$2"`)
	cache := t.TempDir()
	for _, name := range []string{"agent-1", "agent-2", "agent-3", "agent-4"} {
		dir := filepath.Join(cache, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	b := &Builder{Source: source, Cache: cache, Go: program, Say: func(string) {}}
	dir, err := b.Build(t.Context(), "agent")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, cache); len(got) != kept || !slices.Contains(got, filepath.Base(dir)) {
		t.Errorf("left are %v, want %d with %s", got, kept, filepath.Base(dir))
	}
}
