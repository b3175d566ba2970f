package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	coordinationv1 "k8s.io/api/coordination/v1"
)

// A reached is a program that serves on a socket.
type reached struct {
	*verb
	url string
}

var listening = regexp.MustCompile(`"listening","address":"([^"]+)"`)

// reach starts the program on a server's socket, by a kubeconfig, and waits until it is ready.
func reach(t *testing.T, server *kubetest.Server, args ...string) *reached {
	t.Helper()
	url, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := kubetest.WriteKubeconfig(config, url); err != nil {
		t.Fatal(err)
	}
	v := &reached{verb: start(t, nil, append(args, "--kubeconfig", config, "--metrics-address", "127.0.0.1:0")...)}
	eventually(t, "it listens", func() bool {
		m := listening.FindStringSubmatch(v.errs.String())
		if m != nil {
			v.url = "http://" + m[1]
		}
		return m != nil
	})
	eventually(t, "it is ready", func() bool { code, body := v.get(t, "/readyz"); return code == 200 && body == "ok\n" })
	return v
}

// eventually waits for something.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

func (v *reached) get(t *testing.T, path string) (code int, body string) {
	t.Helper()
	r, err := http.Get(v.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// documented are the metrics that docs/live.md lists for a verb.
func documented(t *testing.T, verb string) (names []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "live.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- metrics:begin -->")
	table, _, ok := strings.Cut(rest, "<!-- metrics:end -->")
	if !ok {
		t.Fatal("docs/live.md has no table of metrics")
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(table, -1) {
		if strings.Contains(m[2], verb) {
			names = append(names, m[1])
		}
	}
	return names
}

// wantMetrics wants what docs/live.md lists for a verb to be served, in the form of Prometheus,
// and nothing of kube's names beside.
func (v *reached) wantMetrics(t *testing.T, verb string, exceptions ...string) {
	t.Helper()
	_, body := v.get(t, "/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	names := documented(t, verb)
	for _, name := range names {
		if families[name] == nil {
			t.Errorf("%s serves no %s", verb, name)
		}
	}
	for name := range families {
		own := strings.HasPrefix(name, "berth_kube_") || strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_")
		if !own && !strings.Contains(strings.Join(names, " ")+" ", name+" ") {
			t.Errorf("docs/live.md doesn't list %s of %s", name, verb)
		}
	}
	for _, line := range exceptions {
		if !strings.Contains(body, line) {
			t.Errorf("%s doesn't serve %s:\n%s", verb, line, body)
		}
	}
}

// TestServe runs the verbs on sockets, as a user does, and wants them to serve what
// docs/live.md says.
func TestServe(t *testing.T) {
	server := serve(t)
	kubelet := server.Kubelet("a", kubetest.KubeletOptions{StartDelay: time.Millisecond})
	defer kubelet.Stop()
	add(t, server, pods(ownScheduler, 3, "1")...)
	add(t, server, pods(ownScheduler, 1, "99")...)

	schedule := reach(t, server, "schedule", "--leader-elect-resource-namespace", "berth-system")
	eventually(t, "three pods are bound", func() bool { return bound(server) == 3 })
	eventually(t, "they are counted", func() bool {
		_, body := schedule.get(t, "/metrics")
		return strings.Contains(body, `scheduler_schedule_attempts_total{profile="berth-scheduler",result="scheduled"} 3`)
	})
	schedule.wantMetrics(t, "schedule",
		`scheduler_pending_pods{queue="unschedulable"} 1`,
		`scheduler_queue_incoming_pods_total{event="UnschedulablePodAdd",queue="active"} 4`,
		`scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="berth-scheduler"} 1`,
		`scheduler_pod_scheduling_attempts_count 3`,
		`leader_election_master_status{name="berth-scheduler"} 1`)
	for _, path := range []string{"/healthz", "/debug/pprof/", "/debug/pprof/goroutine?debug=1"} {
		if code, body := schedule.get(t, path); code != 200 {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	schedule.terminate()
	schedule.ends(0)

	lifecycle := reach(t, server, "lifecycle", "--leader-elect-resource-namespace", "berth-system")
	eventually(t, "the zone is counted", func() bool {
		_, body := lifecycle.get(t, "/metrics")
		return strings.Contains(body, "node_collector_zone_size{")
	})
	lifecycle.wantMetrics(t, "lifecycle", `node_collector_zone_size{zone=""} 1`, `node_collector_zone_health{zone=""} 100`, "taint_eviction_controller_pod_deletions_total 0")
	lifecycle.terminate()
	lifecycle.ends(0)

	recording := reach(t, server, "record", "-f", filepath.Join(t.TempDir(), "r.berth"))
	if code, _ := recording.get(t, "/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
	recording.wantMetrics(t, "record")
	recording.terminate()
	recording.ends(0)
}

// TestSignals runs the program itself, and wants a signal to end it in good order: the Lease
// given back, the log whole.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows")
	}
	server := serve(t)
	server.Kubelet("a", kubetest.KubeletOptions{})
	add(t, server, pods(ownScheduler, 2, "1")...)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	url, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := kubetest.WriteKubeconfig(config, url); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGTERM, 0}, {syscall.SIGINT, exitInterrupted}} {
		log := filepath.Join(t.TempDir(), "run.berth")
		var out, errs text
		cmd := exec.Command(program)
		cmd.Args = []string{"berth", "schedule", "--kubeconfig", config, "--log", log, "--metrics-address", nobody, "-o", "json", "--leader-elect-resource-namespace", "berth-system"}
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "pods are bound", func() bool { return bound(server) == 2 })
		eventually(t, "it leads", func() bool { return strings.Contains(errs.String(), `"began"`) })
		if err := cmd.Process.Signal(test.signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // its status is looked at
		if got := cmd.ProcessState.ExitCode(); got != test.status {
			t.Errorf("%v: exit status %d, want %d\n%s%s", test.signal, got, test.status, out.String(), errs.String())
		}
		lease, err := kubetest.Get[*coordinationv1.Lease](server, "berth-system", ownScheduler)
		if err != nil || lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
			t.Errorf("%v: the Lease is still held: %+v, %v", test.signal, lease, err)
		}
		v := &verb{t: t, description: "berth schedule"}
		v.out.b.WriteString(out.String())
		replays(t, log, v.digest())
	}
}

// TestProfilesOnLoopbackAlone wants profiles to be served to nobody but this machine.
func TestProfilesOnLoopbackAlone(t *testing.T) {
	f := newFront()
	for _, profiles := range []bool{true, false} {
		h := f.handler(profiles)
		r, err := http.NewRequest("GET", "http://x/debug/pprof/", nil)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Code != 404; got != profiles {
			t.Errorf("profiles %v: status %d", profiles, w.Code)
		}
	}
}
