package perf

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// numbers returns those in an environment variable, with commas between them.
func numbers(tb testing.TB, name, otherwise string) (list []int) {
	tb.Helper()
	for _, text := range strings.Split(cmp.Or(os.Getenv(name), otherwise), ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		list = append(list, n)
	}
	return list
}

// benchmark plays every test case on one side, with NODES nodes and PODS measured pods at most.
func benchmark(b *testing.B, side Side, suffix string) {
	pods := numbers(b, "PODS", "100")[0]
	for _, nodes := range numbers(b, "NODES", "500") {
		for _, c := range cases(b) {
			if _, err := c.Playable(); err != nil {
				continue
			}
			w, err := c.At(nodes)
			if err != nil {
				continue
			}
			b.Run(fmt.Sprintf("case=%s/nodes=%d%s", c.Name, nodes, suffix), func(b *testing.B) { benchmarkWorkload(b, side, w, pods) })
		}
	}
}

func benchmarkWorkload(b *testing.B, side Side, w *Workload, pods int) {
	s, err := w.Script(pods)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Settle(); err != nil {
		b.Fatal(err)
	}
	var sum Result
	for b.Loop() {
		r, err := side.Play(s)
		if err != nil {
			b.Fatal(err)
		}
		sum.Placed += r.Placed
		sum.Time += r.Time
		sum.Mallocs += r.Mallocs
		sum.Evaluated += r.Evaluated
	}
	b.ReportMetric(float64(sum.Placed)/float64(b.N), "pods")
	b.ReportMetric(float64(sum.PerPod().Nanoseconds()), "ns/pod")
	b.ReportMetric(float64(sum.Mallocs)/float64(sum.Placed), "allocs/pod")
	if sum.Evaluated > 0 {
		b.ReportMetric(float64(sum.Evaluated)/float64(sum.Placed), "nodes/pod")
	}
}

func BenchmarkBerth(b *testing.B) { benchmark(b, Sides(2)[2], "") }

// BenchmarkUpstream looks at as many nodes as upstream does by default, and at all.
func BenchmarkUpstream(b *testing.B) {
	sides := Sides(2)
	benchmark(b, sides[0], "/score=sampled")
	benchmark(b, sides[1], "/score=all")
}
