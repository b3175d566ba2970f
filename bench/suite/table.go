package suite

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"
)

// covered is how much of the samples the table of where time goes names, at least.
const covered = 0.99

// Columns of words are at least as wide, so that words begin where their column does, and
// numbers end there.
const (
	caseWidth   = len("basic/nodes=100000/classes=1000")
	phaseWidth  = len(collecting)
	pluginWidth = len("NodeResourcesBalancedAllocation")
	pointWidth  = len("filter rule")
)

// WriteTable writes the result for people.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-*s\tns/pod\t\tallocs/pod\tB/pod\t", caseWidth, "case")
	for _, k := range Counters {
		fmt.Fprintf(t, "%s/pod\t", k.Name)
	}
	fmt.Fprintln(t)
	for i := range r.Cases {
		c := &r.Cases[i]
		ns := summary(c.values(func(s Sample) float64 { return s.Nanoseconds }))
		fmt.Fprintf(t, "%-*s\t%.0f\t%s\t%.1f\t%.0f\t", caseWidth, c.Name, ns.Center, plusMinus(ns),
			median(c.values(func(s Sample) float64 { return s.Allocs })), median(c.values(func(s Sample) float64 { return s.Bytes })))
		for _, k := range Counters {
			fmt.Fprintf(t, "%.2f\t", c.Work[k.Name])
		}
		fmt.Fprintln(t)
	}
	r.tableShares(t)
	r.tablePlugins(t)
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Comparison != nil {
		return r.Comparison.WriteTable(w)
	}
	if !r.Complete {
		_, err := fmt.Fprintln(w, "\nINCOMPLETE: the run was stopped")
		return err
	}
	return nil
}

// plusMinus writes a median's interval as benchstat does.
func plusMinus(s benchmath.Summary) string { return "± " + s.PctRangeString() }

// tableShares says where time goes, the most first.
func (r *Result) tableShares(t io.Writer) {
	if len(r.Attribution) == 0 {
		return
	}
	fmt.Fprintf(t, "\n%-*s\t%-*s\tof time\t\n", phaseWidth, "phase", pluginWidth, "plugin")
	left := 1.0
	for _, s := range r.Attribution {
		if left <= 1-covered {
			break
		}
		if s.Phase == others {
			continue // with the rest
		}
		left -= s.Of
		fmt.Fprintf(t, "%-*s\t%-*s\t%.1f %%\t\n", phaseWidth, s.Phase, pluginWidth, s.Plugin, 100*s.Of)
	}
	fmt.Fprintf(t, "%-*s\t\t%.1f %%\t\n", phaseWidth, others, 100*math.Abs(left))
}

// tablePlugins says what plugins cost by themselves.
func (r *Result) tablePlugins(t io.Writer) {
	if len(r.Plugins) == 0 {
		return
	}
	fmt.Fprintf(t, "\n%-*s\t%-*s\tns/pod\t\tstatements\t\n", pluginWidth, "plugin", pointWidth, "point")
	for _, c := range r.Plugins {
		steps := "–"
		if len(c.Statements) > 0 {
			steps = fmt.Sprintf("%.0f", slices.Min(c.Statements))
		}
		fmt.Fprintf(t, "%-*s\t%-*s\t%.1f\t%s\t%s\t\n", pluginWidth, c.Plugin, pointWidth, c.Point, c.Nanoseconds, plusMinus(summary(c.Calibrated)), steps)
	}
}

// WriteTable writes the differences that mean something, and what was not compared.
func (c *Comparison) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "\nCompared with %s\n", c.With)
	for _, note := range c.Notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	changes := 0
	for i := range c.Rows {
		row := &c.Rows[i]
		if !row.Changed {
			continue
		}
		changes++
		fmt.Fprintf(t, "%s\t%s\n", row.String(), row.verdict())
	}
	if changes == 0 {
		fmt.Fprintf(t, "no difference in %d figures\n", len(c.Rows))
	}
	return t.Flush()
}

// String tells of the row: "plugin NodePorts at filter: statements +3.1 %".
func (r *Row) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s ", r.Of, r.Metric)
	if r.Old == 0 {
		fmt.Fprintf(&b, "%.2f, was 0", r.New)
	} else {
		fmt.Fprintf(&b, "%+.1f %%", 100*r.Change())
	}
	if r.P != nil {
		fmt.Fprintf(&b, " (p=%.3f)", *r.P)
	}
	return b.String()
}

func (r *Row) verdict() string {
	switch {
	case r.Worse:
		return "REGRESSION"
	case r.P == nil:
		return "better"
	}
	return "not judged"
}
