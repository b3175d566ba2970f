package bench

import (
	"encoding/csv"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strconv"

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
		{"timeline.svg", func(w io.Writer) error { return drawTimelines(w, r.Runs) }},
		{"pareto.svg", func(w io.Writer) error { return drawPareto(w, r.Summary) }},
	}
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
}

// panels are what is drawn of each run: what is counted in nodes, in all pods, and in the few that
// something has happened to.
var panels = []panel{
	{"nodes", []int{lineReady}},
	{"pods that run", []int{lineRunning}},
	{"pods that don't", []int{linePending, lineTerminating, lineEvictions}},
}

const (
	panelWidth  = 9 * vg.Centimeter
	panelHeight = 6 * vg.Centimeter
)

// drawTimelines draws each point's first run: a row of panels.
func drawTimelines(w io.Writer, runs []Run) error {
	var shown []*Run
	for i := range runs {
		if !slices.ContainsFunc(shown, func(o *Run) bool { return o.Point == runs[i].Point }) {
			shown = append(shown, &runs[i])
		}
	}
	grid := make([][]*plot.Plot, len(shown))
	for i, r := range shown {
		for _, p := range panels {
			drawn, err := p.draw(r)
			if err != nil {
				return err
			}
			grid[i] = append(grid[i], drawn)
		}
	}
	canvas := vgsvg.New(panelWidth*vg.Length(len(panels)), panelHeight*vg.Length(len(shown)))
	tiles := draw.Tiles{Rows: len(shown), Cols: len(panels), PadX: vg.Millimeter * 4, PadY: vg.Millimeter * 4, PadLeft: 5, PadRight: 5, PadTop: 5, PadBottom: 5}
	for i, row := range plot.Align(grid, tiles, draw.New(canvas)) {
		for j := range row {
			grid[i][j].Draw(row[j])
		}
	}
	_, err := canvas.WriteTo(w)
	return err
}

// draw draws some lines of a run over hours.
func (p panel) draw(r *Run) (*plot.Plot, error) {
	pl := plot.New()
	pl.Title.Text = fmt.Sprintf("%s: %s", p.title, stormName(r.Point))
	pl.Title.TextStyle.Font.Size = 9
	pl.X.Label.Text = "hours"
	pl.Y.Min = 0
	pl.Legend.Top, pl.Legend.Left = true, true
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
	if pl.Y.Max <= 0 {
		pl.Y.Max = 1
	}
	return pl, nil
}

// stormName names a point in pictures.
func stormName(p Point) string { return p.Eviction + " · " + p.Faults + " · " + p.Policy }

// A tradeOff is a point's time to detect, and evictions that were not needed.
type tradeOff struct {
	name             string
	detect, needless float64
}

// tradeOffs returns those of all points that have both.
func tradeOffs(summary []Summary) (list []tradeOff) {
	at := map[Point]int{}
	for _, s := range summary {
		if s.Metric == "detect_mean" {
			at[s.Point] = len(list)
			list = append(list, tradeOff{name: stormName(s.Point), detect: s.Mean})
		}
	}
	for _, s := range summary {
		if i, ok := at[s.Point]; ok && s.Metric == "evictions_needless" {
			list[i].needless = s.Mean
		}
	}
	return list
}

// front returns those than which none is better in one regard and no worse in the other.
func front(list []tradeOff) (best []tradeOff) {
	for _, a := range list {
		beaten := slices.ContainsFunc(list, func(b tradeOff) bool {
			return b.detect <= a.detect && b.needless <= a.needless && (b.detect < a.detect || b.needless < a.needless)
		})
		if !beaten {
			best = append(best, a)
		}
	}
	slices.SortStableFunc(best, func(a, b tradeOff) int {
		switch {
		case a.detect < b.detect:
			return -1
		case a.detect > b.detect:
			return 1
		}
		return 0
	})
	return best
}

// drawPareto draws detection time against needless evictions, with the front of those that none beats.
func drawPareto(w io.Writer, summary []Summary) error {
	list := tradeOffs(summary)
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
		best := front(list)
		corners := make(plotter.XYs, len(best))
		for i, t := range best {
			corners[i] = plotter.XY{X: t.detect, Y: t.needless}
		}
		line, err := plotter.NewLine(corners)
		if err != nil {
			return fmt.Errorf("drawing the front: %w", err)
		}
		line.Color = lineColors[lineReady]
		pl.Add(line, dots, names)
		pl.Legend.Add("Pareto front", line)
		pl.X.Max *= 1.5 // room for names
		pl.Y.Max = max(1, pl.Y.Max*1.1)
	}
	canvas := vgsvg.New(18*vg.Centimeter, 12*vg.Centimeter)
	pl.Draw(draw.New(canvas))
	_, err := canvas.WriteTo(w)
	return err
}
