package chance

import (
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestBelow(t *testing.T) {
	for z := -9.0; z <= 9; z += 0.01 {
		if got, want := Below(z), math.Erfc(-z/math.Sqrt2)/2; math.Abs(got-want) > 1e-14 {
			t.Fatalf("Below(%v) = %v, want %v", z, got, want)
		}
	}
	if Below(math.Inf(-1)) != 0 || Below(math.Inf(1)) != 1 {
		t.Error("not 0 and 1 at the ends")
	}
}

// TestScore checks that Score and Below are inverse to each other, tails and the
// seams between approximations included.
func TestScore(t *testing.T) {
	d := cluster.NewDraw(1, "test", "score")
	ps := []float64{1e-12, 1e-6, 0.02424999, 0.02425, 0.02425001, 0.5, 0.97574999, 0.97575, 0.97575001, 1 - 1e-6}
	for i := range 10_000 {
		if p := d.At(i).Float(); p > 0 {
			ps = append(ps, p)
		}
	}
	for _, p := range ps {
		if got := Below(Score(p)); math.Abs(got-p) > 1e-7*min(p, 1-p)+1e-14 {
			t.Fatalf("Below(Score(%v)) = %v", p, got)
		}
	}
	if z := Score(0.975); math.Abs(z-1.959963984540054) > 1e-8 {
		t.Errorf("Score(0.975) = %v", z)
	}
}
