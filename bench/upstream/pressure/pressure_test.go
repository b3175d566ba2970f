package pressure

import (
	"testing"
	"testing/synctest"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// TestPressure compares generated cases: SEED=… and CASES=… choose others, and more of them.
func TestPressure(t *testing.T) {
	pin()
	seed, cases, seen := setting.Int(t, "SEED", 1), setting.Int(t, "CASES", 2500), newFeatures()
	made, wrong := 0, 0
	for i := range cases {
		c, err := Draw(uint64(seed), uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		seen.begun(c)
		var passes []pass
		synctest.Test(t, func(*testing.T) { passes, err = runUpstream(c, seen) })
		if err != nil {
			t.Fatal(err)
		}
		var follow comparison
		follow.follow(c, passes)
		made += follow.made
		seen.counts["choice: one threshold"] += follow.alone
		seen.counts["choice: several thresholds"] += follow.tied
		if len(follow.wrong) > 0 {
			if wrong++; wrong <= 3 {
				t.Errorf("case %d of seed %d: %v\n%s", i, seed, c, follow.wrong[0])
			}
		}
	}
	t.Logf("%s%d cases, %d comparisons, %d mismatches", seen.table(expected), cases, made, wrong)
	for _, name := range expected {
		if seen.counts[name] == 0 && cases >= 2000 {
			t.Errorf("%q was never seen", name)
		}
	}
}
