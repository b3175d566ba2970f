package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Compare returns where two sorted lists part, with what went before; "" if they don't. With a tick
// greater than 0, times are the same if they fall in the same tick. Zones are compared if both
// lists have some.
func Compare(a, b []Observation, tick time.Duration) string {
	zones := slices.ContainsFunc(a, isZone) && slices.ContainsFunc(b, isZone)
	a, b = reduced(a, zones, tick), reduced(b, zones, tick)
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	if n == len(a) && n == len(b) {
		return ""
	}
	var text strings.Builder
	show := func(side string, list []Observation) {
		for _, o := range list {
			fmt.Fprintf(&text, "%-7s%s\n", side, o)
		}
	}
	show("", a[max(0, n-8):n])
	show("first", a[n:min(len(a), n+3)])
	show("second", b[n:min(len(b), n+3)])
	return text.String()
}

func isZone(o Observation) bool { return o.Kind == OfZone }

// reduced returns what is to be compared of a list.
func reduced(list []Observation, zones bool, tick time.Duration) (kept []Observation) {
	for _, o := range list {
		if isZone(o) && !zones {
			continue
		}
		if tick > 0 {
			o.At = o.At.Truncate(tick)
		}
		kept = append(kept, o)
	}
	Sort(kept)
	return kept
}

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
