//go:build linux && e2e

// Package e2e plays what docs/lab.md and docs/certify.md tell, on real kubelets: it wants root, and the packages that
// berth lab up names.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster/lab"
	"k8s.io/client-go/kubernetes"
)

// A bed is a lab, and the program that it was made with.
type bed struct {
	berth  string // the program
	root   string // of the source tree
	name   string
	lab    *lab.Lab
	client kubernetes.Interface
	isDown bool
}

// makeBed brings a lab up: three nodes, of which two have a fast disk and one is for the edge.
func makeBed(t *testing.T) *bed {
	t.Helper()
	config := filepath.Join(t.TempDir(), "kubelet.yaml")
	text := "evictionHard: {memory.available: 300Mi, nodefs.available: 5%}\nevictionPressureTransitionPeriod: 10s\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBed(t, cmp.Or(os.Getenv("BERTH_LAB_NAME"), "e2e"))
	b.up(t, "--nodes", "3", "--timeout", "10m", "--kubelet-config", config,
		"--label", "node1:disk=ssd", "--label", "node2:disk=ssd", "--taint", "node3:dedicated=edge:PreferNoSchedule",
		"--kube-controller-manager", "--arg", "kube-controller-manager=--controllers=resourcequota-controller")
	return b
}

// newBed builds the program. After the test the program takes the lab down, and nothing may be
// left.
func newBed(t *testing.T, name string) *bed {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{berth: filepath.Join(t.TempDir(), "berth"), root: root, name: name}
	b.run(t, "go", "build", "-o", b.berth, "./cmd/berth")
	t.Cleanup(func() { b.down(t) })
	b.downIfStopped()
	return b
}

// downIfStopped takes the lab down on Ctrl-C, which would else end the test's program alone.
func (b *bed) downIfStopped() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE) // whoever filters the output has ended by then
	go func() {
		<-stop
		down := exec.Command(b.berth, "lab", "down", "--name", b.name)
		down.Stderr = os.Stderr
		_ = down.Run() // it says itself why it can't
		_ = os.RemoveAll(filepath.Dir(b.berth))
		os.Exit(130)
	}()
}

// up has the program bring the lab up, with these flags and the programs of BERTH_LAB_BIN.
func (b *bed) up(t *testing.T, flags ...string) {
	t.Helper()
	args := append([]string{"lab", "up", "--name", b.name}, flags...)
	if dir := os.Getenv("BERTH_LAB_BIN"); dir != "" {
		args = append(args, "--bin-dir", dir)
	}
	b.run(t, b.berth, args...)
	var err error
	if b.lab, err = lab.Open(lab.DefaultDir(b.name), nil); err != nil {
		t.Fatal(err)
	}
	if b.client, err = b.lab.Client(); err != nil {
		t.Fatal(err)
	}
}

// down takes the lab down, once, and wants nothing to be left.
func (b *bed) down(t *testing.T) {
	t.Helper()
	if b.isDown {
		return
	}
	b.isDown = true
	b.run(t, b.berth, "lab", "down", "--name", b.name)
	b.nothingLeft(t)
}

// run runs a program in the source tree, and returns its standard output. It must succeed.
func (b *bed) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Minute) // a build on a cold machine takes most of it
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = b.root
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	began := time.Now()
	err := cmd.Run()
	t.Logf("%s %s: %.1f s", filepath.Base(name), strings.Join(args, " "), time.Since(began).Seconds())
	if err != nil {
		t.Fatalf("%v\n%s%s", err, wrong.String(), out.String())
	}
	return out.String()
}

// nothingLeft wants the machine to be as it was: no folder, network namespace, control group,
// mount, loop device or process of the lab. Links go with their namespaces.
func (b *bed) nothingLeft(t *testing.T) {
	t.Helper()
	mark := "berth-" + b.name
	for _, pattern := range []string{
		lab.DefaultDir(b.name), "/run/netns/" + mark + "-*", "/sys/fs/cgroup/" + mark, "/sys/fs/cgroup/*/" + mark,
	} {
		left, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range left {
			t.Errorf("%s is left", path)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), mark) {
		t.Errorf("a mount of %s is left", mark)
	}
	for _, device := range glob(t, "/sys/block/loop*/loop/backing_file") {
		if text, err := os.ReadFile(device); err == nil && strings.Contains(string(text), lab.DefaultDir(b.name)) {
			t.Errorf("%s is left: %s", device, text)
		}
	}
	for _, file := range glob(t, "/proc/[0-9]*/cmdline") {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), lab.DefaultDir(b.name)) {
			t.Errorf("a process is left: %s", strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// kubectl reaches the cluster by the kubeconfig that was written.
func (b *bed) kubectl(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(os.Getenv("BERTH_LAB_BIN"), "kubectl")
	if os.Getenv("BERTH_LAB_BIN") == "" {
		built := glob(t, filepath.Join(cache, "berth-lab", "components-*", "kubectl"))
		if len(built) == 0 {
			t.Fatalf("there is no kubectl below %s, and BERTH_LAB_BIN names no folder with one", cache)
		}
		program = built[0]
	}
	nodes := b.run(t, program, "--kubeconfig", b.lab.Kubeconfig(), "get", "nodes", "-o", "name")
	if want := "node/node1\nnode/node2\nnode/node3\n"; nodes != want {
		t.Errorf("kubectl get nodes says %q", nodes)
	}
}

// TestRealKubelets plays the whole story on one lab.
func TestRealKubelets(t *testing.T) {
	b := makeBed(t)
	t.Run("kubectl", b.kubectl)
	t.Run("certificate", b.certificate)
	t.Run("memory", b.memory)
	t.Run("quota", b.quota)
	t.Run("recording", b.recording)
}

// certificate has sixty pods be placed and a kubelet die: as in the simulator, and as
// kube-scheduler's own code would have it.
func (b *bed) certificate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certificate")
	out := b.run(t, b.berth, "certify", "examples/certify/script.yaml", "--lab", lab.DefaultDir(b.name), "--save", dir, "-o", "json")
	var c struct {
		Pods, Equal       int
		OnlyLive, OnlySim []string
		Measures          []struct {
			Name      string
			Live, Sim []time.Duration
		}
	}
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatal(err)
	}
	if c.Pods < 60 || c.Equal != c.Pods || len(c.OnlyLive)+len(c.OnlySim) > 0 {
		t.Errorf("%d of %d pods are on the same node; live only %v, simulated only %v", c.Equal, c.Pods, c.OnlyLive, c.OnlySim)
	}
	for _, m := range c.Measures {
		if len(m.Live) == 0 || len(m.Sim) == 0 {
			t.Errorf("%s was measured %d times live and %d times in the simulator", m.Name, len(m.Live), len(m.Sim))
			continue
		}
		t.Logf("%s: live %v to %v, simulated %v to %v", m.Name, m.Live[0], m.Live[len(m.Live)-1], m.Sim[0], m.Sim[len(m.Sim)-1])
	}
	log := filepath.Join(dir, "live.berth")
	var replayed struct{ Digest string }
	if err := json.Unmarshal([]byte(b.run(t, b.berth, "replay", log, "--verify", "-o", "json")), &replayed); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "certificate.html"))
	if err != nil {
		t.Fatal(err)
	}
	if len(replayed.Digest) != 64 || !strings.Contains(string(page), replayed.Digest) {
		t.Errorf("the log replays to the digest %q, which the certificate doesn't have", replayed.Digest)
	}
	upstream := b.run(t, "go", "-C", "bench/upstream", "run", "./logged/check", log)
	if want := fmt.Sprintf("asked about %d bindings, and 0 are not", c.Pods); !strings.Contains(upstream, want) {
		t.Errorf("upstream: %s", upstream)
	}
}
