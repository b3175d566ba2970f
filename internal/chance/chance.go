// Package chance has the distributions that times are drawn from: of run times,
// of arrivals, of failures. What is drawn depends on the Draw alone, to the last
// bit, on every machine.
package chance

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// A Distribution is one of numbers that aren't negative.
type Distribution interface {
	Mean() float64

	// Draw returns the number that d stands for.
	Draw(d cluster.Draw) float64

	// Biased returns the number that d stands for in the distribution weighted
	// by the numbers themselves: how long the interval is that a moment falls
	// into, since it falls into a long one the more easily.
	Biased(d cluster.Draw) float64
}

// Residual returns how long it takes from a moment that has nothing to do with
// the events to the next of them, where times between them are of a distribution:
// the equilibrium of renewal theory (Cox, Renewal Theory, 1962, section 5.2).
func Residual(of Distribution, d cluster.Draw) float64 {
	return float64(d.At(0).Float() * of.Biased(d.At(1)))
}

// A Weibull is the distribution that failures have which come the more rarely
// the longer there was none (Shape below 1), or the more often (above 1).
type Weibull struct{ Shape, Scale float64 }

// Mean implements Distribution.
func (w Weibull) Mean() float64 { return float64(w.Scale * Factorial(1/w.Shape)) }

// Draw implements Distribution.
func (w Weibull) Draw(d cluster.Draw) float64 { return float64(w.Scale * w.root(exponential(d))) }

// Biased implements Distribution: the Shape-th power of what is drawn, in
// scales, has a gamma distribution.
func (w Weibull) Biased(d cluster.Draw) float64 {
	return float64(w.Scale * w.root(gamma(1+1/w.Shape, d)))
}

func (w Weibull) root(x float64) float64 { return Exp(Ln(x) / w.Shape) }

// A Gamma is the distribution of sums of exponential times, Shape of them where
// that is a whole number.
type Gamma struct{ Shape, Scale float64 }

// Mean implements Distribution.
func (g Gamma) Mean() float64 { return float64(g.Shape * g.Scale) }

// Draw implements Distribution.
func (g Gamma) Draw(d cluster.Draw) float64 { return float64(g.Scale * gamma(g.Shape, d)) }

// Biased implements Distribution.
func (g Gamma) Biased(d cluster.Draw) float64 { return float64(g.Scale * gamma(g.Shape+1, d)) }

// gamma returns the number from the gamma distribution of scale 1 that d stands
// for (Marsaglia and Tsang, ACM TOMS 26(3), 2000).
func gamma(shape float64, d cluster.Draw) float64 {
	if shape < 1 {
		return float64(gamma(shape+1, d) * Exp(-exponential(d.At(-1))/shape))
	}
	a := shape - 1.0/3
	b := 1 / math.Sqrt(float64(9*a))
	for i := 0; ; i += 2 { // once in more than 95 % of cases
		x := normal(d.At(i))
		v := 1 + float64(b*x)
		v = float64(float64(v*v) * v)
		if v > 0 && -exponential(d.At(i+1)) < float64(x*x)/2+a-float64(a*v)+float64(a*Ln(v)) {
			return float64(a * v)
		}
	}
}

// A Fixed is the distribution of a number that is always the same.
type Fixed float64

// Mean implements Distribution.
func (f Fixed) Mean() float64 { return float64(f) }

// Draw implements Distribution.
func (f Fixed) Draw(cluster.Draw) float64 { return float64(f) }

// Biased implements Distribution.
func (f Fixed) Biased(cluster.Draw) float64 { return float64(f) }
