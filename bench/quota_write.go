package bench

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A LimitReport says what of limits is used, at a moment or over a run's time.
type LimitReport struct {
	Version string     `json:"version"`
	Source  string     `json:"source"`
	Seconds float64    `json:"seconds"` // that the run lasted; 0 for a moment
	Limits  []LimitUse `json:"limits"`
}

// Write writes the report in a format.
func (r *LimitReport) Write(w io.Writer, format Format) error {
	if format != FormatJSON {
		return r.grid().write(w, format)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Save makes a folder of the report as files: limits.json, limits.csv, limits.txt,
// series.csv and limits.svg.
func (r *LimitReport) Save(dir string) error { return r.folder().Save(dir) }

// CheckSaveDir returns nil if Save would accept dir.
func (r *LimitReport) CheckSaveDir(dir string) error { return r.folder().Check(dir) }

func (r *LimitReport) folder() Folder {
	in := func(f Format) func(io.Writer) error {
		return func(w io.Writer) error { return r.Write(w, f) }
	}
	return Folder{
		{limitsFile, in(FormatJSON)},
		{"limits.csv", in(FormatCSV)},
		{"limits.txt", in(FormatTable)},
		{"series.csv", func(w io.Writer) error { return writeUseSeries(w, r.Limits) }},
		{"limits.svg", func(w io.Writer) error { return writeSVG(w, limitPicture(r.Limits)) }},
	}
}

const limitsFile = "limits.json"

func (r *LimitReport) grid() *grid {
	if len(r.Limits) > 0 && r.Limits[0].isQueue() {
		return r.queueGrid()
	}
	g := &grid{
		title:  "What of limits is used: " + r.Source,
		head:   []string{"namespace", "quota", "scopes", "resource", "hard", "used", "used, %"},
		labels: 4,
	}
	if r.Seconds > 0 {
		g.title = fmt.Sprintf("What of limits is used over %.1f hours: %s", r.Seconds/3600, r.Source)
		g.head = append(g.head[:5], "mean", "mean, %", "peak", "full, % of time", "pods refused")
	}
	for i := range r.Limits {
		l := &r.Limits[i]
		row := []string{l.Namespace, l.Name, l.Scopes, l.Resource, FormatAmount(l.Resource, l.Hard)}
		row = append(row, FormatMean(l.Resource, l.Mean), percentOf(l.Mean, float64(l.Hard)))
		if r.Seconds > 0 {
			row = append(row, FormatAmount(l.Resource, l.Peak), fmt.Sprintf("%.1f", 100*l.Full), strconv.Itoa(l.Refused))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// queueGrid is grid for queues, which may use more than they are guaranteed.
func (r *LimitReport) queueGrid() *grid {
	g := &grid{
		title:  fmt.Sprintf("What queues use over %.1f hours: %s", r.Seconds/3600, r.Source),
		head:   []string{"queue", "resource", "guaranteed", "mean", "mean, %", "peak", "all of it or more, % of time"},
		labels: 2,
	}
	for i := range r.Limits {
		l := &r.Limits[i]
		g.rows = append(g.rows, []string{
			l.Name, l.Resource, FormatAmount(l.Resource, l.Hard), FormatMean(l.Resource, l.Mean), percentOf(l.Mean, float64(l.Hard)),
			FormatAmount(l.Resource, l.Peak), fmt.Sprintf("%.1f", 100*l.Full),
		})
	}
	return g
}

func percentOf(part, whole float64) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100*part/whole)
}

// isCPU and isBytes tell the unit of what a limit is of, by its name.
func isCPU(name string) bool {
	return name == "cpu" || strings.HasSuffix(name, ".cpu")
}

func isBytes(name string) bool {
	for _, suffix := range []string{"memory", "storage"} {
		if name == suffix || strings.HasSuffix(name, "."+suffix) || strings.HasSuffix(name, "-"+suffix) {
			return true
		}
	}
	return strings.Contains(name, "hugepages-")
}

var binarySuffixes = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}

// FormatAmount writes an amount of what a limit is of as Kubernetes does: 1500m, 64Gi.
func FormatAmount(name string, amount int64) string {
	switch {
	case isCPU(name) && amount%1000 != 0:
		return strconv.FormatInt(amount, 10) + "m"
	case isCPU(name):
		return strconv.FormatInt(amount/1000, 10)
	case isBytes(name) && amount != 0:
		i := 0
		for ; amount%1024 == 0 && i+1 < len(binarySuffixes); i++ {
			amount /= 1024
		}
		return strconv.FormatInt(amount, 10) + binarySuffixes[i]
	}
	return strconv.FormatInt(amount, 10)
}

// FormatMean writes a mean amount, with one decimal if it isn't whole.
func FormatMean(name string, amount float64) string {
	if amount == float64(int64(amount)) {
		return FormatAmount(name, int64(amount))
	}
	switch {
	case isCPU(name):
		return fmt.Sprintf("%.1f", amount/1000)
	case isBytes(name):
		i := 0
		for ; amount >= 1024 && i+1 < len(binarySuffixes); i++ {
			amount /= 1024
		}
		return fmt.Sprintf("%.1f%s", amount, binarySuffixes[i])
	}
	return fmt.Sprintf("%.1f", amount)
}

// writeUseSeries writes what was used over time, a row for each limit and time.
func writeUseSeries(w io.Writer, limits []LimitUse) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"namespace", "quota", "resource", "seconds", "used", "hard"}}
	for _, l := range limits {
		for i, used := range l.Series.Used {
			at := l.Series.From + float64(i)*l.Series.Step
			rows = append(rows, []string{
				l.Namespace, l.Name, l.Resource, strconv.FormatFloat(at, 'f', -1, 64),
				strconv.FormatInt(used, 10), strconv.FormatInt(l.Series.Hard[i], 10),
			})
		}
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing what was used as CSV: %w", err)
	}
	return nil
}

// limitColumns is how many panels stand beside each other, mostPanels how many there are.
const (
	limitColumns = 3
	mostPanels   = 48
)

// limitPicture has a panel for each limit, or for the fullest if there are many: what was
// used, and the limit, over hours.
func limitPicture(limits []LimitUse) picture {
	if len(limits) > mostPanels {
		limits = slices.Clone(limits)
		slices.SortStableFunc(limits, func(a, b LimitUse) int { return cmp.Compare(b.Full, a.Full) })
		limits = limits[:mostPanels]
	}
	rows := (len(limits) + limitColumns - 1) / limitColumns
	return picture{
		panelWidth * limitColumns, panelHeight * vg.Length(max(rows, 1)),
		func(onto draw.Canvas) error { return drawLimits(onto, limits, rows) },
	}
}

func drawLimits(onto draw.Canvas, limits []LimitUse, rows int) error {
	if len(limits) == 0 {
		return nil
	}
	panels := make([][]*plot.Plot, rows)
	for i := range panels {
		panels[i] = make([]*plot.Plot, limitColumns)
	}
	for i := range limits {
		drawn, err := drawLimit(&limits[i])
		if err != nil {
			return err
		}
		panels[i/limitColumns][i%limitColumns] = drawn
	}
	tiles := draw.Tiles{Rows: rows, Cols: limitColumns, PadX: vg.Millimeter * 4, PadY: vg.Millimeter * 4, PadLeft: 5, PadRight: 5, PadTop: 5, PadBottom: 5}
	for i, row := range plot.Align(panels, tiles, onto) {
		for j := range row {
			if panels[i][j] != nil {
				panels[i][j].Draw(row[j])
			}
		}
	}
	return nil
}

// drawLimit draws one limit over hours.
func drawLimit(l *LimitUse) (*plot.Plot, error) {
	pl := plot.New()
	pl.Title.Text = strings.TrimPrefix(l.Namespace+"/"+l.Name+": "+l.Resource, "/")
	pl.Title.TextStyle.Font.Size = 7
	pl.X.Label.Text = "hours"
	pl.X.Label.TextStyle.Font.Size = 8
	pl.Legend.Top, pl.Legend.Left = true, true
	pl.Legend.TextStyle.Font.Size = 8
	pl.Add(plotter.NewGrid())
	scale := 1.0
	if isCPU(l.Resource) {
		scale = 1000
	} else if isBytes(l.Resource) {
		scale = 1 << 30
		pl.Y.Label.Text = "GiB"
	}
	for _, which := range []struct {
		name   string
		values []int64
		color  int
	}{{l.hardName(), l.Series.Hard, lineEvictions}, {"used", l.Series.Used, lineRunning}} {
		points := make(plotter.XYs, len(which.values))
		for i, v := range which.values {
			points[i] = plotter.XY{X: (l.Series.From + float64(i)*l.Series.Step) / 3600, Y: float64(v) / scale}
		}
		if len(points) == 0 {
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", l.Name, err)
		}
		line.Color, line.StepStyle = lineColors[which.color], plotter.PostStep
		pl.Add(line)
		pl.Legend.Add(which.name, line)
	}
	pl.Y.Min, pl.Y.Max = 0, max(1, 1.3*pl.Y.Max)
	return pl, nil
}
