//go:build verify

package bench

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/berthsim/berth/plugins"
)

const (
	shownDocument = "../docs/results.md"
	shownPictures = "../docs/pictures/"
)

// playShown plays an experiment that ships, as from the project's root, where berth is started.
func playShown(t *testing.T, name string) (*Experiment, *Results) {
	t.Helper()
	dir := recordedFolder(t)
	t.Chdir("..")
	defer t.Chdir("bench")
	file := "examples/experiments/" + name
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ReadExperiment(file, content, plugins.All)
	if err != nil {
		t.Fatal(err)
	}
	r, err := x.Do(t.Context(), Options{Plugins: plugins.All, TraceDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return x, r
}

// keepTable wants docs/results.md to show the table of an experiment's results between two
// marks of a name. -update rewrites it.
func keepTable(t *testing.T, mark string, r *Results, x *Experiment) {
	t.Helper()
	var table bytes.Buffer
	if err := r.Write(&table, FormatMarkdown, x.Report); err != nil {
		t.Fatal(err)
	}
	shown, _, _ := strings.Cut(table.String(), "\nReproduced by:")
	shown = strings.NewReplacer("\n### ", "\n#### ", "\n## ", "\n### ").Replace("#" + shown) // a level below the document's
	shown += "\nDecisions of all runs, SHA-256 " + shortHash(r.Reproduce.Digest) + "….\n"
	document, err := os.ReadFile(shownDocument)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+":begin -->\n", "<!-- "+mark+":end -->"
	before, rest, ok1 := strings.Cut(string(document), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the marks %s and %s", shownDocument, begin, end)
	}
	keep(t, shownDocument, []byte(before+begin+shown+end+after))
}

// keep wants a file to have a content, or gives it that with -update.
func keep(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Errorf("%s is out of date: go test -tags verify -run %s ./bench -update", name, t.Name())
		return
	}
	if err := os.WriteFile(name, want, 0o644); err != nil {
		t.Fatal(err)
	}
}
