package traces

import (
	"github.com/berthsim/berth/cluster"
	"github.com/parquet-go/parquet-go"
)

// openDCColumns are the columns of failures that are read.
var openDCColumns = []parquetColumn{
	{"failure_interval", []parquet.Kind{parquet.Int64}},
	{"failure_duration", []parquet.Kind{parquet.Int64}},
	{"failure_intensity", []parquet.Kind{parquet.Double}},
}

// maxRecordedMS bounds intervals and durations, in ms: a century.
const maxRecordedMS = 100 * 365 * 24 * 3600 * 1000

// readOpenDC reads the content of a file. fromEnd says that intervals go from the
// end of the failure before, rather than from its beginning.
func readOpenDC(file string, content []byte, fromEnd bool) ([]recordedFailure, error) {
	r := &openDCReader{fromEnd: fromEnd}
	err := readParquet(file, content, openDCColumns,
		"give a file with failure_interval and failure_duration (INT64) and failure_intensity (DOUBLE)", r.take)
	if err != nil {
		return nil, err
	}
	if len(r.failures) == 0 {
		return nil, &Error{File: file, Problem: "no failures", Remedy: "give a file with at least one"}
	}
	return r.failures, nil
}

// An openDCReader takes rows in.
type openDCReader struct {
	fromEnd  bool
	failures []recordedFailure
	before   cluster.Time // what the next interval goes by
}

// take takes a row in.
func (r *openDCReader) take(row *parquetRow) error {
	interval, err := row.within(0, "milliseconds", 0, maxRecordedMS)
	if err != nil {
		return err
	}
	duration, err := row.within(1, "milliseconds", 1, maxRecordedMS)
	if err != nil {
		return err
	}
	share := row.values[2].Double()
	if !(share > 0 && share <= 1) {
		return row.wrong(2, "give a share of hosts above 0 and up to 1")
	}
	f := recordedFailure{
		at:       r.before + cluster.Time(interval)*cluster.Millisecond,
		duration: cluster.Time(duration) * cluster.Millisecond, share: share, row: row.row,
	}
	if f.at < r.before || f.at > maxRecordedMS*cluster.Millisecond {
		return row.wrong(0, "it is more than a century after the first failure: give a shorter recording")
	}
	r.failures = append(r.failures, f)
	r.before = f.at
	if r.fromEnd {
		r.before += f.duration
	}
	return nil
}
