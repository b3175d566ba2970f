package chance

import (
	"fmt"
	"hash/fnv"
	"math"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestLnExp(t *testing.T) {
	d := cluster.NewDraw(1, "test", "ln")
	for i := range 100_000 {
		u := d.At(i).Float()
		for _, x := range []float64{u + 1e-300, 1 - u/1024, 1 + u, 100 * u, 1e300 * u} {
			if x > 0 && math.Abs(Ln(x)-math.Log(x)) > 1e-15+2e-15*math.Abs(math.Log(x)) {
				t.Fatalf("Ln(%v) = %v, want %v", x, Ln(x), math.Log(x))
			}
		}
		for _, x := range []float64{u, -u, 40 * u, -40 * u} {
			if math.Abs(Exp(x)/math.Exp(x)-1) > 2e-14 {
				t.Fatalf("Exp(%v) = %v, want %v", x, Exp(x), math.Exp(x))
			}
		}
	}
	if Ln(1) != 0 || Exp(0) != 1 {
		t.Errorf("ln 1 = %v, exp 0 = %v", Ln(1), Exp(0))
	}
}

// TestExponentialEnds has the draws at the ends of their range.
func TestExponentialEnds(t *testing.T) {
	for _, d := range []cluster.Draw{0, math.MaxUint64} {
		if x := exponential(d); !(x > 0) || x > 40 {
			t.Errorf("exponential(%#x) = %v", uint64(d), x)
		}
	}
}

// TestSameOnEveryMachine has draws to the last bit: machines whose package math
// differs must give the same.
func TestSameOnEveryMachine(t *testing.T) {
	h := fnv.New64a()
	d := cluster.NewDraw(1, "test", "bits")
	for i := range 10_000 {
		fmt.Fprintf(h, "%x %x\n", runTimes.Draw(d.At(i)), exponential(d.At(i)))
	}
	if got, want := h.Sum64(), uint64(goldenDraws); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// runTimes are those of synthetic traces, in seconds.
var runTimes = LogNormal{Mu: 6.29156913955832, Sigma: 1.9502208743381726}

const goldenDraws = 0x90a669357ad7033a

// TestDistributions compares quantiles of many draws with those known.
func TestDistributions(t *testing.T) {
	const n = 200_000
	d := cluster.NewDraw(1, "test", "distributions")
	below := func(draw func(cluster.Draw) float64, x float64) float64 {
		count := 0
		for i := range n {
			if draw(d.At(i)) < x {
				count++
			}
		}
		return float64(count) / n
	}
	tests := []struct {
		name    string
		draw    func(cluster.Draw) float64
		x, want float64
	}{
		{"median run time", runTimes.Draw, 540, 0.5},
		{"90th percentile of run times", runTimes.Draw, 6574, 0.9},
		{"mean run time", runTimes.Draw, runTimes.Mean(), 0.8352},
		{"normal at -2", normal, -2, 0.02275},
		{"normal at 0", normal, 0, 0.5},
		{"normal at 1", normal, 1, 0.84134},
		{"exponential at 0.1", exponential, 0.1, 1 - math.Exp(-0.1)},
		{"exponential at 1", exponential, 1, 1 - math.Exp(-1)},
		{"exponential at 3", exponential, 3, 1 - math.Exp(-3)},
	}
	for _, tt := range tests {
		if got := below(tt.draw, tt.x); math.Abs(got-tt.want) > 0.004 {
			t.Errorf("%s: %v of draws are below %v, want %v", tt.name, got, tt.x, tt.want)
		}
	}
}
