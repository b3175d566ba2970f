package model

import (
	"math"
	"slices"

	"github.com/berthsim/berth/internal/chance"
)

// What a family must be better by, in Kolmogorov distance, to be taken instead of
// a simpler one.
const advantage = 0.01

// Fewest numbers of which a fifth is held out, and most that iterations go over.
const (
	fewest  = 25
	thinned = 4000
)

// A family is not taken whose mean is further from the recorded one than this part
// of it, unless it is the last, quantiles.
const meanWithin = 0.1

// fitDistribution fits every family to four of five numbers and takes the simplest
// whose Kolmogorov distance from the fifth is within 0.01 of the least, and whose
// mean is within a tenth of that of the four. That family is fitted to all. The
// numbers are in the order in which they came.
func fitDistribution(xs []float64) Distribution {
	var rest []float64
	var held []weighted
	for i, x := range xs {
		if i%5 == 4 && len(xs) >= fewest {
			held = one(held, x)
		} else {
			rest = append(rest, x)
		}
	}
	all := slices.Sorted(slices.Values(xs))
	if all[0] == all[len(all)-1] {
		return Distribution{Family: Fixed, Value: round(all[0]), Sample: int64(len(xs))}
	}
	if held == nil {
		d := fitQuantiles(all)
		d.Sample = int64(len(xs))
		return d
	}
	slices.Sort(rest)
	heldOut := sampleOf(held)
	families := []func([]float64) Distribution{fitLogNormal, fitWeibull, fitHyperExponential, fitQuantiles}
	distances := make([]float64, len(families))
	for i, fit := range families {
		d := fit(rest)
		distances[i] = d.distanceFrom(heldOut)
		if i < len(families)-1 && math.Abs(d.Mean()/meanOf(rest)-1) > meanWithin {
			distances[i] = math.Inf(1)
		}
	}
	simplest := slices.IndexFunc(distances, func(d float64) bool { return d <= slices.Min(distances)+advantage })
	d := families[simplest](all)
	d.Sample, d.Distance = int64(len(xs)), round(distances[simplest])
	return d
}

// distanceFrom returns the Kolmogorov distance from a sample, of as many quantiles
// as tell it to 0.0005.
func (d *Distribution) distanceFrom(held sample) float64 {
	const steps = 1000
	var drawn []weighted
	for i := range steps {
		drawn = one(drawn, d.Quantile((float64(i)+0.5)/steps))
	}
	return held.distance(sampleOf(drawn))
}

// positive splits numbers in order into those above 0, of which evenly spread ones
// are enough, and the share of zeros.
func positive(sorted []float64) (xs []float64, zero float64) {
	first, _ := slices.BinarySearchFunc(sorted, 0, func(x, _ float64) int {
		if x <= 0 {
			return -1
		}
		return 1
	})
	xs = sorted[first:]
	zero = float64(first) / float64(len(sorted))
	if len(xs) <= thinned {
		return xs, zero
	}
	thin := make([]float64, thinned)
	for i := range thin {
		thin[i] = xs[(2*i+1)*len(xs)/(2*thinned)]
	}
	return thin, zero
}

// start is a distribution of a family with what all families have.
func start(family string, sorted []float64, zero float64) Distribution {
	return Distribution{Family: family, Zero: round(min(zero, 0.999999)), Most: round(sorted[len(sorted)-1])}
}

func fitLogNormal(sorted []float64) Distribution {
	xs, zero := positive(sorted)
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		l := chance.Ln(x)
		sum += l
		squares += float64(l * l)
	}
	n := float64(max(len(xs), 1))
	mean := sum / n
	d := start(LogNormal, sorted, zero)
	d.Mu, d.Sigma = round(mean), round(math.Sqrt(max(squares/n-float64(mean*mean), 0)))
	return d
}

// fitWeibull finds the shape of the greatest likelihood by halving an interval.
func fitWeibull(sorted []float64) Distribution {
	xs, zero := positive(sorted)
	logs, mean := make([]float64, len(xs)), 0.0
	for i, x := range xs {
		logs[i] = chance.Ln(x)
		mean += logs[i] / float64(len(xs))
	}
	powers := func(shape float64) (sum, weighted float64) { // of x ÷ e to the mean, which keeps them in range
		for _, l := range logs {
			p := chance.Exp(min(float64(shape*(l-mean)), 300))
			sum += p
			weighted += float64(p * (l - mean))
		}
		return sum, weighted
	}
	low, high := 0.05, 20.0
	for range 40 {
		shape := (low + high) / 2
		if sum, weighted := powers(shape); weighted/sum > 1/shape {
			high = shape
		} else {
			low = shape
		}
	}
	shape := (low + high) / 2
	sum, _ := powers(shape)
	d := start(Weibull, sorted, zero)
	d.Shape = round(shape)
	d.Scale = round(max(chance.Exp(mean+chance.Ln(sum/float64(max(len(xs), 1)))/shape), 1e-9))
	return d
}

// fitHyperExponential fits two exponential distributions by expectation and
// maximisation (Asmussen, Nerman, Olsson, Scandinavian Journal of Statistics 23(4),
// 1996, for phases in parallel).
func fitHyperExponential(sorted []float64) Distribution {
	xs, zero := positive(sorted)
	d := start(HyperExponential, sorted, zero)
	short, long, share := meanOf(xs[:(len(xs)+1)/2]), meanOf(xs[len(xs)/2:]), 0.5
	for range 60 {
		var weight, first, second float64
		for _, x := range xs {
			a := float64(share / short * chance.Exp(max(-x/short, -600)))
			b := float64((1 - share) / long * chance.Exp(max(-x/long, -600)))
			if a+b == 0 {
				b = 1
			}
			w := a / (a + b)
			weight += w
			first += float64(w * x)
			second += float64((1 - w) * x)
		}
		n := float64(len(xs))
		if weight < 1e-9 || weight > n-1e-9 || first <= 0 || second <= 0 {
			break
		}
		share, short, long = weight/n, first/weight, second/(n-weight)
	}
	d.Short, d.Long, d.Share = round(max(short, 1e-9)), round(max(long, 1e-9)), round(share)
	return d
}

func meanOf(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return max(sum/float64(max(len(xs), 1)), 1e-9)
}

// gridOf are the probabilities at which quantiles are kept.
var gridOf = []float64{
	0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65,
	0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99,
}

// fitQuantiles keeps quantiles up to 0.99. Above, there is a Pareto tail whose index
// is that at which the mean of what is above is as it was: load comes of the mean.
func fitQuantiles(sorted []float64) Distribution {
	d := start(Quantiles, sorted, 0)
	n := len(sorted)
	for _, p := range gridOf {
		k := min(int(float64(p*float64(n))), n-1)
		d.point(p, sorted[k])
	}
	from := d.Points[len(d.Points)-1][1]
	above := meanOf(sorted[int(float64(0.99*float64(n))):])
	if from <= 0 || above <= from || d.Most <= from {
		d.point(1, d.Most)
		return d
	}
	low, high := 0.05, 1000.0
	for range 40 {
		if d.Tail = (low + high) / 2; d.tailMean() > above {
			low = d.Tail
		} else {
			high = d.Tail
		}
	}
	d.Tail = round((low + high) / 2)
	return d
}

// tailMean returns the mean of what is above the last point.
func (d *Distribution) tailMean() float64 {
	const steps = 500
	from, sum := d.Points[len(d.Points)-1][0], 0.0
	for i := range steps {
		sum += d.Quantile(from + float64((1-from)*((float64(i)+0.5)/steps)))
	}
	return sum / steps
}

// point adds a point. Of equal ones in a row, the first and the last are enough.
func (d *Distribution) point(p, x float64) {
	x = round(x)
	if k := len(d.Points); k > 1 && d.Points[k-1][1] == x && d.Points[k-2][1] == x {
		d.Points = d.Points[:k-1]
	}
	d.Points = append(d.Points, Point{p, x})
}
