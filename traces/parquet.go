package traces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// A parquetColumn is a column of numbers that is read, of one of some types.
type parquetColumn struct {
	name  string
	kinds []parquet.Kind
}

// parquetInteger are the types of whole numbers.
var parquetInteger = []parquet.Kind{parquet.Int64, parquet.Int32}

// A parquetRow is a row of a file that is being read, with the columns asked for.
type parquetRow struct {
	file    string
	row     int // from 1
	columns []parquetColumn
	values  []parquet.Value
	at      []int          // where the columns are in a row of the library's
	kinds   []parquet.Kind // what they are in this file
}

// readParquet gives each row of a file to take. remedy says what columns a file must
// have: others may be there. A missing value is an error.
func readParquet(file string, content []byte, columns []parquetColumn, remedy string, take func(*parquetRow) error) (err error) {
	// Damaged files make the library panic in more ways than it checks for.
	defer func() {
		if p := recover(); p != nil {
			err = damagedParquet(file, fmt.Sprint(p))
		}
	}()
	if why := parquetFrame(content); why != "" {
		return damagedParquet(file, why)
	}
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return damagedParquet(file, err.Error())
	}
	r := &parquetRow{file: file, columns: columns, values: make([]parquet.Value, len(columns))}
	if err := r.find(f.Schema(), remedy); err != nil {
		return err
	}
	batch := make([]parquet.Row, 256)
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		for {
			n, err := rows.ReadRows(batch)
			for _, row := range batch[:n] {
				if err := r.take(row, take); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || n == 0 {
				return damagedParquet(file, fmt.Sprint(err))
			}
		}
		_ = rows.Close() // of memory
	}
	return nil
}

// find finds out where the columns are.
func (r *parquetRow) find(schema *parquet.Schema, remedy string) error {
	for _, c := range r.columns {
		leaf, ok := schema.Lookup(c.name)
		if !ok || !leaf.Node.Leaf() || !slices.Contains(c.kinds, leaf.Node.Type().Kind()) || leaf.Node.Repeated() {
			return &Error{File: r.file, Problem: fmt.Sprintf("no column %s of type %v", c.name, c.kinds[0]), Remedy: remedy}
		}
		r.at = append(r.at, leaf.ColumnIndex)
		r.kinds = append(r.kinds, leaf.Node.Type().Kind())
	}
	return nil
}

// take puts the values of a row where they belong and gives it on.
func (r *parquetRow) take(row parquet.Row, take func(*parquetRow) error) error {
	r.row++
	clear(r.values)
	for _, v := range row {
		for i, c := range r.at {
			if v.Column() == c {
				r.values[i] = v
			}
		}
	}
	for i, v := range r.values {
		if v.IsNull() || v.Kind() != r.kinds[i] {
			return r.wrong(i, "give a number in each row")
		}
	}
	return take(r)
}

// integer returns the i-th of the columns, which is of whole numbers.
func (r *parquetRow) integer(i int) int64 {
	if r.kinds[i] == parquet.Int32 {
		return int64(r.values[i].Int32())
	}
	return r.values[i].Int64()
}

// within returns the i-th of the columns, a whole number that is from least to most,
// of a unit.
func (r *parquetRow) within(i int, unit string, least, most int64) (int64, error) {
	n := r.integer(i)
	if n < least || n > most {
		return 0, r.wrong(i, fmt.Sprintf("give %s from %d to %d", unit, least, most))
	}
	return n, nil
}

// wrong returns the error that the i-th of the columns holds what it must not.
func (r *parquetRow) wrong(i int, remedy string) *Error {
	return &Error{File: r.file, Line: r.row, Problem: r.columns[i].name + " is " + r.values[i].String(), Remedy: remedy}
}

// parquetFrame returns what is wrong with the beginning and the end of a file, ""
// if nothing is: magic, and behind the data the footer, its length and magic. The
// library takes the length's word for it, and memory for as much.
func parquetFrame(content []byte) string {
	const magic = "PAR1"
	switch n := len(content); {
	case !bytes.HasPrefix(content, []byte(magic)):
		return "it doesn't begin with " + magic
	case n < 12 || !bytes.HasSuffix(content, []byte(magic)):
		return "it doesn't end with " + magic
	case int64(binary.LittleEndian.Uint32(content[n-8:])) > int64(n-12):
		return "its footer is longer than the file"
	}
	return ""
}

// damagedParquet returns the error that a file isn't what it should be.
func damagedParquet(file, why string) *Error {
	return &Error{File: file, Problem: "not a sound Parquet file (" + strings.Trim(quoted(why), `"`) + ")", Remedy: "fetch the file again"}
}
