package chance

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// Normal returns the number from the standard normal distribution that d stands for.
func Normal(d cluster.Draw) float64 { return normal(d) }

// Below returns how likely a number from the standard normal distribution is below
// z, with an error below 1e-14: Marsaglia's series, "Evaluating the Normal
// Distribution", Journal of Statistical Software 11(4), 2004. Beyond 8 it is 0 or 1.
func Below(z float64) float64 {
	if z < -8 {
		return 0
	}
	if z > 8 {
		return 1
	}
	const halfLn2Pi = 0.9189385332046727
	square := float64(z * z)
	sum, term := z, z
	for k := 3.0; sum+term != sum; k += 2 {
		term = float64(term*square) / k
		sum += term
	}
	return 0.5 + float64(sum*Exp(-square/2-halfLn2Pi))
}

// Coefficients of two rational approximations to the inverse of Below, by P. J.
// Acklam (2003): of numerator and denominator, in the middle and in the tails.
var (
	middleOver  = []float64{-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00}
	middleUnder = []float64{-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01, 1}
	tailOver    = []float64{-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00}
	tailUnder   = []float64{7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1}
)

// Score returns the number below which a standard normal one is with probability
// p, 0 < p < 1: the inverse of Below, with a relative error below 1.2e-9.
func Score(p float64) float64 {
	const tail = 0.02425
	switch {
	case p < tail:
		q := math.Sqrt(float64(-2 * Ln(p)))
		return polynomial(tailOver, q) / polynomial(tailUnder, q)
	case p > 1-tail:
		q := math.Sqrt(float64(-2 * Ln(1-p)))
		return -polynomial(tailOver, q) / polynomial(tailUnder, q)
	}
	q := p - 0.5
	r := float64(q * q)
	return float64(q*polynomial(middleOver, r)) / polynomial(middleUnder, r)
}

// polynomial returns the value at x, by Horner's rule, highest power first.
func polynomial(coefficients []float64, x float64) float64 {
	sum := 0.0
	for _, c := range coefficients {
		sum = float64(sum*x) + c
	}
	return sum
}
