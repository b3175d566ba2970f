package faults

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// BenchmarkWeek reads the faults of a week of 5,000 nodes.
func BenchmarkWeek(b *testing.B) {
	for _, bb := range []struct{ name, spec string }{
		{"exp", "exp(mtbf=30d,mttr=1h)"},
		{"exp-often", "exp(mtbf=1h,mttr=1m)"},
		{"weibull", "weibull(shape=0.7,mtbf=30d,mttr=lognormal(median=15m,sigma=1.2))"},
		{"zones", "zones(mtbf=1d,mttr=30m,kind=partition)"},
		{"correlated", "correlated(mtbf=1d,share=0.1,by=rack,within=2m,mttr=30m)"},
	} {
		b.Run(fmt.Sprintf("model=%s/nodes=5000", bb.name), func(b *testing.B) {
			run := Run{Nodes: nodes(5000), Seed: 1, Horizon: week}
			m := parse(b, bb.spec)
			faults := 0
			b.ReportAllocs()
			for b.Loop() {
				s, err := m.Source(run)
				for err == nil {
					if _, err = s.Next(); err == nil {
						faults++
					}
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(faults)/float64(b.N), "faults")
		})
	}
}
