//go:build verify

package bench

import (
	"os"
	"testing"

	"github.com/berthsim/berth/plugins"
)

// TestVerifyRecordings plays recordings under three policies, and wants the tables that
// docs/results.md shows. -update rewrites them.
func TestVerifyRecordings(t *testing.T) {
	dir := recordedFolder(t)
	for _, mark := range []string{"recordings", "google-tasks"} {
		file := "../examples/experiments/" + mark + ".yaml"
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
		keepTable(t, mark, r, x)
		t.Logf("%s: %d runs, %.0f pods placed", mark, len(r.Runs), total(r.Runs, "pods_placed"))
	}
}
