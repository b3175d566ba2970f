package traces

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestOpenbTime has the replay of the small trace: pods in order of creation,
// from time 0. Of pod-03 and pod-08 it is not recorded how long they ran.
func TestOpenbTime(t *testing.T) {
	tr := open(t, smallOpenb+"?mode=time")
	if !tr.Timed || !tr.Seeded || tr.Pods != 8 {
		t.Errorf("got %+v", tr)
	}
	p := read(t, tr.Events(1))
	want := []struct {
		name string
		at   cluster.Time
		runs []cluster.Time // one of them
	}{
		{"pod-01", 0, []cluster.Time{300}},
		{"pod-04", 5, []cluster.Time{999}},
		{"pod-02", 10, []cluster.Time{100}},
		{"pod-03", 10, []cluster.Time{100, 60}}, // like pod-02 and pod-06
		{"pod-07", 60, []cluster.Time{1000}},
		{"pod-05", 80, []cluster.Time{10}},
		{"pod-08", 90, []cluster.Time{300, 999, 100, 1000, 10, 60}}, // there is none like it
		{"pod-06", 100, []cluster.Time{60}},
	}
	for i, a := range p.pods {
		w := want[i]
		if a.pod.Name != w.name || a.at != w.at*cluster.Second || !slices.Contains(w.runs, a.pod.Run/cluster.Second) || a.pod.Run%cluster.Second != 0 {
			t.Errorf("got %s at %v s for %v s, want %s at %d for one of %d", a.pod.Name, a.at.Seconds(), a.pod.Run.Seconds(), w.name, w.at, w.runs)
		}
	}
	nodes := open(t, smallOpenb+"?mode=time").Nodes
	if p.nodes[0].Name != "node-c" || len(p.nodes) != nodes {
		t.Errorf("nodes don't come in the order of the file: %v", p)
	}
}

// TestOpenbTimeDraws checks that run times are drawn by seed and pod, and that
// all that are recorded come up.
func TestOpenbTimeDraws(t *testing.T) {
	tr := open(t, smallOpenb+"?mode=time")
	runs := map[string]map[cluster.Time]bool{}
	for seed := range int64(100) {
		p, again := read(t, tr.Events(seed)), read(t, tr.Events(seed))
		if p.String() != again.String() {
			t.Fatalf("seed %d gives\n%s\nand\n%s", seed, p, again)
		}
		for _, a := range p.pods {
			if runs[a.pod.Name] == nil {
				runs[a.pod.Name] = map[cluster.Time]bool{}
			}
			runs[a.pod.Name][a.pod.Run] = true
		}
	}
	for name, want := range map[string]int{"pod-01": 1, "pod-03": 2, "pod-08": 6} {
		if got := len(runs[name]); got != want {
			t.Errorf("%s ran for %d different times, want %d", name, got, want)
		}
	}
}

// TestOpenbTimeRecordedLoad has the load worked out by hand: recorded demand, and
// the mean for the two pods whose run time isn't.
func TestOpenbTimeRecordedLoad(t *testing.T) {
	shareSeconds := 1000*300.0 + 460*100 + 460*60 + 2000*10 + 4000*1000 + 460*80 + 250*(2469.0/6)
	want := shareSeconds / (7000 * 100)
	if got := open(t, smallOpenb+"?mode=time").OfferedLoad; math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOpenbTimeLoad(t *testing.T) {
	for _, load := range []string{"0.25", "1", "900"} {
		tr := open(t, smallOpenb+"?mode=time&load="+load)
		for seed := range int64(20) {
			if got := offeredLoad(read(t, tr.Events(seed)), tr.GPUs); math.Abs(got/tr.OfferedLoad-1) > 1e-6 {
				t.Errorf("load=%s, seed %d: the load is %v", load, seed, got)
			}
		}
		p, recorded := read(t, tr.Events(3)), read(t, open(t, smallOpenb+"?mode=time").Events(3))
		stretch := p.pods[7].at.Seconds() / recorded.pods[7].at.Seconds()
		for i, a := range p.pods {
			want := recorded.pods[i].at.Seconds() * stretch
			if math.Abs(a.at.Seconds()-want) > 1e-8 || a.pod.Run != recorded.pods[i].pod.Run {
				t.Errorf("load=%s: %s comes at %v, want %v", load, a.pod.Name, a.at.Seconds(), want)
			}
		}
	}
}

// offeredLoad measures what a stream offers: demand over capacity and the time
// from first to last arrival.
func offeredLoad(p play, gpus int) float64 {
	sum := 0.0
	for _, a := range p.pods {
		sum += float64(a.pod.Class.GPUs.Total()) * a.pod.Run.Seconds()
	}
	window := p.pods[len(p.pods)-1].at - p.pods[0].at
	return sum / float64(gpus*cluster.WholeGPU) / window.Seconds()
}

func TestOpenbTimeUnseeded(t *testing.T) {
	pods := timeHead + "p1,1,1,1,1,50,60,50\np2,1,1,1,1,52,60,55\n"
	tr := open(t, "openb:"+writeOpenb(t, goodNodes, pods)+"?mode=time")
	if tr.Seeded {
		t.Error("seeded, though all run times are recorded")
	}
	a, b := read(t, tr.Events(1)).String(), read(t, tr.Events(2)).String()
	if a != b || !strings.Contains(a, "\n2000000000 p2 5000000000 ") {
		t.Errorf("got\n%s\nand\n%s", a, b)
	}
}
