package traces

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/berthsim/berth/cluster"
)

// whole returns the whole number in a column, if there is one.
func (t *table) whole(c column) (n int64, ok bool) {
	if i := int(c); i < t.count() {
		return wholeIn(t.row, t.ends[i]+1, t.ends[i+1])
	}
	return 0, false
}

// fraction returns the number in a column, with or without a fraction, if there is one.
func (t *table) fraction(c column) (x float64, ok bool) {
	if i := int(c); i < t.count() {
		return fractionIn(t.row, t.ends[i]+1, t.ends[i+1])
	}
	return 0, false
}

// amount returns the number in a column, which must be whole, not negative and
// at most most.
func (t *table) amount(c column, most int64) (int64, error) {
	n, ok := t.whole(c)
	if !ok || n < 0 || n > most {
		return 0, t.wrongField(c, fmt.Sprintf("give a whole number from 0 to %d", most))
	}
	return n, nil
}

// empty returns the name of the first of some columns that holds nothing in the current
// row, "" if all hold something.
func (t *table) empty(columns ...column) string {
	for _, c := range columns {
		if t.text(c) == "" {
			return t.names[c]
		}
	}
	return ""
}

// name returns the name in a column.
func (t *table) name(c column) (string, error) {
	name := t.text(c)
	if name == "" {
		return "", t.wrongField(c, "give a name")
	}
	if !isName(name) {
		return "", t.wrongField(c, "give a name without spaces and slashes")
	}
	return strings.Clone(name), nil // a row's fields share the whole row's memory
}

// isName reports whether text can be part of a name: State writes namespace/name.
func isName(text string) bool {
	return isPlainName(text) || utf8.ValidString(text) && !strings.ContainsFunc(text, isNoPartOfName)
}

// isPlainName reports whether text can be part of a name and is ASCII alone, as most
// names are.
func isPlainName(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == '/' || c > '~' {
			return false
		}
	}
	return true
}

// isNoPartOfName reports whether names must not have r in them.
func isNoPartOfName(r rune) bool { return r == '/' || unicode.IsSpace(r) || !unicode.IsPrint(r) }

// maxSeconds is longer than anything runs, 31 years. It keeps sums of times in
// range.
const maxSeconds = 1e9

// seconds returns the time that a column gives in seconds, with or without a
// fraction, rounded to nanoseconds.
func (t *table) seconds(c column) (cluster.Time, error) {
	s, ok := t.fraction(c)
	if !ok || !(s >= 0 && s <= maxSeconds) {
		return 0, t.wrongField(c, "give seconds from 0 to 1000000000")
	}
	return cluster.Time(math.Round(float64(s * float64(cluster.Second)))), nil
}

// number returns the number in a column, with or without a fraction, from 0 to most.
func (t *table) number(c column, most float64) (float64, error) {
	x, ok := t.fraction(c)
	if !ok || !(x >= 0 && x <= most) {
		return 0, t.wrongField(c, "give a number from 0 to "+strconv.FormatFloat(most, 'f', -1, 64))
	}
	return math.Abs(x), nil // not -0
}

// integer returns the whole number in a column, which may be negative.
func (t *table) integer(c column, most int64) (int64, error) {
	n, ok := t.whole(c)
	if !ok || n < -most || n > most {
		return 0, t.wrongField(c, "give a whole number of at most "+strconv.FormatInt(most, 10))
	}
	return n, nil
}

// moment returns the date and time in a column, such as 2017-10-09 07:01:55. No
// time zone is known, so that clocks are taken never to have been changed.
func (t *table) moment(c column) (cluster.Time, error) {
	at, ok := parseMoment(t.text(c))
	if !ok {
		return 0, t.wrongField(c, "give a date and time from 1970 to 2200, such as 2017-10-09 07:01:55")
	}
	return at, nil
}
