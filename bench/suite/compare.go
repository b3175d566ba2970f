package suite

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// How far something may rise before it is a regression. Counts are exact but for the order
// of maps. Times are not: on a machine that others use, too, two runs of the same program
// differ by so much (docs/performance.md has figures), and a U test finds that significant.
// So it takes significance and more than that.
const (
	countRise = 0.015
	timeTold  = 0.15 // a change of time that is told, but may mean nothing
	timeRise  = 2.0

	leastWork   = 0.05 // of a counter, for a pod, that matters
	leastAllocs = 0.5  // for a pod
	leastSteps  = 50   // statements for a pod and 500 nodes: a fraction of a microsecond
)

// A Comparison is how a result differs from an earlier one.
type Comparison struct {
	With  string   `json:"with"`  // the earlier one's version
	Notes []string `json:"notes"` // what was not compared, and why
	Rows  []Row    `json:"rows"`
}

// A Row compares one figure.
type Row struct {
	Of     string  `json:"of"` // a case, or a plugin at a point
	Metric string  `json:"metric"`
	Old    float64 `json:"old"`
	New    float64 `json:"new"`
	// P is that of Mann and Whitney's U test, two-sided, of samples; nil for counts.
	P *float64 `json:"p,omitempty"`
	// Changed says that the difference means something, Worse that it is a regression.
	Changed bool `json:"changed"`
	Worse   bool `json:"worse"`
}

// Change returns the relative difference.
func (r *Row) Change() float64 {
	if r.Old == r.New {
		return 0
	}
	return r.New/r.Old - 1
}

// Regressions returns the rows that are worse.
func (c *Comparison) Regressions() []Row {
	return slices.DeleteFunc(slices.Clone(c.Rows), func(r Row) bool { return !r.Worse })
}

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// count compares exact figures. A difference of less than least doesn't matter.
func (c *Comparison) count(of, metric string, old, now, least float64) {
	changed := math.Abs(now-old) > max(countRise*old, least)
	c.Rows = append(c.Rows, Row{Of: of, Metric: metric, Old: old, New: now, Changed: changed, Worse: changed && now > old})
}

// counts compares figures that were counted several times and differ little: what is
// between the nearest of both sides is the difference.
func (c *Comparison) counts(of, metric string, old, now []float64, least float64) {
	switch {
	case slices.Min(now) > slices.Max(old):
		c.count(of, metric, slices.Max(old), slices.Min(now), least)
	case slices.Max(now) < slices.Min(old):
		c.count(of, metric, slices.Min(old), slices.Max(now), least)
	default:
		c.Rows = append(c.Rows, Row{Of: of, Metric: metric, Old: slices.Min(old), New: slices.Min(now)})
	}
}

// time compares samples. What is beside is only told of, and never a regression. Others are
// one if both the medians and the fastest say so.
func (c *Comparison) time(of, metric string, old, now []float64, beside bool) {
	a, b := sampleOf(old), sampleOf(now)
	p := benchmath.AssumeNothing.Compare(a, b).P
	r := Row{Of: of, Metric: metric, Old: median(old), New: median(now), P: &p}
	r.Changed = p < benchmath.DefaultThresholds.CompareAlpha && math.Abs(r.Change()) > timeTold
	r.Worse = r.Changed && !beside && min(r.Change(), slices.Min(now)/slices.Min(old)-1) > timeRise
	c.Rows = append(c.Rows, r)
}

// Compare compares a result with an earlier one: what both have.
func (r *Result) Compare(old *Result) *Comparison {
	c := &Comparison{With: old.Berth}
	sameMachine := r.Machine == old.Machine
	if !sameMachine {
		c.note("times are not compared: that was %s, this is %s", old.Machine, r.Machine)
	}
	for i := range r.Cases {
		now := &r.Cases[i]
		at := slices.IndexFunc(old.Cases, func(o CaseResult) bool { return o.Name == now.Name })
		if at < 0 {
			c.note("%s was not measured then", now.Name)
			continue
		}
		now.compare(&old.Cases[at], c, sameMachine)
	}
	for _, was := range old.Cases {
		if !slices.ContainsFunc(r.Cases, func(now CaseResult) bool { return now.Name == was.Name }) {
			c.note("%s is not measured now", was.Name)
		}
	}
	r.comparePlugins(old, c, sameMachine)
	return c
}

// String says what a machine is.
func (m Machine) String() string {
	return fmt.Sprintf("%s on %s, %d × %s", m.Go, m.System, m.Processors, m.CPU)
}

func (now *CaseResult) compare(old *CaseResult, c *Comparison, sameMachine bool) {
	for _, k := range Counters {
		c.count(now.Name, k.Name+"/pod", old.Work[k.Name], now.Work[k.Name], leastWork)
	}
	allocs := func(s Sample) float64 { return s.Allocs }
	c.count(now.Name, "allocs/pod", median(old.values(allocs)), median(now.values(allocs)), leastAllocs)
	if sameMachine {
		calibrated := func(s Sample) float64 { return s.Calibrated }
		c.time(now.Name, "time", old.values(calibrated), now.values(calibrated), false)
	}
}

// values returns a figure of each sample.
func (now *CaseResult) values(of func(Sample) float64) (values []float64) {
	for _, s := range now.Samples {
		values = append(values, of(s))
	}
	return values
}

// comparePlugins compares what plugins cost: by statements if they were counted, which
// only one compiler makes comparable, or else by time.
func (r *Result) comparePlugins(old *Result, c *Comparison, sameMachine bool) {
	counted := r.Uncounted == "" && old.Uncounted == "" && len(r.Plugins) > 0 && len(r.Plugins[0].Statements) > 0 && len(old.Plugins) > 0 && len(old.Plugins[0].Statements) > 0
	sameCode := r.Machine.Go == old.Machine.Go && r.Machine.System == old.Machine.System
	switch {
	case !counted:
		c.note("plugins are compared by time, which tells no less than %.0f %%: statements were not counted both times", 100*timeRise)
	case !sameCode:
		c.note("plugins' statements are not compared: other compilers were used")
	}
	for _, now := range r.Plugins {
		of := fmt.Sprintf("plugin %s at %s", now.Plugin, now.Point)
		at := slices.IndexFunc(old.Plugins, func(o Cost) bool { return o.Plugin == now.Plugin && o.Point == now.Point })
		if at < 0 {
			c.note("%s was not measured then", of)
			continue
		}
		was := old.Plugins[at]
		if counted && sameCode && len(was.Statements) > 0 && len(now.Statements) > 0 {
			c.counts(of, "statements", was.Statements, now.Statements, leastSteps)
		}
		if sameMachine {
			c.time(of, "time", was.Calibrated, now.Calibrated, counted && sameCode || tooShort(now, was))
		}
	}
}

// tooShort reports whether a plugin takes so little time that its place in memory decides
// how much.
func tooShort(a, b Cost) bool { return max(a.Nanoseconds, b.Nanoseconds) < 200 }
