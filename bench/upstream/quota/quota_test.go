package quota

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// play has both sides live through a story in a bubble of its own.
func play(t *testing.T, s Story, wrong mistake, seen *features) (r Result) {
	t.Helper()
	var err error
	synctest.Test(t, func(*testing.T) { r, err = live(s, wrong, seen) })
	if err != nil {
		t.Fatalf("%v, in the story\n%s", err, s)
	}
	return r
}

// smaller takes out of a story what the difference doesn't need.
func smaller(t *testing.T, s Story, wrong mistake) (Story, string) {
	difference := play(t, s, wrong, newFeatures()).Difference
	for size := max(len(s)/2, 1); size >= 1; size /= 2 {
		for i := 0; i < len(s); {
			less := slices.Delete(slices.Clone(s), i, min(i+size, len(s)))
			if d := play(t, less, wrong, newFeatures()).Difference; d != "" {
				s, difference = less, d
			} else {
				i += size
			}
		}
	}
	for taken := true; taken; {
		taken = false
		for i := range s {
			for _, step := range simpler(&s[i]) {
				less := slices.Clone(s)
				less[i] = step
				if d := play(t, less, wrong, newFeatures()).Difference; d != "" {
					s, difference, taken = less, d, true
					break
				}
			}
		}
	}
	return s, difference
}

// keeping says that stories in which something is found are kept.
var keeping = flag.Bool("keep", false, "write stories in which something is found into testdata")

// keep writes a story into testdata.
func keep(t *testing.T, name, why string, s Story) {
	if !*keeping {
		return
	}
	k := Kept{File: filepath.Join("testdata", name+".txt"), Why: "# " + why + "\n", Story: s}
	k.Upstream = play(t, s, mistake{}, newFeatures()).Upstream
	if err := k.Write(); err != nil {
		t.Error(err)
	}
}

// TestQuota compares generated stories: SEED=… and REQUESTS=… choose others, and more of them.
func TestQuota(t *testing.T) {
	pin()
	seed, requests := setting.Int(t, "SEED", 1), setting.Int(t, "REQUESTS", 2000)
	seen, all, mismatches := newFeatures(), Result{}, 0
	for i := 0; all.Requests < requests; i++ {
		s := Draw(uint64(seed), uint64(i))
		r := play(t, s, mistake{}, seen)
		all.Requests += r.Requests
		all.Comparisons += r.Comparisons
		if r.Difference == "" {
			continue
		}
		if mismatches++; mismatches <= 3 {
			s, difference := smaller(t, s, mistake{})
			t.Errorf("story %d of seed %d, made smaller:\n%s%s", i, seed, s, difference)
			keep(t, fmt.Sprintf("seed-%d-story-%d", seed, i), fmt.Sprintf("once differed:%s", strings.ReplaceAll(difference, "\n", "\n# ")), s)
		}
	}
	t.Logf("seen:\n%s", seen)
	t.Logf("%d requests, %d comparisons, %d mismatches", all.Requests, all.Comparisons, mismatches)
	if mismatches > 0 {
		t.Errorf("%d mismatches", mismatches)
	}
	for _, name := range wanted() {
		if requests >= 20000 && seen.counts[name] == 0 {
			t.Errorf("nothing was seen of %q", name)
		}
	}
}
