package bench

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces"
)

// Save makes a folder of the census as files: info.json, info.csv, info.txt, series.csv
// and pictures.
func (c *Census) Save(dir string) error { return c.folder().Save(dir) }

// CheckCensusDir returns nil if Save would accept dir.
func CheckCensusDir(dir string) error { return (&Census{}).folder().Check(dir) }

func (c *Census) folder() Folder {
	in := func(f Format) func(io.Writer) error {
		return func(w io.Writer) error { return c.Write(w, f) }
	}
	one := func(draw func() (*plot.Plot, error)) func(io.Writer) error {
		return func(w io.Writer) error { return writeSVG(w, onePlot(draw)) }
	}
	return Folder{
		{censusFile, in(FormatJSON)},
		{"info.csv", in(FormatCSV)},
		{"info.txt", in(FormatTable)},
		{"series.csv", c.writeSeries},
		{"arrivals.svg", one(c.drawArrivals)},
		{"concurrency.svg", one(c.drawConcurrency)},
		{"durations.svg", one(c.drawDurations)},
		{"sizes.svg", one(c.drawSizes)},
		{"classes.svg", one(c.drawRanks)},
	}
}

// onePlot is a picture of one plot.
func onePlot(drawn func() (*plot.Plot, error)) picture {
	return picture{14 * vg.Centimeter, 9 * vg.Centimeter, func(onto draw.Canvas) error {
		pl, err := drawn()
		if err != nil {
			return err
		}
		pl.Draw(draw.Crop(onto, 5, -8, 5, -5))
		return nil
	}}
}

// writeSeries writes how many pods come and run over time.
func (c *Census) writeSeries(w io.Writer) error {
	k := &c.counts
	out := csv.NewWriter(w)
	rows := [][]string{{"seconds", "what", "value"}}
	add := func(what string, s *levelSeries, scale float64) {
		for _, p := range s.points() {
			rows = append(rows, []string{formatFloat(p.X), what, formatFloat(p.Y * scale)})
		}
	}
	add("pods that come an hour", &k.come, 3600)
	add("pods that run", &k.running, 1)
	for i := range k.levels {
		add(k.levels[i].name, &k.levels[i].levelSeries, 1)
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("writing what there is over time as CSV: %w", err)
	}
	return nil
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// points are the means over steps, at the seconds at which steps begin.
func (s *levelSeries) points() plotter.XYs {
	var points plotter.XYs
	for i, mean := range s.means() {
		begin := max(s.from/max(s.step, 1)*s.step, 0) + cluster.Time(i)*s.step
		points = append(points, plotter.XY{X: begin.Seconds(), Y: mean})
	}
	return points
}

// shownPoints is how many points a line over time has at most: more can't be seen.
const shownPoints = 400

// coarser takes neighbours together until there are few enough points.
func coarser(points plotter.XYs) plotter.XYs {
	each := (len(points) + shownPoints - 1) / shownPoints
	if each <= 1 {
		return points
	}
	var out plotter.XYs
	for part := range slices.Chunk(points, each) {
		sum := 0.0
		for _, p := range part {
			sum += p.Y
		}
		out = append(out, plotter.XY{X: part[0].X, Y: sum / float64(len(part))})
	}
	return out
}

// timePlot has hours or days from left to right.
func (c *Census) timePlot(title, y string) (pl *plot.Plot, unit float64) {
	pl = newPlot(title, "hours", y)
	unit = 3600
	if c.Span > 4*24*3600 {
		pl.X.Label.Text, unit = "days", 24*3600
	}
	return pl, unit
}

func newPlot(title, x, y string) *plot.Plot {
	pl := plot.New()
	pl.Title.Text, pl.X.Label.Text, pl.Y.Label.Text = title, x, y
	pl.Title.TextStyle.Font.Size, pl.X.Label.TextStyle.Font.Size, pl.Y.Label.TextStyle.Font.Size = 10, 9, 9
	pl.Legend.TextStyle.Font.Size = 8
	pl.Legend.Top, pl.Legend.Left, pl.Legend.XOffs, pl.Legend.ThumbnailWidth = true, true, 2*vg.Millimeter, 5*vg.Millimeter
	pl.Legend.YOffs = -vg.Millimeter
	pl.Add(plotter.NewGrid())
	return pl
}

func addLine(pl *plot.Plot, name string, points plotter.XYs, color int, steps bool) error {
	if len(points) == 0 {
		return nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}
	line.Color = lineColors[color]
	if steps {
		line.StepStyle = plotter.PostStep
	}
	pl.Add(line)
	if name != "" {
		pl.Legend.Add(name, line)
	}
	return nil
}

func (c *Census) drawArrivals() (*plot.Plot, error) {
	pl, unit := c.timePlot("Pods that come", "pods an hour")
	points := coarser(c.counts.come.points())
	for i := range points {
		points[i] = plotter.XY{X: points[i].X / unit, Y: points[i].Y * 3600}
	}
	err := addLine(pl, "", points, lineRunning, true)
	pl.Y.Min, pl.Y.Max = 0, 1.05*pl.Y.Max
	return pl, err
}

func (c *Census) drawConcurrency() (*plot.Plot, error) {
	pl, unit := c.timePlot("What pods ask for while they run", "% of capacity")
	colors := []int{lineRunning, linePending, lineReady, lineEvictions, lineTerminating}
	drawn := 0
	for _, l := range c.Load {
		level := c.counts.level(l.Resource, false)
		if level == nil || l.Capacity == 0 || drawn == len(colors) {
			continue
		}
		points := coarser(level.points())
		for i := range points {
			points[i] = plotter.XY{X: points[i].X / unit, Y: 100 * points[i].Y / l.Capacity}
		}
		if err := addLine(pl, resourceWord(l.Resource), points, colors[drawn], true); err != nil {
			return nil, err
		}
		drawn++
	}
	if drawn == 0 { // no capacity is known: pods
		pl.Y.Label.Text = "pods that run"
		points := coarser(c.counts.running.points())
		for i := range points {
			points[i].X /= unit
		}
		if err := addLine(pl, "", points, lineRunning, true); err != nil {
			return nil, err
		}
	}
	pl.Y.Min, pl.Y.Max = 0, 1.25*pl.Y.Max
	return pl, nil
}

// drawDurations draws which share of pods, and of the time they run together, is of pods
// that run longer than so long.
func (c *Census) drawDurations() (*plot.Plot, error) {
	d := &c.counts.runs
	pl := newPlot("How long pods run", "seconds", "share of what runs longer")
	var pods, time plotter.XYs
	longer, seconds := float64(d.count), d.sum
	for i, n := range d.pods {
		if n == 0 {
			continue
		}
		longer -= float64(n)
		seconds -= d.seconds[i]
		x := math.Max(d.seconds[i]/float64(n), leastDuration)
		if longer >= 0.5 {
			pods = append(pods, plotter.XY{X: x, Y: longer / float64(d.count)})
		}
		if longer >= 0.5 && seconds > 0 {
			time = append(time, plotter.XY{X: x, Y: seconds / d.sum})
		}
	}
	if err := addLine(pl, "of pods", pods, lineRunning, true); err != nil {
		return nil, err
	}
	if err := addLine(pl, "of the time run", time, lineEvictions, true); err != nil {
		return nil, err
	}
	if d.count == 0 {
		pl.Title.Text = "No pod ends by itself"
	}
	legendBelow(pl)
	logAxes(pl)
	return pl, nil
}

// legendBelow puts the legend where curves that fall from left to right leave room.
func legendBelow(pl *plot.Plot) { pl.Legend.Top, pl.Legend.YOffs = false, vg.Millimeter }

// logAxes makes both axes logarithmic, from one power of ten to another. A plot of
// nothing stays as it is, for its axes have no logarithm.
func logAxes(pl *plot.Plot) {
	for _, a := range []*plot.Axis{&pl.X, &pl.Y} {
		if !(a.Min > 0) || math.IsInf(a.Max, 0) {
			pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, 1, 0, 1
			return
		}
	}
	logAxis(&pl.X)
	logAxis(&pl.Y)
}

func logAxis(a *plot.Axis) {
	a.Min = math.Pow(10, math.Floor(math.Log10(a.Min)))
	a.Max = math.Max(math.Pow(10, math.Ceil(math.Log10(a.Max))), 10*a.Min)
	a.Scale, a.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
}

// drawSizes draws which share of pods asks for no more than some share of the largest
// request, for each resource.
func (c *Census) drawSizes() (*plot.Plot, error) {
	pl := newPlot("What pods ask for", "of the most that a pod asks for, %", "share of pods that ask for no more, %")
	colors := []int{lineRunning, linePending, lineReady, lineEvictions, lineTerminating}
	drawn := 0
	for _, s := range c.Sizes {
		if s.Max <= 0 || drawn == len(colors) {
			continue
		}
		name := fmt.Sprintf("%s (up to %s)", resourceWord(s.Resource), amountText(s.Resource, float64(s.Max)))
		if err := addLine(pl, name, c.counts.sizePoints(s), colors[drawn], true); err != nil {
			return nil, err
		}
		drawn++
	}
	pl.X.Max, pl.Y.Min, pl.Y.Max = 100, 0, 130
	if !(pl.X.Min > 0) || drawn == 0 {
		pl.X.Min = 1
	}
	logAxis(&pl.X)
	return pl, nil
}

func (k *censusCounts) sizePoints(of CensusSizes) plotter.XYs {
	type size struct{ amount, pods int64 }
	var list []size
	asking := int64(0)
	for _, g := range k.classes {
		traces.EachRequest(g.class, func(name string, amount int64) {
			if name == of.Resource {
				list = append(list, size{amount, g.pods})
				asking += g.pods
			}
		})
	}
	slices.SortFunc(list, func(a, b size) int { return cmp.Compare(a.amount, b.amount) })
	total := float64(k.demand.Pods)
	upTo := k.demand.Pods - asking
	var points plotter.XYs
	for _, s := range list {
		if s.amount <= 0 {
			upTo += s.pods
			continue
		}
		if points == nil { // from those that ask for nothing up to the first
			points = append(points, plotter.XY{X: 100 * float64(s.amount) / float64(of.Max), Y: 100 * float64(upTo) / total})
		}
		upTo += s.pods
		points = append(points, plotter.XY{X: 100 * float64(s.amount) / float64(of.Max), Y: 100 * float64(upTo) / total})
	}
	return points
}

// drawRanks draws how many pods classes and namespaces have, from the largest to the
// smallest.
func (c *Census) drawRanks() (*plot.Plot, error) {
	pl := newPlot("Pods of classes and namespaces, by rank", "rank", "pods")
	for _, of := range []struct {
		name   string
		groups []*censusGroup
		color  int
	}{{"classes", c.counts.classes, lineRunning}, {"namespaces", c.counts.namespaces, linePending}} {
		sorted := slices.Clone(of.groups)
		slices.SortStableFunc(sorted, func(a, b *censusGroup) int { return cmp.Compare(b.pods, a.pods) })
		points := make(plotter.XYs, len(sorted))
		for i, g := range sorted {
			points[i] = plotter.XY{X: float64(i + 1), Y: float64(g.pods)}
		}
		if err := addLine(pl, of.name, points, of.color, false); err != nil {
			return nil, err
		}
		if len(points) == 0 {
			continue
		}
		marks, err := plotter.NewScatter(points)
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", of.name, err)
		}
		marks.Color, marks.Radius, marks.Shape = lineColors[of.color], 1.5, draw.CircleGlyph{}
		pl.Add(marks)
	}
	legendBelow(pl)
	logAxes(pl)
	return pl, nil
}
