package bench

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// tableWidth is how many characters wide a table may grow before its columns
// are divided into blocks one below the other: seven points of a curve with
// their intervals fit beside a policy's name.
const tableWidth = 132

// writeTable writes a report as plain text, in columns that line up.
func writeTable(w io.Writer, l layout) {
	for _, s := range l.sections {
		underline := strings.Repeat("=", utf8.RuneCountInString(s.trace))
		fmt.Fprintf(w, "%s\n%s\n%s\n\n", s.trace, underline, strings.Join(s.facts, "\n"))
		for _, m := range s.matrices {
			m.writeText(w)
		}
	}
	for _, text := range append(l.notes(), l.remarks...) {
		fmt.Fprintf(w, "%s\n\n", text)
	}
	fmt.Fprintln(w, "Reproduced by:")
	for _, line := range l.reproduce {
		fmt.Fprintf(w, "  %-10s  %s\n", line.label, line.text)
	}
}

// A textColumn is a column of a plain text table: its head and its lines, of
// which a row of the matrix takes one, or two if it has intervals.
type textColumn struct {
	lines []string
	left  bool // aligned to the left
}

func (c textColumn) width() int {
	width := 0
	for _, line := range c.lines {
		width = max(width, utf8.RuneCountInString(line))
	}
	return width
}

// writeText writes title and columns, in as many blocks as tableWidth calls
// for. Each block repeats the labels.
func (m matrix) writeText(w io.Writer) {
	labels, cells := m.textLabels(), m.textCells()
	fmt.Fprintf(w, "%s\n\n", m.title)
	perBlock := columnsPerBlock(labels, cells)
	for len(cells) > 0 {
		k := min(perBlock, len(cells))
		writeColumns(w, append(labels[:len(labels):len(labels)], cells[:k]...))
		cells = cells[k:]
	}
}

// textLabels are the columns that name the rows, and n.
func (m matrix) textLabels() []textColumn {
	var columns []textColumn
	for i, head := range m.labels {
		c := textColumn{lines: []string{head}, left: true}
		for _, row := range m.rows {
			c.lines = append(c.lines, row.textLines(row.labels[i], "")...)
		}
		columns = append(columns, c)
	}
	n := textColumn{lines: []string{"n"}}
	for _, row := range m.rows {
		n.lines = append(n.lines, row.textLines(row.n, "")...)
	}
	return append(columns, n)
}

// textCells are the columns of figures.
func (m matrix) textCells() []textColumn {
	var columns []textColumn
	for j, head := range m.columns {
		c := textColumn{lines: []string{head}}
		for _, row := range m.rows {
			c.lines = append(c.lines, row.textLines(row.cells[j].text(), row.cells[j].interval)...)
		}
		columns = append(columns, c)
	}
	return columns
}

// textLines gives a row's text its place: above, with below beneath it if the
// row has intervals at all.
func (r matrixRow) textLines(above, below string) []string {
	if r.hasIntervals() {
		return []string{above, below}
	}
	return []string{above}
}

// text is all of a cell but the interval, on one line.
func (c cell) text() string {
	s := c.value
	if c.spread != "" {
		s += " ± " + c.spread
	}
	if c.p != "" {
		s += " " + c.p
	}
	return s
}

// columnsPerBlock divides the cells' columns into as few blocks as fit into
// tableWidth, of nearly equal size, so that no column is left alone.
func columnsPerBlock(labels, cells []textColumn) int {
	blocks := 1
	for ; blocks < len(cells); blocks++ {
		fits := true
		perBlock := (len(cells) + blocks - 1) / blocks
		for from := 0; from < len(cells); from += perBlock {
			width := columnsWidth(labels) + columnsWidth(cells[from:min(from+perBlock, len(cells))])
			fits = fits && width <= tableWidth
		}
		if fits {
			break
		}
	}
	return (len(cells) + blocks - 1) / max(blocks, 1)
}

func columnsWidth(columns []textColumn) int {
	width := 0
	for _, c := range columns {
		width += c.width() + len(columnGap)
	}
	return width
}

const columnGap = "  "

// writeColumns writes columns side by side, and an empty line.
func writeColumns(w io.Writer, columns []textColumn) {
	for i := range columns[0].lines {
		var line strings.Builder
		for j, c := range columns {
			if j > 0 {
				line.WriteString(columnGap)
			}
			pad := strings.Repeat(" ", c.width()-utf8.RuneCountInString(c.lines[i]))
			if c.left {
				line.WriteString(c.lines[i] + pad)
			} else {
				line.WriteString(pad + c.lines[i])
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	fmt.Fprintln(w)
}
