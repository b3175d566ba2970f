package certify

import (
	"bytes"
	"fmt"
	"html/template"
	"io"

	"github.com/berthsim/berth/cluster"
)

// A Fact is a line of what reproduces a certificate, or says what was compared.
type Fact struct{ Name, Value string }

// WritePage writes a certificate as one HTML page, pictures included.
func (c *Certificate) WritePage(w io.Writer, facts []Fact) error {
	var svg bytes.Buffer
	if err := c.WriteSVG(&svg); err != nil {
		return fmt.Errorf("drawing a certificate: %w", err)
	}
	_, picture, _ := bytes.Cut(svg.Bytes(), []byte("?>")) // HTML has no XML declaration
	err := page.Execute(w, struct {
		*Certificate
		Facts   []Fact
		Picture template.HTML
	}{c, facts, template.HTML(picture)})
	if err != nil {
		return fmt.Errorf("writing a certificate: %w", err)
	}
	return nil
}

// Middle returns the median of sorted times as text, "–" if there are none.
func Middle(times []cluster.Time) string {
	if len(times) == 0 {
		return "–"
	}
	return inSeconds(times[len(times)/2])
}

// Span returns the shortest and the longest of sorted times as text, "–" if there are none.
func Span(times []cluster.Time) string {
	if len(times) == 0 {
		return "–"
	}
	return inSeconds(times[0]) + " to " + inSeconds(times[len(times)-1])
}

func inSeconds(t cluster.Time) string { return fmt.Sprintf("%.2f s", seconds(t)) }

var page = template.Must(template.New("certificate").Funcs(template.FuncMap{"middle": Middle, "span": Span}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Berth: certificate</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
th, td { text-align: left; padding: .25em .9em .25em 0; border-bottom: 1px solid #ddd; vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums }
svg { max-width: 100%; height: auto }
code { font-size: .9em; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>Real kubelets and the simulator</h1>
<p><strong>{{.Verdict}}.</strong> The same workload and faults, under the same scheduler and eviction code, on real kubelets and in virtual time.</p>
<table>
<tr><th>what</th><th>live: n</th><th>median</th><th>range</th><th>simulated, leases as live: median</th><th>range</th><th>simulated, leases drawn too: n</th><th>median</th><th>range</th></tr>
{{range .Measures}}<tr><td><strong>{{.Name}}</strong><br>{{.Doc}}</td><td class="n">{{len .Live}}</td><td class="n">{{middle .Live}}</td><td class="n">{{span .Live}}</td><td class="n">{{middle .Alike}}</td><td class="n">{{span .Alike}}</td><td class="n">{{len .Sim}}</td><td class="n">{{middle .Sim}}</td><td class="n">{{span .Sim}}</td></tr>
{{end}}</table>
{{.Picture}}
{{if .Different}}<h2>Pods that went elsewhere</h2>
<table>
<tr><th>pod</th><th>live</th><th>simulated</th><th>when it was decided</th></tr>
{{range .Different}}<tr><td>{{.Pod}}</td><td>{{.Live}}</td><td>{{.Sim}}</td><td>{{range .Why}}{{.}}<br>{{else}}nothing was otherwise{{end}}</td></tr>
{{end}}</table>
{{end}}{{if .OnlyLive}}<p>In the live run alone: {{range .OnlyLive}}{{.}} {{end}}</p>
{{end}}{{if .OnlySim}}<p>In the simulated run alone: {{range .OnlySim}}{{.}} {{end}}</p>
{{end}}<h2>Reproduced by</h2>
<table>
{{range .Facts}}<tr><td>{{.Name}}</td><td><code>{{.Value}}</code></td></tr>
{{end}}</table>
</body>
</html>
`))
