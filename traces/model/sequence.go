package model

import (
	"math"
	"slices"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

// A burst that has begun: what is left of it, and where it stands.
type burst struct {
	number int64   // of the burst, from 0
	at     float64 // s, when its next job comes
	next   int64   // number of that job, from 0 over all bursts
	left   int64   // jobs
	source int
	kind   int32   // of the job before; -1 before the first
	factor float64 // standard normal, which its jobs' run times have in common
}

// Before orders bursts by when their next jobs come.
func (b burst) Before(other burst) bool {
	if b.at != other.at {
		return b.at < other.at
	}
	return b.number < other.number
}

// mostOfBurst is more jobs than a burst has.
const mostOfBurst = 1_000_000

// begin draws a burst under a seed, whose first job has a number.
func (w *Workload) begin(seed, number, first int64) burst {
	d := cluster.NewDraw(seed, "model burst", strconv.FormatInt(number, 10))
	b := burst{number: number, next: first, kind: -1}
	b.source = below(w.sources, d.At(0))
	kind := &w.m.Bursts[w.m.Sources[b.source].Burst]
	b.left = int64(kind.size(d.At(1).Float()))
	b.factor = chance.Normal(d.At(2))
	return b
}

// below returns the place of what a draw stands for in a list of sums.
func below(upTo []int64, d cluster.Draw) int {
	k := int64(d.Below(int(upTo[len(upTo)-1])))
	i, _ := slices.BinarySearch(upTo, k+1)
	return i
}

// A job that comes.
type job struct {
	number int64
	kind   int32
	run    cluster.Time // cluster.Never if it doesn't end
}

// job draws the next job of a burst, and when the one behind it comes.
func (w *Workload) job(seed int64, b *burst) job {
	d := cluster.NewDraw(seed, "model job", strconv.FormatInt(b.next, 10))
	how := &w.m.Bursts[w.m.Sources[b.source].Burst]
	if b.kind < 0 || d.At(0).Float() >= how.Again {
		b.kind = w.kinds[b.source][below(w.upTo[b.source], d.At(1))]
	}
	j := job{number: b.next, kind: b.kind, run: cluster.Never}
	if run := w.m.Jobs[b.kind].Run; run >= 0 {
		z := float64(math.Sqrt(how.Alike)*b.factor) + float64(math.Sqrt(1-how.Alike)*chance.Normal(d.At(2)))
		j.run = ticked(w.m.Runs[run].Quantile(chance.Below(z)), w.m.RunTick)
	}
	b.next++
	if b.left--; b.left > 0 {
		b.at += how.Gap.Quantile(d.At(3).Float())
	}
	return j
}

// longest is more seconds than anything takes: five centuries, of which two fit in
// a Time.
const longest = 4e9

// ticked rounds seconds down to whole ticks.
func ticked(seconds, tick float64) cluster.Time {
	n := math.Floor(min(seconds, longest)/tick + 1e-6)
	return cluster.Time(n) * cluster.Time(float64(tick*1000)+0.5) * cluster.Millisecond
}

// A plan is how much of the sequence of bursts a run has: what is drawn doesn't
// depend on when it comes, so that a larger workload begins like a smaller one.
type plan struct {
	bursts int64
	cut    int64   // jobs of the last that don't come
	demand float64 // of all jobs, in what the load is of times seconds
}

// plan goes through bursts until there are enough pods, or they want enough.
func (w *Workload) plan(seed int64) plan {
	var p plan
	pods, jobs := int64(0), int64(0)
	wanted := math.Inf(1)
	if w.size.Load > 0 && w.size.Pods == 0 {
		wanted = float64(float64(float64(w.size.Load*w.total)*w.size.Days) * day)
	}
	most := w.size.Pods
	if most == 0 {
		most = MaxPods
	}
	for pods < most && p.demand < wanted {
		b := w.begin(seed, p.bursts, jobs)
		p.bursts++
		for b.left > 0 && pods < most && p.demand < wanted {
			j := w.job(seed, &b)
			jobs++
			pods += w.m.Jobs[j.kind].pods()
			if j.run != cluster.Never {
				p.demand += float64(w.each[j.kind] * j.run.Seconds())
			}
		}
		p.cut = b.left
	}
	return p
}
