package lifecycle

import (
	"fmt"
	"time"
)

// A Mismatch is a timeline that two players live through differently.
type Mismatch struct {
	Number     uint64 // of the timeline among those of the seed
	Smallest   *Timeline
	Difference string // of the smallest
}

// String writes what to keep in testdata, and how the players differ.
func (m Mismatch) String() string {
	return fmt.Sprintf("timeline %d, made smaller:\n%s\n%s", m.Number, m.Smallest, m.Difference)
}

// A Trial holds one player against another on generated timelines.
type Trial struct {
	First, Second Player
	Tick          time.Duration // as Compare has it
	Seed          uint64
	Tries         int    // to make a mismatch smaller
	Tally         *Tally // of the first's observations, if it isn't nil
}

// Run plays timelines from number 0 on, and returns those that differ.
func (r Trial) Run(timelines int) (list []Mismatch) {
	for i := range uint64(timelines) {
		t := Draw(r.Seed, i)
		first := r.First(t)
		if r.Tally != nil {
			r.Tally.Add(t, first)
		}
		if Compare(first, r.Second(t), r.Tick) == "" {
			continue
		}
		small := Shrink(t, func(c *Timeline) bool { return r.differ(c) != "" && r.steady(c) }, r.Tries)
		list = append(list, Mismatch{i, small, r.differ(small)})
	}
	return list
}

func (r Trial) differ(t *Timeline) string { return Compare(r.First(t), r.Second(t), r.Tick) }

// steady reports whether the first player does the same again. Draw avoids what upstream does at random;
// what is left of a timeline need not.
func (r Trial) steady(t *Timeline) bool { return Compare(r.First(t), r.First(t), 0) == "" }
