package disruption

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// TestCollect compares what upstream's pod GC takes away, and when: SEED=… and CASES=… choose other
// stories, and more of them.
func TestCollect(t *testing.T) {
	pin()
	seed, cases := setting.Int(t, "SEED", 1), setting.Int(t, "CASES", 2000)
	collected, mismatches := 0, 0
	for i := range cases {
		var theirs, ours []string
		var err error
		synctest.Test(t, func(*testing.T) { theirs, ours, err = collect(uint64(seed), uint64(i)) })
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		collected += len(theirs)
		if slices.Equal(theirs, ours) {
			continue
		}
		if mismatches++; mismatches <= 3 {
			t.Errorf("case %d of seed %d:\nupstream %v\nberth    %v", i, seed, theirs, ours)
		}
	}
	t.Logf("%d cases, %d pods collected, %d mismatches", cases, collected, mismatches)
	if mismatches > 0 || collected < cases {
		t.Errorf("%d mismatches, %d pods collected", mismatches, collected)
	}
}
