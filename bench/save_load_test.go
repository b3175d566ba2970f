package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLoadErrors(t *testing.T) {
	good := write(t, sampleResults(1), FormatJSON)
	lineOf := func(text string) int {
		before, _, found := strings.Cut(good, text)
		if !found {
			t.Fatalf("no %q in results.json", text)
		}
		return 1 + strings.Count(before, "\n")
	}
	for _, c := range []struct {
		name, content string
		line          int
		want          string
	}{
		{"a comma too few", strings.Replace(good, `"policy": "fgd",`, `"policy": "fgd"`, 1), lineOf(`"policy": "fgd"`) + 1, "invalid character"},
		{"cut short", good[:strings.Index(good, `"summary"`)+4], lineOf(`"summary"`), "unexpected end of JSON input"},
		{"empty", "", 1, "unexpected end of JSON input"},
		{"wrong type", strings.Replace(good, `"seed": 42`, `"seed": "x"`, 1), lineOf(`"seed": 42`), "runs.seed is a string"},
		{"unknown field", strings.Replace(good, `"ties":`, `"tyes":`, 1), lineOf(`"ties"`), `unknown field "tyes"`},
		{"other version", strings.Replace(good, Version, "berth/v9", 1), lineOf(`"version"`), `version is "berth/v9", but this program reads "berth/v1": read it with the program that wrote it (v0.1.0)`},
		{"no version", `{"runs": []}`, 1, "of unknown version"},
		{"two values", good + "{}", 1 + strings.Count(good, "\n"), "after top-level value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "results.json")
			if err := os.WriteFile(path, []byte(c.content), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := LoadResults(dir)
			if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("%s:%d: ", path, c.line)) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s:%d: … %s", err, path, c.line, c.want)
			}
		})
	}
	if _, err := LoadResults(t.TempDir()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "results.json is missing") {
		t.Errorf("got %v", err)
	}
}

func TestCompare(t *testing.T) {
	old, now := sampleResults(2), sampleResults(2)
	now.Runs[0].Timing["seconds"] = 1e6
	slices.Reverse(now.Runs)
	if got := now.Compare(old); len(got) != 0 {
		t.Errorf("only timing and order differ, got %q", got)
	}

	now = sampleResults(2)
	now.Traces[0].Hash, now.Traces[1].Hash = "beef", "feed"
	now.Runs[1].Digest = "d1"
	now.Runs[2].Metrics["gpu_allocated_pct_at_80"] = math.Nextafter(old.Runs[2].Metrics["gpu_allocated_pct_at_80"], 100)
	delete(now.Runs[3].Metrics, "pods_unplaced")
	now.Runs[4].Faults = "rack"
	now.Runs = slices.Delete(now.Runs, 0, 1)
	want := []string{
		fillTrace + ": trace was " + old.Traces[0].Hash + ", is beef",
		fillTrace + " bestfit seed 43: digest was " + old.Runs[1].Digest + ", is d1",
		fillTrace + " fgd seed 42: gpu_allocated_pct_at_80 was 79.86, is 79.86000000000001",
		fillTrace + " fgd seed 43: pods_unplaced was 1190, is absent",
		fillTrace + " random rack seed 42: was not run, is now",
		fillTrace + " bestfit seed 42: was run, is not now",
		fillTrace + " random seed 42: was run, is not now",
	}
	if got := now.Compare(old); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
