package certify

import (
	"image/color"
	"io"

	"github.com/berthsim/berth/cluster"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	panelWidth  = 8 * vg.Centimeter
	panelHeight = 6 * vg.Centimeter
	across      = 3 // panels in a row
)

// Colours that are apart for those who don't see all (Okabe and Ito).
var (
	liveColor  = color.RGBA{213, 94, 0, 255}
	simColor   = color.RGBA{0, 114, 178, 255}
	alikeColor = color.RGBA{0, 0, 0, 255}
)

// WriteSVG draws a panel for each measure of which there is anything: the share of times up to
// each length, live and simulated.
func (c *Certificate) WriteSVG(w io.Writer) error {
	var shown []Measure
	for _, m := range c.Measures {
		if len(m.Live)+len(m.Sim) > 0 {
			shown = append(shown, m)
		}
	}
	rows := max((len(shown)+across-1)/across, 1)
	canvas := vgsvg.New(panelWidth*across, panelHeight*vg.Length(rows))
	tiles := draw.Tiles{
		Rows: rows, Cols: across, PadX: 6 * vg.Millimeter, PadY: 6 * vg.Millimeter,
		PadTop: 3 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 4 * vg.Millimeter,
	}
	onto := draw.New(canvas)
	for i, m := range shown {
		p, err := m.panel()
		if err != nil {
			return err
		}
		p.Draw(tiles.At(onto, i%across, i/across))
	}
	_, err := canvas.WriteTo(w)
	return err
}

// A key is an entry of a legend.
type key struct {
	name string
	line *plotter.Line
}

// panel draws a measure.
func (m *Measure) panel() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = m.Name
	p.X.Label.Text, p.Y.Label.Text = "seconds", "share of times"
	p.Y.Min, p.Y.Max = 0, 1
	p.X.Min = 0
	p.X.Padding = vg.Points(4)
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		style.Font.Size = vg.Points(10)
	}
	var keys []key
	for _, side := range []struct {
		name   string
		times  []cluster.Time
		color  color.RGBA
		dashes []vg.Length
	}{
		{"simulated", m.Sim, simColor, nil}, {"live", m.Live, liveColor, nil},
		{"leases as live", m.Alike, alikeColor, []vg.Length{vg.Points(2), vg.Points(3)}},
	} {
		if len(side.times) == 0 {
			continue
		}
		line, err := plotter.NewLine(steps(side.times))
		if err != nil {
			return nil, err
		}
		line.Color, line.Width, line.Dashes = side.color, 1.5, side.dashes
		p.Add(line)
		keys = append(keys, key{side.name, line})
	}
	p.X.Max *= 1.06 // what is longest isn't drawn on the edge
	p.Legend.TextStyle.Font.Size = vg.Points(9)
	p.Legend.Padding = vg.Points(2)
	p.Legend.Top = m.late(p.X.Max)
	p.Legend.Left = p.Legend.Top
	room := "" // beside a key on the right: fonts differ in width
	if !p.Legend.Left {
		room = "    "
	}
	for _, k := range keys {
		p.Legend.Add(k.name+room, k.line)
	}
	return p, nil
}

// late reports whether most times are in the right half of a panel up to a length: then there
// is room for the legend on the left.
func (m *Measure) late(most float64) bool {
	times := m.Sim
	if len(times) == 0 {
		times = m.Live
	}
	return seconds(times[len(times)/4]) > most/2
}

// steps is the share of sorted times up to each length, as stairs.
func steps(times []cluster.Time) plotter.XYs {
	xys := plotter.XYs{{X: seconds(times[0]), Y: 0}}
	for i, t := range times {
		below := xys[len(xys)-1].Y
		xys = append(xys, plotter.XY{X: seconds(t), Y: below}, plotter.XY{X: seconds(t), Y: float64(i+1) / float64(len(times))})
	}
	return xys
}

func seconds(t cluster.Time) float64 { return float64(t) / float64(cluster.Second) }
