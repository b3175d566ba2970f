package eviction

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// ParseDrift reads what pods use, as a Drift without its seed:
//
//	drift(base=0.8,spread=0.2,growth=0.05,leaky=0.01,leak=0.5,noise=0.1,period=5m)
//
// base, spread and noise are shares of the request, growth and leak such that are added in an
// hour, leaky is the share of pods that have a leak. Shares are taken to a thousandth. What is
// left out is 0, but for base, which is 1, and period, a minute.
func ParseDrift(text string) (Drift, error) {
	d := Drift{Base: 1000, Period: cluster.Minute}
	inner, ok := strings.CutPrefix(text, "drift(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !ok || !closed {
		return d, fmt.Errorf("usage is %q; write drift(base=0.8,growth=0.05), for example", text)
	}
	shares := map[string]*int64{"base": &d.Base, "spread": &d.Spread, "growth": &d.Growth, "leaky": &d.Leaky, "leak": &d.Leak, "noise": &d.Noise}
	var seen []string
	for _, option := range strings.FieldsFunc(inner, func(r rune) bool { return r == ',' }) {
		key, value, _ := strings.Cut(option, "=")
		if slices.Contains(seen, key) {
			return d, fmt.Errorf("usage says %s twice; say it once", key)
		}
		seen = append(seen, key)
		if err := setDrift(&d, shares[key], key, value); err != nil {
			return d, err
		}
	}
	return d, nil
}

// mostShare is the highest share, and the highest growth in an hour, that makes sense.
const mostShare = 100

func setDrift(d *Drift, share *int64, key, value string) error {
	if key == "period" {
		period, err := time.ParseDuration(value)
		if err != nil || period < time.Second || period > 24*time.Hour {
			return fmt.Errorf("usage's period is %q; give a duration from 1s to 24h", value)
		}
		d.Period = cluster.Time(period)
		return nil
	}
	if share == nil {
		return fmt.Errorf("usage has no %q; known: base, spread, growth, leaky, leak, noise, period", key)
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= 0 && f <= mostShare) {
		return fmt.Errorf("usage's %s is %q; give a number from 0 to %d, for example 0.8", key, value, mostShare)
	}
	*share = int64(math.Round(float64(f * 1000)))
	return nil
}
