package suite

import (
	"flag"
	"strconv"
	"strings"
	"testing"

	"github.com/berthsim/berth/plugins"
)

var sizes = flag.String("nodes", "", "sizes of clusters that are benchmarked, for example 15000,100000 (default 500 and 5000)")

// mustWorld makes a case of all of this module's plugins.
func mustWorld(tb testing.TB, c Case) *World {
	tb.Helper()
	w, err := NewWorld(c, plugins.All)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// BenchmarkSuite places a pod, in each case.
func BenchmarkSuite(b *testing.B) {
	var nodes []int
	if *sizes != "" {
		for text := range strings.SplitSeq(*sizes, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				b.Fatalf("-nodes %s: %q is no size", *sizes, text)
			}
			nodes = append(nodes, n)
		}
	}
	for _, c := range Cases(nodes...) {
		b.Run(c.Name(), func(b *testing.B) { benchmark(b, mustWorld(b, c)) })
	}
}

func benchmark(b *testing.B, w *World) {
	b.ReportAllocs()
	work := w.profile.Work()
	w.Prepare(w.workload.pods)
	for b.Loop() {
		if w.Left() == 0 {
			b.StopTimer()
			w.Prepare(w.workload.pods)
			b.StartTimer()
		}
		w.Place()
	}
	counts := countsSince(work, w.profile.Work(), b.N)
	for _, c := range Counters {
		b.ReportMetric(counts[c.Name], c.Name+"/pod")
	}
}
