//go:build linux && e2e

package lab

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSimulatedNodes brings up nodes that no Runtime makes, beside one that one does, and sees
// that all run pods.
func TestSimulatedNodes(t *testing.T) {
	c := testConfig("e2e", filepath.Join(t.TempDir(), "lab"))
	c.Nodes, c.KWOK, c.Hollow, c.Controllers, c.Scheduler = c.Nodes[:1], 20, 3, true, true
	l, client := up(t, c)
	if _, err := l.LoadPods(t.Context(), Pods{Count: 60}); err != nil {
		t.Fatal(err)
	}
	await(t, func() string {
		s, err := l.Status(t.Context())
		if err != nil || s.Problem != "" || s.Pods["Running"] != 60 {
			return fmt.Sprintf("%+v, %v", s, err)
		}
		return ""
	})
	for _, node := range []string{"node1", "kwok1", "hollow1"} {
		if _, err := l.LoadPods(t.Context(), Pods{Count: 1, Name: "on-" + node + "-p", Node: node}); err != nil {
			t.Fatal(err)
		}
		awaitPods(t, client, core.PodRunning, "on-"+node+"-p1")
	}
	awaitLease(t, client, "kwok20")
	awaitLease(t, client, "hollow3")
	awaitRenewal(t, client, "kwok20")
	awaitRenewal(t, client, "hollow3")
}

// TestFaults plays every fault on one lab, and sees from outside what each does and that it ends.
func TestFaults(t *testing.T) {
	c := testConfig("e2e", filepath.Join(t.TempDir(), "lab"))
	c.Nodes = Nodes(2, NodeSpec{Memory: 1 << 30, Disk: 1 << 30, Labels: map[string]string{"topology.kubernetes.io/zone": "a"},
		Kubelet: map[string]any{"evictionPressureTransitionPeriod": "10s", "evictionHard": map[string]any{"memory.available": "200Mi", "nodefs.available": "10%"}}})
	l, client := up(t, c)
	nodes, err := client.CoreV1().Nodes().List(t.Context(), meta.ListOptions{LabelSelector: "topology.kubernetes.io/zone=a"})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) != 2 || nodes.Items[0].Status.Capacity.Memory().Value() != 1<<30 {
		t.Errorf("nodes with the label: %+v", nodes.Items)
	}
	for _, node := range []string{"node1", "node2"} {
		if _, err := l.LoadPods(t.Context(), Pods{Count: 1, Name: "on-" + node + "-p", Node: node}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.LoadPods(t.Context(), Pods{Count: 1, Name: "ends", Node: "node1", Args: []string{"--for", "2s", "--exit", "3"}}); err != nil {
		t.Fatal(err)
	}
	awaitPods(t, client, core.PodRunning, "on-node1-p1", "on-node2-p1")
	awaitLease(t, client, "node1")
	awaitLease(t, client, "node2")
	for _, f := range []struct {
		name string
		test func(*testing.T)
	}{
		{"kubelet", func(t *testing.T) { faultKubelet(t, l) }},
		{"partition", func(t *testing.T) { faultPartition(t, l) }},
		{"reboot", func(t *testing.T) { faultReboot(t, l) }},
		{"memory", func(t *testing.T) { faultFill(t, l, FillMemory, core.NodeMemoryPressure, 100<<20) }},
		{"disk", func(t *testing.T) { faultFill(t, l, FillDisk, core.NodeDiskPressure, 50<<20) }},
		{"API server", func(t *testing.T) { faultAPIServer(t, l) }},
	} {
		if !t.Run(f.name, f.test) { // the others would meet a cluster that isn't mended
			return
		}
	}
}

// inflict breaks something of node1 or of the control plane.
func inflict(t *testing.T, l *Lab, f Fault) {
	t.Helper()
	if err := l.Fault(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// restarts is how often a pod's container was started again.
func restarts(t *testing.T, l *Lab, pod string) int32 {
	t.Helper()
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	p, err := client.CoreV1().Pods("default").Get(t.Context(), pod, meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Status.ContainerStatuses[0].RestartCount
}

func faultKubelet(t *testing.T, l *Lab) {
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	inflict(t, l, Fault{Kind: KillKubelet, Node: "node1"})
	remainsSilent(t, client, "node1")
	inflict(t, l, Fault{Kind: StartKubelet, Node: "node1"})
	awaitRenewal(t, client, "node1")
	if n := restarts(t, l, "on-node1-p1"); n != 0 {
		t.Errorf("the container was restarted %d times with the kubelet", n)
	}
}

func faultPartition(t *testing.T, l *Lab) {
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	inflict(t, l, Fault{Kind: Partition, Node: "node1"})
	if s, err := l.Status(t.Context()); err != nil || s.Nodes[0].Connected || !s.Nodes[1].Connected {
		t.Errorf("status %+v, %v", s, err)
	}
	remainsSilent(t, client, "node1")
	inflict(t, l, Fault{Kind: Heal, Node: "node1"})
	awaitRenewal(t, client, "node1")
}

func faultReboot(t *testing.T, l *Lab) {
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	boot := func() string {
		n, err := client.CoreV1().Nodes().Get(t.Context(), "node1", meta.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return n.Status.NodeInfo.BootID
	}
	before := boot()
	inflict(t, l, Fault{Kind: Reboot, Node: "node1", For: time.Second})
	await(t, func() string {
		if n := restarts(t, l, "on-node1-p1"); boot() == before || n != 1 {
			return fmt.Sprintf("boot %s (before: %s), %d restarts", boot(), before, n)
		}
		return ""
	})
	awaitPods(t, client, core.PodRunning, "on-node1-p1")
}

// faultFill fills node1, sees it under pressure and a pod evicted, and the other node spared.
func faultFill(t *testing.T, l *Lab, kind FaultKind, pressure core.NodeConditionType, leave int64) {
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	victim := "victim-" + string(kind)
	if _, err := l.LoadPods(t.Context(), Pods{Count: 1, Name: victim, Node: "node1"}); err != nil {
		t.Fatal(err)
	}
	awaitPods(t, client, core.PodRunning, victim+"1")
	inflict(t, l, Fault{Kind: kind, Node: "node1", Leave: leave})
	await(t, func() string {
		if got := condition(t, client, "node1", pressure); got != core.ConditionTrue {
			return fmt.Sprintf("%s is %s", pressure, got)
		}
		return ""
	})
	awaitPods(t, client, core.PodFailed, victim+"1")
	if got := condition(t, client, "node2", pressure); got != core.ConditionFalse {
		t.Errorf("%s of the other node is %s", pressure, got)
	}
	inflict(t, l, Fault{Kind: Heal, Node: "node1"})
	await(t, func() string {
		if got := condition(t, client, "node1", pressure); got != core.ConditionFalse {
			return fmt.Sprintf("%s is %s", pressure, got)
		}
		return ""
	})
	after := "after-" + string(kind)
	if _, err := l.LoadPods(t.Context(), Pods{Count: 1, Name: after, Node: "node1"}); err != nil {
		t.Fatal(err)
	}
	awaitPods(t, client, core.PodRunning, after+"1")
}

func faultAPIServer(t *testing.T, l *Lab) {
	inflict(t, l, Fault{Kind: StopAPIServer})
	s, err := l.Status(t.Context())
	if err != nil || s.Problem == "" || s.Components[1].Running {
		t.Errorf("without an API server, status is %+v, %v", s, err)
	}
	inflict(t, l, Fault{Kind: RestartAPIServer})
	client, err := l.Client()
	if err != nil {
		t.Fatal(err)
	}
	awaitRenewal(t, client, "node2")
	if s, err := l.Status(t.Context()); err != nil || s.Problem != "" || !s.Components[1].Running || len(s.Nodes) != 2 {
		t.Errorf("status %+v, %v", s, err)
	}
}
