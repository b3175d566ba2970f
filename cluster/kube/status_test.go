package kube_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/prometheus/client_golang/prometheus"
	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// telling is a run whose Status tells what the scheduler finds.
type telling struct {
	*run
	status *kube.Status
}

// Record implements cluster.Recorder: the Status is made after the run's cluster.
func (t *telling) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	return t.status.Record(s, events, ds)
}

// tell has a scheduler place pods, and tell people about it.
func (w *world) tell(o kube.Options) *telling {
	w.t.Helper()
	profile, err := scheduler.NewProfile(plugins.All, []scheduler.Weighted{{Name: "Kube", Weight: 1}})
	if err != nil {
		w.t.Fatal(err)
	}
	x := &telling{}
	sc := scheduler.NewScheduler(scheduler.Options{Profiles: map[string]*scheduler.Profile{"": profile}, Seen: func(a scheduler.Attempt) {
		if a.Node == cluster.None {
			x.status.Unplaced(a.Pod)
		}
	}})
	if o.Config == nil {
		o.Config = w.server.Config()
	}
	s := cluster.NewState()
	c, err := kube.New(s, o)
	if err != nil {
		w.t.Fatal(err)
	}
	x.status = c.NewStatus(kube.StatusOptions{Component: "berth", Why: func(s *cluster.State, p cluster.PodID) string {
		d := profile.Diagnose(s, p)
		return d.String()
	}})
	x.run = w.run(c, s, x, sc)
	return x
}

// reasons lists the reasons of Events about an object.
func (w *world) reasons(name string) (list []string) {
	for _, q := range w.server.Writes() {
		if e, ok := q.After.(*eventsv1.Event); ok && e.Regarding.Name == name {
			list = append(list, e.Reason+": "+e.Note)
		}
		if e, ok := q.After.(*v1.Event); ok && e.InvolvedObject.Name == name {
			list = append(list, e.Reason+": "+e.Message)
		}
	}
	return list
}

// TestStatus tells why a pod got no node, once for each reason, and that it got one.
func TestStatus(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		w.tell(kube.Options{})
		after(time.Second)
		w.add(aPod("big", 20_000), aPod("small", 100))
		after(20 * time.Minute) // it is tried again and again
		p, err := kubetest.Get[*v1.Pod](w.server, "default", "big")
		if err != nil {
			t.Fatal(err)
		}
		const why = "0/1 nodes are available: 1 Insufficient cpu."
		told := ""
		for _, c := range p.Status.Conditions {
			if c.Type == v1.PodScheduled {
				told = fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message)
			}
		}
		if !strings.HasPrefix(told, "False Unschedulable "+why) {
			t.Errorf("the condition says %q", told)
		}
		if got := w.reasons("big"); len(got) != 1 || !strings.HasPrefix(got[0], "FailedScheduling: "+why) {
			t.Errorf("of big is told %q", got)
		}
		if got := strings.Join(w.reasons("small"), ", "); got != "Scheduled: Successfully assigned default/small to a" {
			t.Errorf("of small is told %q", got)
		}
	})
}

// TestStatusFails can't write: nobody waits for that, and what is so is written once it can be.
func TestStatusFails(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		w.server.SetFaults(kubetest.Fault{Verb: "patch", Code: 500}, kubetest.Fault{Resource: "events", Code: 500})
		registry := prometheus.NewRegistry()
		r := w.tell(kube.Options{Metrics: registry})
		after(time.Second)
		w.add(aPod("big", 20_000))
		for i := range 30 {
			w.add(aPod(fmt.Sprint("p", i), 100))
		}
		after(10 * time.Second)
		for i := range 30 {
			if w.nodeOf(fmt.Sprint("p", i)) == "" {
				t.Errorf("p%d is on no node", i)
			}
		}
		w.server.SetFaults()
		after(10 * time.Minute)
		if got := w.reasons("big"); len(got) == 0 {
			t.Error("of big nothing is told")
		}
		r.end()
		if n := counted(t, registry, "berth_kube_dropped_events_total"); n < 30 {
			t.Errorf("%v Events were dropped, want 30 at least", n)
		}
		if n := counted(t, registry, "berth_kube_requests_total"); n < 60 {
			t.Errorf("%v requests were counted", n)
		}
	})
}

// counted returns the sum of a metric.
func counted(t *testing.T, from prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}

// TestCloseSilent closes a cluster that is waiting for answers: they are given up after a while.
func TestCloseSilent(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		s := cluster.NewState()
		c, err := kube.New(s, kube.Options{Config: w.server.Config()})
		if err != nil {
			t.Fatal(err)
		}
		r := w.run(c, s, nil, kubeScheduler(t, "Kube"))
		after(time.Second)
		w.server.SetFaults(kubetest.Fault{Subresource: "binding", Latency: time.Hour})
		w.add(aPod("p", 100))
		after(time.Second)
		began := time.Now()
		r.end()
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("closing took %v", took)
		}
		if w.nodeOf("p") != "" {
			t.Error("p is on a node")
		}
	})
}

// TestNewErrors makes clusters of options that can't be.
func TestNewErrors(t *testing.T) {
	if _, err := kube.New(cluster.NewState(), kube.Options{}); err == nil || !strings.Contains(err.Error(), "Options.Config") {
		t.Errorf("without a configuration: %v", err)
	}
	registry := prometheus.NewRegistry()
	server := kubetest.New(kubetest.Options{})
	defer server.Close()
	o := kube.Options{Config: server.Config(), Metrics: registry}
	c, err := kube.New(cluster.NewState(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kube.New(cluster.NewState(), o); err == nil {
		t.Error("metrics may be registered twice")
	}
	if err := c.Close(); err != nil {
		t.Errorf("closing what never began: %v", err)
	}
}

// TestStatusBurst binds many pods at once while Events take long: none is dropped, and none is
// written twice.
func TestStatusBurst(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		const pods = 1200
		w.server.Kubelet("a", kubetest.KubeletOptions{Allocatable: v1.ResourceList{v1.ResourcePods: resource.MustParse("2k")}})
		w.server.SetFaults(kubetest.Fault{Resource: "events", Latency: time.Second})
		registry := prometheus.NewRegistry()
		w.tell(kube.Options{Metrics: registry})
		after(time.Second)
		for i := range pods {
			w.add(aPod(fmt.Sprint("p", i), 0))
		}
		after(6 * time.Minute)
		told := map[string]int{}
		for _, q := range w.server.Writes() {
			if e, ok := q.After.(*v1.Event); ok {
				told[e.InvolvedObject.Name]++
			}
		}
		for i := range pods {
			if n := told[fmt.Sprint("p", i)]; n != 1 {
				t.Fatalf("of p%d is told %d times", i, n)
			}
		}
		if n := counted(t, registry, "berth_kube_dropped_events_total"); n != 0 {
			t.Errorf("%v Events were dropped", n)
		}
	})
}

// TestStatusRate allows a request a second: Events take none from bindings, and no binding waits
// for so long to be let through that it counts as unanswered.
func TestStatusRate(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		config := w.server.Config()
		config.QPS, config.Burst = 1, 1
		w.tell(kube.Options{Config: config})
		after(time.Minute) // it has listed and watches
		const pods = 60
		for i := range pods {
			w.add(aPod(fmt.Sprint("p", i), 0))
		}
		after(pods*time.Second + time.Second)
		for i := range pods {
			if w.nodeOf(fmt.Sprint("p", i)) == "" {
				t.Errorf("after %d s, p%d is on no node", pods, i)
			}
		}
	})
}
