// Package input has the one form in which readers of files say what is wrong
// with an input: where, what, and what to do about it.
package input

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// An Error says what is wrong with an input, where, and what to do about it.
// What the system fails to read (disk, permissions) is not one.
type Error struct {
	File    string // or what else names the input
	Line    int    // from 1; 0 if it is about no line in particular
	Problem string
	Remedy  string
}

// Error returns one line: "FILE:LINE: problem; remedy".
func (e *Error) Error() string {
	file := e.File
	if strings.ContainsFunc(file, unicode.IsControl) {
		file = strconv.Quote(file)
	}
	if e.Line > 0 {
		file += ":" + strconv.Itoa(e.Line)
	}
	return file + ": " + e.Problem + "; " + e.Remedy
}

// Quoted returns what an input says, short enough for a line.
func Quoted(text string) string { return fmt.Sprintf("%.60q", text) }
