package traces

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// longestLine is as much of a file as is read to find the end of a line, in bytes.
const longestLine = 1 << 20

// A lineReader reads a file a line at a time, and its fields between spaces. Fields are
// parts of the file's text, as those of a table are.
type lineReader struct {
	file   string
	text   textReader
	line   int // of the current line, from 1
	fields []string
}

func newLineReader(file string, r io.Reader) *lineReader {
	l := &lineReader{file: file, text: newTextReader(r)}
	l.text.most = longestLine
	return l
}

// next goes on to the next line. It returns false after the last.
func (l *lineReader) next() (bool, error) {
	line, _, err := l.text.next()
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case errors.Is(err, errLongLine):
		return false, &Error{File: l.file, Line: l.line + 1, Problem: fmt.Sprintf("the line is longer than %d bytes", longestLine), Remedy: "give a text file, or one whose name ends in .gz if it is compressed"}
	case err != nil:
		return false, err
	}
	l.line++
	l.fields = appendFields(l.fields[:0], line)
	return true, nil
}

// appendFields appends the parts of a line between spaces, as strings.Fields does.
func appendFields(fields []string, line string) []string {
	n, from := len(fields), -1 // where the field begins, -1 between fields
	for i := range len(line) {
		switch c := line[i]; {
		case c >= utf8.RuneSelf: // maybe a space that isn't ASCII
			return append(fields[:n], strings.Fields(line)...)
		case c != ' ' && (c < '\t' || c > '\r'):
			if from < 0 {
				from = i
			}
		case from >= 0:
			fields, from = append(fields, line[from:i]), -1
		}
	}
	if from >= 0 {
		fields = append(fields, line[from:])
	}
	return fields
}

// integer returns the i-th field, from 1, which is called what, and must be a whole
// number up to most. Any that is negative stands for what isn't known, as -1 does.
func (l *lineReader) integer(i int, what string, most int64) (n int64, err error) {
	n, ok := parseInt(l.fields[i-1])
	if !ok || n > most {
		return 0, l.wrong(what+" (field "+strconv.Itoa(i)+") is "+quoted(l.fields[i-1]), fmt.Sprintf("give a whole number up to %d, or -1 if it isn't known", most))
	}
	return max(n, -1), nil
}

// wrong returns an error about the current line.
func (l *lineReader) wrong(problem, remedy string) *Error {
	return &Error{File: l.file, Line: l.line, Problem: problem, Remedy: remedy}
}
