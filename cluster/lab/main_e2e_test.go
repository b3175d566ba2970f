//go:build linux && e2e

package lab

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// These tests bring labs up, so they want root, containerd and the rest that lab up names. The
// programs are built into the user's cache, or taken from the folder that BERTH_LAB_BIN names.

// upOnly, in the environment, makes the test's program bring up the lab of that name and folder
// instead of running tests, so that a test can kill it.
const upOnly = "BERTH_LAB_UP_ONLY"

func TestMain(m *testing.M) {
	name, dir, ok := strings.Cut(os.Getenv(upOnly), "=")
	if !ok {
		os.Exit(m.Run())
	}
	c := testConfig(name, dir)
	c.Say = func(text string) { fmt.Println(text) }
	if _, err := Up(context.Background(), c); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("up")
}

// testConfig is a lab of two nodes.
func testConfig(name, dir string) Config {
	return Config{Name: name, Dir: dir, BinDir: os.Getenv("BERTH_LAB_BIN"), Nodes: Nodes(2, NodeSpec{Memory: 1 << 30, Disk: 1 << 30})}
}

// up brings a lab up for a test, and takes it down after it, when nothing may be left.
func up(t *testing.T, c Config) (*Lab, *kubernetes.Clientset) {
	t.Helper()
	c.Say = func(text string) { t.Log(text) }
	began := time.Now()
	l, err := Up(t.Context(), c)
	if err != nil {
		_ = Down(context.Background(), c.Dir)
		t.Fatal(err)
	}
	t.Logf("up after %.1f s", time.Since(began).Seconds())
	t.Cleanup(func() {
		began := time.Now()
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
		t.Logf("down after %.1f s", time.Since(began).Seconds())
		nothingLeft(t, c.Name, c.Dir)
	})
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	return l, client
}

// nothingLeft looks for whatever a lab may have left on the machine.
func nothingLeft(t *testing.T, name, dir string) {
	t.Helper()
	for _, pattern := range []string{
		dir, "/run/netns/" + prefix + name + "-*", "/sys/fs/cgroup/" + prefix + name, "/sys/fs/cgroup/*/" + prefix + name,
	} {
		left, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), dir) {
			t.Errorf("left behind: process %s, %q", file, text)
		}
	}
	for _, file := range []string{"/proc/self/mountinfo", "/proc/mounts"} {
		if at := lineWith(t, file, dir, prefix+name+"-"); at != "" {
			t.Errorf("left behind: mount %s", at)
		}
	}
	devices, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range devices {
		if at := lineWith(t, device, dir); at != "" {
			t.Errorf("left behind: %s is %s", device, at)
		}
	}
}

// lineWith returns the first line of a file that holds one of some texts; "" if none does.
func lineWith(t *testing.T, file string, texts ...string) string {
	t.Helper()
	f, err := os.Open(file)
	if os.IsNotExist(err) { // a device that has gone meanwhile
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(lines.Text(), text) }) {
			return lines.Text()
		}
	}
	return ""
}

// limit is how long a test waits for what a cluster does in seconds, on a machine that may stall.
const limit = 2 * time.Minute

// await waits until is holds, which says what is missing as long as it doesn't.
func await(t *testing.T, is func() string) {
	t.Helper()
	began := time.Now()
	for {
		missing := is()
		if missing == "" {
			t.Logf("after %.1f s", time.Since(began).Seconds())
			return
		}
		if time.Since(began) > limit {
			t.Fatalf("after %v: %s", limit, missing)
		}
		time.Sleep(look)
	}
}

// awaitPods waits until pods are in a phase.
func awaitPods(t *testing.T, client *kubernetes.Clientset, phase core.PodPhase, names ...string) {
	t.Helper()
	await(t, func() string {
		for _, name := range names {
			p, err := client.CoreV1().Pods("default").Get(t.Context(), name, meta.GetOptions{})
			if err != nil {
				return err.Error()
			}
			if p.Status.Phase != phase {
				return fmt.Sprintf("pod %s is %s, not %s: %v", name, p.Status.Phase, phase, p.Status.ContainerStatuses)
			}
		}
		return ""
	})
}

// condition is the status of a node's condition.
func condition(t *testing.T, client *kubernetes.Clientset, node string, kind core.NodeConditionType) core.ConditionStatus {
	t.Helper()
	n, err := client.CoreV1().Nodes().Get(t.Context(), node, meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range n.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return ""
}

// renewed is when a node's lease was last renewed.
func renewed(t *testing.T, client *kubernetes.Clientset, node string) time.Time {
	t.Helper()
	lease, err := client.CoordinationV1().Leases(core.NamespaceNodeLease).Get(t.Context(), node, meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return lease.Spec.RenewTime.Time
}

// awaitLease waits until a node has its first lease.
func awaitLease(t *testing.T, client *kubernetes.Clientset, node string) {
	t.Helper()
	await(t, func() string {
		if _, err := client.CoordinationV1().Leases(core.NamespaceNodeLease).Get(t.Context(), node, meta.GetOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
}

// awaitRenewal waits until a node renews its lease.
func awaitRenewal(t *testing.T, client *kubernetes.Clientset, node string) {
	t.Helper()
	before := renewed(t, client, node)
	await(t, func() string {
		if renewed(t, client, node).After(before) {
			return ""
		}
		return "the lease of " + node + " isn't renewed"
	})
}

// remainsSilent fails if a node renews its lease within 25 s, two and a half of its periods. The
// first may have been on its way.
func remainsSilent(t *testing.T, client *kubernetes.Clientset, node string) {
	t.Helper()
	time.Sleep(2 * time.Second)
	before := renewed(t, client, node)
	time.Sleep(25 * time.Second)
	if after := renewed(t, client, node); after.After(before) {
		t.Errorf("%s renewed its lease at %v", node, after)
	}
}
