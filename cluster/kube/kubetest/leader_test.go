package kubetest_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// candidate runs client-go's leader election until ctx ends, and says on a channel when
// it began to lead and when it no longer did.
func candidate(t *testing.T, ctx context.Context, c *kubernetes.Clientset, name string, says chan<- string) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Name: "election", Namespace: "kube-system"}, Client: c.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: name},
	}
	e, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { says <- name + " leads" },
			OnStoppedLeading: func() { says <- name + " stops" },
		},
	})
	if err != nil {
		t.Error(err)
		return
	}
	e.Run(ctx)
}

// TestLeaderElection lets one candidate lead until the server is silent for too long,
// and expects that exactly one leads in the end.
func TestLeaderElection(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		says := make(chan string, 10)
		first, stopFirst := context.WithCancel(t.Context())
		defer stopFirst()
		second, stopSecond := context.WithCancel(t.Context())
		defer stopSecond()
		go candidate(t, first, c, "a", says)
		if got := <-says; got != "a leads" {
			t.Fatal(got)
		}
		go candidate(t, second, c, "b", says)
		time.Sleep(time.Minute)
		s.Restart(5 * time.Second) // shorter than the renew deadline
		time.Sleep(time.Minute)
		if len(says) != 0 {
			t.Fatalf("%s, though the server was away for 5 s only", <-says)
		}
		s.Silence(time.Minute) // longer
		if got := <-says; got != "a stops" {
			t.Errorf("after a silence: %s, want a stops", got)
		}
		if got := <-says; got != "b leads" {
			t.Errorf("after a silence: %s, want b leads", got)
		}
		stopSecond()
		if got := <-says; got != "b stops" {
			t.Errorf("in the end: %s", got)
		}
	})
}

// TestEvictionOfUnready evicts a pod that isn't ready, and is guarded by a budget that
// allows no disruption.
func TestEvictionOfUnready(t *testing.T) {
	always := policyv1.AlwaysAllow
	tests := []struct {
		why     string
		policy  *policyv1.UnhealthyPodEvictionPolicyType
		healthy int32
		budgets int
		want    int
	}{
		{"the budget has too few healthy pods", nil, 1, 1, http.StatusTooManyRequests},
		{"the budget has enough without it", nil, 2, 1, 0},
		{"the budget lets unready pods go", &always, 1, 1, 0},
		{"two budgets", nil, 2, 2, http.StatusInternalServerError},
		{"no budget", nil, 0, 0, 0},
	}
	for _, tt := range tests {
		inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
			p := pod("p")
			p.Spec.NodeName, p.Status.Phase = "n", corev1.PodRunning
			if err := s.Add(p); err != nil {
				t.Fatal(err)
			}
			for i := range tt.budgets {
				b := &policyv1.PodDisruptionBudget{
					ObjectMeta: metav1.ObjectMeta{Name: string(rune('x' + i)), Namespace: "default"},
					Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{}, UnhealthyPodEvictionPolicy: tt.policy},
					Status:     policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, CurrentHealthy: tt.healthy, DesiredHealthy: 2},
				}
				if err := s.Add(b); err != nil {
					t.Fatal(err)
				}
			}
			err := c.CoreV1().Pods("default").EvictV1(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "default"}})
			wantCode(t, tt.why, err, tt.want)
		})
	}
}
