package model

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// families are one of each, with what is known of its median and mean.
var families = []struct {
	d            Distribution
	median, mean float64
}{
	{Distribution{Family: Fixed, Value: 3}, 3, 3},
	{Distribution{Family: LogNormal, Mu: 2, Sigma: 0.5, Most: 1e9}, math.Exp(2), math.Exp(2.125)},
	{Distribution{Family: Weibull, Shape: 0.8, Scale: 10, Most: 1e9}, 10 * math.Pow(math.Ln2, 1/0.8), 10 * math.Gamma(1+1/0.8)},
	{Distribution{Family: HyperExponential, Short: 1, Long: 100, Share: 0.5, Most: 1e9}, 3.39872, 50.5},
	{Distribution{Family: HyperExponential, Short: 10, Long: 10, Share: 0.3, Most: 1e9}, 10 * math.Ln2, 10},
	{Distribution{Family: Quantiles, Points: []Point{{0, 1}, {0.5, 1}, {1, 100}}, Most: 100}, 1, 0.5 + 0.5*99/math.Log(100)},
	{Distribution{Family: Quantiles, Points: []Point{{0, 0}, {1, 10}}, Most: 10}, 5, 5},
	{Distribution{Family: Quantiles, Points: []Point{{0, 2}}, Tail: 3, Most: 1e9}, 2 * math.Cbrt(2), 3},
	{Distribution{Family: Fixed, Value: 8, Zero: 0.75}, 0, 2},
	{Distribution{Family: Fixed, Value: 8, Most: 4}, 4, 4},
}

func TestQuantile(t *testing.T) {
	for _, tt := range families {
		d := tt.d
		if got := d.Quantile(0.5); math.Abs(got-tt.median) > 1e-4*tt.median {
			t.Errorf("%+v: median %v, want %v", d, got, tt.median)
		}
		if got := d.Mean(); math.Abs(got/tt.mean-1) > 0.01 {
			t.Errorf("%+v: mean %v, want %v", d, got, tt.mean)
		}
		before := 0.0
		for i := range 2001 {
			x := d.Quantile(float64(i) / 2000)
			if !(x >= before) || math.IsInf(x, 0) || d.Most > 0 && x > d.Most {
				t.Fatalf("%+v: quantile %v is %v, after %v", d, float64(i)/2000, x, before)
			}
			before = x
		}
	}
}

// draws returns numbers of a distribution.
func draws(d Distribution, n int) (xs []float64) {
	draw := cluster.NewDraw(1, "test", d.Family)
	for i := range n {
		xs = append(xs, d.Quantile(draw.At(i).Float()))
	}
	return xs
}

// TestFitDistribution draws from each family, and wants a distribution like it back.
func TestFitDistribution(t *testing.T) {
	for _, d := range []Distribution{
		{Family: LogNormal, Mu: 6, Sigma: 1, Most: 1e9},
		{Family: Weibull, Shape: 0.6, Scale: 500, Most: 1e9},
		{Family: HyperExponential, Short: 5, Long: 2000, Share: 0.7, Most: 1e9},
		{Family: Quantiles, Points: []Point{{0, 1}, {0.3, 1}, {0.3001, 60}, {0.7, 61}, {0.9, 4000}, {1, 5000}}, Most: 5000},
	} {
		xs := draws(d, 20_000)
		got := fitDistribution(xs)
		if got.Family != d.Family {
			t.Errorf("a %s is taken for %s", d.Family, got.Family)
		}
		var all []weighted
		for _, x := range xs {
			all = one(all, x)
		}
		if distance := got.distanceFrom(sampleOf(all)); distance > 0.05 {
			t.Errorf("%s: the distance is %v", d.Family, distance)
		}
		near := func(name string, a, b, within float64) {
			if math.Abs(a-b) > within*math.Abs(b) {
				t.Errorf("%s: %s is %v, want %v", d.Family, name, a, b)
			}
		}
		near("mean", got.Mean(), d.Mean(), 0.06)
		near("mu", got.Mu, d.Mu, 0.02)
		near("sigma", got.Sigma, d.Sigma, 0.05)
		near("shape", got.Shape, d.Shape, 0.05)
		near("scale", got.Scale, d.Scale, 0.05)
		near("short", got.Short, d.Short, 0.1)
		near("long", got.Long, d.Long, 0.1)
		near("share", got.Share, d.Share, 0.05)
	}
}

// TestFitFew has what is too little to hold a part out, or all the same, or 0.
func TestFitFew(t *testing.T) {
	for _, xs := range [][]float64{{0}, {7}, {0, 0, 0}, {1, 2}, {5, 0, 0, 1e9}, make([]float64, 100), append(make([]float64, 200), 3, 4, 5)} {
		d := fitDistribution(xs)
		most := 0.0
		for _, x := range xs {
			most = max(most, x)
		}
		complain := func(path, problem, remedy string) error {
			t.Errorf("%v: %+v %s %s", xs, d, problem, remedy)
			return nil
		}
		_ = d.check(complain, "d")
		if x := d.Quantile(1); math.Abs(x-most) > 1e-3*most {
			t.Errorf("%v: the most is %v", xs, x)
		}
	}
}

func TestSample(t *testing.T) {
	a := sampleOf([]weighted{{3, 1}, {1, 2}, {2, 1}})
	if a.quantile(0.5) != 1 || a.quantile(0.75) != 2 || a.quantile(1) != 3 || a.mean() != 1.75 {
		t.Errorf("%v: %v %v %v, mean %v", a, a.quantile(0.5), a.quantile(0.75), a.quantile(1), a.mean())
	}
	b := sampleOf([]weighted{{1, 1}, {3, 1}})
	if d := a.distance(b); d != 0.25 || b.distance(a) != d || a.distance(a) != 0 {
		t.Errorf("distance %v", d)
	}
	if none := sampleOf(nil); none.distance(nil) != 0 || none.distance(a) != 1 || none.quantile(0.5) != 0 {
		t.Error("an empty sample")
	}
}
