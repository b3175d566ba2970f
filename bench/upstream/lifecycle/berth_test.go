package lifecycle

import (
	"testing"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// TestLifecycle plays generated timelines on upstream's controllers and on Berth's, which must do the
// same at the same times.
func TestLifecycle(t *testing.T) {
	seed, n := setting.Int(t, "SEED", 1), setting.Int(t, "TIMELINES", timelines)
	tally := NewTally()
	trial := Trial{First: Upstream(t), Second: Berth, Seed: uint64(seed), Tries: 300, Tally: tally}
	list := trial.Run(n)
	for _, m := range list[:min(len(list), 3)] {
		t.Error(m)
	}
	t.Logf("\n%s, %d mismatches", tally, len(list))
	if n < timelines {
		return
	}
	for _, name := range tally.Missing() {
		t.Errorf("%s: never seen", name)
	}
}
