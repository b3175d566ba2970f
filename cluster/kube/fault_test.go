package kube_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// onBinding is a fault of bindings alone.
func onBinding(f kubetest.Fault) kubetest.Fault {
	f.Verb, f.Resource, f.Subresource = "create", "pods", "binding"
	return f
}

// faultTests have one thing go wrong each, while 20 pods are bound.
var faultTests = []struct {
	why      string
	wrong    func(w *world) // before pods come
	then     func(w *world) // when they have
	o        kube.Options
	within   time.Duration // until all are bound
	requests int           // bindings that are asked for
	rejected []int16       // codes of decisions that come back
	gaps     bool          // whether something may have been missed
}{
	{why: "nothing", within: 3 * time.Second, requests: 20},
	{why: "three conflicts about nothing", wrong: func(w *world) { w.server.SetFaults(onBinding(kubetest.Fault{Code: 409, Times: 3})) }, within: 5 * time.Second, requests: 23},
	{why: "429, and to wait 2 s", wrong: func(w *world) {
		w.server.SetFaults(onBinding(kubetest.Fault{Code: 429, RetryAfter: 2 * time.Second, Times: 20}))
	}, within: 8 * time.Second, requests: 40},
	{why: "500 for ten times", wrong: func(w *world) { w.server.SetFaults(onBinding(kubetest.Fault{Code: 500, Times: 10})) }, within: 5 * time.Second, requests: 30},
	{why: "every answer is lost", wrong: func(w *world) { w.server.SetFaults(onBinding(kubetest.Fault{Reset: kubetest.ResetAfter})) }, within: 5 * time.Second},
	{why: "the first five requests are lost", wrong: func(w *world) {
		w.server.SetFaults(onBinding(kubetest.Fault{Reset: kubetest.ResetBefore, Times: 5}))
	}, within: 5 * time.Second, requests: 25},
	{why: "a pod that can't be bound for longer than anybody waits", wrong: func(w *world) {
		w.server.SetFaults(onBinding(kubetest.Fault{Code: 503, Times: 8}))
	}, o: kube.Options{Patience: time.Second, Workers: 1}, within: time.Minute},
	{why: "bindings are forbidden for a while", wrong: func(w *world) {
		w.server.SetFaults(onBinding(kubetest.Fault{Code: 403, Times: 2}))
	}, within: 20 * time.Second, requests: 22, rejected: []int16{403, 403}},
	{why: "watches are cut", then: func(w *world) { w.server.CutWatches() }, within: 10 * time.Second, requests: 20},
	{why: "watches are cut, and the server has forgotten", then: func(w *world) { w.server.Compact(); w.server.CutWatches() }, within: 15 * time.Second, requests: 20, gaps: true},
	{why: "the server is restarted", then: func(w *world) { w.server.Restart(5 * time.Second) }, within: 40 * time.Second, gaps: true},
	{why: "30 s of silence", then: func(w *world) { w.server.Silence(30 * time.Second) }, within: 90 * time.Second},
	{why: "watches say nothing for 20 s", then: func(w *world) { w.server.MuteWatches(20 * time.Second) }, within: 40 * time.Second},
}

// TestFaults has 20 pods be bound while one thing goes wrong, and says what comes of it.
func TestFaults(t *testing.T) {
	for _, tt := range faultTests {
		t.Run(tt.why, func(t *testing.T) {
			inWorld(t, kubetest.Options{}, func(w *world) {
				gaps := 0
				o := tt.o
				o.Gap = func(kind string, from, until cluster.Time, reason string) {
					if gaps++; until <= from || kind == "" || reason == "" {
						t.Errorf("a gap of %q from %d until %d because of %q", kind, from, until, reason)
					}
				}
				w.server.Kubelet("a", kubetest.KubeletOptions{})
				w.server.Kubelet("b", kubetest.KubeletOptions{})
				if tt.wrong != nil {
					tt.wrong(w)
				}
				r := w.drive(o, nil, kubeScheduler(t, "Kube"))
				after(time.Second)
				for i := range 10 {
					w.add(aPod(fmt.Sprint("p", i), 500))
				}
				if tt.then != nil {
					tt.then(w)
				}
				for i := range 10 {
					w.add(aPod(fmt.Sprint("p", 10+i), 500))
				}
				after(tt.within)
				w.allBound(r, 20)
				bindings := len(w.bindings())
				if tt.requests > 0 && bindings != tt.requests {
					t.Errorf("%d bindings were asked for, want %d", bindings, tt.requests)
				}
				if tt.rejected != nil && !slices.Equal(r.seen.codes, tt.rejected) {
					t.Errorf("rejected: %v, want %v", r.seen.rejected, tt.rejected)
				}
				if gaps > 0 != tt.gaps {
					t.Errorf("%d gaps, want some: %v", gaps, tt.gaps)
				}
			})
		})
	}
}

// bindings are the requests that asked for one.
func (w *world) bindings() []kubetest.Request {
	return slices.DeleteFunc(w.server.Requests(), func(q kubetest.Request) bool { return q.Subresource != "binding" })
}

// allBound checks that pods p0, p1 … are bound, once, and that a run knows.
func (w *world) allBound(r *run, pods int) {
	w.t.Helper()
	for i := range pods {
		if name := fmt.Sprint("p", i); w.nodeOf(name) == "" {
			w.t.Errorf("%s is on no node", name)
		}
	}
	if twice := w.server.BoundTwice(); twice != "" {
		w.t.Errorf("bound twice: %s", twice)
	}
	for p := range cluster.PodID(r.state.Pods.Rows()) {
		if ph := r.state.Pods.Phase[p]; ph != cluster.Bound {
			w.t.Errorf("%s is %v", r.state.PodName(p), ph)
		}
	}
	if !r.cluster.Synced() {
		w.t.Error("the cluster says that it is not synced")
	}
}

// TestTwoSchedulers has two schedulers that know nothing of each other place the same pods.
func TestTwoSchedulers(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		for _, name := range []string{"a", "b", "c"} {
			w.server.Kubelet(name, kubetest.KubeletOptions{})
		}
		one := w.drive(kube.Options{}, nil, kubeScheduler(t, "Kube"))
		two := w.drive(kube.Options{}, nil, kubeScheduler(t, "BestFit"))
		after(time.Second)
		for i := range 30 {
			w.add(aPod(fmt.Sprint("p", i), 300))
		}
		after(30 * time.Second)
		w.allBound(one, 30)
		w.allBound(two, 30)
		if one.seen.kinds[cluster.PodBound]+two.seen.kinds[cluster.PodBound] < 30 { // of some they think alike
			t.Errorf("one bound %d, the other %d", one.seen.kinds[cluster.PodBound], two.seen.kinds[cluster.PodBound])
		}
		if len(one.seen.rejected)+len(two.seen.rejected) == 0 {
			t.Error("they never met")
		}
	})
}

// TestReadOnly has a scheduler watch what another does. It writes nothing, and its decisions
// are answered by what happens.
func TestReadOnly(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		w.server.Kubelet("b", kubetest.KubeletOptions{})
		config := rest.AddUserAgent(w.server.Config(), "reader")
		r := w.drive(kube.Options{Config: config, ReadOnly: true}, nil, kubeScheduler(t, "Kube"))
		after(time.Second)
		for i := range 4 {
			w.add(aPod(fmt.Sprint("p", i), 300))
		}
		after(time.Minute)
		if r.state.Pending() != 0 || w.nodeOf("p0") != "" {
			t.Errorf("%d pods are pending, and p0 is on %q", r.state.Pending(), w.nodeOf("p0"))
		}
		admin, err := kubernetes.NewForConfig(w.server.Config())
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 { // wherever they would have gone, some go elsewhere
			b := &v1.Binding{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("p", i)}, Target: v1.ObjectReference{Kind: "Node", Name: "a"}}
			if err := admin.CoreV1().Pods("default").Bind(context.Background(), b, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		after(10 * time.Second)
		w.allBound(r, 4)
		if bound, no := r.seen.kinds[cluster.PodBound], len(r.seen.rejected); bound+no != 4 || bound == 0 || no == 0 {
			t.Errorf("%d decisions came true, and %d did not", bound, no)
		}
		for _, q := range w.server.Requests() {
			if q.UserAgent == config.UserAgent && q.Verb != "get" && q.Verb != "list" && q.Verb != "watch" {
				t.Errorf("it asked to %s %s", q.Verb, q.Resource)
			}
		}
	})
}

// TestForbidden may not list nodes at first: it says so now and then, and goes on when it may.
func TestForbidden(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		w.add(aPod("p0", 100))
		w.server.SetFaults(kubetest.Fault{Resource: "nodes", Code: 403})
		core, logs := observer.New(zap.WarnLevel)
		r := w.drive(kube.Options{Log: zap.New(core)}, nil, kubeScheduler(t, "Kube"))
		after(2 * time.Minute)
		if r.cluster.Synced() || len(r.seen.kinds) > 0 {
			t.Errorf("it is synced: %v, and told %v", r.cluster.Synced(), r.seen.kinds)
		}
		if n := logs.FilterField(zap.String("kind", "Node")).Len(); n < 1 || n > 3 {
			t.Errorf("the log says %d times that nodes can't be listed: %v", n, logs.All())
		}
		w.server.SetFaults()
		after(time.Minute)
		w.allBound(r, 1)
	})
}

// TestNamesake has a pod be replaced by one of its name, that nothing fits, while its binding is
// on its way: that is not for the other.
func TestNamesake(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		w.add(aPod("p", 100))
		w.server.SetFaults(onBinding(kubetest.Fault{Latency: 5 * time.Second}))
		w.drive(kube.Options{}, nil, kubeScheduler(t, "Kube"))
		after(2 * time.Second)
		admin, err := kubernetes.NewForConfig(w.server.Config())
		if err != nil {
			t.Fatal(err)
		}
		now := int64(0)
		if err := admin.CoreV1().Pods("default").Delete(context.Background(), "p", metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
			t.Fatal(err)
		}
		w.add(aPod("p", 50_000))
		after(time.Minute)
		if on := w.nodeOf("p"); on != "" {
			t.Errorf("the other is on %s", on)
		}
	})
}
