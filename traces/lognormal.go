package traces

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// Package math promises results that are close, not that they are the same on
// every machine: some have Exp and Log in assembly, some fuse products and sums.
// Where a run time or a time of arrival comes of a logarithm, these do instead.
// They are made of operations that IEEE 754 rounds in one way only.

// A logNormal is the distribution of numbers whose logarithms are normal.
type logNormal struct {
	mu    float64 // mean of the logarithm
	sigma float64 // standard deviation of the logarithm
}

// mean returns the distribution's mean.
func (l logNormal) mean() float64 { return exp(l.mu + float64(l.sigma*l.sigma)/2) }

// draw returns the number from the distribution that d stands for.
func (l logNormal) draw(d cluster.Draw) float64 { return exp(l.mu + float64(l.sigma*normal(d))) }

// normal returns the number from the standard normal distribution that d stands
// for, by the polar method (Marsaglia and Bray, SIAM Review 6(3), 1964).
func normal(d cluster.Draw) float64 {
	for i := 0; ; i += 2 {
		u := float64(2*d.At(i).Float()) - 1
		v := float64(2*d.At(i+1).Float()) - 1
		s := float64(u*u) + float64(v*v)
		if s > 0 && s < 1 { // π/4 of the time
			return float64(u * math.Sqrt(float64(-2*ln(s))/s))
		}
	}
}

// exponential returns the number from the exponential distribution of mean 1
// that d stands for. It is above 0.
func exponential(d cluster.Draw) float64 {
	return -ln((float64(d>>12) + 0.5) / (1 << 52)) // of the middle of one of 2⁵² parts of (0, 1)
}

// ln returns the natural logarithm of x > 0, within a few units in the last
// place, except near 1, where the error is 1e-16.
func ln(x float64) float64 {
	f, e := math.Frexp(x) // x = f × 2ᵉ, f in [½, 1)
	if f < math.Sqrt2/2 {
		f, e = float64(2*f), e-1
	}
	// ln f = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …), |s| < 0.172
	s := (f - 1) / (f + 1)
	s2 := float64(s * s)
	sum := 0.0
	for k := 23; k >= 1; k -= 2 {
		sum = float64(sum*s2) + 1/float64(k)
	}
	return float64(2*float64(s*sum)) + float64(float64(e)*math.Ln2)
}

// exp returns e to the power of x, for |x| < 700, within a few units in the last
// place times x.
func exp(x float64) float64 {
	e := math.Floor(x/math.Ln2 + 0.5)
	r := x - float64(e*math.Ln2) // |r| < 0.35
	sum := 1.0
	for k := 16; k >= 1; k-- { // 1 + r/1 (1 + r/2 (1 + …
		sum = 1 + float64(sum*r)/float64(k)
	}
	return math.Ldexp(sum, int(e))
}
