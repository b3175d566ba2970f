package suite

import (
	"slices"

	"golang.org/x/perf/benchmath"
)

// confidence is that of intervals.
const confidence = 0.95

// summary returns the median and its interval, as benchstat has them.
func summary(values []float64) benchmath.Summary {
	return benchmath.AssumeNothing.Summary(sampleOf(values), confidence)
}

func sampleOf(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

func median(values []float64) float64 { return summary(values).Center }
