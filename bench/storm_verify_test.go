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
	stormDocument = "../docs/results.md"
	stormPictures = "../docs/pictures/"
	stormFile     = "../examples/experiments/google-storm.yaml"
)

// TestVerifyGoogleStorm plays Google's machine failures, and wants the table and the pictures that
// docs/results.md shows. -update rewrites them; then look at the pictures.
func TestVerifyGoogleStorm(t *testing.T) {
	dir := recordedFolder(t)
	content, err := os.ReadFile(stormFile)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ReadExperiment("google-storm.yaml", content, plugins.All)
	if err != nil {
		t.Fatal(err)
	}
	r, err := x.Do(t.Context(), Options{Plugins: plugins.All, TraceDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var table, timeline, front bytes.Buffer
	if err := r.Write(&table, FormatMarkdown, x.Report); err != nil {
		t.Fatal(err)
	}
	if err := writeSVG(&timeline, timelines(r.Runs)); err != nil {
		t.Fatal(err)
	}
	if err := writeSVG(&front, pareto(r.Summary)); err != nil {
		t.Fatal(err)
	}
	shown, _, _ := strings.Cut(table.String(), "\nReproduced by:")
	shown = strings.ReplaceAll("#"+shown, "\n### ", "\n#### ") // a level below the document's
	shown += "\nDecisions of all runs, SHA-256 " + shortHash(r.Reproduce.Digest) + "….\n"
	keep(t, stormPictures+"google-timeline.svg", timeline.Bytes())
	keep(t, stormPictures+"google-pareto.svg", front.Bytes())
	document, err := os.ReadFile(stormDocument)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- storm:begin -->\n", "<!-- storm:end -->"
	before, rest, ok1 := strings.Cut(string(document), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the marks %s and %s", stormDocument, begin, end)
	}
	keep(t, stormDocument, []byte(before+begin+shown+end+after))
	t.Logf("%d runs, %.0f evictions in all", len(r.Runs), total(r.Runs, "evictions"))
}

func total(runs []Run, metric string) (sum float64) {
	for _, r := range runs {
		sum += r.Metrics[metric]
	}
	return sum
}

// keep wants a file to have a content, or gives it that with -update.
func keep(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Errorf("%s is out of date: go test -tags verify -run TestVerifyGoogleStorm ./bench -update", name)
		return
	}
	if err := os.WriteFile(name, want, 0o644); err != nil {
		t.Fatal(err)
	}
}
