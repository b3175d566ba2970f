//go:build verify

package bench

import (
	"bytes"
	"os"
	"testing"

	"github.com/berthsim/berth/plugins"
)

const stormFile = "../examples/experiments/google-storm.yaml"

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
	var timeline, front bytes.Buffer
	if err := writeSVG(&timeline, timelines(r.Runs)); err != nil {
		t.Fatal(err)
	}
	if err := writeSVG(&front, pareto(r.Summary)); err != nil {
		t.Fatal(err)
	}
	keep(t, shownPictures+"google-timeline.svg", timeline.Bytes())
	keep(t, shownPictures+"google-pareto.svg", front.Bytes())
	keepTable(t, "storm", r, x)
	t.Logf("%d runs, %.0f evictions in all", len(r.Runs), total(r.Runs, "evictions"))
}

func total(runs []Run, metric string) (sum float64) {
	for _, r := range runs {
		sum += r.Metrics[metric]
	}
	return sum
}
