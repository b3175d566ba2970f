package bench

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	fillTrace = "openb:alibaba-openb-gpu-v2023?pods=default"
	timeTrace = "openb:alibaba-openb-gpu-v2023?mode=time&load=0.9"
)

// sampleResults are results like those of a paper's table: three policies, of
// which one draws nothing on the second trace, where pods have times.
func sampleResults(seeds int) *Results {
	r := &Results{
		Version: Version,
		Ties:    "node that comes first in the trace",
		Traces: []TraceInfo{
			{Name: fillTrace, Hash: strings.Repeat("0123456789abcdef", 4), Nodes: 1213, GPUs: 6212, Pods: 8152, OfferedLoad: 1.3},
			{Name: timeTrace, Hash: strings.Repeat("fedcba9876543210", 4), Nodes: 1213, GPUs: 6212, Pods: 8152, OfferedLoad: 0.9125},
		},
		Reproduce: Reproduce{
			Berth: "v0.1.0", Experiment: strings.Repeat("a1", 32), Seeds: fmt.Sprintf("42-%d", 41+seeds), Digest: strings.Repeat("b2", 32),
			Command: "berth compare --trace '" + fillTrace + "' --policies bestfit,fgd,random --baseline bestfit", Complete: true,
		},
	}
	for i, policy := range []string{"bestfit", "fgd", "random"} {
		for seed := range seeds {
			r.Runs = append(r.Runs, sampleFilling(policy, i, seed))
		}
	}
	for i, policy := range []string{"bestfit", "fgd"} {
		metrics := map[string]float64{
			"gpu_allocated_pct_mean": 61.25 + float64(i), "gpu_fragmented_pct_mean": 4.5, "pods_placed": 8150 + float64(i),
			"pods_unplaced": 2 - float64(i), "wait_mean": 12.3456, "wait_p50": 0, "wait_p99": 1834.25 - 500*float64(i),
		}
		r.Runs = append(r.Runs, Run{
			Point: Point{Trace: timeTrace, Policy: policy, Eviction: "none", Faults: "none", Quota: "none"},
			Seed:  42, Unseeded: true, Digest: fmt.Sprintf("%064x", 900+i), Metrics: metrics,
			Timing: map[string]float64{"seconds": 1.5},
		})
	}
	r.Summary = Summarise(r.Runs)
	r.Differences = Differences(r.Runs, "bestfit")
	return r
}

// sampleFilling is one run on the first trace; i is the policy's number, and
// the noise a sawtooth. Products are rounded by themselves, so that golden
// files hold on processors that would fuse them with the sum.
func sampleFilling(policy string, i, seed int) Run {
	run := Run{
		Point: Point{Trace: fillTrace, Policy: policy, Eviction: "none", Faults: "none", Quota: "none"},
		Seed:  int64(42 + seed), Digest: fmt.Sprintf("%064x", 100*i+seed),
		Metrics:  map[string]float64{"pods_placed": float64(7000 + 40*i + seed%3), "pods_unplaced": float64(1200 - 10*i)},
		Timing:   map[string]float64{"seconds": 0.5, "placements_per_second": 16000},
		Unplaced: map[string]int{"0/1213 nodes are available: 1213 Insufficient nvidia.com/gpu.": 1200 - 10*i},
		Curves:   map[string][]float64{"gpu_allocated_pct": {0, 1, math.NaN(), 2.99999}, "gpu_fragmented_pct": {0, 0.5}},
	}
	noise := float64((seed*7+i*3)%10) / 25
	for _, m := range Metrics {
		switch m.Family {
		case "gpu_allocated_pct":
			run.Metrics[m.Name] = min(float64(m.At)-0.02, 91+float64(1.8*float64(i))+float64(m.At-90)/20) - noise
		case "gpu_fragmented_pct":
			run.Metrics[m.Name] = 8 - 2*float64(i) + noise
		}
	}
	return run
}

func write(t *testing.T, r *Results, f Format, metrics ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, f, metrics); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportsGolden(t *testing.T) {
	for _, f := range []Format{FormatTable, FormatCSV, FormatMarkdown, FormatLaTeX} {
		t.Run(string(f), func(t *testing.T) {
			golden(t, "report."+string(f), write(t, sampleResults(10), f))
		})
	}
}

// JSON is long: two seeds of two policies, two metrics, say all there is.
func TestReportJSONGolden(t *testing.T) {
	r := sampleResults(2)
	r.Runs, r.Traces = r.Runs[:4], r.Traces[:1]
	for _, run := range r.Runs {
		maps.DeleteFunc(run.Metrics, func(name string, _ float64) bool {
			return name != "gpu_allocated_pct_at_100" && name != "pods_unplaced"
		})
	}
	r.Summary, r.Differences = Summarise(r.Runs), Differences(r.Runs, "bestfit")
	golden(t, "report.json", write(t, r, FormatJSON))

	if empty := write(t, &Results{Version: Version}, FormatJSON); strings.Contains(empty, "null") {
		t.Errorf("lists of nothing must be lists:\n%s", empty)
	}
}

// One seed: no spread, no interval, no p, and rows of a single line.
func TestReportsOfOneSeedGolden(t *testing.T) {
	for _, f := range []Format{FormatTable, FormatCSV, FormatLaTeX} {
		t.Run(string(f), func(t *testing.T) {
			r := sampleResults(1)
			r.Reproduce.Complete = false
			golden(t, "report_one_seed."+string(f), write(t, r, f))
		})
	}
}

// Axes that vary label rows; names hold what each format takes for markup.
func TestReportsWithAxesGolden(t *testing.T) {
	r := sampleResults(3)
	r.Differences = nil
	for i, p := range []string{"50%_of|fgd", "[best]*", "a&b#{~^\\}<$>"} {
		for j := range r.Runs {
			if run := &r.Runs[j]; run.Policy == []string{"bestfit", "fgd", "random"}[i] {
				run.Policy, run.Quota, run.Faults = p, "fair", fmt.Sprintf("rack-%d", i%2)
			}
		}
	}
	r.Summary = Summarise(r.Runs)
	for _, f := range []Format{FormatTable, FormatMarkdown, FormatLaTeX} {
		t.Run(string(f), func(t *testing.T) {
			golden(t, "report_axes."+string(f), write(t, r, f, "gpu_allocated_pct_at_100", "wait_p99", "pods_placed"))
		})
	}
}

// What can't fit side by side goes below, and no line is longer than allowed.
func TestTableWidth(t *testing.T) {
	r := sampleResults(10)
	for i := range r.Runs {
		r.Runs[i].Policy = "GpuPackingScore:70+" + r.Runs[i].Policy
	}
	r.Summary, r.Differences = Summarise(r.Runs), Differences(r.Runs, "GpuPackingScore:70+bestfit")
	text, _, _ := strings.Cut(write(t, r, FormatTable), "Cells:")
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(line) - 1; n > tableWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	for _, m := range Metrics {
		if m.Family == "gpu_allocated_pct" && !strings.Contains(text, "  "+m.columnHead()) {
			t.Errorf("no column %q in:\n%s", m.columnHead(), text)
		}
	}
}

// Table, Markdown and LaTeX must show the same figures in the same order.
func TestFormatsAgree(t *testing.T) {
	r := sampleResults(10)
	want := 0
	for _, s := range r.layOut(selection{metrics: Metrics}).sections {
		for _, m := range s.matrices {
			for _, row := range m.rows {
				want += len(row.cells)
			}
		}
	}
	if want != len(r.Summary)+len(r.Differences) {
		t.Errorf("%d cells for %d summaries and %d differences", want, len(r.Summary), len(r.Differences))
	}
	for _, f := range []Format{FormatTable, FormatMarkdown, FormatLaTeX} {
		text := write(t, r, f)
		for _, s := range r.Summary {
			if s.CI95 != nil && s.Unit == "%" {
				if interval := fmt.Sprintf("[%.2f, %.2f]", s.CI95[0], s.CI95[1]); !strings.Contains(text, interval) {
					t.Errorf("%s lacks the interval %s of %s of %s", f, interval, s.Metric, s.Policy)
				}
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range Formats {
		if got, err := ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("ParseFormat(%q) = %q, %v", f, got, err)
		}
	}
	_, err := ParseFormat("xml")
	if want := `unknown output format "xml": use one of table, json, csv, markdown, latex`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSelectMetrics(t *testing.T) {
	s, err := selectMetrics([]string{"wait_p99", "gpu_fragmented_pct", "gpu_allocated_pct_at_95"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range s.metrics {
		got = append(got, m.columnHead())
	}
	want := []string{"95 %", "80 %", "90 %", "95 %", "100 %", "110 %", "120 %", "130 %", "wait_p99, s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

type failingWriter struct{ written int }

func (w *failingWriter) Write(p []byte) (int, error) {
	w.written += len(p)
	return 0, errors.New("disk full")
}

// What can't be written whole is not begun.
func TestWriteErrors(t *testing.T) {
	notANumber := sampleResults(1)
	notANumber.Runs[0].Metrics["wait_p50"] = math.NaN()
	stray := sampleResults(1)
	stray.Traces = stray.Traces[:1]
	for _, c := range []struct {
		name    string
		r       *Results
		format  Format
		metrics []string
		want    string
	}{
		{"metric", sampleResults(1), FormatTable, []string{"wait_p42"}, `unknown metric "wait_p42": use some of gpu_allocated_pct[_at_80]`},
		{"format", sampleResults(1), "xml", nil, `unknown output format "xml"`},
		{"nan", notANumber, FormatJSON, nil, "NaN"},
		{"trace", stray, FormatTable, nil, timeTrace},
	} {
		var w failingWriter
		if err := c.r.Write(&w, c.format, c.metrics); err == nil || !strings.Contains(err.Error(), c.want) || w.written > 0 {
			t.Errorf("%s: got %v after %d bytes, want %s", c.name, err, w.written, c.want)
		}
	}
	var w failingWriter
	if err := sampleResults(1).Write(&w, FormatTable, nil); err == nil || err.Error() != "disk full" {
		t.Errorf("got %v, want the writer's error", err)
	}
}

func TestCellDigits(t *testing.T) {
	p := func(x float64) *float64 { return &x }
	for _, c := range []struct {
		figure figure
		whole  bool
		want   string
	}{
		{figure{unit: "%", mean: 95.2349, sd: 0.108, varies: true}, false, "95.23 ± 0.11"},
		{figure{unit: "%", mean: 2.368, p: p(0.00099), relative: true}, false, "+2.37 p<0.001"},
		{figure{unit: "%", mean: -0.001, p: p(0.0126), relative: true}, false, "0.00 p=0.013"},
		{figure{unit: "%", mean: 0, relative: true}, false, "0.00"},
		{figure{mean: 8152}, true, "8152"},
		{figure{mean: 8152, sd: 1.25, varies: true}, false, "8152.0 ± 1.2"},
		{figure{unit: "s", mean: 1834.25}, false, "1834"},
		{figure{unit: "s", mean: 183.42}, false, "183.4"},
		{figure{unit: "s", mean: 12.3456}, false, "12.35"},
		{figure{unit: "s", mean: 0.0305}, false, "0.030"},
		{figure{unit: "s", mean: 0.0000306}, false, "0.000031"},
		{figure{unit: "s", mean: -3.14159, relative: true}, false, "-3.142"},
	} {
		if got := c.figure.cell(c.whole).text(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.figure, got, c.want)
		}
	}
}
