package bench

import (
	"encoding/json"
	"fmt"
	"io"
)

// A Table is something to show in any Format: texts for people and spreadsheets, and
// what they were made of for programs.
type Table struct {
	Title  string
	Head   []string
	Labels int // how many columns, from the left, name the rows
	Rows   [][]string
	Value  any // that JSON shows
}

// Write writes the table in a format.
func (t *Table) Write(w io.Writer, format Format) error {
	if format == FormatJSON {
		return writeJSONValue(w, t.Value)
	}
	if len(t.Rows) == 0 && format == FormatTable {
		_, err := fmt.Fprintln(w, t.Title)
		return err
	}
	g := grid{title: t.Title, head: t.Head, labels: t.Labels, rows: t.Rows}
	return g.write(w, format)
}

// writeJSONValue writes a value as JSON for people, too.
func writeJSONValue(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
