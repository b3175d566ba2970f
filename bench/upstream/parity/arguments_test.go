package parity

import (
	"testing"
	"time"
)

// TestArguments holds what Berth's plugins take and refuse as arguments against upstream's.
func TestArguments(t *testing.T) {
	cases, err := Arguments()
	if err != nil {
		t.Fatal(err)
	}
	taken, refused := map[string]int{}, map[string]int{}
	start := time.Now()
	for _, c := range cases {
		if m := c.Compare(); m != "" {
			t.Error(m)
		}
		if c.Refused == "" {
			taken[c.Plugin]++
		} else {
			refused[c.Plugin]++
		}
	}
	t.Logf("%d cases, in Berth within %v", len(cases), time.Since(start))
	for _, c := range cases {
		if refused[c.Plugin] == 0 || c.Args == "{}" && c.Refused != "" {
			t.Errorf("%s: upstream refuses %d cases; it should refuse some, but not this one: %q", c, refused[c.Plugin], c.Refused)
		}
	}
	t.Logf("upstream takes %v, and refuses %v", taken, refused)
}
