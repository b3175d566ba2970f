package manifest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/berthsim/berth/internal/input"
)

// An Error says what is wrong with a file, where, and what to do about it.
type Error = input.Error

// A FieldError says what is wrong with an object of the Kubernetes API, and what
// to do about it.
type FieldError struct {
	Path    []any // from the object to the field: names (string) and indexes (int)
	Problem string
	Remedy  string

	offset int  // in the text of the object, 1 more than that; 0 if not known
	cut    bool // the text ends too early, for all that is known of it
}

// Error returns "path: problem; remedy".
func (e *FieldError) Error() string { return e.problem() + "; " + e.Remedy }

// problem returns the path and the problem.
func (e *FieldError) problem() string {
	var b strings.Builder
	for _, step := range e.Path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			switch {
			case !plain(step):
				fmt.Fprintf(&b, "[%s]", input.Quoted(step))
			case b.Len() > 0:
				b.WriteString("." + step)
			default:
				b.WriteString(step)
			}
		}
	}
	switch {
	case b.Len() == 0:
	case e.predicate():
		b.WriteString(" ")
	default:
		b.WriteString(": ")
	}
	return b.String() + e.Problem
}

// predicate reports whether the problem lacks a subject.
func (e *FieldError) predicate() bool {
	verb, _, _ := strings.Cut(e.Problem, " ")
	return verb == "is" || verb == "has" || verb == "asks"
}

// plain reports whether a name needs no quotes in a path.
func plain(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// wrong returns a FieldError about what the caller looks at.
func wrong(problem, remedy string) error {
	return &FieldError{Problem: problem, Remedy: remedy}
}

// wrongValue returns a FieldError about a value that is none of some.
func wrongValue(value string, want ...string) error {
	return wrong("is "+input.Quoted(value), "write "+strings.Join(want, ", "))
}

// in says of an error where, seen from one level up, it is.
func in(err error, path ...any) error {
	if err == nil {
		return nil
	}
	var field *FieldError
	if !errors.As(err, &field) {
		return wrong(oneLine(err), "correct it")
	}
	field.Path = append(path, field.Path...)
	return field
}

// oneLine returns what an error of another's code says, on one line.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
