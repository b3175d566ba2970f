//go:build verify

package bench

import "testing"

// TestVerifyRecordings plays recordings under three policies, and wants the tables that
// docs/results.md shows. -update rewrites them.
func TestVerifyRecordings(t *testing.T) {
	for _, mark := range []string{"recordings", "google-tasks"} {
		t.Run(mark, func(t *testing.T) {
			x, r := playShown(t, mark+".yaml")
			keepTable(t, mark, r, x)
			t.Logf("%s: %d runs, %.0f pods placed", mark, len(r.Runs), total(r.Runs, "pods_placed"))
			for _, run := range r.Runs {
				t.Logf("%s on %s: %.0f s", run.Policy, run.Trace, run.Timing["seconds"])
			}
		})
	}
}
