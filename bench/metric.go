// Package bench runs experiments: policies on traces, once for each seed, and
// what came out as tables, files and explanations. Runs use all processors, and
// their results don't depend on how many there are.
package bench

import "strconv"

// A Metric is a number that a run yields. Metrics depend on a run's inputs
// alone: they are the same on any machine.
type Metric struct {
	Name string // as in results, for example gpu_allocated_pct_at_100
	Unit string // for example "%"; "" for counts
	Doc  string // one phrase for table headings

	// Family and At say that the metric is one point of a curve: Family is
	// the curve's name (gpu_allocated_pct) and At where on it the point lies,
	// in % of capacity asked for so far. Family is "" for a plain number.
	Family string
	At     int
}

// reportedAt are the points of a filling curve that results name, in % of
// the cluster's capacity asked for so far.
var reportedAt = []int{80, 90, 95, 100, 110, 120, 130}

// Metrics lists every metric a run may yield, in the order of reports.
// A run yields those that apply to it: the curves need a workload that only
// fills the cluster, the means and waits one that has times.
var Metrics = metrics()

func metrics() []Metric {
	var ms []Metric
	curve := func(family, doc string) {
		for _, at := range reportedAt {
			ms = append(ms, Metric{Name: family + "_at_" + strconv.Itoa(at), Unit: "%", Doc: doc, Family: family, At: at})
		}
	}
	curve("gpu_allocated_pct", "GPU allocated, % of capacity, when so much was asked for")
	curve("gpu_fragmented_pct", "GPU fragmented, % of capacity, when so much was asked for")
	ms = append(ms,
		Metric{Name: "gpu_allocated_pct_mean", Unit: "%", Doc: "GPU allocated, % of capacity, mean over time"},
		Metric{Name: "gpu_fragmented_pct_mean", Unit: "%", Doc: "GPU fragmented, % of capacity, mean over time"},
		Metric{Name: "pods_placed", Doc: "pods placed"},
		Metric{Name: "pods_unplaced", Doc: "pods without a node at the end"},
		Metric{Name: "wait_mean", Unit: "s", Doc: "waiting, mean over pods placed"},
		Metric{Name: "wait_p50", Unit: "s", Doc: "waiting, median"},
		Metric{Name: "wait_p99", Unit: "s", Doc: "waiting, 99th percentile"},
		Metric{Name: "fairness_jain_pct", Unit: "%", Doc: "Jain's index over namespaces of the share of time in which pods that want to run do"},
		Metric{Name: "pods_refused", Doc: "pods that admission refused at first"},
		Metric{Name: "preemptions", Doc: "pods that went to make room for others"},
		Metric{Name: "refusals", Doc: "tries that admission refused"},
	)
	return append(ms, stormMetrics...)
}
