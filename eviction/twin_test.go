package eviction_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/eviction/evictiontest"
)

// TestAsIfEveryNode wants Health, which looks at the nodes about which it may find
// anything, to decide as if it looked at every node each period.
func TestAsIfEveryNode(t *testing.T) {
	const courses = 150
	decisions := 0
	for seed := range uint64(courses) {
		course := evictiontest.RandomCourse(1000 + seed)
		course.Until = 4 * cluster.Hour
		play := func(h *eviction.Health) []string {
			decided, err := course.Play(evictiontest.Staging{}, eviction.NewTaintEviction(nil), h)
			if err != nil {
				t.Fatal(err)
			}
			return decided
		}
		usual := play(eviction.NewHealth(course.Settings, nil))
		slow := play(eviction.LookAtAll(eviction.NewHealth(course.Settings, nil)))
		decisions += len(usual)
		for i := range max(len(usual), len(slow)) {
			if i >= len(usual) || i >= len(slow) || usual[i] != slow[i] {
				t.Fatalf("course %d: decision %d differs: %q, and every node looked at %q", seed, i, usual[i:min(i+1, len(usual))], slow[i:min(i+1, len(slow))])
			}
		}
	}
	if decisions < 100*courses {
		t.Errorf("%d decisions on %d clusters", decisions, courses)
	}
	t.Logf("%d clusters, %d decisions", courses, decisions)
}
