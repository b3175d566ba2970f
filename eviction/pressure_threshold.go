package eviction

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A Level is an amount of what a signal counts: so much, or a share of the capacity.
type Level struct {
	Quantity   int64   // bytes, inodes or process numbers; unless Relative
	Percentage float32 // of the capacity, 1 being all of it; if Relative
	Relative   bool
}

// Of returns the amount, given the capacity. A share is rounded towards 0 as upstream does, which
// holds percentages in 32 bits: 10% of a capacity can be a byte off what one would reckon by hand.
func (l Level) Of(capacity int64) int64 {
	if !l.Relative {
		return l.Quantity
	}
	amount := float64(float64(capacity) * float64(l.Percentage))
	if amount < math.MaxInt64 {
		return int64(amount)
	}
	return math.MaxInt64
}

// String returns the level as ParseThreshold reads it, percentages to 7 digits, which is what 32 bits
// hold.
func (l Level) String() string {
	if l.Relative {
		return strconv.FormatFloat(float64(float64(l.Percentage)*100), 'g', 7, 64) + "%"
	}
	return strconv.FormatInt(l.Quantity, 10)
}

// A Threshold is met while less is available than its level.
type Threshold struct {
	Signal
	Level
	Grace      cluster.Time // how long it must have been met before pods are evicted; 0 makes it a hard threshold
	MinReclaim Level        // once it has been met for Grace, it stays met until so much more than its level is available
}

// Hard reports whether pods are evicted as soon as the threshold is met. Upstream too goes by the
// grace period: a soft threshold with a grace period of 0 is a hard one.
func (t *Threshold) Hard() bool { return t.Grace == 0 }

// String returns the threshold in the kubelet's notation, such as memory.available<100Mi, without
// grace period and minimum reclaim.
func (t *Threshold) String() string { return t.Signal.String() + "<" + t.Level.String() }

// met reports whether the threshold is met by what was observed: as it is, or with the minimum
// reclaim on top.
func (t *Threshold) met(o *Observation, withMinReclaim bool) bool {
	if !o.Known {
		return false
	}
	level := t.Of(o.Capacity)
	if withMinReclaim {
		level = addCapped(level, t.MinReclaim.Of(o.Capacity))
	}
	return level > o.Available
}

// addCapped adds amounts that are not negative, up to what an int64 holds.
func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// ParseThreshold reads a threshold in the kubelet's notation, such as memory.available<100Mi or
// nodefs.available<10%. Like the kubelet, it takes 0% and 100% for "no threshold": ok is false then.
func ParseThreshold(text string) (t Threshold, ok bool, err error) {
	name, value, found := strings.Cut(text, "<")
	if !found {
		return Threshold{}, false, fmt.Errorf("%q is no threshold: it has no <, as in memory.available<100Mi", text)
	}
	return parseThreshold(Statement{strings.TrimSpace(name), strings.TrimSpace(value)})
}

func parseThreshold(s Statement) (t Threshold, ok bool, err error) {
	if t.Signal, err = ParseSignal(s.Signal); err != nil {
		return Threshold{}, false, err
	}
	if s.Value == "0%" || s.Value == "100%" {
		return Threshold{}, false, nil
	}
	t.Level, err = parseLevel(s.Value)
	switch {
	case err != nil:
		err = fmt.Errorf("threshold of %s: %w", s.Signal, err)
	case t.Relative && (t.Percentage < 0 || t.Percentage > 1):
		err = fmt.Errorf("threshold of %s is %s; it must be from 0%% to 100%%", s.Signal, s.Value)
	case !t.Relative && t.Quantity <= 0:
		err = fmt.Errorf("threshold of %s is %s; it must be more than 0", s.Signal, s.Value)
	default:
		return t, true, nil
	}
	return Threshold{}, false, err
}

// parseMinReclaim reads how much more than the threshold must become available.
func parseMinReclaim(s Statement) (Level, error) {
	l, err := parseLevel(s.Value)
	switch {
	case err != nil:
		return Level{}, fmt.Errorf("minimum reclaim of %s: %w", s.Signal, err)
	case l.Relative && l.Percentage <= 0:
		return Level{}, fmt.Errorf("minimum reclaim of %s is %s; a percentage must be more than 0", s.Signal, s.Value)
	case l.Quantity < 0:
		return Level{}, fmt.Errorf("minimum reclaim of %s is %s; it must not be negative", s.Signal, s.Value)
	}
	return l, nil
}

// parseLevel reads a quantity or a percentage. Upstream also takes NaN% and, as a minimum reclaim,
// Inf% for percentages, and then makes of them whatever the processor does; here they are errors.
func parseLevel(text string) (Level, error) {
	number, relative := strings.CutSuffix(text, "%")
	if !relative {
		q, err := parseQuantity(text)
		return Level{Quantity: q}, err
	}
	v, err := strconv.ParseFloat(strings.TrimRight(number, "%"), 32)
	var reason *strconv.NumError
	if errors.As(err, &reason) {
		return Level{}, fmt.Errorf("%q is no percentage: %w", text, reason.Err)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Level{}, fmt.Errorf("%q is no percentage", text)
	}
	return Level{Percentage: float32(v) / 100, Relative: true}, nil
}
