package traces

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// longestLine is as much of a file as is read to find the end of a line, in bytes.
const longestLine = 1 << 20

// A lineReader reads a file a line at a time, and its fields between spaces. Fields are
// parts of the file's text, as those of a table are.
type lineReader struct {
	file   string
	text   textReader
	line   int    // of the current line, from 1
	row    string // the current line
	bounds []int  // where each of its fields begins, and ends
}

func newLineReader(file string, r io.Reader) *lineReader {
	l := &lineReader{file: file, text: newTextReader(r)}
	l.text.most = longestLine
	return l
}

// next goes on to the next line. It returns false after the last.
func (l *lineReader) next() (bool, error) {
	line, _, err := l.text.next()
	if err == nil {
		l.line++
		l.row, l.bounds = splitFields(line, l.bounds)
		return true, nil
	}
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case errors.Is(err, errLongLine):
		return false, &Error{File: l.file, Line: l.line + 1, Problem: fmt.Sprintf("the line is longer than %d bytes", longestLine), Remedy: "give a text file, or one whose name ends in .gz if it is compressed"}
	}
	return false, err
}

// count returns how many fields the current line has.
func (l *lineReader) count() int { return len(l.bounds) / 2 }

// field returns the i-th field, from 1.
func (l *lineReader) field(i int) string { return l.row[l.bounds[2*i-2]:l.bounds[2*i-1]] }

// fields returns all fields.
func (l *lineReader) fields() []string {
	fields := make([]string, l.count())
	for i := range fields {
		fields[i] = l.field(i + 1)
	}
	return fields
}

// splitFields writes to bounds where the parts of a line between spaces begin and end, as
// strings.Fields has them, and returns the text that they are in: the line, but for one
// that isn't all ASCII.
func splitFields(line string, bounds []int) (string, []int) {
	bounds = bounds[:0]
	inside := uint64(0) // 0x80 behind a part of a field
	for i := 0; i < len(line); i += wordBytes {
		w := wordOf(line[i:])
		if w&^wordLow != 0 { // maybe a space that isn't ASCII
			line = strings.Join(strings.Fields(line), " ")
			return line, appendWords(bounds[:0], line)
		}
		part := ^spaces(w) &^ wordLow
		for found := part ^ (part<<8 | inside); found != 0; found &= found - 1 {
			bounds = append(bounds, i+bits.TrailingZeros64(found)/8)
		}
		inside = part >> 56
	}
	if inside != 0 {
		bounds = append(bounds, len(line))
	}
	return line, bounds
}

// wordOf returns the first eight bytes of text, and spaces if there are fewer.
func wordOf(text string) uint64 {
	if len(text) >= wordBytes {
		return word(text)
	}
	w := uint64(wordSpaces)
	for i := len(text) - 1; i >= 0; i-- {
		w = w<<8 | uint64(text[i])
	}
	return w
}

// Words whose bytes are all alike: spaces, and what carries into the highest bit of those
// from a tab on, and from behind a carriage return on.
const (
	wordSpaces  = 0x2020202020202020
	wordFromTab = (0x80 - '\t') * 0x0101010101010101
	wordBehind  = (0x80 - '\r' - 1) * 0x0101010101010101
)

// spaces returns a word with the highest bit of each byte that is an ASCII space in w,
// which is ASCII, and no other.
func spaces(w uint64) uint64 {
	return zeroBytes(w^wordSpaces) | (w+wordFromTab)&^(w+wordBehind)&^wordLow
}

// appendWords appends where the parts of a text between single spaces begin and end.
func appendWords(bounds []int, text string) []int {
	if text == "" {
		return bounds
	}
	from := 0
	for i := range len(text) {
		if text[i] == ' ' {
			bounds = append(bounds, from, i)
			from = i + 1
		}
	}
	return append(bounds, from, len(text))
}

// integer returns the i-th field, from 1, which is called what, and must be a whole
// number up to most. Any that is negative stands for what isn't known, as -1 does.
func (l *lineReader) integer(i int, what string, most int64) (n int64, err error) {
	n, ok := wholeIn(l.row, l.bounds[2*i-2], l.bounds[2*i-1])
	if !ok || n > most {
		return 0, l.wrong(what+" (field "+strconv.Itoa(i)+") is "+quoted(l.field(i)), fmt.Sprintf("give a whole number up to %d, or -1 if it isn't known", most))
	}
	return max(n, -1), nil
}

// wrong returns an error about the current line.
func (l *lineReader) wrong(problem, remedy string) *Error {
	return &Error{File: l.file, Line: l.line, Problem: problem, Remedy: remedy}
}
