//go:build verify

package bench

import (
	"bytes"
	"testing"
)

// TestVerifyGoogleStorm plays Google's machine failures, and wants the table and the pictures that
// docs/results.md shows. -update rewrites them; then look at the pictures.
func TestVerifyGoogleStorm(t *testing.T) {
	x, r := playShown(t, "google-storm.yaml")
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
