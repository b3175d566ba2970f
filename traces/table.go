package traces

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A table is a CSV file that is being read, a row at a time, its columns by name. Rows
// are what package encoding/csv takes them for.
//
// Fields are parts of the file's text, which comes in long strings: who keeps one
// should clone it.
type table struct {
	file   string
	lines  textReader
	column map[string]column
	names  []string // of columns, and of those that were asked for and aren't there
	width  int      // fields of a row; 0 until the first is read
	fields string   // where it is said how many a row has, for people
	row    string   // its fields, with a byte between them
	ends   []int    // where each field ends in row, behind a -1
	start  int      // the line on which the row begins
	starts []int    // likewise for each field, if the row is of several lines

	blank blankLines
	title string // how a first row begins that is a header, in files that may have one
}

// A column is where a table has a column, from 0. Of one that the table doesn't have, all
// fields are empty.
type column int

// blankLines counts the empty lines between rows.
type blankLines struct {
	counted bool // whether they are rows, too
	count   int
	first   int // the line of the first, from 1
}

// newTable reads the header of a CSV file. The columns in needed must be there;
// others may be.
func newTable(file string, content []byte, needed []string) (*table, error) {
	if len(content) == 0 {
		return nil, &Error{File: file, Problem: "the file is empty", Remedy: "fetch it again"}
	}
	if bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content) {
		return nil, &Error{File: file, Problem: "not text", Remedy: "give a CSV file, or one whose name ends in .gz if it is compressed"}
	}
	return tableOf(file, bytes.NewReader(content), needed)
}

// streamTable reads the header of a CSV file likewise, and of the rest no more
// than is asked for. Empty lines are counted.
func streamTable(file string, r io.Reader, needed []string) (*table, error) {
	t, err := tableOf(file, r, needed)
	if err != nil {
		return nil, err
	}
	t.blank.counted = true
	return t, nil
}

// tableOf reads the header of what is in r.
func tableOf(file string, r io.Reader, needed []string) (*table, error) {
	t := newHeadless(file, r, nil)
	t.fields = "as in the header"
	if more, err := t.next(); err != nil {
		return nil, err
	} else if !more {
		return nil, &Error{File: file, Problem: "the file has only empty lines", Remedy: "fetch it again"}
	}
	for i := range t.count() {
		name := strings.TrimPrefix(t.text(column(i)), "\ufeff") // what spreadsheets write in front
		if _, twice := t.column[name]; twice {
			return nil, t.wrong(column(i), "column "+quoted(name)+" is there twice", "rename one")
		}
		t.add(strings.Clone(name))
	}
	for _, name := range needed {
		if _, ok := t.column[name]; !ok {
			return nil, t.wrong(0, "no column "+name, "the header must name "+strings.Join(needed, ", "))
		}
	}
	return t, nil
}

// newHeadless reads a CSV file without a header, a row at a time from r, whose
// columns are known.
func newHeadless(file string, r io.Reader, columns []string) *table {
	t := &table{file: file, lines: newTextReader(r), column: map[string]column{}, width: len(columns), fields: strings.Join(columns, ", ")}
	for _, name := range columns {
		t.add(name)
	}
	return t
}

// optionalHeader reads a CSV file whose columns are known, and which has a header, that
// begins with title, or none. Empty lines are counted.
func optionalHeader(file string, r io.Reader, columns []string, title string) *table {
	t := newHeadless(file, r, columns)
	t.blank.counted, t.title = true, title
	return t
}

// isHeader reports whether the current row is a header.
func (t *table) isHeader() bool { return t.start == 1 && t.title != "" && t.text(0) == t.title }

// next goes on to the next row. It returns false after the last.
func (t *table) next() (bool, error) {
	line := ""
	for line == "" {
		var broken bool
		var err error
		if line, broken, err = t.lines.next(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		}
		if line == "" && broken {
			t.blank.add(t.lines.line)
		} else if strings.IndexByte(line, '"') >= 0 {
			return t.finish(t.splitQuoted(line, broken))
		}
	}
	t.row, t.ends = line, appendEnds(append(t.ends[:0], -1), line)
	t.start, t.starts = t.lines.line, t.starts[:0]
	if t.count() != t.width {
		return t.finish(nil)
	}
	return true, nil
}

// add counts an empty line.
func (b *blankLines) add(line int) {
	if b.count == 0 {
		b.first = line
	}
	b.count++
}

// finish checks that the current row has as many fields as others. It returns what
// next does, given what was wrong with its quotes.
func (t *table) finish(err error) (bool, error) {
	if t.width == 0 {
		t.width = t.count()
	}
	switch {
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		// A quote that is never closed is found at the end of the file; what is
		// wrong is where its row begins.
		err = &Error{File: t.file, Line: t.start, Problem: err.Error(), Remedy: "correct the quotes of the row"}
	case err == nil && t.count() != t.width:
		err = &Error{File: t.file, Line: t.start, Problem: fmt.Sprintf("%d fields", t.count()), Remedy: fmt.Sprintf("give %d, %s", t.width, t.fields)}
	}
	return err == nil, err
}

// each takes one row after another, up to the last or an error.
func (t *table) each(take func() error) error {
	for {
		if more, err := t.next(); err != nil || !more {
			return err
		}
		if err := take(); err != nil {
			return err
		}
	}
}

// add adds a column behind the others.
func (t *table) add(name string) {
	t.column[name] = column(len(t.names))
	t.names = append(t.names, name)
}

// at returns where the column with a name is. It takes a look into a map: readers of many
// rows ask once.
func (t *table) at(name string) column {
	if _, ok := t.column[name]; !ok {
		t.add(name)
	}
	return t.column[name]
}

// has reports whether there is a column with a name.
func (t *table) has(name string) bool {
	c, ok := t.column[name]
	return ok && int(c) < t.width
}

// count returns how many fields the current row has.
func (t *table) count() int { return len(t.ends) - 1 }

// text returns the field in a column, "" if there is no such column.
func (t *table) text(c column) string {
	if i := int(c); i < t.count() {
		return t.row[t.ends[i]+1 : t.ends[i+1]]
	}
	return ""
}

// texts returns the fields from one column to another, both of which the table has, with
// a byte between them.
func (t *table) texts(from, to column) string { return t.row[t.ends[from]+1 : t.ends[to+1]] }

// line returns the line on which the current row begins.
func (t *table) line() int { return t.start }

// wrongField returns the error that a column of the current row holds what it
// must not.
func (t *table) wrongField(c column, remedy string) *Error {
	return t.wrong(c, cmp.Or(t.names[c], "the column without a name")+" is "+quoted(t.text(c)), remedy)
}

// wrong returns an error about a field of the current row.
func (t *table) wrong(c column, problem, remedy string) *Error {
	line := t.start
	if int(c) < len(t.starts) {
		line = t.starts[c]
	}
	return &Error{File: t.file, Line: line, Problem: problem, Remedy: remedy}
}
