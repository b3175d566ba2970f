package bench

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
)

// Summarise describes each metric over the runs of each Point: points in the
// order in which runs first name them, metrics in the order of Metrics. A run
// that lacks a metric does not count towards its N, and a metric that all
// runs of a Point lack is left out.
//
// Values are summed in the order of their seeds, so that the order in which
// runs ended does not show in the last digit.
func Summarise(runs []Run) []Summary {
	var out []Summary
	for _, g := range byPoint(runs) {
		for _, m := range Metrics {
			xs := g.values(m.Name)
			if len(xs) == 0 {
				continue
			}
			mean, sd := meanSD(xs)
			out = append(out, Summary{
				Point: g.Point, Metric: m.Name, Unit: m.Unit, N: len(xs),
				Mean: mean, SD: sd, CI95: interval95(len(xs), mean, sd),
			})
		}
	}
	return out
}

// Differences compares each Point with the one that differs from it in
// nothing but its policy, which is baseline. Pairing by seed takes out what
// both policies owe to the luck of the draw: the same order of pods, the same
// sample, the same faults. Seeds and metrics that only one of the two has are
// left out, and so are points without a baseline.
//
// An unseeded run (Run.Unseeded) stands for every seed: it is paired with
// each run of the other policy. The test is then that of one sample against a
// constant, which is what a policy that no seed changes amounts to.
//
// Where all differences are equal, or differ by rounding alone, a t test has
// nothing to divide by: P is absent and the interval is [d, d].
func Differences(runs []Run, baseline string) []Difference {
	groups := byPoint(runs)
	var out []Difference
	for _, g := range groups {
		base := g.Point
		base.Policy = baseline
		i := slices.IndexFunc(groups, func(o pointRuns) bool { return o.Point == base })
		if g.Policy == baseline || i < 0 {
			continue
		}
		for _, m := range Metrics {
			if d, ok := difference(g, groups[i], m); ok {
				out = append(out, d)
			}
		}
	}
	return out
}

// difference compares one metric of g with that of base; false if no pair of
// runs has it.
func difference(g, base pointRuns, m Metric) (Difference, bool) {
	d := Difference{Point: g.Point, Baseline: base.Policy, Metric: m.Name, Unit: m.Unit}
	xs, ys := pairs(g, base, m.Name)
	if len(xs) == 0 {
		return d, false
	}
	diffs := make([]float64, len(xs))
	largest := 0.0
	for i := range xs {
		diffs[i] = xs[i] - ys[i]
		largest = max(largest, math.Abs(xs[i]), math.Abs(ys[i]))
	}
	mean, sd := meanSD(diffs)
	if sd <= largest*1e-12 {
		sd = 0 // 0.3-0.2 is not 0.2-0.1 in binary; that is no variation
	}
	d.N, d.Mean, d.CI95 = len(diffs), mean, interval95(len(diffs), mean, sd)
	if sd > 0 {
		p := pairedP(len(diffs), mean, sd)
		d.P = &p
	}
	return d, true
}

// pairs returns the values of a metric in the runs of a and b that belong
// together, in the order of their seeds.
func pairs(a, b pointRuns, metric string) (xs, ys []float64) {
	add := func(ra, rb Run) {
		x, okX := ra.Metrics[metric]
		y, okY := rb.Metrics[metric]
		if okX && okY {
			xs, ys = append(xs, x), append(ys, y)
		}
	}
	switch {
	case a.runs[0].Unseeded:
		for _, rb := range b.runs {
			add(a.runs[0], rb)
		}
	case b.runs[0].Unseeded:
		for _, ra := range a.runs {
			add(ra, b.runs[0])
		}
	default:
		bySeed := make(map[int64]Run, len(b.runs))
		for _, rb := range b.runs {
			bySeed[rb.Seed] = rb
		}
		for _, ra := range a.runs {
			add(ra, bySeed[ra.Seed]) // a run that isn't there has no metrics
		}
	}
	return xs, ys
}

// pointRuns are the runs of one Point, by ascending seed.
type pointRuns struct {
	Point
	runs []Run
}

// byPoint groups runs, points in the order in which they first appear.
func byPoint(runs []Run) []pointRuns {
	var groups []pointRuns
	index := map[Point]int{}
	for _, r := range runs {
		i, known := index[r.Point]
		if !known {
			i = len(groups)
			index[r.Point] = i
			groups = append(groups, pointRuns{Point: r.Point})
		}
		groups[i].runs = append(groups[i].runs, r)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.runs, func(a, b Run) int { return cmp.Compare(a.Seed, b.Seed) })
	}
	return groups
}

// values returns a metric of those runs that have it.
func (g pointRuns) values(metric string) []float64 {
	var xs []float64
	for _, r := range g.runs {
		if x, ok := r.Metrics[metric]; ok {
			xs = append(xs, x)
		}
	}
	return xs
}

// meanSD returns the mean and the sample standard deviation (n-1 in the
// denominator; 0 for one value) of at least one value.
//
// gonum's stat.MeanStdDev would do, but it sums in vector registers on some
// processors and one by one on others, and the last digit tells which. Taking
// distances from the first value makes equal values give exactly 0.
func meanSD(xs []float64) (mean, sd float64) {
	n := float64(len(xs))
	sum := 0.0
	for _, x := range xs {
		sum += x - xs[0]
	}
	mean = xs[0] + sum/n
	if len(xs) == 1 {
		return mean, 0
	}
	squares := 0.0
	for _, x := range xs {
		d := x - mean
		squares += float64(d * d)
	}
	return mean, math.Sqrt(squares / (n - 1))
}

// interval95 is Student's t interval of the mean of n values with sample
// standard deviation sd; nil for one value.
func interval95(n int, mean, sd float64) *[2]float64 {
	if n < 2 {
		return nil
	}
	half := float64(tCritical95(n-1)*sd) / math.Sqrt(float64(n))
	return &[2]float64{mean - half, mean + half}
}

// tCritical95 is the 97.5 % quantile of Student's t distribution, to six
// decimals: its series comes out different in the fifteenth digit where the
// processor fuses multiplications and additions, and results must not.
func tCritical95(degrees int) float64 {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(degrees)}.Quantile(0.975)
	return math.Round(t*1e6) / 1e6
}

// pairedP is the two-sided p-value of a paired t test on n ≥ 2 differences
// with sample standard deviation sd > 0, to six significant digits (see
// tCritical95).
func pairedP(n int, mean, sd float64) float64 {
	t := math.Abs(mean) / (sd / math.Sqrt(float64(n)))
	p := 2 * distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.CDF(-t)
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(p, 'e', 5, 64), 64)
	if err != nil {
		panic(err) // FormatFloat writes what ParseFloat reads
	}
	return rounded
}
