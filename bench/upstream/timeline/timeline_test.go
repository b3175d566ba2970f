package timeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// play has both sides live through a story, and returns what they did.
func play(t *testing.T, s *Story, seen *features) (theirs, ours Trace) {
	t.Helper()
	err := pin()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(*testing.T) { theirs, err = runUpstream(s, seen) })
	if err != nil {
		t.Fatal(err)
	}
	if ours, err = runBerth(s); err != nil {
		t.Fatal(err)
	}
	return theirs, ours
}

// compare returns where two traces part, with what went before; "" if they don't.
func compare(theirs, ours Trace) string {
	n := 0
	for n < len(theirs) && n < len(ours) && theirs[n] == ours[n] {
		n++
	}
	if n == len(theirs) && n == len(ours) {
		return ""
	}
	var b strings.Builder
	for _, line := range theirs[max(0, n-8):n] {
		b.WriteString("         " + line + "\n")
	}
	for _, line := range theirs[n:min(len(theirs), n+3)] {
		b.WriteString("upstream " + line + "\n")
	}
	for _, line := range ours[n:min(len(ours), n+3)] {
		b.WriteString("berth    " + line + "\n")
	}
	return b.String()
}

// TestTimeline compares generated stories: SEED=… and SCENARIOS=… choose others, and more of them.
func TestTimeline(t *testing.T) {
	seed, stories, seen, wrong := setting.Int(t, "SEED", 1), setting.Int(t, "SCENARIOS", 250), newFeatures(), 0
	for i := range stories {
		s := Draw(uint64(seed), uint64(i))
		theirs, ours := play(t, s, seen)
		if d := compare(theirs, ours); d != "" {
			if wrong++; wrong <= 3 {
				t.Errorf("story %d of seed %d, made smaller:\n%s", i, seed, smaller(t, s))
			}
		}
	}
	t.Logf("%s%d scenarios, %d attempts, %d mismatches", seen.table(), stories, seen.tries, wrong)
	for _, name := range expected() {
		if seen.counts[name] == 0 && seed == 1 && stories >= 250 {
			t.Errorf("%q was never seen", name)
		}
	}
}

// smaller leaves out steps as long as both sides still part, and shows what is left.
func smaller(t *testing.T, s *Story) string {
	t.Helper()
	parts := func(s *Story) string { return compare(play(t, s, newFeatures())) }
	least := *s
	for n := len(least.Steps) / 2; n > 0; n /= 2 {
		for i := 0; i+n <= len(least.Steps); {
			try := least
			try.Steps = append(append([]Step(nil), least.Steps[:i]...), least.Steps[i+n:]...)
			if parts(&try) != "" {
				least = try
			} else {
				i += n
			}
		}
	}
	return least.String() + parts(&least)
}

// TestKept compares stories that once differed.
func TestKept(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Read(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if d := compare(play(t, s, newFeatures())); d != "" {
				t.Error("\n" + d)
			}
		})
	}
}

// TestReadWrite reads what String writes.
func TestReadWrite(t *testing.T) {
	for i := range 20 {
		text := Draw(1, uint64(i)).String()
		again, err := Read(text)
		if err != nil {
			t.Fatal(err)
		}
		if again.String() != text {
			t.Fatalf("%s\nbecame\n%s", text, again)
		}
	}
}
