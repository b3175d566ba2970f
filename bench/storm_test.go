package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// playStorm plays four nodes of one zone, with a pod on each that never ends, under faults,
// and returns the metrics.
func playStorm(t *testing.T, faults string, until cluster.Time) map[string]float64 {
	t.Helper()
	f, err := traces.Opener{}.OpenFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	var events sim.List
	for i := range 4 {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: fmt.Sprint("n", i), Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1 << 30, cluster.PodSlots: 10},
		}})
	}
	for i := range 4 {
		events = append(events, cluster.Event{Time: cluster.Second, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
			Name: fmt.Sprint("p", i), Class: &cluster.Class{Requests: cluster.Amounts{cluster.CPU: 400}}, Run: cluster.Never,
		}})
	}
	w := &weather{Storm: Storm{Zones: 1, For: until}, faults: f, policy: eviction.Kube, settings: eviction.Defaults()}
	k, err := w.over(&events, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := cluster.NewState()
	c, err := sim.New(s, k.source, k.options)
	if err != nil {
		t.Fatal(err)
	}
	pr, err := scheduler.NewProfile(plugins.All, []scheduler.Weighted{{Name: "leastallocated", Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	m := newStormMeasure(c)
	if err := cluster.Run(context.Background(), c, s, m, append(k.controllers, scheduler.New(pr))...); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	m.metrics(out)
	return out
}

// TestStormMetrics reckons what is lost when one of four nodes fails at 100 s. Its last renewal is
// noticed at 95 or 100 s, so that it is Unknown 50 s after that or a period later; the taint follows within 0.1 s, and
// 300 s later the pod goes.
func TestStormMetrics(t *testing.T) {
	for _, test := range []struct {
		why, faults        string
		needed, needless   float64
		lostFrom, lostUpTo float64 // minutes
	}{
		{"a crash for an hour: lost until the pod runs elsewhere", "at 100s crash n0 for 1h", 1, 0, 5.6, 6},
		{"a crash for a minute: nothing is evicted", "at 100s crash n0 for 1m", 0, 0, 1, 1},
		{"a partition for an hour: the pod runs until it is told to go", "at 100s partition n0 for 1h", 0, 1, 0, 0},
		{"a partition until just before the pod's time is up", "at 100s partition n0 for 5m", 0, 0, 0, 0},
	} {
		got := playStorm(t, test.faults, 2*cluster.Hour)
		lost := got["pod_minutes_lost"]
		if got["evictions_needed"] != test.needed || got["evictions_needless"] != test.needless || lost < test.lostFrom || lost > test.lostUpTo {
			t.Errorf("%s: %v", test.why, got)
		}
		if seconds, ok := got["detect_mean"]; ok && (seconds < 45 || seconds > 60) {
			t.Errorf("%s: detected after %g s", test.why, seconds)
		}
		if seconds, ok := got["recover_mean"]; ok && (seconds < 345 || seconds > 361) {
			t.Errorf("%s: recovered after %g s", test.why, seconds)
		}
	}
}

// TestStormDeterminism wants the same results whatever is run at a time, and others for another seed.
func TestStormDeterminism(t *testing.T) {
	play := func(jobs int, seeds ...int64) *Results {
		x := &Experiment{
			Axes: Axes{
				Trace: []string{"synthetic:gpu?mode=time&nodes=30&pods=500"}, Policy: []string{"kube"}, Seed: seeds,
				Eviction: []string{"none", "kube", "kube:grace=20s,rate=1"}, Faults: []string{"exp(mtbf=5h,mttr=20m)"},
			},
			Storm: Storm{Zones: 2, For: 6 * cluster.Hour, Work: sim.Work{Kept: true}},
		}
		x.Complete()
		r, err := x.Do(t.Context(), Options{Plugins: plugins.All, Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, two := play(1, 1, 2), play(2, 1, 2)
	if one.Reproduce.Digest != two.Reproduce.Digest {
		t.Error("the digest depends on how many runs there are at a time")
	}
	digests := map[string]bool{}
	for _, r := range one.Runs {
		digests[r.Digest] = true
		if evictions := r.Metrics["evictions"]; (evictions > 0) != (r.Eviction != none) {
			t.Errorf("eviction %s: %g pods were evicted", r.Eviction, evictions)
		}
	}
	if len(digests) != 6 {
		t.Errorf("6 runs have %d different digests", len(digests))
	}
}

func TestFront(t *testing.T) {
	calm, rough := [3]string{"trace", "calm"}, [3]string{"trace", "rough"}
	list := []tradeOff{
		{"a", calm, 50, 10}, {"b", calm, 20, 30}, {"c", calm, 60, 10}, {"d", calm, 20, 40}, {"e", calm, 100, 1}, {"f", calm, 50, 10},
		{"x", rough, 70, 90}, {"y", rough, 60, 95}, {"z", rough, 80, 91},
	}
	var names []string
	for _, front := range fronts(list) {
		for _, o := range front {
			names = append(names, o.name)
		}
		names = append(names, " ")
	}
	if got := strings.Join(names, ""); got != "bafe yx " {
		t.Errorf("the fronts are %s", got)
	}
}

// TestSeries wants the values that held at each time, however far apart the times must be.
func TestSeries(t *testing.T) {
	var sr series[[lines]int]
	at := cluster.Time(0)
	value := func(at cluster.Time) int { return int(at / (100 * cluster.Second)) }
	for at < 10*cluster.Hour {
		next := at + 100*cluster.Second
		sr.until(next, [lines]int{value(at)})
		at = next
	}
	if n := len(sr.values); n < mostSteps/2 || n > mostSteps {
		t.Errorf("%d values", n)
	}
	for i, v := range sr.values {
		if want := value(cluster.Time(i) * sr.step); v[0] != want {
			t.Fatalf("value %d, at %g s, is %d instead of %d", i, (cluster.Time(i) * sr.step).Seconds(), v[0], want)
		}
	}
}

// TestFleet wants nodes in zones that don't depend on others, and pods that tolerate what admission adds.
func TestFleet(t *testing.T) {
	own := []cluster.Toleration{{Key: cluster.TaintNotReady, Exists: true, Effect: cluster.NoExecute}}
	events := sim.List{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "a", Labels: cluster.Labels{{Key: "x", Value: "y"}}}},
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "b", Labels: cluster.Labels{{Key: "topology.kubernetes.io/zone", Value: "own"}}}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{Tolerations: own}}}}
	f := &fleet{from: &events, weather: &weather{Storm: Storm{Zones: 3}}, classes: map[*cluster.Class]*cluster.Class{}}
	if err := f.line(); err != nil {
		t.Fatal(err)
	}
	var got []cluster.Event
	for {
		e, err := f.Next()
		if err != nil {
			break
		}
		got = append(got, e)
	}
	if len(got) != 3 || len(f.nodes) != 2 {
		t.Fatalf("%d events, %d nodes at the beginning", len(got), len(f.nodes))
	}
	zone := cluster.ZoneOf(got[0].NodeSpec.Labels)
	if !strings.HasPrefix(zone, "zone-") || cluster.ZoneOf(got[1].NodeSpec.Labels) != "own" {
		t.Errorf("the zones are %q and %q", zone, cluster.ZoneOf(got[1].NodeSpec.Labels))
	}
	if y, _ := got[0].NodeSpec.Labels.Get("x"); y != "y" {
		t.Error("a label was lost")
	}
	tolerations := got[2].PodSpec.Class.Tolerations
	if len(tolerations) != 2 || !slices.ContainsFunc(tolerations, func(o cluster.Toleration) bool {
		return o.Key == cluster.TaintUnreachable && o.Seconds != nil && *o.Seconds == 300
	}) {
		t.Errorf("the pod tolerates %v", tolerations)
	}
}

func TestParseStartUp(t *testing.T) {
	u, err := ParseStartUp("800ms, 1s,2.5s")
	if err != nil || !slices.Equal(u, sim.StartUp{800 * cluster.Second / 1000, cluster.Second, 5 * cluster.Second / 2}) {
		t.Errorf("%v, %v", u, err)
	}
	for _, bad := range []string{"x", "2s,1s", "-1s", "1s,"} {
		if _, err := ParseStartUp(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzParseStartUp wants what is read to be times that a simulation may have, and an error to
// be a line.
func FuzzParseStartUp(f *testing.F) {
	for _, seed := range []string{"", "800ms,1s,2.5s", "1s,", "2s,1s", "-1s", "1h,2562047h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseStartUp(text)
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q", err)
		}
		if err == nil && u.Check() != nil {
			t.Errorf("%q is read as %v", text, u)
		}
	})
}
