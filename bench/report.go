package bench

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Format is a way to write results down.
type Format string

// The formats: table, Markdown and LaTeX show the same matrices to people;
// JSON and CSV hold everything, unrounded, for programs.
const (
	FormatTable    Format = "table"
	FormatJSON     Format = "json"
	FormatCSV      Format = "csv"
	FormatMarkdown Format = "markdown"
	FormatLaTeX    Format = "latex"
)

// Formats lists every Format, the default first.
var Formats = []Format{FormatTable, FormatJSON, FormatCSV, FormatMarkdown, FormatLaTeX}

// ParseFormat returns the format of that name; its error lists those there are.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats, f) {
		return f, nil
	}
	var known []string
	for _, f := range Formats {
		known = append(known, string(f))
	}
	return "", fmt.Errorf("unknown output format %q: use one of %s", name, strings.Join(known, ", "))
}

// Write writes the results to w. Metrics are the names of those to show in a
// table, in Markdown or in LaTeX; the name of a family stands for all its
// points, and none at all for every metric that a run gave. JSON and CSV
// always hold all of them.
//
// Nothing is written unless everything can be: an unknown metric or format, a
// trace that Traces does not describe, or a value that JSON cannot hold is an
// error before the first byte.
func (r *Results) Write(w io.Writer, f Format, metrics []string) error {
	shown, err := selectMetrics(metrics)
	if err != nil {
		return err
	}
	if err := r.checkTraces(); err != nil {
		return err
	}
	var b bytes.Buffer
	switch f {
	case FormatTable:
		writeTable(&b, r.layOut(shown))
	case FormatMarkdown:
		writeMarkdown(&b, r.layOut(shown))
	case FormatLaTeX:
		writeLaTeX(&b, r.layOut(shown))
	case FormatJSON:
		err = r.writeJSON(&b)
	case FormatCSV:
		err = writeCSV(&b, r.Summary)
	default:
		_, err = ParseFormat(string(f))
	}
	if err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// checkTraces returns an error if a run's trace is not among Traces: reports
// go by those, and would leave it out without a word.
func (r *Results) checkTraces() error {
	for _, run := range r.Runs {
		if !slices.ContainsFunc(r.Traces, func(t TraceInfo) bool { return t.Name == run.Trace }) {
			return fmt.Errorf("results have runs on trace %q but don't describe it", run.Trace)
		}
	}
	return nil
}

// A selection is the metrics that a report shows.
type selection struct {
	metrics []Metric // in the order of Metrics
	named   bool     // asked for by name, so that absence is worth a word
}

// selectMetrics turns the names of metrics and families into a selection.
func selectMetrics(names []string) (selection, error) {
	if len(names) == 0 {
		return selection{metrics: Metrics}, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(Metrics, func(m Metric) bool { return m.answersTo(name) }) {
			return selection{}, fmt.Errorf("unknown metric %q: use some of %s", name, strings.Join(selectable(), ", "))
		}
	}
	s := selection{named: true}
	for _, m := range Metrics {
		if slices.ContainsFunc(names, m.answersTo) {
			s.metrics = append(s.metrics, m)
		}
	}
	return s, nil
}

// answersTo reports whether name is the metric's or its family's.
func (m Metric) answersTo(name string) bool {
	return name == m.Name || m.Family != "" && name == m.Family
}

// selectable lists what selectMetrics takes: families once a point, then the plain.
func selectable() []string {
	var names []string
	for _, m := range Metrics {
		name := m.Name
		if m.Family != "" {
			name = m.Family + "[_at_" + fmt.Sprint(m.At) + "]"
		}
		names = append(names, name)
	}
	return names
}
