package bench

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// pictures returns the files that a storm has beside those of every result.
func (r *Results) pictures() Folder {
	return Folder{
		{"timeline.csv", func(w io.Writer) error { return writeSeries(w, r.Runs) }},
		{"timeline.svg", func(w io.Writer) error { return writeSVG(w, timelines(r.Runs)) }},
		{"pareto.svg", func(w io.Writer) error { return writeSVG(w, pareto(r.Summary)) }},
	}
}

// A picture knows its size, and how to draw itself.
type picture struct {
	width, height vg.Length
	draw          func(draw.Canvas) error
}

func writeSVG(w io.Writer, p picture) error {
	canvas := vgsvg.New(p.width, p.height)
	if err := p.draw(draw.New(canvas)); err != nil {
		return err
	}
	_, err := canvas.WriteTo(w)
	return err
}

// writeSeries writes what there was over time, a row for each run and time.
func writeSeries(w io.Writer, runs []Run) error {
	c := csv.NewWriter(w)
	rows := [][]string{append([]string{"trace", "policy", "eviction", "faults", "quota", "seed", "seconds"}, lineNames[:]...)}
	for _, r := range runs {
		for i, values := range r.Series.values {
			at := float64(i) * r.Series.step.Seconds()
			row := []string{r.Trace, r.Policy, r.Eviction, r.Faults, r.Quota, strconv.FormatInt(r.Seed, 10), strconv.FormatFloat(at, 'f', -1, 64)}
			for _, v := range values {
				row = append(row, strconv.Itoa(v))
			}
			rows = append(rows, row)
		}
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing what there was over time as CSV: %w", err)
	}
	return nil
}

// lineColors are apart for those who don't see all colours (Okabe and Ito).
var lineColors = [lines]color.RGBA{
	lineReady: {0, 158, 115, 255}, lineRunning: {0, 114, 178, 255}, linePending: {230, 159, 0, 255},
	lineTerminating: {204, 121, 167, 255}, lineEvictions: {213, 94, 0, 255},
}

// A panel is one plot of some lines.
type panel struct {
	title string
	lines []int
	close bool // not from 0 on: of many, few differ
}

// panels are what is drawn of each run: what is counted in nodes, in all pods, and in the few that
// something has happened to.
var panels = []panel{
	{"nodes", []int{lineReady}, true},
	{"pods that run", []int{lineRunning}, false},
	{"pods that don't", []int{linePending, lineTerminating, lineEvictions}, false},
}

const (
	panelWidth  = 9 * vg.Centimeter
	panelHeight = 6 * vg.Centimeter
)

// timelines shows each point's first run: a row of panels.
func timelines(runs []Run) picture {
	var shown []*Run
	for i := range runs {
		if !slices.ContainsFunc(shown, func(o *Run) bool { return o.Point == runs[i].Point }) {
			shown = append(shown, &runs[i])
		}
	}
	return picture{
		panelWidth * vg.Length(len(panels)), panelHeight * vg.Length(len(shown)),
		func(onto draw.Canvas) error { return drawTimelines(onto, shown) },
	}
}

func drawTimelines(onto draw.Canvas, shown []*Run) error {
	points := make([]Point, len(shown))
	for i, r := range shown {
		points[i] = r.Point
	}
	names := newNamer(points)
	grid := make([][]*plot.Plot, len(shown))
	for i, r := range shown {
		for _, p := range panels {
			drawn, err := p.draw(r, names)
			if err != nil {
				return err
			}
			grid[i] = append(grid[i], drawn)
		}
	}
	tiles := draw.Tiles{Rows: len(shown), Cols: len(panels), PadX: vg.Millimeter * 4, PadY: vg.Millimeter * 4, PadLeft: 5, PadRight: 5, PadTop: 5, PadBottom: 5}
	for i, row := range plot.Align(grid, tiles, onto) {
		for j := range row {
			grid[i][j].Draw(row[j])
		}
	}
	return nil
}

// draw draws some lines of a run over hours.
func (p panel) draw(r *Run, names namer) (*plot.Plot, error) {
	pl := plot.New()
	pl.Title.Text = fmt.Sprintf("%s: %s", p.title, names.name(r.Point))
	pl.Title.TextStyle.Font.Size = 6.5
	pl.X.Label.Text = "hours"
	pl.X.Label.TextStyle.Font.Size = 8
	pl.Legend.Top, pl.Legend.Left = !p.close, true
	pl.Legend.TextStyle.Font.Size = 8
	pl.Add(plotter.NewGrid())
	for _, which := range p.lines {
		points := make(plotter.XYs, len(r.Series.values))
		for i, values := range r.Series.values {
			points[i] = plotter.XY{X: float64(i) * r.Series.step.Seconds() / 3600, Y: float64(values[which])}
		}
		if len(points) == 0 {
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", lineNames[which], err)
		}
		line.Color, line.StepStyle = lineColors[which], plotter.PostStep
		pl.Add(line)
		pl.Legend.Add(lineNames[which], line)
	}
	// There must be room for the legend.
	if p.close {
		pl.Y.Min -= max(2, 0.3*(pl.Y.Max-pl.Y.Min))
		pl.Y.Max++
	} else {
		pl.Y.Min, pl.Y.Max = 0, max(1, 1.3*pl.Y.Max)
	}
	return pl, nil
}

// A namer names points in pictures, by what they differ in.
type namer []rowAxis

func newNamer(points []Point) (n namer) {
	for _, a := range append([]rowAxis{{"trace", func(p Point) string { return p.Trace }}}, rowAxes...) {
		if slices.ContainsFunc(points, func(p Point) bool { return a.of(p) != a.of(points[0]) }) {
			n = append(n, a)
		}
	}
	return n
}

func (n namer) name(p Point) string {
	if len(n) == 0 {
		return p.Eviction
	}
	var parts []string
	for _, a := range n {
		parts = append(parts, a.of(p))
	}
	return strings.Join(parts, " · ")
}

// A tradeOff is a point's time to detect, and evictions that were not needed.
type tradeOff struct {
	name             string
	weather          [3]string // trace, faults and quota: only under the same can one be better
	detect, needless float64
}

func (a tradeOff) beats(b tradeOff) bool {
	return a.weather == b.weather && a.detect <= b.detect && a.needless <= b.needless && (a.detect < b.detect || a.needless < b.needless)
}

// tradeOffs returns those of all points that have both.
func tradeOffs(summary []Summary) (list []tradeOff) {
	at := map[Point]int{}
	var points []Point
	for _, s := range summary {
		if s.Metric == "detect_mean" {
			at[s.Point] = len(list)
			points = append(points, s.Point)
			list = append(list, tradeOff{detect: s.Mean})
		}
	}
	names := newNamer(points)
	for i, p := range points {
		list[i].name, list[i].weather = names.name(p), [3]string{p.Trace, p.Faults, p.Quota}
	}
	for _, s := range summary {
		if i, ok := at[s.Point]; ok && s.Metric == "evictions_needless" {
			list[i].needless = s.Mean
		}
	}
	return list
}

// fronts returns, for each weather, those than which none is better in one regard and no worse in the
// other, by the time to detect.
func fronts(list []tradeOff) (all [][]tradeOff) {
	for _, a := range list {
		if slices.ContainsFunc(list, func(b tradeOff) bool { return b.beats(a) }) {
			continue
		}
		i := slices.IndexFunc(all, func(f []tradeOff) bool { return f[0].weather == a.weather })
		if i < 0 {
			i, all = len(all), append(all, nil)
		}
		all[i] = append(all[i], a)
	}
	for _, front := range all {
		slices.SortStableFunc(front, func(a, b tradeOff) int { return cmp.Compare(a.detect, b.detect) })
	}
	return all
}

// pareto shows detection time against needless evictions, with the fronts of those that none beats.
func pareto(summary []Summary) picture {
	return picture{18 * vg.Centimeter, 12 * vg.Centimeter, func(onto draw.Canvas) error {
		return drawPareto(onto, tradeOffs(summary))
	}}
}

func drawPareto(onto draw.Canvas, list []tradeOff) error {
	pl := plot.New()
	pl.Title.Text = "time to detect against evictions that were not needed"
	pl.X.Label.Text = "mean time from silence to Unknown, seconds"
	pl.Y.Label.Text = "pods evicted whose containers ran, mean over seeds"
	pl.X.Min, pl.Y.Min = 0, 0
	pl.Add(plotter.NewGrid())
	all := plotter.XYLabels{XYs: make(plotter.XYs, len(list)), Labels: make([]string, len(list))}
	for i, t := range list {
		all.XYs[i], all.Labels[i] = plotter.XY{X: t.detect, Y: t.needless}, " "+t.name
	}
	if len(list) > 0 {
		dots, err := plotter.NewScatter(all.XYs)
		if err != nil {
			return fmt.Errorf("drawing points: %w", err)
		}
		dots.Color, dots.Shape = lineColors[lineEvictions], draw.CircleGlyph{}
		names, err := plotter.NewLabels(all)
		if err != nil {
			return fmt.Errorf("drawing names: %w", err)
		}
		for i := range names.TextStyle {
			names.TextStyle[i].Rotation = 0.5
			names.TextStyle[i].Font.Size = 8
		}
		for i, front := range fronts(list) {
			line, err := frontLine(front)
			if err != nil {
				return err
			}
			if pl.Add(line); i == 0 {
				pl.Legend.Add("none beats these, under the same faults", line)
			}
		}
		pl.Add(dots, names)
		pl.Legend.Top = true
		pl.X.Max, pl.Y.Max = 1.5*pl.X.Max, max(1, 1.5*pl.Y.Max) // room for names
	}
	pl.Draw(onto)
	return nil
}

// frontLine joins a front's points.
func frontLine(front []tradeOff) (*plotter.Line, error) {
	corners := make(plotter.XYs, len(front))
	for i, t := range front {
		corners[i] = plotter.XY{X: t.detect, Y: t.needless}
	}
	line, err := plotter.NewLine(corners)
	if err != nil {
		return nil, fmt.Errorf("drawing a front: %w", err)
	}
	line.Color = lineColors[lineReady]
	return line, nil
}
