package chance

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestFactorial(t *testing.T) {
	for x := 0.0; x <= 100; x += 0.125 {
		if got, want := Factorial(x), math.Gamma(x+1); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%v! = %v, want %v", x, got, want)
		}
	}
}

// draws is how many draws a test compares with a closed form; a share of them
// is then within 4.5 standard deviations of it, if it is within 0.005.
const draws = 200_000

// A quantile is a number with the share of draws below it.
type quantile struct{ x, below float64 }

// TestClosedForms compares means, quantiles and weighted means with formulas.
// The weighted mean is the mean of squares over the mean.
func TestClosedForms(t *testing.T) {
	weibull := func(k, s, x float64) float64 { return 1 - math.Exp(-math.Pow(x/s, k)) }
	phi := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	tests := []struct {
		name         string
		of           Distribution
		mean, biased float64
		quantiles    []quantile
	}{
		{"exponential", Exponential(3), 3, 6, []quantile{{0.3, 1 - math.Exp(-0.1)}, {3, 1 - math.Exp(-1)}, {9, 1 - math.Exp(-3)}}},
		{
			"Weibull, rarer and rarer", Weibull{0.7, 2}, 2 * math.Gamma(1+1/0.7), 2 * math.Gamma(1+2/0.7) / math.Gamma(1+1/0.7),
			[]quantile{{0.1, weibull(0.7, 2, 0.1)}, {2, weibull(0.7, 2, 2)}, {5, weibull(0.7, 2, 5)}},
		},
		{
			"Weibull, of age", Weibull{3, 2}, 2 * math.Gamma(1+1.0/3), 2 * math.Gamma(1+2.0/3) / math.Gamma(1+1.0/3),
			[]quantile{{1, weibull(3, 2, 1)}, {2, weibull(3, 2, 2)}},
		},
		{
			"log-normal", LogNormal{1, 0.8}, math.Exp(1 + 0.32), math.Exp(1 + 0.32 + 0.64),
			[]quantile{{1, phi(-1 / 0.8)}, {math.E, 0.5}, {10, phi((math.Log(10) - 1) / 0.8)}},
		},
		{"gamma of a half: the square of a normal", Gamma{0.5, 2}, 1, 3, []quantile{{0.01, 2*phi(0.1) - 1}, {1, 2*phi(1) - 1}, {4, 2*phi(2) - 1}}},
		{"gamma of 2", Gamma{2, 1}, 2, 3, []quantile{{1, 1 - 2*math.Exp(-1)}, {4, 1 - 5*math.Exp(-4)}}},
		{"fixed", Fixed(5), 5, 5, []quantile{{4.9, 0}, {5.1, 1}}},
	}
	for _, tt := range tests {
		d := cluster.NewDraw(1, "test", tt.name)
		sum, biased, residual := 0.0, 0.0, 0.0
		below := make([]int, len(tt.quantiles))
		for i := range draws {
			x := tt.of.Draw(d.At(i))
			sum += x
			biased += tt.of.Biased(d.At(i))
			residual += Residual(tt.of, d.At(i))
			for j, q := range tt.quantiles {
				if x < q.x {
					below[j]++
				}
			}
		}
		near := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got/want-1) > 0.02 {
				t.Errorf("%s: %s is %v, want %v", tt.name, what, got, want)
			}
		}
		near("Mean", tt.of.Mean(), tt.mean)
		near("the mean of draws", sum/draws, tt.mean)
		near("the mean of weighted draws", biased/draws, tt.biased)
		near("the mean rest", residual/draws, tt.biased/2)
		for j, q := range tt.quantiles {
			if got := float64(below[j]) / draws; math.Abs(got-q.below) > 0.005 {
				t.Errorf("%s: %v of draws are below %v, want %v", tt.name, got, q.x, q.below)
			}
		}
	}
}

// TestExtremes draws from distributions with the parameters at the ends of what
// makes sense: nothing may be negative or no number.
func TestExtremes(t *testing.T) {
	for _, of := range []Distribution{
		Weibull{0.1, 1}, Weibull{100, 1}, LogNormal{0, 5}, LogNormal{40, 0}, Gamma{0.05, 1}, Gamma{100, 1}, Exponential(1e18),
	} {
		for _, d := range []cluster.Draw{0, 1, math.MaxUint64, cluster.NewDraw(1, "", "")} {
			for _, x := range []float64{of.Draw(d), of.Biased(d), Residual(of, d)} {
				if !(x >= 0) || math.IsInf(x, 0) {
					t.Errorf("%#v draws %v", of, x)
				}
			}
		}
	}
}
