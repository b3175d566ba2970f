package sim_test

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
)

// slow returns options of nodes that take 4 s to start a pod, with such faults.
func slow(fs ...faults.Fault) sim.Options {
	o := failingAs(sim.Work{}, fs...)
	o.Kubelets.StartUp = sim.StartUp{4 * second}
	return o
}

// TestStartUp binds a pod that runs for 10 s at 1 s.
func TestStartUp(t *testing.T) {
	for _, test := range []struct {
		why   string
		opts  sim.Options
		after []string // PodBound and PodReady
	}{
		{"it is ready when it runs, and then does its work", slow(), []string{"5s PodReady(a)", "15s PodEnded(a)"}},
		{"a crash has it start anew", slow(fault(faults.Crash, 3, 30)), []string{"3s NodeHeard", "30s NodeHeard", "34s PodReady(a)", "44s PodEnded(a)"}},
		{"a crash after the start, too", slow(fault(faults.Crash, 7, 30)), []string{"5s PodReady(a)", "7s NodeHeard", "30s NodeHeard", "34s PodReady(a)", "44s PodEnded(a)"}},
		{"what is cut off starts all the same", slow(fault(faults.Partition, 3, 9)), []string{"3s NodeHeard", "9s NodeHeard PodReady(a)", "15s PodEnded(a)"}},
		{"and is ready later if it is back before", slow(fault(faults.Partition, 3, 4)), []string{"3s NodeHeard", "4s NodeHeard", "5s PodReady(a)", "15s PodEnded(a)"}},
	} {
		c, s := start(t, test.opts, node("n", 100), pod(1*second, "a", 60, 10*second))
		next(t, c, s, cluster.Never, nil)
		expect(t, next(t, c, s, cluster.Never, bindFirst(s)), "1s PodAdded(a)")
		expect(t, next(t, c, s, cluster.Never, nil), "1s PodBound(a) PodReady(a)")
		if s.IsReady(0) {
			t.Errorf("%s: it is ready before it runs", test.why)
		}
		for _, want := range test.after {
			got := next(t, c, s, cluster.Never, nil)
			for got != "EOF" && !strings.Contains(got, " ") { // a moment at which there is nothing to hear
				got = next(t, c, s, cluster.Never, nil)
			}
			if got != want {
				t.Errorf("%s: %s instead of %s", test.why, got, want)
			}
		}
	}
}

// TestToldBeforeStart wants a pod that is told to end before it runs never to be ready.
func TestToldBeforeStart(t *testing.T) {
	c, s := start(t, slow(), node("n", 100), pod(1*second, "a", 60, 10*second))
	next(t, c, s, cluster.Never, nil)
	next(t, c, s, cluster.Never, bindFirst(s))
	expect(t, next(t, c, s, 2*second, nil), "1s PodBound(a) PodReady(a)")
	expect(t, next(t, c, s, 2*second, func() { s.Delete(0, cluster.DeletionByTaint) }), "2s")
	expect(t, next(t, c, s, cluster.Never, nil), "2s PodTold(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "2s PodEnded(a)")
}

// TestStartUpQuantiles wants start-up times to follow their quantiles.
func TestStartUpQuantiles(t *testing.T) {
	opts := slow()
	opts.Kubelets.StartUp = sim.StartUp{1 * second, 2 * second, 10 * second}
	events := []cluster.Event{node("n", 1000)}
	const n = 1000
	events[0].NodeSpec.Capacity[cluster.PodSlots] = n
	for i := range n {
		events = append(events, pod(0, string(rune('a'+i%26))+string(rune('a'+i/26)), 1, 100*second))
	}
	c, s := start(t, opts, events...)
	next(t, c, s, cluster.Never, func() {
		for p := range cluster.PodID(n) {
			s.Bind(p, 0, cluster.Allocation{})
		}
	})
	below := map[cluster.Time]int{}
	for ready := 0; ready < n; {
		now, events, err := c.Next(t.Context(), cluster.Never)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == cluster.PodReady && e.Ready {
				ready++
				for _, limit := range []cluster.Time{1, 2, 6, 10} {
					if e.Time <= limit*second {
						below[limit]++
					}
				}
			}
		}
		s.Observe(now, events)
		if err := c.Apply(t.Context(), s.TakeDecisions()); err != nil {
			t.Fatal(err)
		}
	}
	if below[1] > 5 || below[2] < 450 || below[2] > 550 || below[6] < 700 || below[6] > 800 || below[10] != n {
		t.Errorf("of %d pods, so many had started up after 1, 2, 6 and 10 s: %v", n, below)
	}
}

func TestStartUpCheck(t *testing.T) {
	for _, bad := range []sim.StartUp{{-1}, {2, 1}} {
		if bad.Check() == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if err := (sim.StartUp{0, 1, 1, 5}).Check(); err != nil {
		t.Error(err)
	}
}
