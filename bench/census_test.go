package bench

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// eventList is a traces.Stream of events that are known.
type eventList []cluster.Event

func (l *eventList) Next() (cluster.Event, error) {
	if len(*l) == 0 {
		return cluster.Event{}, io.EOF
	}
	e := (*l)[0]
	*l = (*l)[1:]
	return e, nil
}

// twoDays is two nodes with 4 GPUs each, and pods of two namespaces over two days: one
// every ten minutes that runs for an hour with 1 GPU, and on the second day one of 8 GPUs.
func twoDays() eventList {
	var events eventList
	for _, name := range []string{"n1", "n2"} {
		spec := &cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{8000, 32 << 30, 0, 110}, GPUs: 4, GPUModel: "T4"}
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: spec})
	}
	small := &cluster.Class{Namespace: "a", Requests: cluster.Amounts{1000}, GPUs: cluster.GPURequest{Count: 1, Shares: 1000}}
	large := &cluster.Class{Namespace: "b", Owner: cluster.OwnerRef{Kind: "Job", Name: "j"}, Requests: cluster.Amounts{4000, 8 << 30}, GPUs: cluster.GPURequest{Count: 8, Shares: 1000}}
	add := func(at cluster.Time, class *cluster.Class, run cluster.Time) {
		events = append(events, cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: class, Run: run}})
	}
	for i := range cluster.Time(288) {
		equal := *small // as readers may give it
		add(i*10*cluster.Minute, &equal, cluster.Hour)
		if i == 200 {
			add(i*10*cluster.Minute, large, 2*cluster.Hour)
		}
	}
	last := events[len(events)-1].Time
	return append(events, cluster.Event{Time: last, Kind: cluster.PodEnded, Reason: "Evicted"}, cluster.Event{Time: last, Kind: cluster.NodeRemoved})
}

func TestCensus(t *testing.T) {
	tr := &traces.Trace{
		Name: "small", Format: "made", Hash: "abc", Rows: 300, Rejected: []traces.Rejection{{Reason: "odd", Rows: 9, File: "f.csv", Line: 3}},
		Epoch: time.Date(2024, 1, 1, 23, 30, 0, 0, time.UTC), // a Monday
	}
	events := twoDays()
	c, err := TakeCensus(tr, &events, 7)
	if err != nil {
		t.Fatal(err)
	}
	near := cmpopts.EquateApprox(0.004, 0)
	seconds := 287 * 600.0
	want := &Census{
		Version: Version, Trace: "small", Format: "made", Hash: "abc", Seed: 7, Epoch: "2024-01-01T23:30:00Z", Rows: 300,
		Rejected: []CensusRejection{{"odd", 9, "f.csv", 3}}, Gaps: []CensusGap{},
		Nodes: 2, GPUs: 8, NodeKinds: []CensusNodes{{2, "8 CPU, 32Gi of memory, 4 GPUs T4"}},
		Pods: 289, Ending: 289, Classes: 2, Namespaces: 2, Owners: 1, Span: seconds,
		Other: []CensusCount{{"PodEnded: Evicted", 1}, {"NodeRemoved", 1}},
		Load: []CensusLoad{
			{"berth.dev/gpu-shares", 8000, 296000, (288*3600 + 16*3600) / 8 / seconds, CensusLevel{(282*3600.0 + 6*1800 + 3000 + 8*7200 - 3000) * 1000 / seconds, 6000, 14000, 64}},
			{"cpu", 16000, 292000, (288*3600 + 8*3600) / 16 / seconds, CensusLevel{(282*3600.0 + 6*1800 + 4*7200) * 1000 / seconds, 6000, 10000, 64}},
			{"memory", 64 << 30, 8 << 30, 8.0 / 64 * 7200 / seconds, CensusLevel{float64(8<<30) * 7200 / seconds, 0, 8 << 30, 64}},
		},
		Running:  CensusLevel{(282*3600.0 + 6*1800 + 7200) / seconds, 6, 7, 64},
		Arrivals: CensusArrivals{MeanPerHour: 289 / seconds * 3600, PeakPerHour: 7, Days: []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}},
		Sizes: []CensusSizes{
			{"berth.dev/gpu-shares", 0, 296000.0 / 289, 1000, 1000, 1000, 8000},
			{"cpu", 0, 292000.0 / 289, 1000, 1000, 1000, 4000},
			{"memory", 288.0 / 289, 8 << 30, 8 << 30, 8 << 30, 8 << 30, 8 << 30},
		},
		Durations:     CensusDurations{(288*3600 + 7200) / 289.0, 3600, 3600, 3600, 3600, 7200, 7200, (7200 + 1.89*3600) / (290 * 3600), (7200 + 27.9*3600) / (290 * 3600)},
		TopClasses:    []CensusShare{{"a: cpu 1, 1 GPU", 288, 288.0 / 289, 288.0 / 304}, {"b: cpu 4, memory 8Gi, 8 GPUs (Job j)", 1, 1 / 289.0, 16 / 304.0}},
		TopNamespaces: []CensusShare{{"a", 288, 288.0 / 289, 288.0 / 304}, {"b", 1, 1 / 289.0, 16 / 304.0}},
	}
	// From Monday, 23:30: half an hour, all of Tuesday, and up to Wednesday, 23:20.
	want.Arrivals.ByDay = []int64{3, 144, 141, 0, 0, 0, 0}
	want.Arrivals.ByHour = slices.Repeat([]int64{12}, 24)
	want.Arrivals.ByHour[8] = 13 // 200 times 10 minutes after the beginning
	want.Arrivals.ByDay[2]++
	if diff := cmp.Diff(want, c, near, cmpopts.IgnoreUnexported(Census{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	checkCensusFiles(t, c)
}

// checkCensusFiles saves a census, over itself as well.
func checkCensusFiles(t *testing.T, c *Census) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	for range 2 {
		if err := CheckCensusDir(dir); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range Formats {
		var b bytes.Buffer
		if err := c.Write(&b, format); err != nil || b.Len() == 0 || strings.Contains(b.String(), "NaN") {
			t.Errorf("%s: %v\n%s", format, err, b.String())
		}
	}
}

// A trace of next to nothing has a page, and pictures.
func TestCensusOfLittle(t *testing.T) {
	node := cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n"}}
	pod := func(run cluster.Time) cluster.Event {
		return cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{}, Run: run}}
	}
	for _, events := range []eventList{{}, {node}, {node, pod(cluster.Never)}, {node, pod(0)}, {pod(cluster.Second), pod(cluster.Never)}} {
		c, err := TakeCensus(&traces.Trace{}, &events, 1)
		if err != nil {
			t.Fatal(err)
		}
		checkCensusFiles(t, c)
	}
	broken := errors.New("broken")
	if _, err := TakeCensus(&traces.Trace{}, failing{broken}, 1); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Next() (cluster.Event, error) { return cluster.Event{}, f.err }

// Levels over time are what summing up second by second gives, however often steps grew.
func TestLevelSeries(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var s levelSeries
		var slow []float64 // the level in each second
		level, at := 0.0, cluster.Time(0)
		first := cluster.Time(-1)
		for range 60 {
			for gap := rng.IntN(1 << (seed % 12)); gap > 0; gap-- {
				slow = append(slow, level)
				at += cluster.Second
			}
			if first < 0 {
				first = at
			}
			by := float64(rng.IntN(9)) - math.Min(level, 4)
			s.change(at, by)
			level += by
		}
		s.until(first, at)
		got, sum := s.means(), 0.0
		each, from := int(s.step/cluster.Second), int(first/cluster.Second)
		var want []float64
		for begin := 0; begin < len(slow); begin += each {
			part, n := 0.0, 0
			for i := max(begin, from); i < min(begin+each, len(slow)); i++ {
				part += slow[i]
				n++
			}
			sum += part
			if n > 0 {
				want = append(want, part/float64(n))
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
			t.Fatalf("seed %d, steps of %d s: -want +got:\n%s", seed, each, diff)
		}
		if len(want) > 0 && math.Abs(s.summary().Mean-sum/float64(len(slow)-from)) > 1e-9 {
			t.Errorf("seed %d: the mean is %v", seed, s.summary().Mean)
		}
	}
}

// Quantiles of durations are right to 1 %.
func TestDurationCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var d durationCounts
	var all []float64
	for range 20_000 {
		x := math.Exp(6 + 2.5*rng.NormFloat64())
		all = append(all, x)
		d.add(x)
	}
	slices.Sort(all)
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if got := d.quantile(q); math.Abs(got-want) > 0.01*want {
			t.Errorf("the quantile %v is %v, want %v", q, got, want)
		}
	}
	top, sum := 0.0, 0.0
	for i, x := range all {
		sum += x
		if i >= 19_800 {
			top += x
		}
	}
	if got := d.longest(0.01); math.Abs(got-top/sum) > 0.005 {
		t.Errorf("the longest 1 %% have %v, want %v", got, top/sum)
	}
	if d.max != all[len(all)-1] {
		t.Errorf("the longest is %v", d.max)
	}
}
