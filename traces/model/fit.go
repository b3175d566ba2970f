package model

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// Options of Fit.
type Options struct {
	Origin string // what is said of where the model is from
	Jobs   int    // kinds of jobs that are told apart, at most, beside one of each source; 0 for DefaultJobs
}

// DefaultJobs is how many kinds of jobs a model tells apart.
const DefaultJobs = 500

// Fit fits a model to a trace, whose events it reads twice. What keeps it from that
// is an *input.Error without a file.
func Fit(events func() Stream, o Options) (*Model, error) {
	r, err := gather(events)
	if err != nil {
		return nil, err
	}
	if err := r.fittable(); err != nil {
		return nil, err
	}
	if o.Jobs == 0 {
		o.Jobs = DefaultJobs
	}
	r.keep(o.Jobs)
	m := &Model{Origin: o.Origin, Nodes: r.nodes, Classes: r.classes}
	runs, groups := r.fitRuns()
	m.Runs, m.RunTick = runs, tickOf(r.jobs, func(j submission) float64 { return max(j.run, 0) })
	for i, t := range r.templates {
		m.Jobs = append(m.Jobs, Job{Count: t.count, Source: t.source, Owner: t.owner, Pods: t.parts, Run: groups[i]})
	}
	bursts := r.fitBursts(m, groups)
	m.Arrivals = fitArrivals(bursts, r.span())
	m.Arrivals.Tick = tickOf(r.jobs, func(j submission) float64 { return (j.at - r.jobs[0].at).Seconds() })
	return m, nil
}

// ticks are how finely recordings tell times, in seconds.
var ticks = []float64{60, 1, 0.001}

func isTick(x float64) bool { return slices.Contains(ticks, x) }

// tickOf returns the longest of ticks of which all times are whole ones, or the
// shortest if there is none.
func tickOf(jobs []submission, seconds func(submission) float64) float64 {
	for _, tick := range ticks[:2] {
		uneven := func(j submission) bool { return math.Mod(seconds(j), tick) != 0 }
		if !slices.ContainsFunc(jobs, uneven) {
			return tick
		}
	}
	return ticks[2]
}

// span is the time from the first arrival to the last.
func (r *recording) span() cluster.Time { return r.jobs[len(r.jobs)-1].at - r.jobs[0].at }

// fittable returns what a recording lacks that a model needs.
func (r *recording) fittable() error {
	switch {
	case len(r.nodes) == 0 || len(r.jobs) == 0:
		return &input.Error{Problem: "there are no nodes or no pods to fit a model to", Remedy: "give a trace that has both"}
	case !slices.ContainsFunc(r.jobs, func(j submission) bool { return j.run >= 0 }):
		return &input.Error{Problem: "no pod ends, so nothing says how long pods run", Remedy: "give a trace with times: of openb, mode=time"}
	case r.span() <= 0:
		return &input.Error{Problem: "all pods come at the same time, so nothing says how often they come", Remedy: "give a longer trace"}
	}
	return nil
}

// Groups of jobs whose run times are fitted together: a kind of jobs with so many
// of them has a distribution of its own, up to so many kinds; others share one by
// size, unless they are too few for that, too.
const (
	ownRuns    = 200
	mostOwn    = 24
	sharedRuns = 30
)

// fitRuns fits run times. It returns which of the distributions is each template's:
// -1 for those that don't end.
func (r *recording) fitRuns() (runs []Distribution, groups []int) {
	keys := r.runGroups()
	counts := map[int]int{}
	for _, j := range r.jobs {
		counts[keys[j.template]]++
	}
	for i, key := range keys {
		if key != never && counts[key] < sharedRuns {
			keys[i] = others
		}
	}
	at := map[int]int{never: -1}
	groups = make([]int, len(keys))
	var samples [][]float64
	for i, key := range keys {
		if _, ok := at[key]; !ok {
			at[key] = len(samples)
			samples = append(samples, nil)
		}
		groups[i] = at[key]
	}
	for _, j := range r.jobs {
		if g := groups[j.template]; g >= 0 {
			samples[g] = append(samples[g], j.run)
		}
	}
	for _, xs := range samples {
		runs = append(runs, fitDistribution(xs))
	}
	return runs, groups
}

// Numbers of groups beside those of templates, from 0, and of sizes, from -100 down.
const (
	never  = -1
	others = -2
)

// runGroups numbers the group of each template.
func (r *recording) runGroups() []int {
	var own []int
	for i, t := range r.templates {
		if t.count >= ownRuns && !t.forever {
			own = append(own, i)
		}
	}
	slices.SortStableFunc(own, func(a, b int) int { return int(min(max(r.templates[b].count-r.templates[a].count, -1), 1)) })
	own = own[:min(len(own), mostOwn)]
	keys := make([]int, len(r.templates))
	for i := range r.templates {
		switch t := &r.templates[i]; {
		case t.forever:
			keys[i] = never
		case slices.Contains(own, i):
			keys[i] = i
		default:
			keys[i] = -100 - r.magnitude(t)
		}
	}
	return keys
}

// magnitude is the power of two below what a job asks for: of GPUs' shares, or,
// from 50 up, of milli-CPUs where it asks for no GPU.
func (r *recording) magnitude(t *template) int {
	shares, cpu := int64(0), int64(0)
	for _, p := range t.parts {
		shares += int64(p.Count) * r.classes[p.Class].shares()
		cpu += int64(p.Count) * r.classes[p.Class].CPU
	}
	first := 0
	if shares == 0 {
		first, shares = 50, cpu
	}
	for ; shares > 1; shares /= 2 {
		first++
	}
	return first
}
