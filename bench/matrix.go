package bench

import (
	"slices"
	"strconv"
)

// A matrix is one table of a report: rows are points of the experiment,
// columns metrics. All formats for people render this and nothing else, so
// that they can't disagree.
type matrix struct {
	title   string
	note    string   // how to read a cell; "" if it is one plain number
	labels  []string // heads of the columns that name a row: policy, …
	columns []string // heads of the columns of cells
	rows    []matrixRow
}

type matrixRow struct {
	labels []string
	n      string // runs, or pairs of runs, behind the cells
	cells  []cell
}

// A cell is a figure in digits; what it lacks is "".
type cell struct {
	value    string // "95.23", or "+2.37" for a difference
	spread   string // sample standard deviation: "0.11"
	interval string // 95 % interval of value: "[95.15, 95.31]"
	p        string // "p<0.001"
}

// An entry is a figure with its place.
type entry struct {
	point  Point
	metric string
	n      int
	figure figure
}

const (
	summaryNote    = "Cells: mean ± sample standard deviation of n runs; beneath it the 95 % interval of the mean (Student's t)."
	differenceNote = "Differences: mean of n pairs of equal seed; p of a two-sided paired t test, not adjusted for many comparisons; 95 % interval."
)

// summaryEntries are the entries of a trace's summaries.
func summaryEntries(summary []Summary, trace string) []entry {
	var es []entry
	for _, s := range summary {
		if s.Trace == trace {
			f := figure{unit: s.Unit, mean: s.Mean, sd: s.SD, varies: s.N > 1, ci95: s.CI95}
			es = append(es, entry{point: s.Point, metric: s.Metric, n: s.N, figure: f})
		}
	}
	return es
}

// differenceEntries are the entries of a trace's differences from a baseline.
func differenceEntries(differences []Difference, trace, baseline string) []entry {
	var es []entry
	for _, d := range differences {
		if d.Trace == trace && d.Baseline == baseline {
			f := figure{unit: d.Unit, mean: d.Mean, ci95: d.CI95, p: d.P, relative: true}
			es = append(es, entry{point: d.Point, metric: d.Metric, n: d.N, figure: f})
		}
	}
	return es
}

// matrices arranges entries: a matrix for each family of metrics, whose
// columns are points on the curve, then one for the plain numbers. Metrics
// without an entry have no column. Titles end with titleEnd; note goes to
// matrices of more than one run.
func matrices(es []entry, shown []Metric, axes []rowAxis, titleEnd, note string) []matrix {
	present := slices.DeleteFunc(slices.Clone(shown), func(m Metric) bool {
		return !slices.ContainsFunc(es, func(e entry) bool { return e.metric == m.Name })
	})
	var ms []matrix
	for _, family := range families(present) {
		of := slices.DeleteFunc(slices.Clone(present), func(m Metric) bool { return m.Family != family })
		m := matrix{title: "Over the whole run" + titleEnd}
		if family != "" {
			m.title = of[0].Doc + titleEnd
		}
		m.fill(es, of, axes)
		if slices.ContainsFunc(m.rows, matrixRow.hasIntervals) {
			m.note = note
		}
		ms = append(ms, m)
	}
	return ms
}

// families lists the families of metrics, "" for the plain ones last.
func families(metrics []Metric) []string {
	var names []string
	plain := false
	for _, m := range metrics {
		plain = plain || m.Family == ""
		if m.Family != "" && !slices.Contains(names, m.Family) {
			names = append(names, m.Family)
		}
	}
	if plain {
		names = append(names, "")
	}
	return names
}

// fill sets heads and rows: a row for each point that has one of the metrics,
// in the order of the entries.
func (m *matrix) fill(es []entry, metrics []Metric, axes []rowAxis) {
	for _, a := range axes {
		m.labels = append(m.labels, a.name)
	}
	type place struct {
		point  Point
		metric string
	}
	at := map[place]entry{}
	var points []Point
	for _, e := range es {
		if !slices.ContainsFunc(metrics, func(m Metric) bool { return m.Name == e.metric }) {
			continue
		}
		at[place{e.point, e.metric}] = e
		if !slices.Contains(points, e.point) {
			points = append(points, e.point)
		}
	}
	grid := make([][]entry, len(points)) // by point and metric; absent if n is 0
	for i, p := range points {
		for _, metric := range metrics {
			grid[i] = append(grid[i], at[place{p, metric.Name}])
		}
	}
	wholeColumns := make([]bool, len(metrics))
	for j, metric := range metrics {
		m.columns = append(m.columns, metric.columnHead())
		wholeColumns[j] = !slices.ContainsFunc(grid, func(es []entry) bool { return es[j].n > 0 && !es[j].figure.whole() })
	}
	for i, p := range points {
		m.rows = append(m.rows, newRow(p, grid[i], axes, wholeColumns))
	}
}

func newRow(p Point, es []entry, axes []rowAxis, wholeColumns []bool) matrixRow {
	var row matrixRow
	for _, a := range axes {
		row.labels = append(row.labels, a.of(p))
	}
	var ns []int
	for j, e := range es {
		if e.n == 0 {
			row.cells = append(row.cells, cell{value: "–"})
			continue
		}
		row.cells = append(row.cells, e.figure.cell(wholeColumns[j]))
		ns = append(ns, e.n)
	}
	row.n = rangeText(ns)
	return row
}

// rangeText is "10", or "9-10" if not all are equal.
func rangeText(ns []int) string {
	lo, hi := slices.Min(ns), slices.Max(ns)
	if lo == hi {
		return strconv.Itoa(lo)
	}
	return strconv.Itoa(lo) + "-" + strconv.Itoa(hi)
}

func (r matrixRow) hasIntervals() bool {
	return slices.ContainsFunc(r.cells, func(c cell) bool { return c.interval != "" })
}

// columnHead names a metric within its matrix: the point on a curve, whose
// title says the rest, or the metric's name as in results and flags.
func (m Metric) columnHead() string {
	switch {
	case m.Family != "":
		return strconv.Itoa(m.At) + " %"
	case m.Unit != "":
		return m.Name + ", " + m.Unit
	default:
		return m.Name
	}
}
