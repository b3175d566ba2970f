package bench

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// writeLaTeX writes a report as LaTeX with booktabs' rules. Each matrix is a
// float of its own whose caption says all that it needs, as papers move
// floats about; what reproduces them is in comments above.
func writeLaTeX(w io.Writer, l layout) {
	fmt.Fprintln(w, `% Needs \usepackage{booktabs}.`)
	fmt.Fprintln(w, "% Reproduced by:")
	for _, line := range l.reproduce {
		// A line break within would end the comment.
		fmt.Fprintf(w, "%%   %-10s  %s\n", line.label, strings.Join(strings.Fields(line.text), " "))
	}
	for _, s := range l.sections {
		for _, m := range s.matrices {
			m.writeLaTeX(w, s, l.remarks)
		}
	}
}

func (m matrix) writeLaTeX(w io.Writer, s section, remarks []string) {
	caption := []string{m.title + ".", s.trace + ": " + strings.Join(s.facts, "; ") + "."}
	if m.note != "" {
		caption = append(caption, m.note)
	}
	caption = append(caption, remarks...)
	columns := strings.Repeat("l", len(m.labels)) + strings.Repeat("r", 1+len(m.columns))
	fmt.Fprint(w, "\n\\begin{table*}\n\\centering\n\\footnotesize\n\\setlength{\\tabcolsep}{4pt}\n")
	fmt.Fprintf(w, "\\caption{%s}\n\\begin{tabular}{%s}\n\\toprule\n", latexText(strings.Join(caption, " ")), columns)
	var heads []string
	for _, head := range append(append(append([]string{}, m.labels...), "n"), m.columns...) {
		heads = append(heads, latexText(head))
	}
	writeLaTeXRow(w, heads)
	fmt.Fprintln(w, `\midrule`)
	for i, row := range m.rows {
		if i > 0 && row.hasIntervals() {
			fmt.Fprintln(w, `\addlinespace`)
		}
		row.writeLaTeX(w)
	}
	fmt.Fprint(w, "\\bottomrule\n\\end{tabular}\n\\end{table*}\n")
}

// writeLaTeX writes a row of the matrix as one row, or two with intervals.
func (r matrixRow) writeLaTeX(w io.Writer) {
	var above, below []string
	for _, label := range r.labels {
		above, below = append(above, latexText(label)), append(below, "")
	}
	above, below = append(above, r.n), append(below, "")
	for _, c := range r.cells {
		interval := ""
		if c.interval != "" {
			interval = `\scriptsize $` + c.interval + `$`
		}
		above, below = append(above, c.latex()), append(below, interval)
	}
	writeLaTeXRow(w, above)
	if r.hasIntervals() {
		writeLaTeXRow(w, below)
	}
}

func writeLaTeXRow(w io.Writer, fields []string) {
	fmt.Fprintf(w, "%s \\\\\n", strings.Join(fields, " & "))
}

var latexNumber = regexp.MustCompile(`^[-+0-9]`)

// latex is all of a cell but the interval.
func (c cell) latex() string {
	if !latexNumber.MatchString(c.value) {
		return latexText(c.value)
	}
	s := "$" + c.value
	if c.spread != "" {
		s += ` \pm ` + c.spread
	}
	s += "$"
	if c.p != "" {
		s += " $" + c.p + "$"
	}
	return s
}

// latexReplacer escapes what LaTeX takes for a command, and what its oldest
// font encoding, still the default, prints as something else. A bracket or a
// star goes into braces since it would be an argument to the \\ of the row
// before.
var latexReplacer = strings.NewReplacer(
	`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `%`, `\%`, `_`, `\_`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`, `|`, `\textbar{}`,
	`[`, `{[}`, `*`, `{*}`, `"`, `''`, `±`, `$\pm$`, `–`, `--`,
)

func latexText(s string) string { return latexReplacer.Replace(s) }
