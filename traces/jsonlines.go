package traces

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
)

// longestRecord bounds a record of a recording in JSON or YAML, in bytes. Objects of
// Kubernetes are smaller than 2 MiB, and an audit event has two of them.
const longestRecord = 16 << 20

// readJSONLines gives each line of a file, of one JSON value each, to take, with its
// number from 1. A line for which take returns a reason is rejected, and so is an empty
// one. take must not keep the text.
func (y *tally) readJSONLines(file string, in *stream, take func(line int, text []byte) (reason string, err error)) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 1<<16), longestRecord)
	line := 0
	for s.Scan() {
		line++
		y.rows++
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			y.reject(emptyLine, file, line)
			continue
		}
		reason, err := take(line, text)
		if err != nil {
			return err
		}
		if reason != "" {
			y.reject(reason, file, line)
		}
	}
	err := s.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return &Error{File: file, Line: line + 1, Problem: fmt.Sprintf("the line is longer than %d bytes", longestRecord), Remedy: "give a file of JSON values, one a line"}
	}
	return err
}
