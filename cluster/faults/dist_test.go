package faults

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestDistMeans compares the mean that a distribution has with the one that was
// asked for, and where something else was given, with the formula.
func TestDistMeans(t *testing.T) {
	const h = cluster.Hour
	tests := []struct {
		d    Dist
		want float64 // hours
	}{
		{Dist{Time: 3 * h}, 3},
		{Dist{Family: Weibull, Shape: 0.48, Time: 3 * h}, 3},
		{Dist{Family: Weibull, Shape: 0.48, Time: 3 * h, Other: true}, 3 * math.Gamma(1+1/0.48)},
		{Dist{Family: LogNormal, Shape: 1.2, Time: 3 * h}, 3},
		{Dist{Family: LogNormal, Shape: 1.2, Time: 3 * h, Other: true}, 3 * math.Exp(0.72)},
		{Dist{Family: Gamma, Shape: 0.35, Time: 3 * h}, 3},
		{Dist{Family: Gamma, Shape: 0.35, Time: 3 * h, Other: true}, 1.05},
		{Dist{Family: Fixed, Time: 3 * h}, 3},
	}
	for _, tt := range tests {
		if got := tt.d.law().Mean() / float64(h); math.Abs(got/tt.want-1) > 1e-9 {
			t.Errorf("%v has mean %v h, want %v h", tt.d, got, tt.want)
		}
	}
}

// TestDistMedians counts draws below the median that was given, or that follows.
func TestDistMedians(t *testing.T) {
	const n, h = 100_000, cluster.Hour
	for _, tt := range []struct {
		d    Dist
		want float64 // hours
	}{
		{Dist{Time: 3 * h}, 3 * math.Ln2},
		{Dist{Family: Weibull, Shape: 0.48, Time: 3 * h, Other: true}, 3 * math.Pow(math.Ln2, 1/0.48)},
		{Dist{Family: LogNormal, Shape: 1.2, Time: 3 * h, Other: true}, 3},
		{Dist{Family: LogNormal, Shape: 1.2, Time: 3 * h}, 3 * math.Exp(-0.72)},
		{Dist{Family: Gamma, Shape: 1, Time: 3 * h, Other: true}, 3 * math.Ln2},
	} {
		c, below := clockOf(tt.d), 0
		for i := range n {
			if c.draw(cluster.NewDraw(1, "test", "median").At(i)) < cluster.Time(tt.want*float64(h)) {
				below++
			}
		}
		if got := float64(below) / n; math.Abs(got-0.5) > 0.006 {
			t.Errorf("%v: %v of draws are below %v h", tt.d, got, tt.want)
		}
	}
}
