package perf

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"
)

// A Comparison plays test cases on all sides in turn.
type Comparison struct {
	Cases       *regexp.Regexp // names of test cases
	Nodes       []int
	Pods        int // measured at most; 0 for as many as the workload has
	Upstream    int // the same, when upstream plays, which takes long: the first of the same pods
	Runs        int // of each side
	Parallelism int // of upstream
}

// head is the table's; times are medians of the runs.
const head = `| case | workload | nodes | pods | upstream, sampled: µs/pod | upstream, all nodes: µs/pod | Berth, all nodes: µs/pod | sampled/Berth | all/Berth | allocations/pod (sampled, all, Berth) |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`

// Run writes a row for every test case and number of nodes, as it is measured.
func (c *Comparison) Run(out io.Writer, cases []*Case) error {
	fmt.Fprint(out, head)
	var without []error
	for _, nodes := range c.Nodes {
		for _, tc := range cases {
			if _, err := tc.Playable(); err != nil || !c.Cases.MatchString(tc.Name) {
				continue
			}
			w, err := tc.At(nodes)
			if err != nil {
				without = append(without, err)
				continue
			}
			if err := c.row(out, w); err != nil {
				return fmt.Errorf("%s with %d nodes: %w", tc.Name, nodes, err)
			}
		}
	}
	for _, err := range without {
		fmt.Fprintf(out, "\n%v\n", err)
	}
	return nil
}

// row measures one workload.
func (c *Comparison) row(out io.Writer, w *Workload) error {
	s, err := settled(w, c.Pods)
	if err != nil {
		return err
	}
	short, err := settled(w, shorter(c.Pods, c.Upstream))
	if err != nil {
		return err
	}
	sides := Sides(c.Parallelism)
	var results [len(sides)][]Result
	for run := range c.Runs {
		for i := range sides {
			side := (run + i) % len(sides) // nobody is always the first
			script := short
			if sides[side].Name == "berth" {
				script = s
			}
			r, err := sides[side].Play(script)
			if err != nil {
				return err
			}
			if r.Placed != script.Measured {
				return fmt.Errorf("%s places %d of %d pods", sides[side].Name, r.Placed, script.Measured)
			}
			results[side] = append(results[side], r)
		}
	}
	var µs [len(sides)]float64
	var mallocs [len(sides)]uint64
	for i := range sides {
		µs[i] = median(results[i])
		mallocs[i] = results[i][0].Mallocs / uint64(max(1, results[i][0].Placed))
	}
	_, err = fmt.Fprintf(out, "| %s | %s | %d | %d | %.1f | %.1f | %.2f | %.1f | %.1f | %d · %d · %d |\n", w.Case.Name, s.Title, s.Nodes, s.Measured,
		µs[0], µs[1], µs[2], µs[0]/µs[2], µs[1]/µs[2], mallocs[0], mallocs[1], mallocs[2])
	return err
}

// settled returns a script with so many measured pods at most, in which the pods before are where Berth
// puts them.
func settled(w *Workload, pods int) (*Script, error) {
	s, err := w.Script(pods)
	if err != nil {
		return nil, err
	}
	return s, s.Settle()
}

// shorter returns the lower of two limits, of which 0 is none.
func shorter(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// median returns the median time for a pod, in microseconds.
func median(results []Result) float64 {
	var times []time.Duration
	for _, r := range results {
		times = append(times, r.PerPod())
	}
	slices.Sort(times)
	mid := len(times) / 2
	sum := times[mid] + times[(len(times)-1)/2]
	return float64(sum.Nanoseconds()) / 2 / 1000
}
