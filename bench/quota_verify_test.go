//go:build verify

package bench

import (
	"bytes"
	"cmp"
	"slices"
	"testing"
)

// TestVerifyPhillyQuota plays Philly's busiest weeks under three regimes, and wants the table and
// the pictures that docs/results.md shows. -update rewrites them; then look at the pictures.
func TestVerifyPhillyQuota(t *testing.T) {
	x, r := playShown(t, "philly-quota.yaml")
	for i, name := range []string{1: "philly-quotas.svg", 2: "philly-queues.svg"} {
		if name == "" {
			continue
		}
		var picture bytes.Buffer
		if err := writeSVG(&picture, limitPicture(largest(r.Runs[i].Limits, 6))); err != nil {
			t.Fatal(err)
		}
		keep(t, shownPictures+name, picture.Bytes())
	}
	keepTable(t, "philly", r, x)
	t.Logf("%d runs, %.0f pods refused, %.0f preempted", len(r.Runs), total(r.Runs, "pods_refused"), total(r.Runs, "preemptions"))
}

// largest returns the n limits that are the largest at the end.
func largest(limits []LimitUse, n int) []LimitUse {
	sorted := slices.Clone(limits)
	slices.SortStableFunc(sorted, func(a, b LimitUse) int { return cmp.Compare(b.Hard, a.Hard) })
	return sorted[:n]
}
