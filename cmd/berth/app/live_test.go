package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/berthsim/berth/plugins"
	"go.uber.org/zap"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A verb is a run of the program on a server in memory.
type verb struct {
	cancel      context.CancelCauseFunc
	out, errs   text
	status      chan int
	t           *testing.T
	description string
}

// text is what somebody writes while somebody else reads.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(b)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// serve starts a server in memory with the namespace for Leases.
func serve(t *testing.T, options ...kubetest.Options) *kubetest.Server {
	server := kubetest.New(append(options, kubetest.Options{})[0])
	t.Cleanup(server.Close)
	add(t, server, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "berth-system"}})
	return server
}

// start starts the program; server is nil if the arguments say how it is reached.
func start(t *testing.T, server *kubetest.Server, args ...string) *verb {
	ctx, cancel := context.WithCancelCause(context.Background())
	v := &verb{cancel: cancel, status: make(chan int, 1), t: t, description: "berth " + strings.Join(args, " ")}
	a := &app{env: Env{Args: args, Stdout: &v.out, Stderr: &v.errs}, log: zap.NewNop(), plugins: plugins.All}
	if server != nil {
		a.api = &api{server.Config(), "berth-system"}
		a.env.Args = append(args, "--metrics-address", nobody)
	}
	go func() { v.status <- a.execute(ctx) }()
	return v
}

// ends waits for the program's end, which must be of a status.
func (v *verb) ends(status int) {
	v.t.Helper()
	if got := <-v.status; got != status {
		v.t.Errorf("%s: exit status %d, want %d\n%s%s", v.description, got, status, v.out.String(), v.errs.String())
	}
}

// terminate sends SIGTERM, as it were.
func (v *verb) terminate() { v.cancel(stopSignal{syscall.SIGTERM}) }

// digest returns what the program printed last, with -o json.
func (v *verb) digest() string {
	v.t.Helper()
	lines := strings.Split(strings.TrimSpace(v.out.String()), "\n")
	var last struct{ Digest string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Digest == "" {
		v.t.Errorf("%s: %v in the last line of %q", v.description, err, v.out.String())
	}
	return last.Digest
}

// replays wants a log to be played again with a digest.
func replays(t *testing.T, log, digest string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := Env{Args: []string{"replay", log, "--verify", "-o", "json"}, Stdout: &out, Stderr: &errs}
	if status := Run(t.Context(), env); status != 0 || !strings.Contains(out.String(), digest) {
		t.Errorf("replay: status %d, want digest %s\n%s%s", status, digest, out.String(), errs.String())
	}
}

// pods makes pods that ask for a scheduler and a CPU each.
func pods(scheduler string, count int, cpu string) (list []kubetest.Object) {
	for i := range count {
		list = append(list, &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("%s-%s-%d", scheduler, strings.ToLower(cpu), i)},
			Spec: v1.PodSpec{SchedulerName: scheduler, Containers: []v1.Container{{
				Name: "c", Image: "i", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu)}},
			}}},
		})
	}
	return list
}

func resourceOf(text string) resource.Quantity { return resource.MustParse(text) }

func add(t *testing.T, server *kubetest.Server, objects ...kubetest.Object) {
	t.Helper()
	if err := server.Add(objects...); err != nil {
		t.Fatal(err)
	}
}

// bound returns how many pods have been bound.
func bound(server *kubetest.Server) int { return len(server.Bindings()) }

// TestSchedule has pods come to a server in memory, and wants those that ask for Berth to be
// bound, those that fit nowhere to be told so, and all to be played again.
func TestSchedule(t *testing.T) {
	log := filepath.Join(t.TempDir(), "run.berth")
	digest := ""
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		for _, name := range []string{"a", "b"} {
			server.Kubelet(name, kubetest.KubeletOptions{})
		}
		add(t, server, pods("berth-scheduler", 4, "1")...)
		add(t, server, pods("default-scheduler", 1, "1")...)
		add(t, server, pods("berth-scheduler", 1, "99")...)
		v := start(t, server, "schedule", "--for", "1m", "--log", log, "-o", "json")
		time.Sleep(20 * time.Second)
		add(t, server, pods("berth-scheduler", 4, "2")...)
		v.ends(0)
		digest = v.digest()
		if n := bound(server); n != 8 {
			t.Errorf("%d pods were bound, want 8\n%s", n, v.errs.String())
		}
		large, err := kubetest.Get[*v1.Pod](server, "default", "berth-scheduler-99-0")
		if err != nil || len(large.Status.Conditions) != 1 || large.Status.Conditions[0].Message != "0/2 nodes are available: 2 Insufficient cpu." {
			t.Errorf("of the pod that fits nowhere: %+v, %v", large.Status, err)
		}
	})
	replays(t, log, digest)
}

// TestLifecycle silences a kubelet, and wants its node to be tainted and its pods to go, and
// all to be played again.
func TestLifecycle(t *testing.T) {
	log := filepath.Join(t.TempDir(), "run.berth")
	digest := ""
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		var last *kubetest.Kubelet
		for _, name := range []string{"a", "b", "c", "d"} {
			last = server.Kubelet(name, kubetest.KubeletOptions{Labels: map[string]string{v1.LabelTopologyZone: "z"}})
		}
		victim := pods("x", 1, "1")[0].(*v1.Pod)
		victim.Spec.NodeName = "d"
		add(t, server, victim)
		v := start(t, server, "lifecycle", "--eviction", "kube:grace=40s", "--log", log, "-o", "json", "--for", "10m")
		time.Sleep(30 * time.Second)
		last.Stop()
		v.ends(0)
		digest = v.digest()
		n, err := kubetest.Get[*v1.Node](server, "", "d")
		if err != nil || len(n.Spec.Taints) != 2 {
			t.Errorf("the silent node: %+v, %v\n%s", n.Spec.Taints, err, v.errs.String())
		}
		p, err := kubetest.Get[*v1.Pod](server, "default", victim.Name)
		if err != nil || p.DeletionTimestamp == nil {
			t.Errorf("its pod: %+v, %v", p.Status, err)
		}
		if n, err := kubetest.Get[*v1.Node](server, "", "a"); err != nil || len(n.Spec.Taints) != 0 {
			t.Errorf("another node: %+v, %v", n.Spec.Taints, err)
		}
	})
	replays(t, log, digest)
}

// TestDryRun wants decisions to be told, each once, and nothing to be written.
func TestDryRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		server.Kubelet("a", kubetest.KubeletOptions{})
		server.Kubelet("b", kubetest.KubeletOptions{}).Stop()
		add(t, server, pods("berth-scheduler", 3, "1")...)
		schedule := start(t, server, "schedule", "--for", "2m", "--dry-run")
		lifecycle := start(t, server, "lifecycle", "--for", "2m", "--dry-run", "-o", "json")
		schedule.ends(0)
		lifecycle.ends(0)
		for _, r := range server.Requests() {
			if r.Verb != "list" && r.Verb != "watch" {
				t.Errorf("asked for %+v", r)
			}
		}
		if n := strings.Count(schedule.out.String(), "  Bind  "); n != 3 || !strings.HasPrefix(schedule.out.String(), "TIME  ") {
			t.Errorf("%d pods were bound, want 3:\n%s", n, schedule.out.String())
		}
		if want := `"decision":"AddTaint","node":"b","why":"node.kubernetes.io/unreachable=:NoExecute"`; strings.Count(lifecycle.out.String(), want) != 1 {
			t.Errorf("not once %s:\n%s", want, lifecycle.out.String())
		}
	})
}

// TestLeaderElection has two stand for election. One acts, the other takes over when it stops,
// and a leader that can't renew its Lease ends.
func TestLeaderElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		server.Kubelet("a", kubetest.KubeletOptions{})
		first := start(t, server, "schedule")
		time.Sleep(5 * time.Second)
		second := start(t, server, "schedule")
		time.Sleep(5 * time.Second)
		add(t, server, pods("berth-scheduler", 1, "1")...)
		time.Sleep(time.Minute)
		if bound(server) != 1 || !strings.Contains(first.errs.String(), `"began"`) || strings.Contains(second.errs.String(), `"began"`) {
			t.Errorf("not the first one acted alone:\n%s\n%s", first.errs.String(), second.errs.String())
		}
		first.terminate()
		first.ends(0)
		time.Sleep(5 * time.Second) // less than the Lease lasts: it was given back
		add(t, server, pods("berth-scheduler", 2, "2")...)
		time.Sleep(5 * time.Second)
		if bound(server) != 3 || server.BoundTwice() != "" {
			t.Errorf("%d pods are bound, want 3\n%s%s", bound(server), server.BoundTwice(), second.errs.String())
		}
		server.Silence(time.Hour)
		second.ends(exitWorldFailed)
		if !strings.Contains(second.errs.String(), "berth: the Lease was lost") {
			t.Errorf("why it ended:\n%s", second.errs.String())
		}
	})
}

// TestUnreached wants a verb whose time is over to say that it has seen nothing.
func TestUnreached(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.berth")
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		server.Silence(time.Hour)
		v := start(t, server, "record", "-f", file, "--for", "1m")
		v.ends(exitWorldFailed)
		if text := v.errs.String(); !strings.Contains(text, "not all lists have come") || !strings.Contains(text, "berth: http://kubetest has not listed all") {
			t.Errorf("it says:\n%s", text)
		}
	})
}

// TestStops wants each way to stop a verb to have its status, with and without the Lease.
func TestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		holder := start(t, server, "lifecycle")
		time.Sleep(time.Second)
		for _, test := range []struct {
			how    error
			status int
		}{{stopSignal{syscall.SIGTERM}, 0}, {stopSignal{os.Interrupt}, exitInterrupted}, {context.Canceled, exitInterrupted}} {
			standby := start(t, server, "lifecycle")
			alone := start(t, server, "lifecycle", "--leader-elect=false")
			time.Sleep(10 * time.Second)
			for _, v := range []*verb{standby, alone} {
				v.cancel(test.how)
				v.ends(test.status)
			}
		}
		holder.cancel(stopSignal{os.Interrupt})
		holder.ends(exitInterrupted)
		if len(server.Bindings()) > 0 {
			t.Error("pods were bound")
		}
	})
}
