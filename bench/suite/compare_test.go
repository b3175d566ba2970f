package suite

import (
	"slices"
	"strings"
	"testing"
)

// result returns one with ten samples around the times, and the counts.
func result(caseTime, pluginTime, scored, statements float64) *Result {
	r := &Result{Berth: "v0", Complete: true, Machine: Machine{Go: "go1", System: "linux/amd64", CPU: "x", Processors: 2}}
	c := CaseResult{Name: "basic/nodes=500/classes=1", Work: Counts{"scored": scored, "filtered": 2}}
	p := Cost{Plugin: "NodePorts", Point: "filter", Nanoseconds: 1000}
	if statements > 0 {
		p.Statements = []float64{statements, statements + 1, statements}
	}
	for i := range 10 {
		noise := 1 + 0.002*float64(i)
		c.Samples = append(c.Samples, Sample{Calibrated: caseTime * noise, Allocs: 2})
		p.Calibrated = append(p.Calibrated, pluginTime*noise)
	}
	r.Cases, r.Plugins = []CaseResult{c}, []Cost{p}
	return r
}

func TestCompare(t *testing.T) {
	other := func(change func(*Result)) *Result {
		r := result(100, 10, 4, 100000)
		change(r)
		return r
	}
	old := result(100, 10, 4, 100000)
	for _, c := range []struct {
		why  string
		now  *Result
		want []string // regressions, as they begin
	}{
		{"the same", result(100, 10, 4, 100000), nil},
		{"a little", result(110, 11, 4.04, 101400), nil},
		{"three percent more statements", result(100, 10, 4, 103000), []string{"plugin NodePorts at filter: statements +3.0 %"}},
		{"counts that overlap", other(func(r *Result) { r.Plugins[0].Statements = []float64{120000, 100000, 110000} }), nil},
		{"fewer of all", result(50, 5, 2, 50000), nil},
		{"a slower case", result(320, 10, 4, 100000), []string{"basic/nodes=500/classes=1: time +220.0 % (p=0.000)"}},
		{"a case as slow as on a busy day", result(250, 10, 4, 100000), nil},
		{"more work", result(100, 10, 4.1, 100000), []string{"basic/nodes=500/classes=1: scored/pod +2.5 %"}},
		{"work where none was", other(func(r *Result) { r.Cases[0].Work["scans"] = 1 }), []string{"basic/nodes=500/classes=1: scans/pod 1.00, was 0"}},
		{"more allocations", other(func(r *Result) {
			for i := range r.Cases[0].Samples {
				r.Cases[0].Samples[i].Allocs++
			}
		}), []string{"basic/nodes=500/classes=1: allocs/pod +50.0 %"}},
		{"a slower plugin with the same statements", result(100, 32, 4, 100000), nil},
		{"a slower plugin without", other(func(r *Result) { r.Plugins = result(0, 32, 0, 0).Plugins }), []string{"plugin NodePorts at filter: time +220.0 % (p=0.000)"}},
		{"a plugin that takes too little time to tell", other(func(r *Result) { *r = *result(100, 32, 4, 0); r.Plugins[0].Nanoseconds = 100 }), nil},
		{"another machine", other(func(r *Result) { *r = *result(320, 16, 4, 100000); r.Machine.CPU = "y" }), nil},
		{"another compiler", other(func(r *Result) { *r = *result(100, 10, 4, 200000); r.Machine.Go = "go2" }), nil},
	} {
		old := *old
		if c.now.Plugins[0].Nanoseconds < 200 {
			old.Plugins = []Cost{c.now.Plugins[0]}
			old.Plugins[0].Calibrated = result(0, 10, 0, 0).Plugins[0].Calibrated
		}
		comparison := c.now.Compare(&old)
		var got []string
		for _, row := range comparison.Regressions() {
			got = append(got, row.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q", c.why, got, c.want)
		}
	}
	comparison := other(func(r *Result) { r.Machine.Go = "go2"; r.Cases[0].Name = "new"; r.Plugins[0].Plugin = "New" }).Compare(old)
	notes := strings.Join(comparison.Notes, "\n")
	for _, want := range []string{
		"times are not compared: that was go1 on", "new was not measured then", "basic/nodes=500/classes=1 is not measured now",
		"statements are not compared: other compilers", "plugin New at filter was not measured then",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q:\n%s", want, notes)
		}
	}
}

func TestWriteTable(t *testing.T) {
	r := result(320, 12, 4, 103000)
	r.Attribution = []Share{{"score", "NodePorts", 0.9}, {others, "", 0.06}, {"rank", "", 0.035}, {"bind", "", 0.005}}
	r.Comparison = r.Compare(result(100, 10, 8, 100000))
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"basic/nodes=500/classes=1 0 ± 0% 2.0 0 2.00 4.00 0.00 0.00",
		"score NodePorts 90.0 % rank 3.5 % bind 0.5 % other 6.0 %",
		"NodePorts filter 1000.0 ± 1% 103000",
		"Compared with v0",
		"scored/pod -50.0 % better", "time +220.0 % (p=0.000) REGRESSION", "statements +3.0 % REGRESSION", "time +20.0 % (p=0.000) not judged",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, b.String())
		}
	}
}
