package disruption

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// play has both sides live through a story in a bubble of its own.
func play(t *testing.T, s Story, seen *features) (difference string, comparisons int) {
	t.Helper()
	var err error
	synctest.Test(t, func(*testing.T) { difference, comparisons, err = live(s, seen) })
	if err != nil {
		t.Fatalf("%v, in the story\n%s", err, s)
	}
	return difference, comparisons
}

// smaller takes out of a story what the difference doesn't need.
func smaller(t *testing.T, s Story) (Story, string) {
	difference, _ := play(t, s, newFeatures())
	for i := 0; i < len(s); {
		less := slices.Delete(slices.Clone(s), i, i+1)
		if d, _ := play(t, less, newFeatures()); d != "" {
			s, difference = less, d
		} else {
			i++
		}
	}
	return s, difference
}

// TestDisruption compares generated stories: SEED=… and CASES=… choose others, and more of them.
func TestDisruption(t *testing.T) {
	pin()
	seed, cases := setting.Int(t, "SEED", 1), setting.Int(t, "CASES", 2000)
	seen, comparisons, mismatches := newFeatures(), 0, 0
	for i := range cases {
		s := Draw(uint64(seed), uint64(i))
		difference, n := play(t, s, seen)
		comparisons += n
		if difference == "" {
			continue
		}
		if mismatches++; mismatches <= 3 {
			s, difference = smaller(t, s)
			t.Errorf("case %d of seed %d, made smaller:\n%s%s", i, seed, s, difference)
		}
	}
	t.Logf("seen:\n%s", seen)
	t.Logf("%d cases, %d comparisons, %d mismatches", cases, comparisons, mismatches)
	if mismatches > 0 {
		t.Errorf("%d mismatches", mismatches)
	}
	for _, name := range wanted {
		if cases >= 2000 && seen.counts[name] == 0 {
			t.Errorf("nothing was seen of %q", name)
		}
	}
}

// wanted are the features of which something must be seen.
var wanted = []string{
	"budget: empty selector",
	"budget: maxUnavailable number",
	"budget: maxUnavailable percent",
	"budget: minAvailable number",
	"budget: minAvailable percent",
	"budget: neither",
	"budget: no selector",
	"budget: selector with an expression",
	"eviction: 201, charged",
	"eviction: 201, charged again",
	"eviction: 201, charged again, not ready",
	"eviction: 201, charged, 2,000 disrupted before",
	"eviction: 201, charged, not ready",
	"eviction: 201, ending",
	"eviction: 201, no budget",
	"eviction: 201, not ready",
	"eviction: 201, not ready, AlwaysAllow",
	"eviction: 201, on no node",
	"eviction: 201, starting",
	"eviction: 403, allowed below 0",
	"eviction: 403, too many disrupted",
	"eviction: 429",
	"eviction: 429 after 10s",
	"eviction: 429 after 10s, not ready",
	"eviction: 429, not ready",
	"eviction: 500, several budgets",
	"owner: DaemonSet",
	"owner: DaemonSet missing",
	"owner: Deployment",
	"owner: Deployment missing",
	"owner: Job",
	"owner: Job missing",
	"owner: ReplicaSet",
	"owner: ReplicaSet missing",
	"owner: ReplicaSet of a Deployment",
	"owner: ReplicaSet of a Rollout",
	"owner: ReplicaSet of a missing Deployment",
	"owner: ReplicaSet of a missing Rollout",
	"owner: ReplicationController",
	"owner: ReplicationController missing",
	"owner: Rollout",
	"owner: Rollout missing",
	"owner: StatefulSet",
	"owner: StatefulSet missing",
	"owner: none",
	"status: a disrupted pod counts again",
	"status: a pod is ending",
	"status: allows none",
	"status: allows some",
	"status: disrupted",
	"status: expects none",
	"status: generation behind",
	"status: several owners",
	"status: too few healthy",
	"status: two ReplicaSets of a Deployment",
	"upstream was told to look",
}
