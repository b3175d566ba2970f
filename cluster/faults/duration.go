package faults

import (
	"math"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// day is the longest unit of durations. Months and years have no fixed length.
const day = 24 * cluster.Hour

var units = []struct {
	name string
	time cluster.Time
}{
	{"d", day}, {"h", cluster.Hour}, {"m", cluster.Minute}, {"s", cluster.Second},
	{"ms", cluster.Millisecond}, {"us", 1000}, {"ns", 1},
}

// ParseDuration reads a duration such as 30d, 1h30m or 500ms: whole numbers,
// each with its unit, the longer units first. Fractions are not taken, so that
// what is written is what is meant to the nanosecond.
func ParseDuration(text string) (cluster.Time, error) {
	total, rest := cluster.Time(0), text
	for _, u := range units {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		after, ok := strings.CutPrefix(rest[digits:], u.name)
		if digits == 0 || !ok || u.name == "m" && strings.HasPrefix(after, "s") {
			continue
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil || n > int64((cluster.Never-1-total)/u.time) {
			return 0, &Error{Problem: "the duration " + quoted(text) + " is longer than 292 years", Remedy: "give a shorter one"}
		}
		total, rest = total+cluster.Time(n)*u.time, after
	}
	if text == "" || rest != "" {
		return 0, &Error{
			Problem: quoted(text) + " is no duration",
			Remedy:  "write whole numbers of d, h, m, s, ms, us, ns, the longest first, such as 1h30m",
		}
	}
	return total, nil
}

// FormatDuration writes a duration that isn't negative so that ParseDuration
// reads it back.
func FormatDuration(t cluster.Time) string {
	if t == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range units {
		if t >= u.time {
			b.WriteString(strconv.FormatInt(int64(t/u.time), 10) + u.name)
			t %= u.time
		}
	}
	return b.String()
}

// later returns the time so much after t, Never if there is none.
func later(t, after cluster.Time) cluster.Time {
	if after >= cluster.Never-t {
		return cluster.Never
	}
	return t + after
}

// drawn rounds a time that was drawn, in nanoseconds, to one that is above 0,
// Never if it is longer than any.
func drawn(ns float64) cluster.Time {
	if ns >= math.MaxInt64 {
		return cluster.Never
	}
	return max(1, cluster.Time(math.Floor(ns+0.5)))
}
