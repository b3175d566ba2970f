package traces

import "path/filepath"

// A Rejection says why rows of a recording are no part of the workload, and how
// many. Rows that aren't as the format has them at all are an *Error instead, and
// there is no Trace.
type Rejection struct {
	Reason string // "timestamp is empty"
	Rows   int
	File   string // the name of the file with the first of them
	Line   int    // of the first of them in that file, from 1
}

// Reasons that several formats share.
const (
	emptyLine  = "the line is empty"
	outOfSpan  = "submitted outside the window that from and for give"
	askNothing = "asks for nothing"
)

// A tally counts what was read of a recording, and what is no part of the
// workload. Headers are no rows.
type tally struct {
	rows     int
	rejected []Rejection // in order of first appearance
}

// reject counts a row, already counted as read, as no part of the workload.
func (y *tally) reject(reason, file string, line int) { y.rejectAll(reason, file, line, 1) }

// rejectAll does so for n rows, the first of which is on the line given.
func (y *tally) rejectAll(reason, file string, line, n int) {
	for i := range y.rejected {
		if y.rejected[i].Reason == reason {
			y.rejected[i].Rows += n
			return
		}
	}
	if n > 0 {
		y.rejected = append(y.rejected, Rejection{Reason: reason, Rows: n, File: filepath.Base(file), Line: line})
	}
}

// read takes one row of t after another. A row for which take returns a reason is
// rejected. Empty lines are rows, too: whoever counts lines finds them all.
func (y *tally) read(t *table, take func() (reason string, err error)) error {
	err := t.each(func() error {
		if t.isHeader() {
			return nil
		}
		y.rows++
		reason, err := take()
		if err == nil && reason != "" {
			y.reject(reason, t.file, t.line())
		}
		return err
	})
	if t.blank.counted {
		y.rows += t.blank.count
		y.rejectAll(emptyLine, t.file, t.blank.first, t.blank.count)
	}
	return err
}
