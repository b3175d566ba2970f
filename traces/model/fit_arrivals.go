package model

import (
	"cmp"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

const hour = 3600 * cluster.Second

// pull is how many weeks without news an hour's rate counts as, beside those that
// were recorded: with few weeks it stays near what day and time of day say.
const pull = 4.0

// fitArrivals fits when bursts begin to when they began, in order of time.
func fitArrivals(begins []cluster.Time, span cluster.Time) Arrivals {
	a := Arrivals{Days: round(max(span.Seconds()/86400, 1e-9))}
	counts := make([]float64, max(int(span/hour), 1)) // the last hour in full, if there is one
	for _, at := range begins {
		if h := int(at / hour); h < len(counts) {
			counts[h]++
		}
	}
	a.Week = fitWeek(counts)
	levels, mean := make([]float64, len(counts)), 0.0
	for h, n := range counts {
		if rate := a.Week[h%HoursOfWeek]; rate > 0 {
			levels[h] = n / rate
		}
		mean += levels[h] / float64(len(counts))
	}
	for h := range levels {
		if levels[h] = levels[h] / max(mean, 1e-9); mean == 0 {
			levels[h] = 1 // all came in the last hour, which isn't full
		}
	}
	a.Memory = fitMemory(levels)
	a.Level = fitLevels(levels)
	return a
}

// fitWeek returns the rate of each hour of the week, of mean 1.
func fitWeek(counts []float64) []float64 {
	total := 0.0
	for _, n := range counts {
		total += n
	}
	week := make([]float64, HoursOfWeek)
	mean := total / float64(len(counts))
	if mean == 0 {
		for h := range week {
			week[h] = 1
		}
		return week
	}
	rates := func(period, length int) []float64 { // of each part of a period, relative to the mean
		sums, hours := make([]float64, period), make([]float64, period)
		for h, n := range counts {
			sums[h/length%period] += n / mean
			hours[h/length%period]++
		}
		for i := range sums {
			part := pull * 24 // hours that count as the mean
			if length == 1 && period == 24 {
				part = pull
			}
			sums[i] = (sums[i] + part) / (hours[i] + part)
		}
		return sums
	}
	ofDay, ofWeek := rates(24, 1), rates(7, 24)
	sum := 0.0
	for h := range week {
		prior := float64(ofDay[h%24] * ofWeek[h/24])
		n, weeks := 0.0, 0.0
		for k := h; k < len(counts); k += HoursOfWeek {
			n += counts[k] / mean
			weeks++
		}
		week[h] = (n + float64(pull*prior)) / (weeks + pull)
		sum += week[h]
	}
	for h := range week {
		week[h] = round(week[h] * HoursOfWeek / sum)
	}
	return week
}

// levelGrid are the probabilities at which quantiles of levels are kept: the few
// busiest hours have much of what comes.
var levelGrid = []float64{
	0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8,
	0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.9975, 0.999, 1,
}

// fitLevels returns the distribution of levels by its quantiles.
func fitLevels(levels []float64) Distribution {
	sorted := slices.Sorted(slices.Values(levels))
	n := len(sorted)
	if sorted[0] == sorted[n-1] {
		return Distribution{Family: Fixed, Value: round(sorted[0]), Sample: int64(n)}
	}
	d := start(Quantiles, sorted, 0)
	d.Sample = int64(n)
	for _, p := range levelGrid {
		d.point(p, sorted[min(int(float64(p*float64(n))), n-1)])
	}
	return d
}

// lags are the hours over which the memory of levels is compared.
var lags = []int{1, 2, 3, 6, 12, 24, 48, 96, 168}

// fitMemory finds two parts whose correlations over lags are nearest, in squares, to
// those of the levels' normal scores, by trying.
func fitMemory(levels []float64) []Memory {
	seen := levelCorrelations(levels)
	best, least := []Memory{{1, 1}}, math.Inf(1)
	quick := []float64{0.2, 0.5, 1, 2, 4, 8, 16, 32}
	slow := []float64{12, 24, 48, 96, 192, 384, 768}
	for _, q := range quick {
		for _, s := range slow {
			for tenth := range 11 {
				share := float64(tenth) / 10
				sum := 0.0
				for i, c := range seen {
					lag := -float64(lags[i])
					d := c - float64(share*chance.Exp(lag/s)) - float64((1-share)*chance.Exp(lag/q))
					sum += float64(d * d)
				}
				if sum < least {
					least, best = sum, []Memory{{round(share), s}, {round(1 - share), q}}
				}
			}
		}
	}
	return best
}

// levelCorrelations returns the correlation of levels with those some hours later,
// by normal scores, over those of lags that are less than half of all hours.
func levelCorrelations(levels []float64) (seen []float64) {
	order := make([]int, len(levels))
	for h := range order {
		order[h] = h
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(levels[a], levels[b]), cmp.Compare(a, b)) })
	scores := make([]float64, len(levels))
	normalScores(order, scores, func(h int) float64 { return levels[h] })
	for _, lag := range lags {
		if 2*lag > len(levels) {
			break
		}
		var pairs []Point
		for h := lag; h < len(levels); h++ {
			pairs = append(pairs, Point{scores[h-lag], scores[h]})
		}
		seen = append(seen, correlation(pairs))
	}
	return seen
}
