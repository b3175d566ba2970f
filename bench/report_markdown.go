package bench

import (
	"fmt"
	"io"
	"strings"
)

// writeMarkdown writes a report as Markdown with GitHub's tables. Intervals
// stand beneath their value by <br>, which is the only way GitHub has.
func writeMarkdown(w io.Writer, l layout) {
	for _, s := range l.sections {
		fmt.Fprintf(w, "## %s\n\n%s.\n\n", markdownText(s.trace), markdownText(strings.Join(s.facts, "; ")))
		for _, m := range s.matrices {
			m.writeMarkdown(w)
		}
	}
	for _, text := range append(l.notes(), l.remarks...) {
		fmt.Fprintf(w, "%s\n\n", markdownText(text))
	}
	fmt.Fprint(w, "Reproduced by:\n\n")
	for _, line := range l.reproduce {
		fmt.Fprintf(w, "- %s: %s\n", line.label, markdownCode(line.text))
	}
}

func (m matrix) writeMarkdown(w io.Writer) {
	fmt.Fprintf(w, "### %s\n\n", markdownText(m.title))
	heads, rule := []string{}, []string{}
	for _, label := range m.labels {
		heads, rule = append(heads, label), append(rule, ":---")
	}
	for _, head := range append([]string{"n"}, m.columns...) {
		heads, rule = append(heads, markdownText(head)), append(rule, "---:")
	}
	writeMarkdownRow(w, heads)
	writeMarkdownRow(w, rule)
	for _, row := range m.rows {
		var fields []string
		for _, label := range row.labels {
			fields = append(fields, markdownText(label))
		}
		fields = append(fields, row.n)
		for _, c := range row.cells {
			text := strings.ReplaceAll(c.text(), "<", "&lt;")
			if c.interval != "" {
				text += "<br>" + c.interval
			}
			fields = append(fields, text)
		}
		writeMarkdownRow(w, fields)
	}
	fmt.Fprintln(w)
}

func writeMarkdownRow(w io.Writer, fields []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(fields, " | "))
}

// markdownText escapes what Markdown would take for markup. Underscores
// within words are none, and names of metrics read better without backslashes.
func markdownText(s string) string {
	const markup = "\\`*<>[]|#~"
	var b strings.Builder
	for i, c := range s {
		atEdge := i == 0 || i == len(s)-1 || s[i-1] == ' ' || i+1 < len(s) && s[i+1] == ' '
		if strings.ContainsRune(markup, c) || c == '_' && atEdge {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// markdownCode puts s between backticks, more of them than s has in a row.
func markdownCode(s string) string {
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence // a space, lest backticks of s join the fence
	}
	return fence + s + fence
}
