package model

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

func readNamed(t testing.TB, name string) *Model {
	t.Helper()
	content, ok := Named(name)
	if !ok {
		t.Fatal("no model " + name)
	}
	return readSmall(t, string(content))
}

func workload(t testing.TB, m *Model, size Size) *Workload {
	t.Helper()
	w, err := m.Workload(size)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A came is a pod, and when it came.
type came struct {
	at  cluster.Time
	pod *cluster.PodSpec
}

// play reads a run to its end.
func play(t testing.TB, w *Workload, seed int64) (pods []came) {
	t.Helper()
	names := map[string]bool{}
	r := w.Run(seed)
	for {
		at, pod, ok := r.Next()
		if !ok {
			return pods
		}
		if k := len(pods); k > 0 && at < pods[k-1].at || k == 0 && at != 0 || names[pod.Name] || pod.Run < 0 {
			t.Fatalf("pod %d comes at %v: %+v", k, at, pod)
		}
		names[pod.Name] = true
		pods = append(pods, came{at, pod})
	}
}

// TestLoad checks that the load is what is asked for, within 5 %, whatever else is.
func TestLoad(t *testing.T) {
	for _, name := range Names() {
		m := readNamed(t, name)
		for _, size := range []Size{{Load: 0.9, Days: 2, Nodes: 40}, {Load: 0.3, Pods: 3000}, {Load: 1.5, Days: 10, Nodes: 7}, {Load: 0.5, Pods: 500, Nodes: 10}} {
			w := workload(t, m, size)
			for seed := range int64(3) {
				demand := 0.0
				pods := play(t, w, seed)
				ofGPUs := m.Nodes[0].GPUs > 0
				for _, p := range pods {
					each := p.pod.Class.Requests.Get(cluster.CPU)
					if ofGPUs {
						each = p.pod.Class.GPUs.Total()
					}
					demand += float64(each) * p.pod.Run.Seconds()
				}
				window := (pods[len(pods)-1].at - pods[0].at).Seconds()
				if got := demand / w.total / window; math.Abs(got/size.Load-1) > 0.05 {
					t.Errorf("%s %+v, seed %d: the load is %v of %d pods in %v days", name, size, seed, got, len(pods), window/day)
				}
				if size.Pods > 0 && (int64(len(pods)) < size.Pods || int64(len(pods)) > size.Pods+100) {
					t.Errorf("%s %+v, seed %d: %d pods", name, size, seed, len(pods))
				}
			}
		}
	}
}

// TestSizes checks that pods and days are what is asked for.
func TestSizes(t *testing.T) {
	for _, name := range Names() {
		m := readNamed(t, name)
		_, recorded := m.Totals()
		for _, size := range []Size{{}, {Pods: 4000}, {Days: 20}, {Pods: 1000, Days: 3, Nodes: 5}} {
			w := workload(t, m, size)
			pods, days := float64(size.Pods), size.Days
			switch {
			case pods == 0 && days == 0:
				pods, days = float64(recorded), m.Arrivals.Days
			case days == 0:
				days = m.Arrivals.Days * pods / float64(recorded)
			case pods == 0:
				pods = float64(recorded) * days / m.Arrivals.Days
			}
			if size.Nodes > 0 && len(w.Nodes) != size.Nodes {
				t.Errorf("%s %+v: %d nodes", name, size, len(w.Nodes))
			}
			if got := play(t, w, 5); math.Abs(float64(len(got))/pods-1) > 0.02 || math.Abs(float64(w.Pods)/pods-1) > 0.02 {
				t.Errorf("%s %+v: %d pods, and %d expected, want %v", name, size, len(got), w.Pods, pods)
			} else if last := got[len(got)-1].at.Seconds() / day; last > days*1.2+1 {
				t.Errorf("%s %+v: %v days, want %v", name, size, last, days)
			}
		}
	}
}

// TestMoreStays checks that a larger workload has the jobs of a smaller one.
func TestMoreStays(t *testing.T) {
	text := func(p came) string { return fmt.Sprint(p.pod.Class.Namespace, p.pod.Class.GPUs, p.pod.Run) }
	for _, name := range Names() {
		m := readNamed(t, name)
		more := map[string]string{}
		for _, p := range play(t, workload(t, m, Size{Pods: 3000, Load: 2}), 9) {
			more[p.pod.Name] = text(p)
		}
		for _, p := range play(t, workload(t, m, Size{Pods: 1000, Nodes: 9}), 9) {
			if more[p.pod.Name] != text(p) {
				t.Fatalf("%s: %s is %s, and in a larger workload %s", name, p.pod.Name, text(p), more[p.pod.Name])
			}
		}
	}
}

// TestSizeErrors has sizes that can't be.
func TestSizeErrors(t *testing.T) {
	idle := strings.Replace(small, `"cpu":1000,"gpus":1,"gpuShares":500`, `"cpu":1000`, 1)
	for _, tt := range []struct {
		text string
		size Size
		want string
	}{
		{small, Size{Pods: 1, Days: 1, Load: 1}, ": pods, days and load are given, of which two make the third; leave one out"},
		{idle, Size{Load: 1}, ": no pod uses anything for any time, so there is no load to ask for; leave load out"},
		{small, Size{Days: 36525, Load: 1000, Nodes: MaxNodes}, ": it comes to 3.79685e+16 pods; choose days, load and nodes so that there are from 1 to 100000000"},
		{small, Size{Days: 1e-5}, ": it comes to 0.00285"},
		{small, Size{Pods: MaxPods, Load: 1e-6}, ": it comes to 4.80991e+10 days; choose pods and load so that it takes less than a century"},
	} {
		_, err := readSmall(t, tt.text).Workload(tt.size)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %s", tt.size, err, tt.want)
		}
	}
}

// TestNodesTakeTurns checks that kinds are in proportion and spread.
func TestNodesTakeTurns(t *testing.T) {
	m := &Model{Nodes: []NodeKind{{Count: 30, GPUs: 1}, {Count: 10, GPUs: 2}, {Count: 20, GPUs: 3}}}
	var got []int
	for _, n := range m.nodes(6) {
		got = append(got, n.GPUs)
	}
	if text := fmt.Sprint(got); text != "[1 3 1 2 3 1]" {
		t.Errorf("got %s", text)
	}
	if n := len(m.nodes(0)); n != 60 {
		t.Errorf("%d nodes", n)
	}
}

// TestSameOnEveryMachine has workloads to the last bit: machines whose package math
// differs must give the same.
func TestSameOnEveryMachine(t *testing.T) {
	h := fnv.New64a()
	for _, name := range Names() {
		w := workload(t, readNamed(t, name), Size{Load: 0.7, Pods: 2000})
		in := w.Events(42)
		for {
			e, err := in.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if e.Kind == cluster.PodAdded {
				fmt.Fprintln(h, e.Time, e.PodSpec.Name, e.PodSpec.Run, e.PodSpec.Class.Namespace, e.PodSpec.Class.GPUs, e.PodSpec.Class.Requests)
			} else {
				fmt.Fprintln(h, e.NodeSpec)
			}
		}
	}
	if got, want := h.Sum64(), uint64(goldenWorkloads); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

const goldenWorkloads = 0xcc7b00b0bbda8b3b
