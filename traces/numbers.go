package traces

import (
	"strconv"
	"time"

	"github.com/berthsim/berth/cluster"
)

// What fields mostly are is read in a few steps here, and everything else by the
// standard library, which gives the same result and knows what to refuse.

// sureDigits is how many digits a number may have that can't be too large for an int64.
const sureDigits = 18

// parseInt returns the whole number that text is, in decimal, as strconv.ParseInt does.
func parseInt(text string) (n int64, ok bool) {
	if len(text) == 0 || len(text) > sureDigits {
		return parseAnyInt(text)
	}
	for i := range len(text) {
		digit := text[i] - '0'
		if digit > 9 {
			return parseAnyInt(text)
		}
		n = 10*n + int64(digit)
	}
	return n, true
}

func parseAnyInt(text string) (int64, bool) {
	if len(text) > 1 && text[0] == '-' && text[1] != '-' && text[1] != '+' && len(text) <= sureDigits {
		n, ok := parseInt(text[1:]) // mostly -1, for what isn't known
		return -n, ok
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// wholeIn returns the whole number that text is from one place to another, as parseInt does.
// Up to eight digits are taken together, with what is before them in the text.
func wholeIn(text string, from, to int) (n int64, ok bool) {
	if unused := wordBytes - (to - from); unused >= 0 && unused < wordBytes && to >= wordBytes {
		digits := word(text[to-wordBytes:to]) ^ wordZeros
		digits &= ^uint64(0) << (8 * unused)
		if (digits|(digits+wordAbove9))&^wordLow == 0 {
			return eightDigits(digits), true
		}
	}
	return parseInt(text[from:to])
}

// Words whose bytes are all alike: the digit 0, and what carries into the highest bit of what
// is above 9.
const (
	wordZeros  = 0x3030303030303030
	wordAbove9 = 0x7676767676767676
)

// eightDigits returns the number whose digits are a word's bytes, the first of them lowest:
// pairs of neighbours are added up, then pairs of pairs, and both halves. Lemire, "Quickly
// parsing eight digits", 2018.
func eightDigits(digits uint64) int64 {
	digits = digits * (10<<8 + 1) >> 8 & 0x00ff00ff00ff00ff
	digits = digits * (100<<16 + 1) >> 16 & 0x0000ffff0000ffff
	return int64(digits * (10000<<32 + 1) >> 32)
}

// fractionIn returns the number that text is from one place to another, as parseFloat does.
// Many that might have a fraction are whole, with .0 behind them.
func fractionIn(text string, from, to int) (x float64, ok bool) {
	if whole := to - 2; whole > from && whole-from <= exactDigits && text[whole:to] == ".0" {
		if n, ok := wholeIn(text, from, whole); ok && n >= 0 && text[from] != '-' {
			return float64(n), true
		}
	}
	return parseFloat(text[from:to])
}

// exactDigits is how many digits a whole number may have that any float64 can be.
const exactDigits = 15

// powersOf10 are those that float64 has exactly and that fractions need here.
var powersOf10 = [exactDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseFloat returns the number that text is, as strconv.ParseFloat does. Few digits
// are a whole number and a power of ten, both exact, so that their quotient, rounded
// once, is the nearest float64: Clinger, "How to Read Floating Point Numbers
// Accurately", PLDI 1990.
func parseFloat(text string) (x float64, ok bool) {
	if len(text) == 0 || len(text) > exactDigits+1 {
		return parseAnyFloat(text)
	}
	n, whole := digits(0, text)
	switch {
	case whole == len(text) && whole <= exactDigits:
		return float64(n), true
	case whole == len(text) || text[whole] != '.' || len(text) == 1:
		return parseAnyFloat(text)
	}
	fraction := text[whole+1:]
	n, end := digits(n, fraction)
	if end < len(fraction) {
		return parseAnyFloat(text)
	}
	return float64(n) / powersOf10[len(fraction)], true
}

// digits goes on with a number by the digits that text begins with, and returns how many
// there are.
func digits(n int64, text string) (int64, int) {
	for i := range len(text) {
		digit := text[i] - '0'
		if digit > 9 {
			return n, i
		}
		n = 10*n + int64(digit)
	}
	return n, len(text)
}

func parseAnyFloat(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}

// Years that recordings are of.
const firstYear, lastYear = 1970, 2200

// leastDays is how many days each month has in every year.
var leastDays = [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// parseMoment returns the date and time that text is, such as 2017-10-09 07:01:55,
// from firstYear to lastYear, as time.Parse and UnixNano do.
func parseMoment(text string) (cluster.Time, bool) {
	const layout = time.DateTime
	if len(text) == len(layout) && text[4] == '-' && text[7] == '-' && text[10] == ' ' && text[13] == ':' && text[16] == ':' {
		year := 100*twoDigits(text[0:2]) + twoDigits(text[2:4])
		month, day := twoDigits(text[5:7]), twoDigits(text[8:10])
		hour, minute, second := twoDigits(text[11:13]), twoDigits(text[14:16]), twoDigits(text[17:19])
		if year >= firstYear && year <= lastYear && month >= 1 && month <= 12 && day >= 1 && day <= leastDays[month-1] && hour <= 23 && minute <= 59 && second <= 59 {
			return cluster.Time(day-1+daysBefore(year, month))*24*cluster.Hour + cluster.Time(3600*hour+60*minute+second)*cluster.Second, true
		}
	}
	at, err := time.Parse(layout, text)
	if err != nil || at.Year() < firstYear || at.Year() > lastYear {
		return 0, false
	}
	return cluster.Time(at.UnixNano()), true
}

// twoDigits returns the number that two digits are, one far out of range if they are
// others.
func twoDigits(text string) int {
	tens, ones := text[0]-'0', text[1]-'0'
	if tens > 9 || ones > 9 {
		return 1 << 20
	}
	return 10*int(tens) + int(ones)
}

// daysBefore returns how many days there are from the beginning of firstYear to that of
// a month.
func daysBefore(year, month int) int {
	before := [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}
	full := year // the last year whose leap day is over, if it had one
	if month <= 2 {
		full--
	}
	return 365*(year-firstYear) + leapDays(full) - leapDays(firstYear-1) + before[month-1]
}

// leapDays returns how many leap days there were up to the end of a year.
func leapDays(year int) int { return year/4 - year/100 + year/400 }
