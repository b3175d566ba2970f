package kubetest_test

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// sinceRenewal is the age of a node's lease.
func sinceRenewal(t *testing.T, s *kubetest.Server, node string) time.Duration {
	t.Helper()
	l := must[*coordinationv1.Lease](t)(kubetest.Get[*coordinationv1.Lease](s, "kube-node-lease", node))
	return time.Since(l.Spec.RenewTime.Time)
}

func phase(t *testing.T, s *kubetest.Server, name string) corev1.PodPhase {
	t.Helper()
	return must[*corev1.Pod](t)(kubetest.Get[*corev1.Pod](s, "default", name)).Status.Phase
}

func TestKubeletRenews(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		k := s.Kubelet("n", kubetest.KubeletOptions{Labels: map[string]string{"zone": "z"}})
		time.Sleep(25 * time.Second)
		if age := sinceRenewal(t, s, "n"); age != 5*time.Second {
			t.Errorf("after 25 s the lease is %v old, want 5 s", age)
		}
		k.Stop()
		time.Sleep(time.Minute)
		if age := sinceRenewal(t, s, "n"); age != 65*time.Second {
			t.Errorf("a minute after the kubelet stopped the lease is %v old, want 65 s", age)
		}
		k.Start()
		time.Sleep(time.Second)
		if age := sinceRenewal(t, s, "n"); age != time.Second {
			t.Errorf("a second after it started again the lease is %v old", age)
		}
		s.Silence(35 * time.Second)
		time.Sleep(34 * time.Second)
		if age := sinceRenewal(t, s, "n"); age != 35*time.Second {
			t.Errorf("while the server is silent the lease is %v old, want 35 s", age)
		}
		time.Sleep(2 * time.Second)
		if age := sinceRenewal(t, s, "n"); age != time.Second {
			t.Errorf("after the silence the lease is %v old, want 1 s", age)
		}
		k.SetCondition(corev1.NodeMemoryPressure, corev1.ConditionTrue, "KubeletHasInsufficientMemory")
		n := must[*corev1.Node](t)(kubetest.Get[*corev1.Node](s, "", "n"))
		pressed := 0
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeMemoryPressure && c.Status == corev1.ConditionTrue {
				pressed++
			}
		}
		if pressed != 1 || len(n.Status.Conditions) != 4 || n.Labels["zone"] != "z" {
			t.Errorf("node: %+v, want four conditions, and pressure", n)
		}
	})
}

func TestKubeletRuns(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		k := s.Kubelet("n", kubetest.KubeletOptions{StartDelay: 2 * time.Second, StopDelay: 5 * time.Second})
		for _, name := range []string{"short", "long", "evicted"} {
			p := pod(name)
			p.Spec.NodeName = "n"
			if name == "short" {
				p.Annotations = map[string]string{kubetest.RunFor: "10s"}
			}
			if err := s.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Second)
		for _, name := range []string{"short", "long", "evicted"} {
			if got := phase(t, s, name); got != corev1.PodRunning {
				t.Errorf("%s after 3 s: %s, want Running", name, got)
			}
		}
		if err := k.Evict("default", "evicted", "low on memory"); err != nil {
			t.Fatal(err)
		}
		if p := must[*corev1.Pod](t)(kubetest.Get[*corev1.Pod](s, "default", "evicted")); p.Status.Phase != corev1.PodFailed || p.Status.Reason != "Evicted" {
			t.Errorf("evicted: %+v", p.Status)
		}
		if err := kubetest.Delete[*corev1.Pod](s, "default", "long"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		if got := phase(t, s, "long"); got != corev1.PodRunning {
			t.Errorf("long 4 s after it was told to end: %s, want Running", got)
		}
		time.Sleep(2 * time.Second)
		if p, err := kubetest.Get[*corev1.Pod](s, "default", "long"); err == nil {
			t.Errorf("long 6 s after it was told to end: %v, want it gone", p.Status)
		}
		time.Sleep(4 * time.Second)
		if got := phase(t, s, "short"); got != corev1.PodSucceeded {
			t.Errorf("short after 13 s: %s, want Succeeded", got)
		}
		if err := k.Evict("default", "none", ""); code(err) != 404 {
			t.Errorf("evicting what doesn't exist: %v", err)
		}
	})
}

// TestKubeletStopped expects that a stopped kubelet's pods stay as they were, and that
// it catches up.
func TestKubeletStopped(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		k := s.Kubelet("n", kubetest.KubeletOptions{})
		p := pod("p")
		p.Spec.NodeName = "n"
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		k.Stop()
		if err := kubetest.Delete[*corev1.Pod](s, "default", "p"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := phase(t, s, "p"); got != corev1.PodRunning {
			t.Errorf("an hour after the kubelet stopped: %s, want Running", got)
		}
		k.Start()
		time.Sleep(31 * time.Second)
		if p, err := kubetest.Get[*corev1.Pod](s, "default", "p"); err == nil {
			t.Errorf("after the kubelet came back: %v, want it gone", p.Status)
		}
	})
}

// TestTenMinutes lets fifty kubelets live for ten minutes of virtual time.
func TestTenMinutes(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		for i := range 50 {
			s.Kubelet("n"+string(rune('A'+i)), kubetest.KubeletOptions{})
		}
		began := time.Now()
		time.Sleep(10 * time.Minute)
		renewals := 0
		for _, w := range s.Writes() {
			if w.Resource == "leases" {
				renewals++
			}
		}
		if took := time.Since(began); took != 10*time.Minute || renewals < 50*60 || renewals > 50*61 {
			t.Errorf("%d renewals in %v, want 60 or 61 of each of 50 leases", renewals, took)
		}
	})
}
