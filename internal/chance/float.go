package chance

import "math"

// Package math promises results that are close, not that they are the same on
// every machine: some have Exp and Log in assembly, some fuse products and sums.
// What follows is made of operations that IEEE 754 rounds in one way only.

// Ln returns the natural logarithm of x > 0, within a few units in the last
// place, except near 1, where the error is 1e-16.
func Ln(x float64) float64 {
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

// Exp returns e to the power of x, for |x| < 700, within a few units in the last
// place times x.
func Exp(x float64) float64 {
	e := math.Floor(x/math.Ln2 + 0.5)
	r := x - float64(e*math.Ln2) // |r| < 0.35
	sum := 1.0
	for k := 16; k >= 1; k-- { // 1 + r/1 (1 + r/2 (1 + …
		sum = 1 + float64(sum*r)/float64(k)
	}
	return math.Ldexp(sum, int(e))
}

// Factorial returns x!, Euler's Γ(x+1), for 0 ≤ x ≤ 100, with a relative error
// below 1e-12.
func Factorial(x float64) float64 {
	z, product := x+1, 1.0
	for z < 20 { // Γ(z) = Γ(z+1) ÷ z, and Stirling's series is good from 20
		product = float64(product * z)
		z++
	}
	z2 := float64(z * z)
	series := 1.0 / 12
	series -= 1 / float64(360*z2)
	series += 1 / float64(1260*float64(z2*z2))
	const halfLn2Pi = 0.9189385332046727
	return Exp(float64((z-0.5)*Ln(z))-z+halfLn2Pi+series/z) / product
}
