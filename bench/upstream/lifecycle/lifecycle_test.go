package lifecycle

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/berthsim/berth/bench/upstream/setting"
)

// timelines are as many as show all that is expected; again are played twice on upstream.
const timelines, again = 250, 40

// TestAgain plays upstream twice, which must do the same, and shows what there is to see: SEED=… and
// TIMELINES=… choose other timelines, and more of them.
func TestAgain(t *testing.T) {
	besideUpstream(t, Upstream(t), again)
}

// besideUpstream plays generated timelines on upstream's controllers and on another's, which must do the
// same at the same times. If there are enough of them, all that is expected must be seen.
func besideUpstream(t *testing.T, other Player, n int) {
	t.Helper()
	seed, n := setting.Int(t, "SEED", 1), setting.Int(t, "TIMELINES", n)
	tally := NewTally()
	trial := Trial{First: Upstream(t), Second: other, Seed: uint64(seed), Tries: 300, Tally: tally}
	list := trial.Run(n)
	for _, m := range list[:min(len(list), mostShown)] {
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

// mostShown is how many mismatches are shown.
const mostShown = 3

// TestLifecycle plays Berth: SEED=… and TIMELINES=… choose other timelines, and more of them.
func TestLifecycle(t *testing.T) { besideUpstream(t, Berth, timelines) }

// TestMutants plays Berth with settings that are a little wrong, which must show.
func TestMutants(t *testing.T) {
	mutants := map[string]func(*Settings){
		"grace shorter":           func(s *Settings) { s.Grace -= time.Second },
		"grace longer":            func(s *Settings) { s.Grace += time.Second },
		"startup shorter":         func(s *Settings) { s.Startup -= time.Second },
		"startup longer":          func(s *Settings) { s.Startup += time.Second },
		"period longer":           func(s *Settings) { s.Period += time.Millisecond },
		"grace, to be reached":    func(s *Settings) { s.Grace-- },
		"startup, to be reached":  func(s *Settings) { s.Startup-- },
		"rate lower":              func(s *Settings) { s.Rate *= 0.95 },
		"rate higher":             func(s *Settings) { s.Rate *= 1.05 },
		"secondary lower":         func(s *Settings) { s.Secondary *= 0.95 },
		"secondary higher":        func(s *Settings) { s.Secondary *= 1.05 },
		"large is larger":         func(s *Settings) { s.Large++ },
		"large is smaller":        func(s *Settings) { s.Large-- },
		"threshold, to be passed": func(s *Settings) { s.Threshold = math.Nextafter32(s.Threshold, 1) },
		"threshold lower":         func(s *Settings) { s.Threshold -= 0.05 },
		"threshold higher":        func(s *Settings) { s.Threshold += 0.05 },
		"threshold at half":       func(s *Settings) { s.Threshold = 0.5 },
	}
	right := map[uint64][]Observation{}
	for name, mutate := range mutants {
		wrong := func(tl *Timeline) []Observation {
			c := tl.Clone()
			mutate(&c.Settings)
			return Upstream(t)(c)
		}
		caught := slices.ContainsFunc(numbers(timelines)[1:], func(i uint64) bool {
			tl := Draw(1, i)
			if right[i] == nil {
				right[i] = Upstream(t)(tl)
			}
			return Compare(right[i], wrong(tl), 0) != ""
		})
		if !caught {
			t.Errorf("%s: %d timelines don't show it", name, timelines)
		}
	}
}

// TestShrink makes a timeline smaller that shows a wrong grace: a node and what happens to it are left.
func TestShrink(t *testing.T) {
	wrong := func(tl *Timeline) []Observation {
		c := tl.Clone()
		c.Settings.Grace -= time.Second
		return Upstream(t)(c)
	}
	trial := Trial{First: Upstream(t), Second: wrong}
	big := Draw(1, 1)
	if trial.differ(big) == "" {
		t.Fatal("the timeline doesn't show it")
	}
	small := Shrink(big, func(c *Timeline) bool { return trial.differ(c) != "" }, 500)
	if trial.differ(small) == "" || len(small.Nodes) != 1 || len(small.Pods) > 0 || len(small.Events) > 1 {
		t.Errorf("not small, or the same:\n%s", small)
	}
}

func numbers(n uint64) (list []uint64) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// TestReadWrite reads what String writes.
func TestReadWrite(t *testing.T) {
	for _, i := range numbers(timelines) {
		text := Draw(1, i).String()
		again, err := Read(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if again.String() != text {
			t.Fatalf("%s\nbecame\n%s", text, again)
		}
	}
}
