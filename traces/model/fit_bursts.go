package model

import (
	"cmp"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

// A job belongs to the burst of the source's job before if it comes within a minute
// of it, or within a tenth of the source's mean time between jobs, if that is less:
// of who always submits, not all is one burst.
const (
	longestGap = 60.0 // s
	gapShare   = 10
)

// Sources with so many bursts have a kind of burst of their own: those with the most
// jobs, up to so many.
const (
	ownBursts  = 50
	mostBursts = 16
)

// burstSample is what is known of a kind of burst.
type burstSample struct {
	sizes, gaps  []float64
	pairs, again int     // jobs that follow another in a burst, and such of the same kind
	chance       float64 // how many would be, if kinds were drawn anew, summed over pairs

	scores []Point // of run times, of such pairs
}

// fitBursts fills in m's sources and bursts, and returns when bursts began.
func (r *recording) fitBursts(m *Model, groups []int) []cluster.Time {
	limits, repeats := r.gapLimits()
	scores := r.runScores(groups)
	last, size := make([]int, r.sources), make([]float64, r.sources) // job before, from 1; and its burst's size
	m.Sources = make([]Source, r.sources)
	samples := make([]burstSample, r.sources)
	var begins []cluster.Time
	for i, j := range r.jobs {
		s := r.templates[j.template].source
		sample := &samples[s]
		if k := last[s] - 1; k >= 0 && (j.at-r.jobs[k].at).Seconds() <= limits[s] {
			before := &r.jobs[k]
			size[s]++
			sample.gaps = append(sample.gaps, (j.at - before.at).Seconds())
			sample.pairs++
			sample.chance += repeats[s]
			if before.template == j.template {
				sample.again++
			}
			if j.run >= 0 && before.run >= 0 {
				sample.scores = append(sample.scores, Point{scores[k], scores[i]})
			}
		} else {
			if size[s] > 0 {
				sample.sizes = append(sample.sizes, size[s])
			}
			size[s] = 1
			begins = append(begins, j.at-r.jobs[0].at)
		}
		last[s] = i + 1
	}
	jobs := make([]float64, r.sources)
	for s := range samples {
		samples[s].sizes = append(samples[s].sizes, size[s])
		for _, n := range samples[s].sizes {
			jobs[s] += n
		}
	}
	m.poolBursts(samples, jobs)
	return begins
}

// gapLimits returns for each source up to which time between jobs they are of one
// burst, in seconds, and how likely two of its jobs are of the same kind.
func (r *recording) gapLimits() (limits, repeats []float64) {
	jobs, repeats := make([]float64, r.sources), make([]float64, r.sources)
	for _, t := range r.templates {
		jobs[t.source] += float64(t.count)
	}
	for _, t := range r.templates {
		share := float64(t.count) / jobs[t.source]
		repeats[t.source] += float64(share * share)
	}
	limits = make([]float64, r.sources)
	for s := range limits {
		limits[s] = min(longestGap, r.span().Seconds()/jobs[s]/gapShare)
	}
	return limits, repeats
}

// runScores returns what the run time of each job would be if its group's were
// standard normal: by rank, the middle one of equal ones.
func (r *recording) runScores(groups []int) []float64 {
	scores := make([]float64, len(r.jobs))
	order := make([]int, 0, len(r.jobs))
	for i, j := range r.jobs {
		if j.run >= 0 {
			order = append(order, i)
		}
	}
	group := func(i int) int { return groups[r.jobs[i].template] }
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(group(a), group(b)), cmp.Compare(r.jobs[a].run, r.jobs[b].run), cmp.Compare(a, b))
	})
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && group(order[to]) == group(order[from]) {
			to++
		}
		normalScores(order[from:to], scores, func(i int) float64 { return r.jobs[i].run })
		from = to
	}
	return scores
}

// normalScores fills in the scores of what stands in an order of values.
func normalScores(order []int, scores []float64, value func(int) float64) {
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && value(order[to]) == value(order[from]) {
			to++
		}
		score := chance.Score((float64(from) + float64(to)) / 2 / float64(len(order)))
		for _, i := range order[from:to] {
			scores[i] = score
		}
		from = to
	}
}

// poolBursts makes kinds of bursts of what is known of each source's, and weighs the
// sources by their jobs.
func (m *Model) poolBursts(samples []burstSample, jobs []float64) {
	order := make([]int, len(samples))
	for s := range order {
		order[s] = s
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(jobs[b], jobs[a]) })
	var rest burstSample
	pooled := order[:0:0]
	for rank, s := range order {
		if rank < mostBursts && len(samples[s].sizes) >= ownBursts {
			m.Sources[s].Burst = len(m.Bursts)
			m.Bursts = append(m.Bursts, samples[s].burst())
			continue
		}
		pooled = append(pooled, s)
		x := &samples[s]
		rest.sizes, rest.gaps, rest.scores = append(rest.sizes, x.sizes...), append(rest.gaps, x.gaps...), append(rest.scores, x.scores...)
		rest.pairs, rest.again, rest.chance = rest.pairs+x.pairs, rest.again+x.again, rest.chance+x.chance
	}
	for _, s := range pooled {
		m.Sources[s].Burst = len(m.Bursts)
	}
	if len(pooled) > 0 {
		m.Bursts = append(m.Bursts, rest.burst())
	}
	for s := range m.Sources {
		mean := m.Bursts[m.Sources[s].Burst].jobs()
		m.Sources[s].Weight = max(int64(float64(1000*jobs[s])/mean+0.5), 1)
	}
}

// jobs is how many jobs bursts of the kind have on average.
func (b *Burst) jobs() float64 {
	sum := 0.0
	for i := range meanSteps {
		sum += b.size((float64(i) + 0.5) / meanSteps)
	}
	return sum / meanSteps
}

// size is how many jobs a burst has, at a probability.
func (b *Burst) size(p float64) float64 {
	return min(max(math.Floor(b.Size.Quantile(p)+0.5), 1), mostOfBurst)
}

// burst fits a kind of burst.
func (x *burstSample) burst() Burst {
	b := Burst{Size: fitQuantilesOf(x.sizes), Gap: Distribution{Family: Fixed}}
	if x.pairs == 0 {
		return b
	}
	b.Gap = fitQuantilesOf(x.gaps)
	expected, seen := x.chance/float64(x.pairs), float64(x.again)/float64(x.pairs)
	if expected < 1 {
		b.Again = round(max((seen-expected)/(1-expected), 0))
	}
	b.Alike = round(min(max(correlation(x.scores), 0), 0.99))
	return b
}

// fitQuantilesOf is fitQuantiles of numbers in any order, one number if all are equal.
func fitQuantilesOf(xs []float64) Distribution {
	sorted := slices.Sorted(slices.Values(xs))
	if sorted[0] == sorted[len(sorted)-1] {
		return Distribution{Family: Fixed, Value: round(sorted[0]), Sample: int64(len(xs))}
	}
	d := fitQuantiles(sorted)
	d.Sample = int64(len(xs))
	return d
}

// correlation returns Pearson's coefficient of pairs of numbers, 0 if there is none.
func correlation(pairs []Point) float64 {
	var a, b float64
	n := float64(max(len(pairs), 1))
	for _, p := range pairs {
		a += p[0] / n
		b += p[1] / n
	}
	var ab, aa, bb float64
	for _, p := range pairs {
		da, db := p[0]-a, p[1]-b
		ab += float64(da * db)
		aa += float64(da * da)
		bb += float64(db * db)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(float64(aa*bb))
}
