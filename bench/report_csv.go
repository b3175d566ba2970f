package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// csvHeader are the columns of the summary, one row a Summary.
var csvHeader = []string{
	"trace", "policy", "eviction", "faults", "quota",
	"metric", "unit", "n", "mean", "sd", "ci95_lo", "ci95_hi",
}

// writeCSV writes the summary in long form, as R and pandas like it. Numbers
// have as many digits as it takes to read the same number back. What one run
// cannot tell, sd and interval, is empty.
func writeCSV(w io.Writer, summary []Summary) error {
	c := csv.NewWriter(w)
	rows := [][]string{csvHeader}
	for _, s := range summary {
		sd, lo, hi := "", "", ""
		if s.CI95 != nil {
			sd, lo, hi = csvNumber(s.SD), csvNumber(s.CI95[0]), csvNumber(s.CI95[1])
		}
		rows = append(rows, []string{
			s.Trace, s.Policy, s.Eviction, s.Faults, s.Quota,
			s.Metric, s.Unit, strconv.Itoa(s.N), csvNumber(s.Mean), sd, lo, hi,
		})
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the summary as CSV: %w", err)
	}
	return nil
}

func csvNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
