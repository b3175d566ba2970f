package bench

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const (
	nodeHead = "sn,cpu_milli,memory_mib,gpu,model\n"
	podHead  = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
	timeHead = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,scheduled_time,deletion_time\n"

	// One GPU, of which one pod at a time gets 600 shares, and a node without.
	timedNodes = nodeHead + "n1,8000,8192,1,T4\nn2,8000,8192,0,\n"
	timedPods  = timeHead +
		"p1,1000,1,1,600,,1000,1000,1100\n" + // comes at 0, runs from 0 to 100
		"p2,1000,1,1,600,,1010,1010,1060\n" + // comes at 10, runs from 100 to 150
		"p3,1000,1,1,600,,1020,1020,1030\n" + // comes at 20, runs from 150 to 160
		"p4,1000,1,1,600,P100,1030,1030,1031\n" + // comes at 30, and its GPU isn't there
		"p5,9000,1,0,0,,1040,1040,1041\n" + // comes at 40, and is too large
		"p6,1000,1,0,0,,1050,1050,1060\n" + // comes at 50, runs from then to 60
		"p7,1000,1,1,600,,1200,1200,1210\n" // comes at 200, runs from then to 210
)

// metricsOf runs one policy once.
func metricsOf(t *testing.T, trace, policy string) Run {
	t.Helper()
	r := do(t, experiment(trace, []string{policy}, 42), 1)
	if len(r.Runs) != 1 {
		t.Fatalf("%d runs, want one", len(r.Runs))
	}
	return r.Runs[0]
}

// checkMetrics compares a run's metrics with those worked out by hand.
func checkMetrics(t *testing.T, run Run, want map[string]float64) {
	t.Helper()
	for name, w := range want {
		if got, ok := run.Metrics[name]; !ok || math.Abs(got-w) > 1e-9 {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, w)
		}
	}
	for name, got := range run.Metrics {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is %v, want none", name, got)
		}
	}
}

func TestTimedMetricsByHand(t *testing.T) {
	run := metricsOf(t, "openb:"+writeOpenb(t, timedNodes, timedPods)+"?mode=time", "bestfit")
	checkMetrics(t, run, map[string]float64{
		"pods_placed":   5,
		"pods_unplaced": 2,
		// p1, p6 and p7 wait 0 s, p2 waits 90 s and p3 130 s.
		"wait_mean": 44,
		"wait_p50":  0,
		"wait_p99":  130,
		// From the first arrival, at 0, to the last, at 200, the GPU has a pod
		// from 0 to 160. Then 600 of its shares are allocated, and the other 400
		// are of no use to any pod that there is. Idle, its 1000 shares are of
		// no use to three of the seven: p4, whose GPU it isn't, and p5 and p6,
		// which need none.
		"gpu_allocated_pct_mean":  60 * 160. / 200,
		"gpu_fragmented_pct_mean": 40*160./200 + 100*3./7*40/200,
	})
}

var gpuName = cluster.NewState().ResourceName(cluster.GPU)

// unplacedText is kube's message for a pod that fits none of so many nodes.
func unplacedText(nodes int, reasons ...string) string {
	slices.Sort(reasons)
	return fmt.Sprintf("0/%d nodes are available: %s.", nodes, strings.Join(reasons, ", "))
}

func TestUnplacedInKubesWords(t *testing.T) {
	run := metricsOf(t, "openb:"+writeOpenb(t, timedNodes, timedPods)+"?mode=time", "bestfit")
	want := map[string]int{
		unplacedText(2, "1 Insufficient "+gpuName, "1 node(s) didn't have the GPU model that the pod asks for"): 1,
		unplacedText(2, "2 Insufficient cpu"): 1,
	}
	if !maps.Equal(run.Unplaced, want) {
		t.Errorf("got %v, want %v", run.Unplaced, want)
	}
}

// A cluster of two GPUs is filled to 130 % by 26 pods of 100 shares and one CPU.
// BestFit puts the first two on the small node, which then has no CPU left, so
// that its 800 free shares are of no use; the next ten fill the other.
func TestCurvesByHand(t *testing.T) {
	pods := podHead
	for i := range 26 {
		pods += fmt.Sprintf("p%d,1000,1,1,100,\n", i)
	}
	dir := writeOpenb(t, nodeHead+"large,64000,8192,1,T4\nsmall,2000,8192,1,T4\n", pods)
	run := metricsOf(t, "openb:"+dir, "bestfit")
	want := map[string]float64{"pods_placed": 12, "pods_unplaced": 14}
	for _, at := range reportedAt {
		want[fmt.Sprint("gpu_allocated_pct_at_", at)] = 60
		want[fmt.Sprint("gpu_fragmented_pct_at_", at)] = 40
	}
	checkMetrics(t, run, want)
	allocated, fragmented := run.Curves["gpu_allocated_pct"], run.Curves["gpu_fragmented_pct"]
	if len(allocated) != 131 || len(fragmented) != 131 || len(run.Curves) != 2 {
		t.Fatalf("%d curves, of %d and %d points", len(run.Curves), len(allocated), len(fragmented))
	}
	for at := range 131 {
		switch {
		case at%5 != 0 || at == 0: // each pod adds 5 %
			if !math.IsNaN(allocated[at]) || !math.IsNaN(fragmented[at]) {
				t.Errorf("at %d %%, where no pod came, got %v and %v", at, allocated[at], fragmented[at])
			}
		default:
			near(t, fmt.Sprint("allocated at ", at), allocated[at], min(float64(at), 60), 1e-9)
			lost := 0.0
			if at >= 10 {
				lost = 40
			}
			near(t, fmt.Sprint("fragmented at ", at), fragmented[at], lost, 1e-9)
		}
	}
	unplaced := map[string]int{unplacedText(2, "1 Insufficient cpu", "1 Insufficient "+gpuName): 14}
	if !maps.Equal(run.Unplaced, unplaced) {
		t.Errorf("got %v, want %v", run.Unplaced, unplaced)
	}
}

// Where several pods come within one % of capacity, a curve has their mean; half
// a % goes to the even neighbour.
func TestCurvePointsAreMeans(t *testing.T) {
	pods := podHead
	for i := range 12 {
		pods += fmt.Sprintf("p%d,1000,1,1,5,\n", i) // 0.5 % each
	}
	run := metricsOf(t, "openb:"+writeOpenb(t, nodeHead+"n,64000,8192,1,T4\n", pods)+"?load=0.06", "fgd")
	// 0.5 to 0, 1 to 1, 1.5 to 2.5 to 2, 3 to 3, 3.5 to 4.5 to 4, 5 to 5, 5.5 and 6 to 6.
	want := []float64{0.5, 1, 2, 3, 4, 5, 5.75}
	got := run.Curves["gpu_allocated_pct"]
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for at := range want {
		near(t, fmt.Sprint("allocated at ", at), got[at], want[at], 1e-9)
	}
	for name := range run.Metrics {
		if strings.Contains(name, "_at_") {
			t.Errorf("%s is there, and no pod came so late", name)
		}
	}
}

func TestCurveEnds(t *testing.T) {
	var c curve
	c.add(maxCurve, 7, 2)
	c.add(maxCurve+1, 7, 1) // which would be a curve without end
	points := c.points()
	if len(points) != maxCurve+1 || points[maxCurve] != 7 || !math.IsNaN(points[0]) {
		t.Errorf("got %d points", len(points))
	}
}

// A mean begins with the first arrival and ends with the last, whenever they are.
func TestMeanOverTime(t *testing.T) {
	var m mean
	for _, step := range []struct {
		at      cluster.Time // in seconds
		v       float64      // up to then
		arrival bool
	}{{5, 99, false}, {10, 99, true}, {12, 20, false}, {20, 70, true}, {30, 99, false}} {
		m.advance(step.at*cluster.Second, step.v)
		if step.arrival {
			m.arrival()
		}
	}
	near(t, "length", m.lastLen, 10, 0)
	near(t, "mean", m.untilLast/m.lastLen, (2*20+8*70)/10., 1e-12)
}

func TestQuantilesOfWaits(t *testing.T) {
	m := newMeasure(nil)
	for i := range 100 {
		m.waits = append(m.waits, float64(100-i))
	}
	got := m.metrics(cluster.NewState(), true)
	if got["wait_mean"] != 50.5 || got["wait_p50"] != 50 || got["wait_p99"] != 99 {
		t.Errorf("of 1 to 100, got %v", got)
	}
}
