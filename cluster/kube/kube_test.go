package kube_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// TestMain takes off client-go's handlers of errors, which log them, and sleep by a clock that
// was read outside of any bubble.
func TestMain(m *testing.M) {
	utilruntime.ErrorHandlers = nil
	os.Exit(m.Run())
}

// A world is a server, and what drives it, in virtual time.
type world struct {
	t      *testing.T
	server *kubetest.Server
	runs   []*run
}

// inWorld calls a test in a bubble, and closes everything in the end.
func inWorld(t *testing.T, o kubetest.Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, server: kubetest.New(o)}
		defer w.server.Close()
		defer func() {
			for _, r := range w.runs {
				r.end()
			}
		}()
		test(w)
	})
}

// A run is a cluster that is driven.
type run struct {
	world   *world
	cluster *kube.Cluster
	state   *cluster.State
	seen    events
	stop    context.CancelFunc
	done    chan struct{}
	err     error
}

// drive has controllers drive the server until the test ends.
func (w *world) drive(o kube.Options, rec cluster.Recorder, controllers ...cluster.Controller) *run {
	w.t.Helper()
	if o.Config == nil {
		o.Config = w.server.Config()
	}
	s := cluster.NewState()
	c, err := kube.New(s, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.run(c, s, rec, controllers...)
}

// run has controllers drive a cluster until the test ends.
func (w *world) run(c *kube.Cluster, s *cluster.State, rec cluster.Recorder, controllers ...cluster.Controller) *run {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{world: w, cluster: c, state: s, stop: stop, done: make(chan struct{})}
	recs := cluster.Recorders{&r.seen}
	if rec != nil {
		recs = append(recs, rec)
	}
	go func() {
		defer close(r.done)
		r.err = cluster.Run(ctx, c, s, recs, controllers...)
	}()
	w.runs = append(w.runs, r)
	return r
}

// end stops a run, and waits for it.
func (r *run) end() {
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	<-r.done
	if !errors.Is(r.err, context.Canceled) {
		r.world.t.Errorf("the run ended: %v", r.err)
	}
	if err := r.cluster.Close(); err != nil {
		r.world.t.Errorf("Close: %v", err)
	}
}

// events counts what happened.
type events struct {
	kinds    map[cluster.Kind]int
	rejected []string
	codes    []int16
}

// Record implements cluster.Recorder.
func (e *events) Record(s *cluster.State, batch []cluster.Event, ds []cluster.Decision) error {
	if e.kinds == nil {
		e.kinds = map[cluster.Kind]int{}
	}
	for i := range ds {
		e.kinds[ds[i].Kind]++
	}
	for i := range batch {
		x := &batch[i]
		e.kinds[x.Kind]++
		if x.Kind == cluster.Rejected {
			e.rejected = append(e.rejected, fmt.Sprintf("%v: %d %s", x.Decision.Kind, x.Code, x.Reason))
			e.codes = append(e.codes, x.Code)
		}
	}
	return nil
}

// kubeScheduler is a scheduler with the default plugins, and a policy beside them.
func kubeScheduler(t testing.TB, policy string) *scheduler.Scheduler {
	t.Helper()
	parts := []scheduler.Weighted{{Name: "Kube", Weight: 1}}
	if policy != "Kube" {
		parts = append(parts, scheduler.Weighted{Name: policy, Weight: 100})
	}
	profile, err := scheduler.NewProfile(plugins.All, parts)
	if err != nil {
		t.Fatal(err)
	}
	return scheduler.New(profile)
}

// aPod is a pod that asks for CPU, in thousandths.
func aPod(name string, milli int64) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: v1.PodSpec{Containers: []v1.Container{{Name: "c", Image: "pause", Resources: v1.ResourceRequirements{
			Requests: v1.ResourceList{v1.ResourceCPU: *resource.NewMilliQuantity(milli, resource.DecimalSI)},
		}}}},
	}
}

func (w *world) add(objects ...kubetest.Object) {
	w.t.Helper()
	if err := w.server.Add(objects...); err != nil {
		w.t.Fatal(err)
	}
}

// nodeOf returns the node that the server has a pod on.
func (w *world) nodeOf(name string) string {
	w.t.Helper()
	p, err := kubetest.Get[*v1.Pod](w.server, "default", name)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Spec.NodeName
}

// after lets time pass, and what happens happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestBind has pods be bound, and run.
func TestBind(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		w.server.Kubelet("a", kubetest.KubeletOptions{})
		w.server.Kubelet("b", kubetest.KubeletOptions{})
		for i := range 20 {
			w.add(aPod(fmt.Sprint("p", i), 500))
		}
		r := w.drive(kube.Options{}, nil, kubeScheduler(t, "Kube"))
		after(5 * time.Second)
		for i := range 20 {
			if w.nodeOf(fmt.Sprint("p", i)) == "" {
				t.Errorf("p%d is on no node", i)
			}
		}
		if r.seen.kinds[cluster.PodBound] != 20 || len(r.seen.rejected) > 0 || r.state.Pending() != 0 {
			t.Errorf("%v, rejected %v, %d pending", r.seen.kinds, r.seen.rejected, r.state.Pending())
		}
		if !r.cluster.Synced() {
			t.Error("not synced")
		}
	})
}
