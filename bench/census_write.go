package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// censusFile is the first file of a saved census.
const censusFile = "info.json"

// Write writes the census in a format. CSV has a row for each figure: section, row,
// column, figure.
func (c *Census) Write(w io.Writer, format Format) error {
	switch format {
	case FormatJSON:
		return writeJSONValue(w, c)
	case FormatCSV:
		return c.writeCSV(w)
	}
	for i, g := range c.grids() {
		if i > 0 && format != FormatTable { // whose tables end with an empty line
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := g.write(w, format); err != nil {
			return err
		}
	}
	return nil
}

func (c *Census) writeCSV(w io.Writer) error {
	rows := [][]string{{"section", "row", "column", "figure"}}
	for _, g := range c.grids() {
		for _, row := range g.rows {
			labels := min(g.labels, len(row)-1)
			for i := labels; i < len(row); i++ {
				rows = append(rows, []string{g.title, strings.Join(row[:labels], " "), g.head[i], row[i]})
			}
		}
	}
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("writing what is in a trace as CSV: %w", err)
	}
	return nil
}

// grids are the page as tables, those that say nothing left out.
func (c *Census) grids() []*grid {
	all := []*grid{
		c.overviewGrid(), c.rejectedGrid(), c.gapsGrid(), c.nodesGrid(), c.loadGrid(), c.sizesGrid(), c.durationsGrid(),
		c.hoursGrid(), c.daysGrid(), sharesGrid("Classes with the most pods", c.TopClasses), sharesGrid("Namespaces with the most pods", c.TopNamespaces), c.otherGrid(),
	}
	var said []*grid
	for _, g := range all {
		if len(g.rows) > 0 {
			said = append(said, g)
		}
	}
	return said
}

func (c *Census) overviewGrid() *grid {
	g := &grid{title: c.Trace, head: []string{"what", "how much"}, labels: 2}
	add := func(what, text string) { g.rows = append(g.rows, []string{what, text}) }
	add("format", c.Format)
	add("hash", c.Hash)
	if c.Epoch != "" {
		add("begins at", c.Epoch)
	}
	if c.Rows > 0 {
		rejected := 0
		for _, r := range c.Rejected {
			rejected += r.Rows
		}
		add("rows read", strconv.Itoa(c.Rows))
		add("rows rejected", strconv.Itoa(rejected))
	}
	add("nodes", strconv.Itoa(c.Nodes))
	add("GPUs", strconv.Itoa(c.GPUs))
	add("pods", strconv.FormatInt(c.Pods, 10))
	add("pods that end", strconv.FormatInt(c.Ending, 10))
	add("classes", strconv.Itoa(c.Classes))
	add("namespaces", strconv.Itoa(c.Namespaces))
	add("owners", strconv.Itoa(c.Owners))
	add("from first to last arrival", durationText(c.Span))
	add("pods an hour, mean", fmt.Sprintf("%.4g", c.Arrivals.MeanPerHour))
	add("pods an hour, peak", strconv.FormatInt(c.Arrivals.PeakPerHour, 10))
	add("pods that run, mean", fmt.Sprintf("%.4g", c.Running.Mean))
	add("pods that run, 95 % of the time", fmt.Sprintf("%.4g", c.Running.P95))
	add("pods that run, peak", fmt.Sprintf("%.0f", c.Running.Peak))
	return g
}

func (c *Census) rejectedGrid() *grid {
	g := &grid{title: "Rows rejected", head: []string{"reason", "first", "rows"}, labels: 2}
	for _, r := range c.Rejected {
		first := r.File
		if r.Line > 0 {
			first += ":" + strconv.Itoa(r.Line)
		}
		g.rows = append(g.rows, []string{r.Reason, first, strconv.Itoa(r.Rows)})
	}
	return g
}

// gapsGrid has the first gaps, and how many more there are.
func (c *Census) gapsGrid() *grid {
	g := &grid{title: "Gaps, in which something may have been missed", labels: 1, head: []string{"reason", "from", "until", "lasts", "watches"}}
	for _, x := range c.Gaps[:min(len(c.Gaps), mostShown)] {
		row := []string{x.Reason, c.instant(x.From), c.instant(x.Until), durationText(x.Until - x.From), strconv.Itoa(x.Notes)}
		g.rows = append(g.rows, row)
	}
	if others := c.Gaps[len(g.rows):]; len(others) > 0 {
		lasts, notes := 0.0, 0
		for _, x := range others {
			lasts += x.Until - x.From
			notes += x.Notes
		}
		g.rows = append(g.rows, []string{fmt.Sprintf("%d more", len(others)), "", "", durationText(lasts), strconv.Itoa(notes)})
	}
	return g
}

// instant writes a time of the trace: of day if the trace says when it begins.
func (c *Census) instant(seconds float64) string {
	epoch, err := time.Parse(time.RFC3339, c.Epoch)
	if err != nil {
		return durationText(seconds)
	}
	return epoch.Add(time.Duration(seconds * float64(time.Second))).Format("2006-01-02T15:04:05.000Z07:00")
}

func (c *Census) nodesGrid() *grid {
	g := &grid{title: "Nodes", head: []string{"each has", "nodes"}, labels: 1}
	for _, n := range c.NodeKinds[:min(len(c.NodeKinds), 2*mostShown)] {
		g.rows = append(g.rows, []string{n.What, strconv.Itoa(n.Count)})
	}
	if others := c.NodeKinds[len(g.rows):]; len(others) > 0 {
		count := 0
		for _, n := range others {
			count += n.Count
		}
		g.rows = append(g.rows, []string{fmt.Sprintf("%d other kinds", len(others)), strconv.Itoa(count)})
	}
	return g
}

func (c *Census) loadGrid() *grid {
	g := &grid{title: "What pods ask for while they run, as a share of capacity", labels: 1,
		head: []string{"resource", "capacity", "offered load, %", "mean, %", "95 % of the time, %", "peak, %"}}
	for _, l := range c.Load {
		row := []string{resourceWord(l.Resource), amountText(l.Resource, l.Capacity)}
		for _, x := range []float64{l.Offered * l.Capacity, l.Mean, l.P95, l.Peak} {
			row = append(row, percentOf(x, l.Capacity))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func (c *Census) sizesGrid() *grid {
	g := &grid{title: "What pods ask for", labels: 1, head: []string{"resource", "none, %", "mean", "p50", "p90", "p99", "max"}}
	for _, s := range c.Sizes {
		row := []string{resourceWord(s.Resource), fmt.Sprintf("%.1f", 100*s.None), amountText(s.Resource, s.Mean)}
		for _, x := range []int64{s.P50, s.P90, s.P99, s.Max} {
			row = append(row, amountText(s.Resource, float64(x)))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func (c *Census) durationsGrid() *grid {
	g := &grid{title: "How long pods run that end", labels: 1, head: []string{"", "mean", "p10", "p50", "p90", "p99", "p99.9", "max", "longest 1 % have", "longest 10 % have"}}
	if c.Ending == 0 {
		return g
	}
	d := c.Durations
	row := []string{"run time"}
	for _, x := range []float64{d.Mean, d.P10, d.P50, d.P90, d.P99, d.P999, d.Max} {
		row = append(row, durationText(x))
	}
	g.rows = append(g.rows, append(row, percentOf(d.Longest1, 1)+" %", percentOf(d.Longest10, 1)+" %"))
	return g
}

func (c *Census) hoursGrid() *grid {
	g := &grid{title: "Pods that come by hour of day", labels: 1, head: []string{"hours"}}
	if c.Epoch == "" {
		g.title = "Pods that come by hour, of days from the beginning"
	}
	for i := range 6 {
		g.head = append(g.head, "+"+strconv.Itoa(i))
	}
	for from := 0; from < len(c.Arrivals.ByHour); from += 6 {
		row := []string{fmt.Sprintf("%02d", from)}
		for _, n := range c.Arrivals.ByHour[from : from+6] {
			row = append(row, strconv.FormatInt(n, 10))
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func (c *Census) daysGrid() *grid {
	g := &grid{title: "Pods that come by day of week", labels: 1, head: append([]string{""}, c.Arrivals.Days...)}
	if c.Epoch == "" {
		g.title = "Pods that come by day, of weeks from the beginning"
	}
	row := []string{"pods"}
	for _, n := range c.Arrivals.ByDay {
		row = append(row, strconv.FormatInt(n, 10))
	}
	g.rows = append(g.rows, row)
	return g
}

func sharesGrid(title string, shares []CensusShare) *grid {
	g := &grid{title: title, labels: 1, head: []string{"", "pods", "of pods, %", "of demand, %"}}
	for _, s := range shares {
		g.rows = append(g.rows, []string{s.What, strconv.FormatInt(s.Pods, 10), percentOf(s.Share, 1), percentOf(s.Demand, 1)})
	}
	return g
}

func (c *Census) otherGrid() *grid {
	g := &grid{title: "What else happens", labels: 1, head: []string{"event", "times"}}
	for _, o := range c.Other {
		g.rows = append(g.rows, []string{o.What, strconv.FormatInt(o.Count, 10)})
	}
	return g
}

// resourceWord is what people call a resource.
func resourceWord(name string) string {
	if name == cluster.GPUShares {
		return "GPUs"
	}
	return name
}

// amountText writes an amount, as people read it.
func amountText(name string, amount float64) string {
	switch {
	case name == cluster.GPUShares:
		return fmt.Sprintf("%.5g", amount/cluster.WholeGPU)
	case isBytes(name):
		return FormatMean(name, amount)
	case isCPU(name):
		return fmt.Sprintf("%.6g", amount/1000)
	}
	return fmt.Sprintf("%.6g", amount)
}

// durationText writes seconds as people say them: two units, or seconds.
func durationText(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case seconds < 60:
		return fmt.Sprintf("%.3gs", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case seconds < 24*3600:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
	}
}
