package bench

import (
	"math"
	"reflect"
	"slices"
	"testing"
)

// statRuns makes one run a value, with seeds 1, 2, 3, …, of a metric.
func statRuns(policy, metric string, values ...float64) []Run {
	var runs []Run
	for i, v := range values {
		runs = append(runs, Run{
			Point: Point{Trace: "t", Policy: policy}, Seed: int64(i + 1),
			Metrics: map[string]float64{metric: v},
		})
	}
	return runs
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// The values are those of the t tables at the back of any statistics book.
func TestTCriticalAgainstTables(t *testing.T) {
	for degrees, want := range map[int]float64{
		1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 19: 2.093, 29: 2.045, 60: 2.000, 120: 1.980, 100000: 1.960,
	} {
		near(t, "t", tCritical95(degrees), want, 0.0005)
	}
}

func TestSummariseByHand(t *testing.T) {
	got := Summarise(statRuns("p", "pods_placed", 1, 2, 3, 4, 5))
	if len(got) != 1 || got[0].N != 5 || got[0].Metric != "pods_placed" || got[0].CI95 == nil {
		t.Fatalf("got %+v", got)
	}
	// Squares of distances sum to 10, sd = sqrt(10/4); 2.776445·sd/sqrt(5) = 1.963243.
	near(t, "mean", got[0].Mean, 3, 0)
	near(t, "sd", got[0].SD, math.Sqrt(2.5), 1e-15)
	near(t, "lower", got[0].CI95[0], 3-1.963243, 1e-6)
	near(t, "upper", got[0].CI95[1], 3+1.963243, 1e-6)
}

func TestSummariseOneAndEqualValues(t *testing.T) {
	one := Summarise(statRuns("p", "wait_p50", 0.1))
	if len(one) != 1 || one[0].N != 1 || one[0].CI95 != nil || one[0].SD != 0 || one[0].Unit != "s" {
		t.Errorf("one value: %+v", one)
	}
	// 0.1+0.1+0.1 is not 0.3 in binary, yet equal values have no spread.
	equal := Summarise(statRuns("p", "wait_p50", 0.1, 0.1, 0.1))
	if equal[0].Mean != 0.1 || equal[0].SD != 0 || *equal[0].CI95 != [2]float64{0.1, 0.1} {
		t.Errorf("equal values: %+v", equal)
	}
}

func TestSummariseOrderAndMissingMetrics(t *testing.T) {
	runs := append(statRuns("b", "wait_p99", 1, 2, 3), statRuns("a", "wait_p99", 4)...)
	runs[1].Metrics["gpu_allocated_pct_at_100"] = 90
	runs[2].Metrics["unheard_of"] = 1
	var got []string
	for _, s := range Summarise(runs) {
		got = append(got, s.Policy+" "+s.Metric+" "+string(rune('0'+s.N)))
	}
	want := []string{"b gpu_allocated_pct_at_100 1", "b wait_p99 3", "a wait_p99 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The order in which parallel runs ended must not reach the last digit.
func TestSummariseIgnoresOrderOfRuns(t *testing.T) {
	runs := append(statRuns("a", "wait_mean", 0.1, 1e9, 0.7, -1e9, 0.3), statRuns("b", "wait_mean", 1, 5, 7, 9, 4)...)
	want, wantDiff := Summarise(runs), Differences(runs, "a")
	slices.Reverse(runs[:5])
	runs[5], runs[9], runs[6] = runs[9], runs[6], runs[5]
	if got := Summarise(runs); !reflect.DeepEqual(got, want) {
		t.Errorf("summaries differ with the order of runs:\n%+v\n%+v", got, want)
	}
	if got := Differences(runs, "a"); !reflect.DeepEqual(got, wantDiff) {
		t.Errorf("differences differ with the order of runs:\n%+v\n%+v", got, wantDiff)
	}
}

// Student's own sleep data (Biometrika 6, 1908), for which R's
// t.test(paired = TRUE) gives t = -4.0621, df = 9, p = 0.002833 and the
// interval -2.4598858 … -0.7001142.
func TestDifferencesSleepData(t *testing.T) {
	runs := append(
		statRuns("first", "wait_mean", 0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
		statRuns("second", "wait_mean", 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)...)
	got := Differences(runs, "second")
	if len(got) != 1 || got[0].P == nil || got[0].CI95 == nil {
		t.Fatalf("got %+v", got)
	}
	d := got[0]
	if d.Policy != "first" || d.Baseline != "second" || d.N != 10 || d.Unit != "s" {
		t.Errorf("got %+v", d)
	}
	near(t, "mean", d.Mean, -1.58, 1e-12)
	near(t, "p", *d.P, 0.002833, 5e-7)
	near(t, "lower", d.CI95[0], -2.4598858, 1e-6)
	near(t, "upper", d.CI95[1], -0.7001142, 1e-6)
}

func TestDifferencesThatDoNotVary(t *testing.T) {
	// In binary 0.3-0.2, 0.2-0.1 and 0.6-0.5 are three different numbers.
	runs := append(statRuns("a", "wait_mean", 0.3, 0.2, 0.6), statRuns("b", "wait_mean", 0.2, 0.1, 0.5)...)
	d := Differences(runs, "b")[0]
	if d.P != nil || d.CI95 == nil || *d.CI95 != [2]float64{d.Mean, d.Mean} {
		t.Errorf("got %+v with interval %v, want no p and a degenerate interval", d, d.CI95)
	}
	near(t, "mean", d.Mean, 0.1, 1e-15)

	one := Differences(append(statRuns("a", "wait_mean", 3), statRuns("b", "wait_mean", 1)...), "b")[0]
	if one.N != 1 || one.Mean != 2 || one.CI95 != nil || one.P != nil {
		t.Errorf("one pair: %+v", one)
	}
}

func TestDifferencesPairBySeed(t *testing.T) {
	a, b := statRuns("a", "wait_mean", 10, 20, 30, 40), statRuns("b", "wait_mean", 1, 2, 3, 4)
	runs := slices.Concat(a[1:], b[:3]) // seeds 2 and 3 in both
	d := Differences(runs, "b")
	if len(d) != 1 || d[0].N != 2 || d[0].Mean != 22.5 {
		t.Errorf("got %+v, want the mean of 18 and 27", d)
	}
	if got := Differences([]Run{a[0], b[2]}, "b"); len(got) != 0 {
		t.Errorf("no seed in common, got %+v", got)
	}
	if got := Differences(a, "b"); len(got) != 0 {
		t.Errorf("no baseline, got %+v", got)
	}
}

func TestDifferencesStayWithinAPoint(t *testing.T) {
	runs := append(statRuns("a", "wait_mean", 10), statRuns("b", "wait_mean", 1)...)
	other := append(statRuns("a", "wait_mean", 50), statRuns("b", "wait_mean", 20)...)
	for i := range other {
		other[i].Faults = "rack"
	}
	got := Differences(append(runs, other...), "b")
	if len(got) != 2 || got[0].Mean != 9 || got[0].Faults != "" || got[1].Mean != 30 || got[1].Faults != "rack" {
		t.Errorf("got %+v", got)
	}
}

func TestDifferencesWithAnUnseededRun(t *testing.T) {
	many, one := statRuns("many", "wait_mean", 5, 6, 7), statRuns("one", "wait_mean", 4)
	// One run of a seeded policy is one pair: the rest may not have run yet.
	if d := Differences(append(slices.Clone(many), one...), "one")[0]; d.N != 1 || d.Mean != 1 {
		t.Errorf("seeded: %+v", d)
	}
	one[0].Unseeded = true
	d := Differences(append(slices.Clone(many), one...), "one")[0]
	if d.N != 3 || d.Mean != 2 || d.P == nil {
		t.Errorf("unseeded baseline: %+v", d)
	}
	if d := Differences(append(slices.Clone(many), one...), "many")[0]; d.N != 3 || d.Mean != -2 {
		t.Errorf("unseeded policy: %+v", d)
	}
}
