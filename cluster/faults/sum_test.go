package faults

import (
	"slices"
	"testing"
)

// TestSum has what the parts have, each as if alone.
func TestSum(t *testing.T) {
	run := Run{Nodes: nodes(60), Seed: 1, Horizon: week}
	parts := []string{"exp(mtbf=2d,mttr=1h)", "zones(mtbf=2d,mttr=1h)", "correlated(mtbf=2d,share=0.2,mttr=1h,kind=hang)"}
	sum := all(t, parse(t, parts[0]+"+"+parts[1]+"+"+parts[2]), run)
	total := 0
	for _, part := range parts {
		alone := all(t, parse(t, part), run)
		total += len(alone)
		for _, f := range alone {
			if !slices.ContainsFunc(sum, func(g Fault) bool { return text([]Fault{f}) == text([]Fault{g}) }) {
				t.Errorf("%s has %+v, the sum doesn't", part, f)
			}
		}
	}
	if total != len(sum) {
		t.Errorf("%d faults, the parts have %d", len(sum), total)
	}
}

// TestSumOfTheSame draws anew for the second of two models of one name.
func TestSumOfTheSame(t *testing.T) {
	run := Run{Nodes: nodes(60), Seed: 1, Horizon: week}
	const part = "exp(mtbf=2d,mttr=1h)"
	alone, both := all(t, parse(t, part), run), all(t, parse(t, part+" + "+part), run)
	at := map[int64]int{}
	for _, f := range both {
		at[int64(f.At)]++
	}
	if len(at) != len(both) {
		t.Errorf("%d faults at %d moments", len(both), len(at))
	}
	for _, f := range alone {
		if at[int64(f.At)] != 1 {
			t.Errorf("the sum lacks %+v", f)
		}
	}
}

// TestTies orders faults of one moment by their models.
func TestTies(t *testing.T) {
	a, b := parse(t, "at 1s crash n0 for 1m; at 3s crash n1 for 1m"), parse(t, "at 1s hang n0 for 1m; at 2s hang n1 for 1m")
	got := text(all(t, Sum{a, b}, Run{Nodes: nodes(2), Horizon: week}))
	want := text(all(t, parse(t, "at 1s crash n0 for 1m; at 1s hang n0 for 1m; at 2s hang n1 for 1m; at 3s crash n1 for 1m"), Run{Nodes: nodes(2), Horizon: week}))
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
