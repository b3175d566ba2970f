package cluster

import (
	"math"
	"testing"
)

// TestDrawsStayWhatTheyAre holds draws to values noted when they were
// introduced: another value would change the result of every seeded run.
func TestDrawsStayWhatTheyAre(t *testing.T) {
	if got, want := NewDraw(42, "ties", "default/pod-1"), Draw(0x358b964268846c2); got != want {
		t.Errorf("NewDraw = %#x, want %#x", got, want)
	}
	if got, want := NewDraw(42, "ties", "default/pod-1").At(3), Draw(0x68bf8a872212e0da); got != want {
		t.Errorf("At(3) = %#x, want %#x", got, want)
	}
}

func TestDrawsDifferByEverything(t *testing.T) {
	seen := map[Draw]string{}
	for name, d := range map[string]Draw{
		"base": NewDraw(1, "a", "bc"), "seed": NewDraw(2, "a", "bc"), "purpose": NewDraw(1, "b", "bc"),
		"name": NewDraw(1, "a", "bd"), "where the words meet": NewDraw(1, "ab", "c"), "index": NewDraw(1, "a", "bc").At(0),
	} {
		if other, ok := seen[d]; ok {
			t.Errorf("the draws for %s and %s are equal", name, other)
		}
		seen[d] = name
	}
}

// TestDrawsAreUniform takes χ² over 16 cells; 37.7 is the 99.9 % point with 15
// degrees of freedom. The draws are fixed, so the test can't fail by chance.
func TestDrawsAreUniform(t *testing.T) {
	const cells, n = 16, 16000
	count := [cells]float64{}
	sum := 0.0
	for i := range n {
		d := NewDraw(7, "uniform", "x").At(i)
		count[d.Below(cells)]++
		sum += d.Float()
	}
	chi2 := 0.0
	for _, c := range count {
		chi2 += (c - n/cells) * (c - n/cells) / (n / cells)
	}
	if chi2 > 37.7 {
		t.Errorf("χ² = %.1f over %d cells, above 37.7: %v", chi2, cells, count)
	}
	if mean := sum / n; math.Abs(mean-0.5) > 0.01 {
		t.Errorf("the mean of Float is %.4f", mean)
	}
}

// TestRowsDoNotMatter draws for nodes that have other rows than before.
func TestRowsDoNotMatter(t *testing.T) {
	draws := func(names ...string) map[string]Draw {
		s := NewState()
		out := map[string]Draw{}
		for _, name := range names {
			s.Observe(0, []Event{{Kind: NodeAdded, NodeSpec: &NodeSpec{Name: name}}})
		}
		for _, n := range s.Nodes.Live() {
			out[s.Nodes.Name[n]] = s.Nodes.For(NewDraw(1, "p", "x"), n)
		}
		return out
	}
	a, b := draws("n1", "n2", "n3"), draws("n3", "n1", "n2")
	for name, d := range a {
		if b[name] != d {
			t.Errorf("node %s draws %x, and with another row %x", name, d, b[name])
		}
	}
	if a["n1"] == a["n2"] {
		t.Error("two nodes draw the same")
	}
}
