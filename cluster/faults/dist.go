package faults

import (
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

// A Family is a kind of distributions of times.
type Family uint8

// The families, with what Shape is in them.
const (
	Exponential Family = iota // not used
	Weibull                   // shape
	LogNormal                 // standard deviation of the logarithm
	Gamma                     // shape
	Fixed                     // not used
	Forever                   // not used, and neither is Time: it never ends
)

// families has what specs call a family and its parameters.
var families = []struct {
	name        string
	shape       string // "" if there is none
	least, most float64
	other       string // what may be given instead of the mean; "" for nothing
}{
	{name: "exp"},
	{"weibull", "shape", 0.1, 100, "scale"},
	{"lognormal", "sigma", 0, 5, "median"},
	{"gamma", "shape", 0.05, 100, "scale"},
	{name: "fixed"},
	{name: never},
}

const never = "never"

// A Dist is a distribution of times, as a spec has it:
//
//	30d                              exponential with that mean: exp(mean=30d)
//	weibull(shape=0.7,mean=30d)      or with scale=30d
//	lognormal(sigma=1.2,median=15m)  or with mean=15m; sigma is that of the natural logarithm
//	gamma(shape=0.4,mean=15m)        or with scale=15m
//	fixed(mean=15m)                  always that
//	never
type Dist struct {
	Family Family
	Shape  float64
	Time   cluster.Time // the mean, at least a Millisecond
	Other  bool         // Time is not the mean, but Weibull's and Gamma's scale, or LogNormal's median
}

// String returns d as specs have it.
func (d Dist) String() string {
	f := &families[d.Family]
	switch {
	case d.Family == Exponential:
		return FormatDuration(d.Time)
	case d.Family == Forever:
		return f.name
	}
	var opts []string
	if f.shape != "" {
		opts = append(opts, f.shape+"="+formatNumber(d.Shape))
	}
	key := "mean"
	if d.Other {
		key = f.other
	}
	return f.name + "(" + strings.Join(append(opts, key+"="+FormatDuration(d.Time)), ",") + ")"
}

// Valid reports whether d's shape is one that draws can be made with.
func (d Dist) Valid() bool {
	f := &families[d.Family]
	return f.shape == "" || d.Shape >= f.least && d.Shape <= f.most
}

// law returns the distribution in nanoseconds. Forever has none.
func (d Dist) law() chance.Distribution {
	t := float64(d.Time)
	switch d.Family {
	case Weibull:
		if !d.Other {
			t /= chance.Factorial(1 / d.Shape)
		}
		return chance.Weibull{Shape: d.Shape, Scale: t}
	case LogNormal:
		mu := chance.Ln(t)
		if !d.Other {
			mu -= float64(d.Shape*d.Shape) / 2
		}
		return chance.LogNormal{Mu: mu, Sigma: d.Shape}
	case Gamma:
		if !d.Other {
			t /= d.Shape
		}
		return chance.Gamma{Shape: d.Shape, Scale: t}
	case Fixed:
		return chance.Fixed(t)
	}
	return chance.Exponential(t)
}

// A clock draws times of a Dist.
type clock struct{ law chance.Distribution } // nil if it never strikes

func clockOf(d Dist) clock {
	if d.Family == Forever {
		return clock{}
	}
	return clock{d.law()}
}

// draw returns the time that d stands for, above 0.
func (c clock) draw(d cluster.Draw) cluster.Time {
	if c.law == nil {
		return cluster.Never
	}
	return drawn(c.law.Draw(d))
}

// first returns how long it takes until the first event, if events have been
// coming for ever: the cluster was there before the run.
func (c clock) first(d cluster.Draw) cluster.Time {
	if c.law == nil {
		return cluster.Never
	}
	return drawn(chance.Residual(c.law, d))
}

// leastMean bounds means and the like from below: a node that fails more often
// than that is no node, and a run would never end.
const leastMean = cluster.Millisecond

// dist takes the option called key, which must be a Dist.
func (o *options) dist(key string) (Dist, error) {
	e, ok := o.take(key)
	if !ok {
		return Dist{}, &Error{Problem: o.of + " has no " + key, Remedy: "write " + key + "=DURATION or " + key + "=DISTRIBUTION"}
	}
	if e.opts != nil {
		return parseDist(e)
	}
	if e.text == never {
		return Dist{Family: Forever}, nil
	}
	t, err := ParseDuration(e.text)
	if err != nil {
		return Dist{}, err
	}
	return Dist{Time: t}, checkMean(key, t)
}

func checkMean(key string, t cluster.Time) error {
	if t < leastMean {
		return &Error{Problem: key + " is below " + FormatDuration(leastMean), Remedy: "give a longer duration"}
	}
	return nil
}

// parseDist reads a distribution that has parameters.
func parseDist(e expr) (Dist, error) {
	var names []string
	for i := range families[:Forever] {
		f := &families[i]
		names = append(names, f.name)
		if f.name != e.text {
			continue
		}
		d := Dist{Family: Family(i)}
		var err error
		if f.shape != "" {
			if d.Shape, err = e.opts.number(f.shape, f.least, f.most); err != nil {
				return d, err
			}
		}
		key := "mean"
		if f.other != "" && e.opts.has(f.other) {
			d.Other, key = true, f.other
		}
		if d.Time, err = e.opts.duration(key); err != nil {
			return d, err
		}
		if err := checkMean(key, d.Time); err != nil {
			return d, err
		}
		return d, e.opts.rest()
	}
	return Dist{}, &Error{Problem: "there is no distribution " + quoted(e.text), Remedy: "write a duration, " + never + ", or one of " + strings.Join(names, ", ")}
}
