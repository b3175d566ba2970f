//go:build linux && e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster/lab"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The nodes of the story, and the label by which pods ask for the machine.
const (
	container = "node1"
	machine   = "vm1"
	kind      = "machine"
	virtually = "virtual"
)

// TestVirtualKubelet has a node in a virtual machine join a cluster with a node container, run a
// pod, lose its power and its pod, and come back.
func TestVirtualKubelet(t *testing.T) {
	b := newBed(t, "vme2e")
	t.Cleanup(func() { // before the lab goes down
		if console, err := os.ReadFile(filepath.Join(lab.DefaultDir(b.name), "nodes", machine, "machine", "console.log")); err == nil && t.Failed() {
			t.Logf("the machine's console ends with\n%s", console[max(0, len(console)-4000):])
		}
	})
	s := &story{bed: b, t: t, began: time.Now(), last: time.Now()}
	b.up(t, "--nodes", "1", "--vms", "1", "--memory", "1Gi", "--disk", "2Gi", "--timeout", virtualPatience.String(),
		"--label", machine+":"+kind+"="+virtually,
		"--kube-controller-manager", "--arg", "kube-controller-manager=--controllers=replicaset-controller")
	s.done("a lab of a node container and a virtual machine is up, both Ready")

	logs := t.TempDir()
	log := func(verb string) string { return filepath.Join(logs, verb+".berth") }
	lifecycle := b.start(t, "lifecycle", "--kubeconfig", b.lab.Kubeconfig(), "--eviction", "kube:grace=40s", "--metrics-address", "none", "--log", log("lifecycle"))
	s.await("both nodes are without taints", func(ctx context.Context) bool {
		return len(s.node(ctx, container).Spec.Taints) == 0 && len(s.node(ctx, machine).Spec.Taints) == 0 && ready(s.node(ctx, machine)) == core.ConditionTrue
	})
	schedule := b.start(t, "schedule", "--kubeconfig", b.lab.Kubeconfig(), "--name", "default-scheduler", "--metrics-address", "none", "--log", log("schedule"))
	s.join()
	s.comeBack(s.die())
	for _, verb := range []*background{schedule, lifecycle} {
		verb.end(t, syscall.SIGTERM, 0)
	}
	for _, verb := range []string{"schedule", "lifecycle"} {
		b.run(t, b.berth, "replay", log(verb), "--verify")
	}
	s.done("both verbs are stopped, and their logs replay to the same decisions")
	b.down(t)
	s.done("the lab is down, and nothing is left")
	t.Logf("what it took:\n| step | s | s from the beginning |\n| --- | --- | --- |\n%s", s.table.String())
}

// join has a ReplicaSet's only pod run in the machine, which it prefers.
func (s *story) join() {
	soon := int64(5) // in place of the API server's 300 s
	template := work("", "", "", "32Mi")
	template.Labels = map[string]string{"app": "moving"}
	template.Spec.Tolerations = []core.Toleration{
		{Key: core.TaintNodeUnreachable, Operator: core.TolerationOpExists, Effect: core.TaintEffectNoExecute, TolerationSeconds: &soon},
		{Key: core.TaintNodeNotReady, Operator: core.TolerationOpExists, Effect: core.TaintEffectNoExecute, TolerationSeconds: &soon},
	}
	template.Spec.Affinity = &core.Affinity{NodeAffinity: &core.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []core.PreferredSchedulingTerm{{
		Weight: 100, Preference: core.NodeSelectorTerm{MatchExpressions: []core.NodeSelectorRequirement{{Key: kind, Operator: core.NodeSelectorOpIn, Values: []string{virtually}}}},
	}}}}
	one := int32(1)
	set := &apps.ReplicaSet{
		ObjectMeta: meta.ObjectMeta{Name: "moving"},
		Spec: apps.ReplicaSetSpec{
			Replicas: &one, Selector: &meta.LabelSelector{MatchLabels: template.Labels},
			Template: core.PodTemplateSpec{ObjectMeta: template.ObjectMeta, Spec: template.Spec},
		},
	}
	if _, err := s.client.AppsV1().ReplicaSets(meta.NamespaceDefault).Create(s.t.Context(), set, meta.CreateOptions{}); err != nil {
		s.t.Fatal(err)
	}
	s.await("berth schedule has bound a ReplicaSet's pod to the machine", func(ctx context.Context) bool { return s.pods(ctx, "moving", false)[machine] != nil })
	s.await("the pod is Running in the machine", func(ctx context.Context) bool {
		s.first, s.boot = s.pods(ctx, "moving", false)[machine], s.node(ctx, machine).Status.NodeInfo.BootID
		return running(s.first) && s.boot != ""
	})
	s.await("its log comes from the machine's kubelet by the API server", func(ctx context.Context) bool {
		_, err := s.client.CoreV1().Pods(s.first.Namespace).GetLogs(s.first.Name, &core.PodLogOptions{}).DoRaw(ctx)
		return err == nil
	})
}

// die has the machine lose its power for as long as the story needs. The cluster must find out,
// and have the pod run elsewhere. It returns what ends the fault.
func (s *story) die() *background {
	fault := s.start(s.t, "lab", "fault", "reboot", machine, "--name", s.name, "--for", "24h")
	s.await("its power gone, the machine's state is Unknown", func(ctx context.Context) bool {
		return ready(s.node(ctx, machine)) == core.ConditionUnknown
	})
	s.await("berth lifecycle has tainted it: unreachable, NoSchedule and NoExecute", func(ctx context.Context) bool {
		n := s.node(ctx, machine)
		return tainted(n, core.TaintNodeUnreachable, core.TaintEffectNoSchedule) && tainted(n, core.TaintNodeUnreachable, core.TaintEffectNoExecute)
	})
	s.await("its pod is evicted: told to end, for the taint", func(ctx context.Context) bool {
		p := s.pods(ctx, "moving", true)[machine]
		return p != nil && p.UID == s.first.UID && disrupted(p, "DeletionByTaintManager")
	})
	s.await("the pod that replaces it is Running in the node container", func(ctx context.Context) bool {
		return running(s.pods(ctx, "moving", false)[container])
	})
	return fault
}

// disrupted reports whether a pod says that it was disrupted, and why.
func disrupted(p *core.Pod, reason string) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == core.DisruptionTarget && c.Status == core.ConditionTrue {
			return c.Reason == reason
		}
	}
	return false
}

// comeBack gives the machine its power back. It must be as good as before: Ready, without taints,
// rid of the pod that it had, and running another.
func (s *story) comeBack(fault *background) {
	fault.end(s.t, syscall.SIGINT, 130)
	s.done("its power is back")
	s.await("the machine has booted again, and is Ready", func(ctx context.Context) bool {
		n := s.node(ctx, machine)
		return ready(n) == core.ConditionTrue && n.Status.NodeInfo.BootID != s.boot
	})
	s.await("it is without taints", func(ctx context.Context) bool {
		n := s.node(ctx, machine)
		return n.Name == machine && len(n.Spec.Taints) == 0
	})
	s.await("its kubelet has ended the evicted pod, which is gone", func(ctx context.Context) bool {
		_, err := s.client.CoreV1().Pods(s.first.Namespace).Get(ctx, s.first.Name, meta.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	next := work(meta.NamespaceDefault, "next", "", "32Mi")
	next.Labels, next.Spec.NodeSelector = map[string]string{"app": "next"}, map[string]string{kind: virtually}
	s.create(s.t, next)
	s.await("another pod is Running in the machine", func(ctx context.Context) bool { return running(s.pods(ctx, "next", false)[machine]) })
}
