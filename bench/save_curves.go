package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
)

// writeCurves writes the whole curves, one row a run and family: the value at
// 0, 1, 2, … % of capacity asked for, to four decimals, empty where no pod
// arrived. Without any curve there is just the header.
func writeCurves(w io.Writer, runs []Run) error {
	points := 0
	for _, r := range runs {
		for _, curve := range r.Curves {
			points = max(points, len(curve))
		}
	}
	header := []string{"trace", "policy", "eviction", "faults", "quota", "seed", "metric"}
	for at := range points {
		header = append(header, strconv.Itoa(at))
	}
	c := csv.NewWriter(w)
	rows := [][]string{header}
	for _, r := range runs {
		for _, family := range slices.Sorted(maps.Keys(r.Curves)) {
			row := []string{r.Trace, r.Policy, r.Eviction, r.Faults, r.Quota, strconv.FormatInt(r.Seed, 10), family}
			rows = append(rows, append(row, curveFields(r.Curves[family], points)...))
		}
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the curves as CSV: %w", err)
	}
	return nil
}

// curveFields writes a curve in so many fields; those it doesn't reach are empty.
func curveFields(curve []float64, points int) []string {
	fields := make([]string, points)
	for at, v := range curve {
		if !math.IsNaN(v) {
			fields[at] = strconv.FormatFloat(v, 'f', 4, 64)
		}
	}
	return fields
}
