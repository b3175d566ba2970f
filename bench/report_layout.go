package bench

import (
	"slices"
	"strconv"
	"strings"
)

// A layout is a report for people, before it is typeset.
type layout struct {
	sections  []section
	remarks   []string // what the reader must know about the whole
	reproduce []labelled
}

// A section is what there is to say about one trace.
type section struct {
	trace    string
	facts    []string // lines: size and load; seeds, n, ties and what else is the same for all rows
	matrices []matrix
}

type labelled struct{ label, text string }

// A rowAxis is one of an experiment's other than trace and seed.
type rowAxis struct {
	name string
	of   func(Point) string
}

var rowAxes = []rowAxis{
	{"policy", func(p Point) string { return p.Policy }},
	{"eviction", func(p Point) string { return p.Eviction }},
	{"faults", func(p Point) string { return p.Faults }},
	{"quota", func(p Point) string { return p.Quota }},
}

// layOut arranges results for people: traces in the order of r.Traces, each
// with its matrices of figures and then of differences.
func (r *Results) layOut(shown selection) layout {
	var l layout
	axes, constant := r.splitAxes()
	for _, t := range r.Traces {
		s := section{trace: t.Name, facts: []string{sizeFacts(t), r.runFacts(t.Name, constant)}}
		s.matrices = matrices(summaryEntries(r.Summary, t.Name), shown.metrics, axes, "", summaryNote)
		if len(r.Differences) > 0 {
			baseline := r.Differences[0].Baseline
			es := differenceEntries(r.Differences, t.Name, baseline)
			s.matrices = append(s.matrices, matrices(es, shown.metrics, axes, ": difference from "+baseline, differenceNote)...)
		}
		l.sections = append(l.sections, s)
	}
	l.remarks = r.remarks(shown)
	l.reproduce = r.reproduceLines()
	return l
}

// splitAxes returns the axes that label rows, which are the policy and those
// that vary, and what to say once about the others. "none" isn't worth a word.
func (r *Results) splitAxes() (varying []rowAxis, constant []string) {
	for _, a := range rowAxes {
		var values []string
		for _, s := range r.Summary {
			if v := a.of(s.Point); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		switch {
		case a.name == "policy" || len(values) > 1:
			varying = append(varying, a)
		case len(values) == 1 && values[0] != "" && values[0] != "none":
			constant = append(constant, a.name+" "+values[0])
		}
	}
	return varying, constant
}

// sizeFacts say what a trace asks of what cluster.
func sizeFacts(t TraceInfo) string {
	return strconv.Itoa(t.Nodes) + " nodes, " + strconv.Itoa(t.GPUs) + " GPUs, " +
		strconv.Itoa(t.Pods) + " pods in the recording, offered load " + percent(t.OfferedLoad) + t.Waits.text()
}

// text says how long jobs waited in the recording; nothing if that isn't known.
func (w *RecordedWaits) text() string {
	if w == nil {
		return ""
	}
	seconds := func(x float64) string { return fixed(x, min(sizeDecimals(x), 1), false) + " s" }
	return "; its " + strconv.Itoa(w.Jobs) + " jobs waited " + seconds(w.Mean) + " in the mean, " + seconds(w.P50) + " in the median, 99 % of them up to " + seconds(w.P99)
}

// runFacts say what the runs on a trace have in common, constant axes included.
func (r *Results) runFacts(trace string, constant []string) string {
	var ns []int
	for _, s := range r.Summary {
		if s.Trace == trace {
			ns = append(ns, s.N)
		}
	}
	var facts []string
	switch {
	case len(ns) == 0:
		facts = append(facts, "no run has ended")
	case r.unseeded(trace):
		facts = append(facts, "n=1 as nothing varies with the seed")
	default:
		facts = append(facts, "seeds "+r.Reproduce.Seeds, "n="+rangeText(ns))
	}
	facts = append(facts, constant...)
	if r.Ties != "" {
		facts = append(facts, "ties: "+r.Ties)
	}
	return strings.Join(facts, ", ")
}

// unseeded reports whether no run on the trace depends on its seed.
func (r *Results) unseeded(trace string) bool {
	return !slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Trace == trace && !run.Unseeded })
}

// percent writes a share as "130 %", with decimals only if it has them.
func percent(share float64) string {
	s := strconv.FormatFloat(share*100, 'f', 2, 64)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " %"
}

// remarks say how to read the cells, and what is not in them.
func (r *Results) remarks(shown selection) []string {
	var remarks []string
	if shown.named {
		var absent []string
		for _, m := range shown.metrics {
			if !slices.ContainsFunc(r.Summary, func(s Summary) bool { return s.Metric == m.Name }) {
				absent = append(absent, m.Name)
			}
		}
		if len(absent) > 0 {
			remarks = append(remarks, "No run here yields "+strings.Join(absent, ", ")+".")
		}
	}
	if !r.Reproduce.Complete {
		remarks = append(remarks, "INCOMPLETE: the experiment was stopped early; this covers the runs that had ended.")
	}
	return remarks
}

// reproduceLines are what it takes to get the same results again.
func (r *Results) reproduceLines() []labelled {
	rep := r.Reproduce
	lines := []labelled{
		{"berth", rep.Berth},
		{"experiment", shortHash(rep.Experiment)},
	}
	for _, t := range r.Traces {
		lines = append(lines, labelled{"trace", shortHash(t.Hash) + " " + t.Name})
	}
	for _, p := range r.Policies {
		lines = append(lines, labelled{"policy", shortHash(p.Hash) + " " + p.Name})
	}
	for _, f := range r.Faults {
		lines = append(lines, labelled{"faults", shortHash(f.Hash) + " " + f.Name})
	}
	for _, q := range r.Quotas {
		lines = append(lines, labelled{"quota", shortHash(q.Hash) + " " + q.Name})
	}
	return append(lines,
		labelled{"seeds", rep.Seeds},
		labelled{"digest", shortHash(rep.Digest)},
		labelled{"command", rep.Command},
	)
}

// notes are the distinct notes of all matrices, in order.
func (l layout) notes() []string {
	var notes []string
	for _, s := range l.sections {
		for _, m := range s.matrices {
			if m.note != "" && !slices.Contains(notes, m.note) {
				notes = append(notes, m.note)
			}
		}
	}
	return notes
}
