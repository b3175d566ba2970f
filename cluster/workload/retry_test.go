package workload_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
)

// counting is an admission by one quota, for milli-CPUs that are used; so is its controller,
// which counts again whenever pods have ended.
type counting struct {
	charged *cluster.ResourceQuota
	of      *cluster.ResourceQuota // the State's, that charged goes on from
	tries   int
}

func (c *counting) Admit(s *cluster.State, spec *cluster.PodSpec) (int16, string) {
	c.tries++
	q := s.Quotas.Get("", "q")
	if c.charged != nil && c.of == q {
		q = c.charged
	}
	used := q.Used[0].Amount + spec.Class.Requests[cluster.CPU]
	if used > q.Enforced[0].Amount {
		return 403, "exceeded quota"
	}
	after := *q
	after.Used = []cluster.NamedAmount{{Name: "requests.cpu", Amount: used}}
	c.charged, c.of = &after, s.Quotas.Get("", "q")
	return 0, ""
}

func (c *counting) Charged(_ *cluster.State, to []cluster.Object) []cluster.Object {
	if c.charged != nil {
		to = append(to, c.charged)
		c.charged = nil
	}
	return to
}

func (c *counting) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	q := s.Quotas.Get("", "q")
	var used int64
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] != cluster.Ended {
			used += s.Class(p).Requests[cluster.CPU]
		}
	}
	if q != nil && used < q.Used[0].Amount {
		after := *q
		after.Used = []cluster.NamedAmount{{Name: "requests.cpu", Amount: used}}
		s.Store(&after)
	}
	return cluster.Never
}

// arrivals notes when pods come.
type arrivals struct{ strings.Builder }

func (d *arrivals) Record(s *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := range events {
		if e := &events[i]; e.Kind == cluster.PodAdded {
			fmt.Fprintf(d, "%g %s\n", s.Now.Seconds(), s.Pods.Name[e.Pod])
		}
	}
	return nil
}

// retried plays a workload against a quota of 10 milli-CPUs, and returns when pods came.
func retried(t *testing.T, events sim.List, every bool) (came string, tries int) {
	t.Helper()
	quota := &cluster.ResourceQuota{Name: "q",
		Hard: []cluster.NamedAmount{{Name: "requests.cpu", Amount: 10}}, Enforced: []cluster.NamedAmount{{Name: "requests.cpu", Amount: 10}}, Used: []cluster.NamedAmount{{Name: "requests.cpu"}}}
	all := append(sim.List{
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.CPU: 1e6, cluster.PodSlots: 1e6}}},
		{Kind: cluster.ObjectSet, Object: quota},
	}, events...)
	admission := &counting{}
	s := cluster.NewState()
	c, err := sim.New(s, &all, sim.Options{Admission: admission})
	if err != nil {
		t.Fatal(err)
	}
	retry := workload.NewRetry()
	retry.Every = every
	var d arrivals
	if err := cluster.Run(context.Background(), c, s, &d, admission, fill{}, retry); err != nil {
		t.Fatal(err)
	}
	return d.String(), admission.tries
}

// TestRetry has four pods of 5 milli-CPUs come at once, of which two are admitted. The third
// is tried for the last time in vain after 31 s, with 32 s to the next.
func TestRetry(t *testing.T) {
	class := &cluster.Class{Requests: cluster.Amounts{cluster.CPU: 5}}
	var events sim.List
	for _, name := range []string{"a", "b", "c", "d"} {
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Class: class, Run: 40 * cluster.Second}})
	}
	came, tries := retried(t, events, false)
	if want := "0 a\n0 b\n63 c\n63 d\n"; came != want || tries != 6 {
		t.Errorf("%d tries, and there came\n%sinstead of\n%s", tries, came, want)
	}
	if came, tries := retried(t, events, true); came != "0 a\n0 b\n63 c\n63 d\n" || tries != 16 {
		t.Errorf("with every try made, %d of them, there came\n%s", tries, came)
	}
}

// TestRetryAsEvery wants pods to come when they would if no try were left out.
func TestRetryAsEvery(t *testing.T) {
	saved := 0
	for seed := range int64(60) {
		draw := cluster.NewDraw(seed, "retry", "")
		classes := make([]*cluster.Class, 3)
		for i := range classes {
			classes[i] = &cluster.Class{Requests: cluster.Amounts{cluster.CPU: int64(1 + draw.Below(10))}}
		}
		var events sim.List
		var now cluster.Time
		for i := range 60 {
			now += cluster.Time(draw.Below(20)) * cluster.Second / 2
			events = append(events, cluster.Event{Time: now, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
				Name: strconv.Itoa(i), Class: classes[draw.Below(3)], Run: cluster.Time(draw.Below(300)) * cluster.Second / 2,
			}})
		}
		some, few := retried(t, events, false)
		all, many := retried(t, events, true)
		if some != all {
			t.Fatalf("seed %d: pods came\n%s, and with every try made\n%s", seed, some, all)
		}
		saved += many - few
	}
	if saved < 1000 {
		t.Errorf("only %d tries were left out", saved)
	}
}
