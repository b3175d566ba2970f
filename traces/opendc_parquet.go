package traces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/parquet-go/parquet-go"
)

// openDCColumns are the columns that are read; others may be there.
var openDCColumns = []struct {
	name string
	kind parquet.Kind
}{
	{"failure_interval", parquet.Int64},
	{"failure_duration", parquet.Int64},
	{"failure_intensity", parquet.Double},
}

// maxRecordedMS bounds intervals and durations, in ms: a century.
const maxRecordedMS = 100 * 365 * 24 * 3600 * 1000

// readOpenDC reads the content of a file. fromEnd says that intervals go from the
// end of the failure before, rather than from its beginning.
func readOpenDC(file string, content []byte, fromEnd bool) (failures []recordedFailure, err error) {
	// Damaged files make the library panic in more ways than it checks for.
	defer func() {
		if p := recover(); p != nil {
			failures, err = nil, damagedParquet(file, fmt.Sprint(p))
		}
	}()
	if why := parquetFrame(content); why != "" {
		return nil, damagedParquet(file, why)
	}
	f, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, damagedParquet(file, err.Error())
	}
	columns, err := openDCIndexes(file, f.Schema())
	if err != nil {
		return nil, err
	}
	r := &openDCReader{file: file, fromEnd: fromEnd}
	batch := make([]parquet.Row, 256)
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		for {
			n, err := rows.ReadRows(batch)
			for _, row := range batch[:n] {
				if err := r.take(row, columns); err != nil {
					return nil, err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || n == 0 {
				return nil, damagedParquet(file, fmt.Sprint(err))
			}
		}
		_ = rows.Close() // of memory
	}
	if len(r.failures) == 0 {
		return nil, &Error{File: file, Problem: "no failures", Remedy: "give a file with at least one"}
	}
	return r.failures, nil
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

// openDCIndexes returns where in a row the columns are.
func openDCIndexes(file string, schema *parquet.Schema) (at [3]int, err error) {
	for i, c := range openDCColumns {
		leaf, ok := schema.Lookup(c.name)
		if !ok || !leaf.Node.Leaf() || leaf.Node.Type().Kind() != c.kind || leaf.Node.Repeated() {
			return at, &Error{
				File:    file,
				Problem: fmt.Sprintf("no column %s of type %v", c.name, c.kind),
				Remedy:  "give a file with failure_interval and failure_duration (INT64) and failure_intensity (DOUBLE)",
			}
		}
		at[i] = leaf.ColumnIndex
	}
	return at, nil
}

// An openDCReader takes rows in.
type openDCReader struct {
	file     string
	fromEnd  bool
	failures []recordedFailure
	before   cluster.Time // what the next interval goes by
	row      int
}

// take takes a row in.
func (r *openDCReader) take(row parquet.Row, columns [3]int) error {
	r.row++
	var values [3]parquet.Value
	for _, v := range row {
		for i, c := range columns {
			if v.Column() == c {
				values[i] = v
			}
		}
	}
	wrong := func(i int, remedy string) error {
		return &Error{File: r.file, Line: r.row, Problem: openDCColumns[i].name + " is " + values[i].String(), Remedy: remedy}
	}
	for i, c := range openDCColumns {
		if values[i].IsNull() || values[i].Kind() != c.kind {
			return wrong(i, "give a number in each row")
		}
	}
	interval, duration, share := values[0].Int64(), values[1].Int64(), values[2].Double()
	switch {
	case interval < 0 || interval > maxRecordedMS:
		return wrong(0, fmt.Sprintf("give milliseconds from 0 to %d", int64(maxRecordedMS)))
	case duration < 1 || duration > maxRecordedMS:
		return wrong(1, fmt.Sprintf("give milliseconds from 1 to %d", int64(maxRecordedMS)))
	case !(share > 0 && share <= 1):
		return wrong(2, "give a share of hosts above 0 and up to 1")
	}
	f := recordedFailure{
		at:       r.before + cluster.Time(interval)*cluster.Millisecond,
		duration: cluster.Time(duration) * cluster.Millisecond, share: share, row: r.row,
	}
	if f.at < r.before || f.at > maxRecordedMS*cluster.Millisecond {
		return wrong(0, "it is more than a century after the first failure: give a shorter recording")
	}
	r.failures = append(r.failures, f)
	r.before = f.at
	if r.fromEnd {
		r.before += f.duration
	}
	return nil
}
