package bench

import (
	"math"
	"strconv"
	"strings"
)

// A figure is what one cell of a matrix says, before it is put in digits.
type figure struct {
	unit     string // of the metric
	mean     float64
	sd       float64     // shown if varies
	varies   bool        // more than one run, and not a difference
	ci95     *[2]float64 // nil for one run
	p        *float64    // nil if there is no test
	relative bool        // a difference: its sign is always shown
}

// cell puts a figure in digits. Percentages have two decimals; counts one,
// or none if the whole column is whole numbers, so that a column lines up;
// anything else as many as its size calls for.
func (f figure) cell(wholeColumn bool) cell {
	decimals := sizeDecimals(f.mean)
	switch {
	case f.unit == "%":
		decimals = 2
	case f.unit == "" && wholeColumn:
		decimals = 0
	case f.unit == "":
		decimals = 1
	}
	c := cell{value: fixed(f.mean, decimals, f.relative)}
	if f.varies {
		c.spread = fixed(f.sd, decimals, false)
	}
	if f.ci95 != nil {
		c.interval = "[" + fixed(f.ci95[0], decimals, f.relative) + ", " + fixed(f.ci95[1], decimals, f.relative) + "]"
	}
	if f.p != nil {
		c.p = pText(*f.p)
	}
	return c
}

// whole reports whether nothing in the figure needs a decimal.
func (f figure) whole() bool {
	whole := f.mean == math.Trunc(f.mean)
	if f.ci95 != nil {
		whole = whole && f.ci95[0] == f.ci95[1]
	}
	return whole
}

// sizeDecimals gives a quantity such as seconds about four digits, but no
// more than milliseconds unless it is less than that itself.
func sizeDecimals(x float64) int {
	switch x = math.Abs(x); {
	case x >= 1000:
		return 0
	case x >= 100:
		return 1
	case x >= 10:
		return 2
	case x >= 0.001 || x == 0:
		return 3
	default:
		return 6
	}
}

// fixed writes x with so many decimals, and with its sign even if positive
// when signed. What rounds to zero is "0.00", neither "-0.00" nor "+0.00".
func fixed(x float64, decimals int, signed bool) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	if signed && !strings.HasPrefix(s, "-") {
		s = "+" + s
	}
	return s
}

// pText writes a p-value as papers do.
func pText(p float64) string {
	if p < 0.001 {
		return "p<0.001"
	}
	return "p=" + strconv.FormatFloat(p, 'f', 3, 64)
}

// shortHash are the first 12 hex digits: enough to tell results apart by eye.
func shortHash(hex string) string { return hex[:min(12, len(hex))] }
