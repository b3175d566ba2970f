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
	column map[string]int
	asked  []askedColumn // what was asked for of the row before, or of this one, in order
	asks   int           // how many of them were asked for of this one
	width  int           // fields of a row; 0 until the first is read
	fields string        // where it is said how many a row has, for people
	row    string        // its fields, with a byte between them
	ends   []int         // of each field in row
	start  int           // the line on which the row begins
	starts []int         // likewise for each field, if the row is of several lines

	blank blankLines
	title string // how a first row begins that is a header, in files that may have one
}

// An askedColumn is a column, and where it is; -1 if there is none of the name.
type askedColumn struct {
	name string
	at   int
}

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
	for i := range t.ends {
		name := strings.TrimPrefix(t.field(i), "\ufeff") // what spreadsheets write in front
		if _, twice := t.column[name]; twice {
			return nil, t.wrong(i, "column "+quoted(name)+" is there twice", "rename one")
		}
		t.column[strings.Clone(name)] = i
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
	t := &table{file: file, lines: newTextReader(r), column: map[string]int{}, width: len(columns), fields: strings.Join(columns, ", ")}
	for i, name := range columns {
		t.column[name] = i
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
func (t *table) isHeader() bool { return t.title != "" && t.field(0) == t.title && t.line() == 1 }

// next goes on to the next row. It returns false after the last.
func (t *table) next() (bool, error) {
	line := ""
	for line == "" {
		var broken bool
		var err error
		if line, broken, err = t.lines.next(); errors.Is(err, io.EOF) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		if line == "" && broken {
			t.blank.add(t.lines.line)
		} else if strings.IndexByte(line, '"') >= 0 {
			return t.finish(t.splitQuoted(line, broken))
		}
	}
	t.row, t.ends = line, appendEnds(t.ends[:0], line)
	t.start, t.starts, t.asks = t.lines.line, t.starts[:0], 0
	if len(t.ends) != t.width {
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
	t.asks = 0
	if t.width == 0 {
		t.width = len(t.ends)
	}
	switch {
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		// A quote that is never closed is found at the end of the file; what is
		// wrong is where its row begins.
		err = &Error{File: t.file, Line: t.start, Problem: err.Error(), Remedy: "correct the quotes of the row"}
	case err == nil && len(t.ends) != t.width:
		err = &Error{File: t.file, Line: t.start, Problem: fmt.Sprintf("%d fields", len(t.ends)), Remedy: fmt.Sprintf("give %d, %s", t.width, t.fields)}
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

// at returns where a column is, -1 if there is no such column. All rows are read
// alike, so that it is usually the one that was asked for at this point of the row
// before.
func (t *table) at(column string) int {
	n := t.asks
	if n < len(t.asked) && t.asked[n].name == column {
		t.asks++
		return t.asked[n].at
	}
	at, ok := t.column[column]
	if !ok {
		at = -1
	}
	t.asked, t.asks = append(t.asked[:n], askedColumn{column, at}), n+1
	return at
}

// text returns the field in a column, "" if there is no such column.
func (t *table) text(column string) string {
	if i := t.at(column); i >= 0 {
		return t.field(i)
	}
	return ""
}

// field returns the i-th field.
func (t *table) field(i int) string {
	if i == 0 {
		return t.row[:t.ends[0]]
	}
	return t.row[t.ends[i-1]+1 : t.ends[i]]
}

// line returns the line on which the current row begins.
func (t *table) line() int { return t.start }

// wrongField returns the error that a column of the current row holds what it
// must not.
func (t *table) wrongField(column, remedy string) *Error {
	return t.wrong(t.column[column], cmp.Or(column, "the column without a name")+" is "+quoted(t.text(column)), remedy)
}

// wrong returns an error about the i-th field of the current row.
func (t *table) wrong(i int, problem, remedy string) *Error {
	line := t.start
	if i < len(t.starts) {
		line = t.starts[i]
	}
	return &Error{File: t.file, Line: line, Problem: problem, Remedy: remedy}
}
