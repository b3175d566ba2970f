package chance

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// A LogNormal is the distribution of numbers whose logarithms are normal.
type LogNormal struct {
	Mu    float64 // mean of the logarithm
	Sigma float64 // standard deviation of the logarithm
}

// Mean implements Distribution.
func (l LogNormal) Mean() float64 { return Exp(l.Mu + float64(l.Sigma*l.Sigma)/2) }

// Draw implements Distribution.
func (l LogNormal) Draw(d cluster.Draw) float64 { return Exp(l.Mu + float64(l.Sigma*normal(d))) }

// Biased implements Distribution: weighted by itself, the distribution is one
// whose logarithms are normal about a mean that is higher by the variance.
func (l LogNormal) Biased(d cluster.Draw) float64 {
	return Exp(l.Mu + float64(l.Sigma*(l.Sigma+normal(d))))
}

// normal returns the number from the standard normal distribution that d stands
// for, by the polar method (Marsaglia and Bray, SIAM Review 6(3), 1964).
func normal(d cluster.Draw) float64 {
	for i := 0; ; i += 2 {
		u := float64(2*d.At(i).Float()) - 1
		v := float64(2*d.At(i+1).Float()) - 1
		s := float64(u*u) + float64(v*v)
		if s > 0 && s < 1 { // π/4 of the time
			return float64(u * math.Sqrt(float64(-2*Ln(s))/s))
		}
	}
}

// An Exponential is the distribution of times between events of which none
// depends on another. The number is its mean.
type Exponential float64

// Mean implements Distribution.
func (e Exponential) Mean() float64 { return float64(e) }

// Draw implements Distribution.
func (e Exponential) Draw(d cluster.Draw) float64 { return float64(float64(e) * exponential(d)) }

// Biased implements Distribution.
func (e Exponential) Biased(d cluster.Draw) float64 {
	return float64(float64(e) * (exponential(d.At(0)) + exponential(d.At(1))))
}

// exponential returns the number from the exponential distribution of mean 1
// that d stands for. It is above 0.
func exponential(d cluster.Draw) float64 {
	return -Ln((float64(d>>12) + 0.5) / (1 << 52)) // of the middle of one of 2⁵² parts of (0, 1)
}
