package bench

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tree lists the files beneath a folder, as relative paths, with contents.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func save(t *testing.T, r *Results, dir string) {
	t.Helper()
	if err := r.Save(dir); err != nil {
		t.Fatal(err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	root := t.TempDir()
	r := sampleResults(2)
	save(t, r, filepath.Join(root, "not", "yet", "there"))
	files := tree(t, root)
	for name, want := range map[string]string{
		"results.json": write(t, r, FormatJSON),
		"summary.csv":  write(t, r, FormatCSV),
		"table.txt":    write(t, r, FormatTable),
	} {
		if got := files["not/yet/there/"+name]; got != want {
			t.Errorf("%s holds:\n%s", name, got)
		}
	}
	if len(files) != 4 {
		t.Errorf("%d files, want four and no partial one", len(files))
	}
	got, err := LoadResults(filepath.Join(root, "not", "yet", "there"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Runs {
		r.Runs[i].Curves = nil // which results.json doesn't hold
	}
	if !reflect.DeepEqual(got, r) {
		t.Errorf("loaded\n%+v\nwant\n%+v", got, r)
	}
}

func TestCurvesFile(t *testing.T) {
	r := sampleResults(1)
	r.Runs = append(r.Runs[:1], r.Runs[3])
	dir := filepath.Join(t.TempDir(), "out")
	save(t, r, dir)
	want := "trace,policy,eviction,faults,quota,seed,metric,0,1,2,3\n" +
		fillTrace + ",bestfit,none,none,none,42,gpu_allocated_pct,0.0000,1.0000,,3.0000\n" +
		fillTrace + ",bestfit,none,none,none,42,gpu_fragmented_pct,0.0000,0.5000,,\n"
	if got := tree(t, dir)["curves.csv"]; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestSaveReplaces(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "out")
	if err := os.Mkdir(dir, 0o777); err != nil { // empty: there is nothing to lose
		t.Fatal(err)
	}
	save(t, sampleResults(1), dir)
	save(t, sampleResults(2), dir)
	files := tree(t, root)
	if len(files) != 4 || files["out/results.json"] != write(t, sampleResults(2), FormatJSON) {
		t.Errorf("got %d files, want the four of the second result", len(files))
	}
}

func TestSaveThroughLinkAndFromWithin(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "out")
	save(t, sampleResults(1), dir)
	if err := os.Symlink("out", filepath.Join(root, "latest")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	save(t, sampleResults(2), filepath.Join(root, "latest"))
	if target, err := os.Readlink(filepath.Join(root, "latest")); err != nil || target != "out" {
		t.Errorf("the link became %q, %v", target, err)
	}
	t.Chdir(dir)
	save(t, sampleResults(3), ".")
	if got := tree(t, dir)["results.json"]; got != write(t, sampleResults(3), FormatJSON) {
		t.Error("out isn't the third result")
	}
}

// Nothing that Berth didn't write is ever deleted.
func TestSaveRefuses(t *testing.T) {
	for _, c := range []struct{ name, file, content, want string }{
		{"foreign folder", "thesis.tex", "x", "holds thesis.tex but no result of Berth; give a folder that is new"},
		{"other program's results.json", "results.json", `{"version": "2.0"}`, "no result of Berth"},
		{"broken results.json", "results.json", `{"version": "berth/v1"`, "no result of Berth"},
		{"notes beside a result", "notes.md", "x", "also holds notes.md, which would be lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "out")
			if c.name == "notes beside a result" {
				save(t, sampleResults(1), dir)
			}
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o666); err != nil {
				t.Fatal(err)
			}
			before := tree(t, root)
			for _, err := range []error{CheckSaveDir(dir), sampleResults(2).Save(dir)} {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
					t.Errorf("got %v, want %s", err, c.want)
				}
			}
			if got := tree(t, root); !reflect.DeepEqual(got, before) {
				t.Errorf("files changed: %v", got)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := sampleResults(1).Save(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("saving over a file: %v", err)
	}
}

// A write that fails half-way leaves the old result, and nothing else.
func TestFailedWriteKeepsTheOldResult(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "out")
	save(t, sampleResults(1), dir)
	before := tree(t, root)
	full := errors.New("no space left")
	files := sampleResults(2).folder()
	files[2].Write = func(w io.Writer) error {
		fmt.Fprint(w, "half a table")
		return full
	}
	if err := files.Save(dir); !errors.Is(err, full) {
		t.Errorf("got %v, want it to wrap the cause", err)
	}
	if got := tree(t, root); !reflect.DeepEqual(got, before) {
		t.Errorf("files changed: %v", got)
	}
}

// At no moment during a save is there no whole result on disk.
func TestAWholeResultAtEachMoment(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "out")
	save(t, sampleResults(1), dir)
	old := tree(t, dir)
	files := sampleResults(2).folder()
	for i := range files {
		write := files[i].Write
		files[i].Write = func(w io.Writer) error {
			if got := tree(t, dir); !reflect.DeepEqual(got, old) {
				t.Errorf("while writing %s the old result is %v", files[i].Name, got)
			}
			return write(w)
		}
	}
	if err := files.Save(dir); err != nil {
		t.Fatal(err)
	}
}

// If the new result can't be moved into place, the old one returns to it.
func TestFailedSwapPutsTheOldResultBack(t *testing.T) {
	root := t.TempDir()
	dir, work := filepath.Join(root, "out"), filepath.Join(root, "work")
	save(t, sampleResults(1), dir)
	before := tree(t, root)
	if err := os.Mkdir(work, 0o777); err != nil { // has no folder "new"
		t.Fatal(err)
	}
	if err := swapFolders(work, dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if got := tree(t, root); !reflect.DeepEqual(got, before) {
		t.Errorf("files changed: %v", slices.Collect(maps.Keys(got)))
	}
	// If even that fails, the old result must not be thrown away with the rest.
	if err := os.Rename(dir, filepath.Join(work, "old")); err != nil {
		t.Fatal(err)
	}
	if err := clearAway(work, dir); err == nil || !strings.Contains(err.Error(), filepath.Join(work, "old")) {
		t.Errorf("got %v, want where the old result is", err)
	}
	if got := tree(t, root); len(got) != len(before) {
		t.Errorf("%d files are left of %d", len(got), len(before))
	}
}
