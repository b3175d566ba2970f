package traces

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// longestLine is as much of a file as is read to find the end of a line, in bytes.
const longestLine = 1 << 20

// A lineReader reads a file a line at a time, and its fields between spaces.
type lineReader struct {
	file    string
	scanner *bufio.Scanner
	line    int // of the current line, from 1
	fields  []string
}

func newLineReader(file string, r io.Reader) *lineReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 1<<16), longestLine)
	return &lineReader{file: file, scanner: s}
}

// next goes on to the next line. It returns false after the last.
func (l *lineReader) next() (bool, error) {
	if !l.scanner.Scan() {
		err := l.scanner.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = &Error{File: l.file, Line: l.line + 1, Problem: fmt.Sprintf("the line is longer than %d bytes", longestLine), Remedy: "give a text file, or one whose name ends in .gz if it is compressed"}
		}
		return false, err
	}
	l.line++
	l.fields = l.fields[:0]
	for field := range strings.FieldsSeq(l.scanner.Text()) {
		l.fields = append(l.fields, field)
	}
	return true, nil
}

// integer returns the i-th field, from 1, which is called what, and must be a whole
// number up to most. Any that is negative stands for what isn't known, as -1 does.
func (l *lineReader) integer(i int, what string, most int64) (n int64, err error) {
	n, err = strconv.ParseInt(l.fields[i-1], 10, 64)
	if err != nil || n > most {
		return 0, l.wrong(what+" (field "+strconv.Itoa(i)+") is "+quoted(l.fields[i-1]), fmt.Sprintf("give a whole number up to %d, or -1 if it isn't known", most))
	}
	return max(n, -1), nil
}

// wrong returns an error about the current line.
func (l *lineReader) wrong(problem, remedy string) *Error {
	return &Error{File: l.file, Line: l.line, Problem: problem, Remedy: remedy}
}
