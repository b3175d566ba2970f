package traces

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"
)

// numberTexts are texts that are numbers, or moments, and texts that aren't quite.
var numberTexts = []string{
	"", "0", "7", "-1", "+5", "-", "+", "--1", "-+1", "-0", "007", "1_000", "0x10", "12a", " 1", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
	"-9223372036854775809", "999999999999999999", "-999999999999999999", "1000000000000000000", "99999999999999999999999",
	"1.5", ".5", "5.", ".", "1.2.3", "0.1", "-0.0", "1e3", "1e-400", "1e400", "NaN", "Inf", "0.07446", "0.016007041", "7.629e-06", "123456789012345", "1234567890123456", "12345678901234567",
	"1.23456789012345", "1.234567890123456", "123456789012345.", "0.000000000000001", "0.00000000000001", ".000000000000001", "99999999999999.9", "9007199254740993", "0.3000000000000000444",
	"8.0", "-8.0", "+8.0", ".0", "-.0", "+.0", "12345678", "123456789", "12345678.0", "123456789012345.0", "1234567890123456.0", "1_0.0", "12:", "1/2", "1\xb02", "\xff\xff", "0:0.0", "1.0.0",
	"2017-10-09 07:01:55", "2017-10-09 7:01:55", "2017-10-09 07:01:55.5", "2017-10-09 07:01:55,5", "2016-02-29 00:00:00", "2017-02-29 00:00:00", "2100-02-29 00:00:00", "2000-02-29 23:59:59",
	"1970-01-01 00:00:00", "1969-12-31 23:59:59", "2200-12-31 23:59:59", "2201-01-01 00:00:00", "2017-00-09 07:01:55", "2017-13-09 07:01:55", "2017-10-00 07:01:55", "2017-10-32 07:01:55",
	"2017-04-31 07:01:55", "2017-10-09 24:00:00", "2017-10-09 07:60:55", "2017-10-09 07:01:60", "2017/10/09 07:01:55", "2017-10-09T07:01:55", "20a7-10-09 07:01:55", "2017-10-09 07:01:5",
	"2017-10-09 07:01:555", "2017-1:-09 07:01:55", "-017-10-09 07:01:55", "\xff\xff\xff\xff-\xff\xff-\xff\xff \xff\xff:\xff\xff:\xff\xff",
}

func TestNumbersLikeStrconv(t *testing.T) {
	for _, text := range numberTexts {
		checkNumbers(t, text)
	}
	for n := range 100_000 {
		checkNumbers(t, fmt.Sprintf("%d.%0*d", n%97, 1+n%7, n%1000))
		checkNumbers(t, strconv.Itoa(n*n%1_000_003*(n%1000)))
	}
}

// TestMoments has every day of the years that recordings are of.
func TestMoments(t *testing.T) {
	for at := time.Unix(0, 0).UTC(); at.Year() <= lastYear; at = at.Add(24*time.Hour + 61*time.Second) {
		checkNumbers(t, at.Format(time.DateTime))
	}
}

func FuzzNumbers(f *testing.F) {
	for _, text := range numberTexts {
		f.Add(text)
	}
	f.Fuzz(checkNumbers)
}

// checkNumbers compares with what the standard library takes text for, bit by bit.
func checkNumbers(t *testing.T, text string) {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if got, ok := parseInt(text); ok != (err == nil) || ok && got != n {
		t.Errorf("the whole number %q is %d, %v; want %d, %v", text, got, ok, n, err)
	}
	whole := err == nil
	x, err := strconv.ParseFloat(text, 64)
	if got, ok := parseFloat(text); ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(x) {
		t.Errorf("the number %q is %v, %v; want %v, %v", text, got, ok, x, err)
	}
	for _, before := range []string{"", "7", "1234,56,"} { // in the midst of others
		from := len(before)
		if got, ok := wholeIn(before+text+",8", from, from+len(text)); ok != whole || ok && got != n {
			t.Errorf("the whole number %q behind %q is %d, %v; want %d", text, before, got, ok, n)
		}
		if got, ok := fractionIn(before+text+",8", from, from+len(text)); ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(x) {
			t.Errorf("the number %q behind %q is %v, %v; want %v, %v", text, before, got, ok, x, err)
		}
	}
	at, err := time.Parse(time.DateTime, text)
	good := err == nil && at.Year() >= firstYear && at.Year() <= lastYear
	if got, ok := parseMoment(text); ok != good || ok && int64(got) != at.UnixNano() {
		t.Errorf("the moment %q is %d, %v; want %d, %v", text, got, ok, at.UnixNano(), good)
	}
}
