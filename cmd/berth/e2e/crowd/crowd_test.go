//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
)

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		rounds int
		only   string
		want   string
	}{
		{1, "", "Berth kube-scheduler"},
		{3, "", "Berth kube-scheduler kube-scheduler Berth Berth kube-scheduler"},
		{2, "Berth", "Berth Berth"},
	} {
		var names []string
		for _, c := range order(tt.rounds, tt.only) {
			names = append(names, c.name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%d rounds of %q: %s, want %s", tt.rounds, tt.only, got, tt.want)
		}
	}
}

// TestPods wants as many pods as are allowed to fit whatever goes where: all by what nodes have
// together, and those that may go to one node in two by what these have.
func TestPods(t *testing.T) {
	const nodes, cores, memory = 300, 32, 256 << 30
	seen := map[string]bool{}
	var fast, all, bytes int64
	for i := range mostPods(nodes) {
		p := pod(i)
		if seen[p.Name] {
			t.Fatalf("two pods are called %s", p.Name)
		}
		seen[p.Name] = true
		requests := p.Spec.Containers[0].Resources.Requests
		all += requests.Cpu().MilliValue()
		bytes += requests.Memory().Value()
		if p.Spec.NodeSelector[disk] != "" {
			fast += requests.Cpu().MilliValue()
		}
	}
	if all > nodes*cores*1000*3/4 || fast > nodes/2*cores*1000/2 || bytes > nodes*memory/2 {
		t.Errorf("the pods ask for %d thousandths of a core, %d of them on fast disks, and %d bytes", all, fast, bytes)
	}
	kinds := map[bool]int{}
	for i := range apps {
		spec := pod(i).Spec
		kinds[len(spec.TopologySpreadConstraints) > 0 || spec.NodeSelector != nil || spec.Tolerations != nil || spec.Affinity != nil]++
	}
	if kinds[true] != apps {
		t.Errorf("%d of %d apps are constrained by something", kinds[true], apps)
	}
	if name := pod(0).Spec.SchedulerName; name != "" && name != core.DefaultSchedulerName {
		t.Errorf("pods ask for the scheduler %q", name)
	}
}

func TestSame(t *testing.T) {
	a := map[string]string{"p": "n1", "q": "n2"}
	if err := same("a", a, "b", map[string]string{"p": "n1", "q": "n2"}); err != nil {
		t.Error(err)
	}
	for _, b := range []map[string]string{{"p": "n1", "q": "n1"}, {"p": "n1"}, {"p": "n1", "q": "n2", "r": "n1"}} {
		if same("a", a, "b", b) == nil {
			t.Errorf("%v and %v are the same", a, b)
		}
	}
}

func TestUsedBy(t *testing.T) {
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		d, err := usedBy(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if d > 0 {
			return
		}
	}
	t.Error("this process has used no processor time in 10 s of work")
}

func TestEach(t *testing.T) {
	var done [100]atomic.Int32
	if err := each(t.Context(), len(done), func(_ context.Context, i int) error { done[i].Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Errorf("%d was done %d times", i, n)
		}
	}
	wrong := errors.New("no")
	var begun atomic.Int32
	err := each(t.Context(), 10_000, func(context.Context, int) error { begun.Add(1); return wrong })
	if !errors.Is(err, wrong) || begun.Load() > atOnce {
		t.Errorf("%d were begun, and the error is %v", begun.Load(), err)
	}
}

// TestShares divides what two turns used.
func TestShares(t *testing.T) {
	turns := []turn{
		{Who: berth.name, Last: 10 * time.Second, Quiet: 20 * time.Second, Binding: usage{Scheduler: 2 * time.Second, APIServer: 8 * time.Second}, All: usage{Scheduler: 4 * time.Second, APIServer: 16 * time.Second}},
		{Who: berth.name, Last: 10 * time.Second, Quiet: 20 * time.Second, Binding: usage{Scheduler: 4 * time.Second, APIServer: 16 * time.Second}, All: usage{Scheduler: 4 * time.Second, APIServer: 16 * time.Second}},
	}
	rows := shares(turns).Rows
	if len(rows) != 2 || !slices.Equal(rows[0][:6], []string{"Berth", "the last binding", "1.50", "3.0", "20.0 %", "12.0"}) {
		t.Errorf("%q", rows)
	}
}
