package traces

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readFile returns what is in a file, decompressed if its name ends in ".gz".
// Lists of nodes and pods fit in memory many times over, so they are read whole:
// a damaged file is found out before any of it is believed.
func readFile(file string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	if !strings.HasSuffix(file, ".gz") {
		return content, nil
	}
	damaged := &Error{File: file, Problem: "damaged gzip data", Remedy: "fetch the file again"}
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		damaged.Problem = "not gzip data"
		return nil, damaged
	}
	content, err = io.ReadAll(z)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		damaged.Problem = "the gzip data ends early"
	}
	if err != nil {
		return nil, damaged
	}
	return content, nil
}

// A table is a CSV file that is being read, a row at a time, its columns by name.
type table struct {
	file   string
	csv    *csv.Reader
	column map[string]int
	fields string // where it is said how many a row has, for people
	row    []string
	blank  *blankLines // nil if they don't count
	title  string      // how a first row begins that is a header, in files that may have one
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
	blank := &blankLines{from: r}
	t, err := tableOf(file, blank, needed)
	if err != nil {
		return nil, err
	}
	t.blank = blank
	return t, nil
}

// tableOf reads the header of what is in r.
func tableOf(file string, r io.Reader, needed []string) (*table, error) {
	t := &table{file: file, csv: csv.NewReader(r), column: map[string]int{}, fields: "as in the header"}
	t.csv.ReuseRecord = true
	if more, err := t.next(); err != nil {
		return nil, err
	} else if !more {
		return nil, &Error{File: file, Problem: "the file has only empty lines", Remedy: "fetch it again"}
	}
	for i, name := range t.row {
		name = strings.TrimPrefix(name, "\ufeff") // what spreadsheets write in front
		if _, twice := t.column[name]; twice {
			return nil, t.wrong(i, "column "+quoted(name)+" is there twice", "rename one")
		}
		t.column[name] = i
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
	t := &table{file: file, csv: csv.NewReader(r), column: map[string]int{}, fields: strings.Join(columns, ", ")}
	t.csv.ReuseRecord = true
	t.csv.FieldsPerRecord = len(columns)
	for i, name := range columns {
		t.column[name] = i
	}
	return t
}

// optionalHeader reads a CSV file whose columns are known, and which has a header, that
// begins with title, or none. Empty lines are counted.
func optionalHeader(file string, r io.Reader, columns []string, title string) *table {
	blank := &blankLines{from: r}
	t := newHeadless(file, blank, columns)
	t.blank, t.title = blank, title
	return t
}

// isHeader reports whether the current row is a header.
func (t *table) isHeader() bool { return t.title != "" && t.row[0] == t.title && t.line() == 1 }

// next goes on to the next row. It returns false after the last.
func (t *table) next() (bool, error) {
	var err error
	t.row, err = t.csv.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	var bad *csv.ParseError
	if !errors.As(err, &bad) {
		return err == nil, err
	}
	// A quote that is never closed is found at the end of the file; what is
	// wrong is where its row begins.
	e := &Error{File: t.file, Line: bad.StartLine, Problem: bad.Err.Error(), Remedy: "correct the quotes of the row"}
	if errors.Is(bad.Err, csv.ErrFieldCount) {
		e.Problem = fmt.Sprintf("%d fields", len(t.row))
		e.Remedy = fmt.Sprintf("give %d, %s", t.csv.FieldsPerRecord, t.fields)
	}
	return false, e
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

// text returns the field in a column, "" if there is no such column.
func (t *table) text(column string) string {
	if i, ok := t.column[column]; ok {
		return t.row[i]
	}
	return ""
}

// amount returns the number in a column, which must be whole, not negative and
// at most most.
func (t *table) amount(column string, most int64) (int64, error) {
	n, err := strconv.ParseInt(t.text(column), 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, t.wrongField(column, fmt.Sprintf("give a whole number from 0 to %d", most))
	}
	return n, nil
}

// line returns the line on which the current row begins.
func (t *table) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

// wrongField returns the error that a column of the current row holds what it
// must not.
func (t *table) wrongField(column, remedy string) *Error {
	return t.wrong(t.column[column], cmp.Or(column, "the column without a name")+" is "+quoted(t.text(column)), remedy)
}

// wrong returns an error about the i-th field of the current row.
func (t *table) wrong(i int, problem, remedy string) *Error {
	line, _ := t.csv.FieldPos(i)
	return &Error{File: t.file, Line: line, Problem: problem, Remedy: remedy}
}
