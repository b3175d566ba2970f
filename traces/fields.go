package traces

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/berthsim/berth/cluster"
)

// empty returns the first of some columns that holds nothing in the current row,
// "" if all hold something.
func (t *table) empty(columns []string) string {
	for _, column := range columns {
		if t.text(column) == "" {
			return column
		}
	}
	return ""
}

// name returns the name in a column.
func (t *table) name(column string) (string, error) {
	name := t.text(column)
	if name == "" {
		return "", t.wrongField(column, "give a name")
	}
	if !isName(name) {
		return "", t.wrongField(column, "give a name without spaces and slashes")
	}
	return strings.Clone(name), nil // a row's fields share the whole row's memory
}

// isName reports whether text can be part of a name: State writes namespace/name.
func isName(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r == '/' || unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
}

// maxSeconds is longer than anything runs, 31 years. It keeps sums of times in
// range.
const maxSeconds = 1e9

// seconds returns the time that a column gives in seconds, with or without a
// fraction, rounded to nanoseconds.
func (t *table) seconds(column string) (cluster.Time, error) {
	s, err := strconv.ParseFloat(t.text(column), 64)
	if err != nil || !(s >= 0 && s <= maxSeconds) {
		return 0, t.wrongField(column, "give seconds from 0 to 1000000000")
	}
	return cluster.Time(math.Round(float64(s * float64(cluster.Second)))), nil
}

// number returns the number in a column, with or without a fraction, from 0 to most.
func (t *table) number(column string, most float64) (float64, error) {
	x, err := strconv.ParseFloat(t.text(column), 64)
	if err != nil || !(x >= 0 && x <= most) {
		return 0, t.wrongField(column, "give a number from 0 to "+strconv.FormatFloat(most, 'f', -1, 64))
	}
	return math.Abs(x), nil // not -0
}

// integer returns the whole number in a column, which may be negative.
func (t *table) integer(column string, most int64) (int64, error) {
	n, err := strconv.ParseInt(t.text(column), 10, 64)
	if err != nil || n < -most || n > most {
		return 0, t.wrongField(column, "give a whole number of at most "+strconv.FormatInt(most, 10))
	}
	return n, nil
}

// moment returns the date and time in a column, such as 2017-10-09 07:01:55. No
// time zone is known, so that clocks are taken never to have been changed.
func (t *table) moment(column string) (cluster.Time, error) {
	at, err := time.Parse(time.DateTime, t.text(column))
	if err != nil || at.Year() < 1970 || at.Year() > 2200 {
		return 0, t.wrongField(column, "give a date and time from 1970 to 2200, such as 2017-10-09 07:01:55")
	}
	return cluster.Time(at.UnixNano()), nil
}
