package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// A grid is a table of texts: the first columns name the rows.
type grid struct {
	title  string
	head   []string
	labels int // how many columns name the rows
	rows   [][]string
}

// write writes the grid in a format other than JSON.
func (g *grid) write(w io.Writer, format Format) error {
	var b strings.Builder
	switch format {
	case FormatCSV:
		c := csv.NewWriter(&b)
		if err := c.WriteAll(append([][]string{g.head}, g.rows...)); err != nil {
			return fmt.Errorf("writing a table as CSV: %w", err)
		}
	case FormatMarkdown:
		g.writeMarkdown(&b)
	case FormatLaTeX:
		g.writeLaTeX(&b)
	default:
		g.writeText(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *grid) writeText(w io.Writer) {
	columns := make([]textColumn, len(g.head))
	for i := range columns {
		columns[i] = textColumn{lines: []string{g.head[i]}, left: i < g.labels}
		for _, row := range g.rows {
			columns[i].lines = append(columns[i].lines, row[i])
		}
	}
	fmt.Fprintf(w, "%s\n\n", g.title)
	writeColumns(w, columns)
}

func (g *grid) writeMarkdown(w io.Writer) {
	fmt.Fprintf(w, "### %s\n\n", markdownText(g.title))
	rule := make([]string, len(g.head))
	for i := range rule {
		if rule[i] = "---:"; i < g.labels {
			rule[i] = ":---"
		}
	}
	writeMarkdownRow(w, g.each(g.head, markdownText))
	writeMarkdownRow(w, rule)
	for _, row := range g.rows {
		writeMarkdownRow(w, g.each(row, markdownText))
	}
}

func (g *grid) writeLaTeX(w io.Writer) {
	fmt.Fprintf(w, "%% Needs \\usepackage{booktabs}.\n\\begin{table*}\n\\centering\n\\footnotesize\n\\caption{%s.}\n", latexText(g.title))
	fmt.Fprintf(w, "\\begin{tabular}{%s}\n\\toprule\n", strings.Repeat("l", g.labels)+strings.Repeat("r", len(g.head)-g.labels))
	writeLaTeXRow(w, g.each(g.head, latexText))
	fmt.Fprintln(w, `\midrule`)
	for _, row := range g.rows {
		writeLaTeXRow(w, g.each(row, latexText))
	}
	fmt.Fprint(w, "\\bottomrule\n\\end{tabular}\n\\end{table*}\n")
}

func (g *grid) each(fields []string, escape func(string) string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = escape(f)
	}
	return out
}
