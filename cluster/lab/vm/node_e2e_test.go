//go:build linux && e2e

package vm

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

const sleeper = "registry.local/sleeper:1"

// sleeperImage writes an image of busybox that sleeps: for pods, and in place of pause.
func sleeperImage(t *testing.T, busybox string) string {
	t.Helper()
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	archive := func(files ...file) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range files {
			if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(f.text)), Typeflag: tar.TypeReg}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(f.text); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	type object = map[string]any
	encode := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	digest := func(b []byte) string {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	blob := func(kind string, b []byte) object {
		return object{"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest(b), "size": len(b)}
	}
	layer := archive(file{"busybox", 0o755, program})
	config := encode(object{
		"architecture": "amd64", "os": "linux", "config": object{"Entrypoint": []string{"/busybox", "sleep", "1000000"}},
		"rootfs": object{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
	})
	image := encode(object{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": blob("config.v1+json", config), "layers": []object{blob("layer.v1.tar", layer)},
	})
	entry := blob("manifest.v1+json", image)
	entry["annotations"] = object{"io.containerd.image.name": sleeper, "org.opencontainers.image.ref.name": sleeper}
	path := filepath.Join(t.TempDir(), "sleeper.tar")
	whole := archive(
		file{"oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		file{"index.json", 0o644, encode(object{"schemaVersion": 2, "manifests": []object{entry}})},
		file{"blobs/sha256/" + digest(layer), 0o644, layer},
		file{"blobs/sha256/" + digest(config), 0o644, config},
		file{"blobs/sha256/" + digest(image), 0o644, image},
	)
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// components returns the program that is all of Kubernetes' components.
func components(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BERTH_LAB_BIN")
	if dir == "" {
		t.Fatal("BERTH_LAB_BIN names no folder with hyper, the components in one program: set it, as docs/lab-vm.md says")
	}
	path := filepath.Join(dir, "hyper")
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMachineIsANode(t *testing.T) {
	program := components(t)
	c := &Config{Programs: Programs{Kubelet: program}}
	c.Programs.Find("")
	c.Images = []string{sleeperImage(t, c.Programs.Busybox)}
	parts := built(t, c)
	cp := startControlPlane(t, program)
	kubelet := cp.ca.issue(t, "system:node:vm1", "system:nodes", nodeIP)
	start := time.Now()
	m := started(t, Spec{
		Name: "vm1", Dir: filepath.Join(t.TempDir(), "vm1"), Parts: parts,
		NetNS: cp.node, Tap: "tap0", Address: netip.MustParsePrefix(nodeIP + "/24"), Gateway: netip.MustParseAddr(serverIP), PodCIDR: netip.MustParsePrefix("10.245.1.0/24"),
		Kubeconfig: cp.kubeconfig(), CA: cp.ca.cert, Cert: kubelet.cert, Key: kubelet.key, KubeletArgs: []string{"--v=2"}, SandboxImage: sleeper,
	})
	for _, what := range []string{guest.Started, guest.ContainerdReady, guest.KubeletStarted} {
		reached(t, m, start, what)
	}
	n := &watchedNode{cp, m}
	waitFor(t, "the node is Ready", n.ready)
	t.Logf("node Ready %.1f s and %.1f s of processors after QEMU's start", time.Since(start).Seconds(), processors(t, m).Seconds())
	n.runPod(t, "p1")
	n.measure(t)
	n.testKubeletKilled(t)
	n.testPowerLoss(t)
	n.testCut(t)
	if err := m.Stop(inTime(t)); err != nil {
		t.Error(err)
	}
	if console, _ := m.console(); strings.Contains(string(console), guest.Failed) {
		t.Errorf("not stopped in order:\n%s", tail(console))
	}
}

// A watchedNode is a machine as the API server sees it.
type watchedNode struct {
	*controlPlane
	m *Machine
}

// ready reports whether the node's kubelet says so.
func (n *watchedNode) ready() bool {
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if n.ask("GET", "/api/v1/nodes/vm1", nil, &node) != nil {
		return false
	}
	for _, c := range node.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

// renewed returns when the node's lease was.
func (n *watchedNode) renewed(t *testing.T) string {
	t.Helper()
	var lease struct{ Spec struct{ RenewTime string } }
	if err := n.ask("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/vm1", nil, &lease); err != nil {
		t.Fatal(err)
	}
	return lease.Spec.RenewTime
}

type object = map[string]any

// runPod creates a pod, binds it and waits until it is Running.
func (n *watchedNode) runPod(t *testing.T, name string) {
	t.Helper()
	pod := object{
		"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name},
		"spec": object{
			"schedulerName": "lab", "dnsPolicy": "Default", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
			"containers": []object{{"name": "c", "image": sleeper, "imagePullPolicy": "Never"}},
		},
	}
	const pods = "/api/v1/namespaces/default/pods"
	if err := n.ask("POST", pods, pod, nil); err != nil {
		t.Fatal(err)
	}
	start, before := time.Now(), processors(t, n.m)
	binding := object{"apiVersion": "v1", "kind": "Binding", "metadata": object{"name": name}, "target": object{"apiVersion": "v1", "kind": "Node", "name": "vm1"}}
	if err := n.ask("POST", pods+"/"+name+"/binding", binding, nil); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the pod is Running", func() bool { phase, restarts := n.pod(name); return phase == "Running" && restarts == 0 })
	t.Logf("pod Running %.1f s and %.1f s of processors after its binding", time.Since(start).Seconds(), (processors(t, n.m) - before).Seconds())
}

// pod returns a pod's phase, and how often its container was restarted; -1 while it
// doesn't run.
func (n *watchedNode) pod(name string) (phase string, restarts int) {
	var pod struct {
		Status struct {
			Phase             string
			ContainerStatuses []struct {
				RestartCount int
				State        struct{ Running *struct{} }
			}
		}
	}
	if n.ask("GET", "/api/v1/namespaces/default/pods/"+name, nil, &pod) != nil || len(pod.Status.ContainerStatuses) != 1 {
		return pod.Status.Phase, -1
	}
	status := pod.Status.ContainerStatuses[0]
	if status.State.Running == nil {
		return pod.Status.Phase, -1
	}
	return pod.Status.Phase, status.RestartCount
}

// measure logs what an idle machine costs.
func (n *watchedNode) measure(t *testing.T) {
	t.Helper()
	pid, err := n.m.PID()
	if err != nil || pid == 0 {
		t.Fatal(pid, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "RssAnon") {
			t.Logf("QEMU: %s", strings.Join(strings.Fields(line), " "))
		}
	}
	const while = 20 * time.Second
	before := processors(t, n.m)
	time.Sleep(while)
	t.Logf("QEMU: %.0f %% of a core while idle", 100*(processors(t, n.m)-before).Seconds()/while.Seconds())
}

// frozen checks that the node's lease isn't renewed, for longer than twice what lies
// between renewals, and returns the last one.
func (n *watchedNode) frozen(t *testing.T) string {
	t.Helper()
	last := n.renewed(t)
	time.Sleep(25 * time.Second)
	if now := n.renewed(t); now != last {
		t.Errorf("the lease was renewed at %s, and then at %s", last, now)
	}
	return last
}

// awaitRenewal waits for the lease to be renewed, and logs how long that takes.
func (n *watchedNode) awaitRenewal(t *testing.T, last string, start time.Time) {
	t.Helper()
	waitFor(t, "the lease is renewed", func() bool { return n.renewed(t) != last })
	t.Logf("lease renewed %.1f s after", time.Since(start).Seconds())
}

// testKubeletKilled kills the kubelet alone: pods run on.
func (n *watchedNode) testKubeletKilled(t *testing.T) {
	t.Helper()
	control(t, n.m, "kill kubelet")
	last := n.frozen(t)
	start := time.Now()
	control(t, n.m, "start kubelet")
	n.awaitRenewal(t, last, start)
	if phase, restarts := n.pod("p1"); phase != "Running" || restarts != 0 {
		t.Errorf("the kubelet was restarted; the pod is %s, restarted %d times", phase, restarts)
	}
}

// testPowerLoss kills QEMU: the node falls silent, and comes back rebooted.
func (n *watchedNode) testPowerLoss(t *testing.T) {
	t.Helper()
	if err := n.m.Kill(context.Background()); err != nil {
		t.Fatal(err)
	}
	last := n.frozen(t)
	start := time.Now()
	if err := n.m.Start(inTime(t)); err != nil {
		t.Fatal(err)
	}
	n.awaitRenewal(t, last, start)
	waitFor(t, "the node is Ready again", n.ready)
	t.Logf("node Ready %.1f s and %.1f s of processors after the power came back", time.Since(start).Seconds(), processors(t, n.m).Seconds())
	waitFor(t, "the pod was restarted once", func() bool { phase, restarts := n.pod("p1"); return phase == "Running" && restarts == 1 })
	t.Logf("pod Running again %.1f s after the power came back", time.Since(start).Seconds())
	waitFor(t, "the kubelet reports that the node was rebooted", func() bool {
		var list struct{ Items []struct{ Reason string } }
		if err := n.ask("GET", "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=vm1", nil, &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Items {
			if e.Reason == "Rebooted" {
				return true
			}
		}
		return false
	})
}

// testCut pulls the network cable for a while.
func (n *watchedNode) testCut(t *testing.T) {
	t.Helper()
	if err := n.m.SetLink(inTime(t), false); err != nil {
		t.Fatal(err)
	}
	last := n.frozen(t)
	start := time.Now()
	if err := n.m.SetLink(inTime(t), true); err != nil {
		t.Fatal(err)
	}
	n.awaitRenewal(t, last, start)
}
