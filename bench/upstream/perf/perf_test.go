package perf

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write testdata anew")

func cases(tb testing.TB) []*Case {
	tb.Helper()
	dir, err := Dir()
	if err != nil {
		tb.Fatal(err)
	}
	all, err := Read(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// TestSupported lists, for every test case, the first workload that can be played, or why none can.
func TestSupported(t *testing.T) {
	var list bytes.Buffer
	for _, c := range cases(t) {
		w, err := c.Playable()
		if err != nil {
			fmt.Fprintf(&list, "-  %s\n   %v\n", c.Name, err)
			continue
		}
		s, err := w.Script(0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "ok %s: %s has %d nodes, %d pods, %d of them measured\n", c.Name, w.Name, s.Nodes, len(s.pods), s.Measured)
	}
	const file = "testdata/supported.txt"
	if *update {
		if err := os.WriteFile(file, list.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, list.Bytes()) {
		t.Errorf("%s says\n%s\nnow it is (go test -run Supported -update)\n%s", file, want, list.Bytes())
	}
}

// TestSamePlaced plays the smallest workload of every test case on all sides, which must place equally
// many pods: with the pods before the measured ones where each side puts them, and settled.
func TestSamePlaced(t *testing.T) {
	for _, c := range cases(t) {
		w, err := c.Playable()
		if err != nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			s, err := w.Script(0)
			if err != nil {
				t.Fatal(err)
			}
			samePlaced(t, s)
			if err := s.Settle(); err != nil {
				t.Fatal(err)
			}
			samePlaced(t, s)
		})
	}
}

func samePlaced(t *testing.T, s *Script) {
	t.Helper()
	for _, side := range Sides(1) {
		r, err := side.Play(s)
		if err != nil {
			t.Fatal(err)
		}
		if r.Placed != s.Measured {
			t.Errorf("%s places %d of %d pods", side.Name, r.Placed, s.Measured)
		}
		if r.Time <= 0 || r.Mallocs == 0 {
			t.Errorf("%s: nothing was measured: %+v", side.Name, r)
		}
	}
}

// TestChurn plays workloads that are long enough for things to happen in between.
func TestChurn(t *testing.T) {
	for name, tt := range map[string]struct {
		scale   float64 // of the smallest workload
		between int
	}{
		"PreemptionAsync":          {70, 3},
		"Unschedulable":            {35, 3},
		"SchedulingWithMixedChurn": {12, 6},
		"SchedulingWhileGated":     {10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			all := cases(t)
			w, err := all[slices.IndexFunc(all, func(c *Case) bool { return c.Name == name })].Playable()
			if err != nil {
				t.Fatal(err)
			}
			w.scale = tt.scale
			s, err := w.Script(0)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(); err != nil {
				t.Fatal(err)
			}
			between := 0
			for _, st := range s.steps {
				if st.timed && !st.counted {
					between++
				}
			}
			if between < tt.between {
				t.Errorf("%d things happen in between, want %d or more", between, tt.between)
			}
			samePlaced(t, s)
		})
	}
}
