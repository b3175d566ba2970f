package model

import (
	"slices"
	"strconv"

	"github.com/berthsim/berth/internal/chance"
)

// A Distribution is one of numbers that aren't negative, of one of the families
// below. All parameters but those of its family are zero.
type Distribution struct {
	Family string `json:"family"`

	Value float64 `json:"value,omitempty"` // fixed

	Mu    float64 `json:"mu,omitempty"` // lognormal: mean and standard deviation of the logarithm
	Sigma float64 `json:"sigma,omitempty"`

	Shape float64 `json:"shape,omitempty"` // weibull
	Scale float64 `json:"scale,omitempty"`

	Short float64 `json:"short,omitempty"` // hyperexponential: means of the two, and how many are of the first
	Long  float64 `json:"long,omitempty"`
	Share float64 `json:"share,omitempty"`

	Points []Point `json:"points,omitempty"` // quantiles
	Tail   float64 `json:"tail,omitempty"`   // the Pareto index beyond the last point, if that isn't the end

	Zero float64 `json:"zero,omitempty"` // how many are 0: the family is that of the others
	Most float64 `json:"most,omitempty"` // none is above; 0 for no bound

	// How it was chosen: from how many numbers, and the Kolmogorov distance from
	// those that were held out.
	Sample   int64   `json:"sample,omitempty"`
	Distance float64 `json:"distance,omitempty"`
}

// The families of distributions.
const (
	Fixed            = "fixed"
	LogNormal        = "lognormal"
	Weibull          = "weibull"
	HyperExponential = "hyperexponential"
	Quantiles        = "quantiles"
)

// Families lists them, the simplest first.
var Families = []string{Fixed, LogNormal, Weibull, HyperExponential, Quantiles}

// A Point is a probability and the number that so many are at most.
type Point [2]float64

// leastProbability keeps away from 0 and 1, where some families have no number.
const leastProbability = 1e-12

// Quantile returns the number that is exceeded with probability 1-p: the inverse
// of the distribution function.
func (d *Distribution) Quantile(p float64) float64 {
	if p < d.Zero {
		return 0
	}
	if d.Zero > 0 {
		p = (p - d.Zero) / (1 - d.Zero)
	}
	p = min(max(p, leastProbability), 1-leastProbability)
	x := d.Value
	switch d.Family {
	case LogNormal:
		x = chance.Exp(min(d.Mu+float64(d.Sigma*chance.Score(p)), 600))
	case Weibull:
		x = float64(d.Scale * chance.Exp(min(chance.Ln(-chance.Ln(1-p))/d.Shape, 300)))
	case HyperExponential:
		x = d.hyperExponential(p)
	case Quantiles:
		x = d.between(p)
	}
	if d.Most > 0 {
		x = min(x, d.Most)
	}
	return x
}

// hyperExponential finds the quantile by halving an interval: there is no formula.
func (d *Distribution) hyperExponential(p float64) float64 {
	low, high := 0.0, float64(30*max(d.Short, d.Long))
	for range 60 {
		x := (low + high) / 2
		left := float64(d.Share*chance.Exp(max(-x/d.Short, -600))) + float64((1-d.Share)*chance.Exp(max(-x/d.Long, -600)))
		if left > 1-p {
			low = x
		} else {
			high = x
		}
	}
	return (low + high) / 2
}

// between goes from point to point: evenly on a logarithmic scale, since most of
// what is fitted spans many orders of magnitude, or evenly from a point that is 0.
func (d *Distribution) between(p float64) float64 {
	i, _ := slices.BinarySearchFunc(d.Points, p, func(at Point, p float64) int {
		if at[0] < p {
			return -1
		}
		return 1
	})
	if i == 0 {
		return d.Points[0][1]
	}
	if i == len(d.Points) {
		last := d.Points[i-1]
		if d.Tail == 0 {
			return last[1]
		}
		return float64(last[1] * chance.Exp(min(chance.Ln((1-last[0])/(1-p))/d.Tail, 300)))
	}
	a, b := d.Points[i-1], d.Points[i]
	part := (p - a[0]) / (b[0] - a[0])
	if a[1] <= 0 || a[1] == b[1] {
		return a[1] + float64(part*(b[1]-a[1]))
	}
	return float64(a[1] * chance.Exp(float64(part*chance.Ln(b[1]/a[1]))))
}

// meanSteps is into how many equal parts the probabilities are divided for a mean.
const meanSteps = 10_000

// Mean returns the mean: by the rule of midpoints, where Most makes a formula wrong.
func (d *Distribution) Mean() float64 {
	if d.Family == HyperExponential {
		return float64((1 - d.Zero) * (float64(d.Share*d.Short) + float64((1-d.Share)*d.Long)))
	}
	sum := 0.0
	for i := range meanSteps {
		sum += d.Quantile((float64(i) + 0.5) / meanSteps)
	}
	return sum / meanSteps
}

// round keeps six digits of a number, which leaves models short.
func round(x float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		panic("model: " + err.Error()) // what FormatFloat writes can be read
	}
	return short
}
