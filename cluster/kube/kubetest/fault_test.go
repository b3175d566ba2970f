package kubetest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// requestsOf counts the requests of a verb.
func requestsOf(s *kubetest.Server, verb string) (n int) {
	for _, r := range s.Requests() {
		if r.Verb == verb {
			n++
		}
	}
	return n
}

func TestFaultCodes(t *testing.T) {
	for _, want := range []int{http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
				s.SetFaults(kubetest.Fault{Verb: "create", Resource: "pods", Subresource: "-", Code: want})
				_, err := c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{})
				wantCode(t, "creating", err, want)
				must[*corev1.PodList](t)(c.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{}))
				wantCode(t, "binding", bind(c, "p", "n"), http.StatusNotFound)
				if len(kubetest.List[*corev1.Pod](s)) != 0 {
					t.Error("a request that failed took effect")
				}
				s.SetFaults()
				must[*corev1.Pod](t)(c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{}))
			})
		})
	}
}

// TestRetryAfter expects that client-go waits as long as it is told, and succeeds.
func TestRetryAfter(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		s.SetFaults(kubetest.Fault{Code: 429, RetryAfter: 7 * time.Second, Times: 2})
		began := time.Now()
		must[*corev1.Pod](t)(c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{}))
		if took := time.Since(began); took != 14*time.Second {
			t.Errorf("took %v, want 14 s", took)
		}
	})
}

func TestResets(t *testing.T) {
	for _, tt := range []struct {
		reset kubetest.Reset
		bound int
	}{{kubetest.ResetBefore, 0}, {kubetest.ResetAfter, 1}} {
		inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
			must[*corev1.Pod](t)(c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{}))
			s.SetFaults(kubetest.Fault{Verb: "create", Subresource: "binding", Reset: tt.reset})
			if err := bind(c, "p", "n"); err == nil || code(err) != -1 {
				t.Errorf("binding: %v, want a broken connection", err)
			}
			if got := len(s.Bindings()); got != tt.bound {
				t.Errorf("reset %d: %d bindings, want %d", tt.reset, got, tt.bound)
			}
			if rs := s.Requests(); !rs[len(rs)-1].Lost {
				t.Errorf("the audit log says that the answer came: %+v", rs[len(rs)-1])
			}
		})
	}
}

// TestSilence expects that a silent server answers late, and that a write that its
// client gave up on takes effect all the same.
func TestSilence(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		must[*corev1.Pod](t)(c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{}))
		s.Silence(30 * time.Second)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := c.CoreV1().Pods("default").Create(ctx, pod("given-up"), metav1.CreateOptions{})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 10*time.Second {
			t.Errorf("after %v: %v, want the deadline after 10 s", took, err)
		}
		must[*corev1.Pod](t)(c.CoreV1().Pods("default").Get(t.Context(), "p", metav1.GetOptions{}))
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("answered after %v, want 30 s", took)
		}
		time.Sleep(time.Second)
		must[*corev1.Pod](t)(c.CoreV1().Pods("default").Get(t.Context(), "given-up", metav1.GetOptions{}))
		s.Silence(time.Hour)
		time.AfterFunc(time.Minute, func() { s.Silence(0) })
		began = time.Now()
		must[*corev1.Pod](t)(c.CoreV1().Pods("default").Get(t.Context(), "p", metav1.GetOptions{}))
		if took := time.Since(began); took != time.Minute {
			t.Errorf("answered after %v, want a minute", took)
		}
	})
}

// TestHoldWatches expects that a watch shows the past while writes take effect, and a
// list that allows any state, too.
func TestHoldWatches(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		w := must[watch.Interface](t)(pods.Watch(t.Context(), metav1.ListOptions{}))
		s.HoldWatches(30 * time.Second)
		s.LagLists(30 * time.Second)
		must[*corev1.Pod](t)(pods.Create(t.Context(), pod("p"), metav1.CreateOptions{}))
		wantCode(t, "binding", bind(c, "p", "n"), 0)
		if l := must[*corev1.PodList](t)(pods.List(t.Context(), metav1.ListOptions{ResourceVersion: "0"})); len(l.Items) != 0 {
			t.Errorf("listed %s, want the past", names(l))
		}
		time.Sleep(28 * time.Second)
		if got := drain(w); len(got) != 0 {
			t.Errorf("held, and yet watched %q", got)
		}
		time.Sleep(2 * time.Second)
		if got := drain(w); !slices.Equal(got, []string{"ADDED p", "MODIFIED p"}) {
			t.Errorf("watched %q afterwards", got)
		}
		w.Stop()
	})
}

func TestRestart(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		before := must[*corev1.Pod](t)(pods.Create(t.Context(), pod("p"), metav1.CreateOptions{}))
		s.SetFaults(kubetest.Fault{Verb: "delete", Latency: time.Minute})
		broken := make(chan error, 1)
		go func() { broken <- pods.Delete(t.Context(), "p", metav1.DeleteOptions{}) }()
		time.Sleep(time.Second)
		s.Restart(20 * time.Second)
		if err := <-broken; err == nil {
			t.Error("a request that was under way was answered")
		}
		_, err := pods.Create(t.Context(), pod("q"), metav1.CreateOptions{})
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("while the server is down: %v, want a refused connection", err)
		}
		time.Sleep(20 * time.Second)
		after := must[*corev1.Pod](t)(pods.Get(t.Context(), "p", metav1.GetOptions{}))
		if after.UID != before.UID || after.ResourceVersion != before.ResourceVersion {
			t.Errorf("after the restart: %+v, want what was stored", after)
		}
	})
}

// TestFaultsRepeat draws the same faults for the same requests, and about as many as
// the probability says.
func TestFaultsRepeat(t *testing.T) {
	play := func(seed uint64) (failed string) {
		inServer(t, kubetest.Options{Seed: seed}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
			s.SetFaults(kubetest.Fault{Code: 500, Probability: 0.3})
			for i := range 200 {
				_, err := c.CoreV1().Pods("default").Get(t.Context(), fmt.Sprintf("p%d", i%20), metav1.GetOptions{})
				if code(err) == 500 {
					failed += "x"
				} else {
					failed += "."
				}
			}
		})
		return failed
	}
	first, again, other := play(1), play(1), play(2)
	if first != again {
		t.Errorf("the same seed drew\n%s and\n%s", first, again)
	}
	if first == other {
		t.Errorf("another seed drew the same: %s", first)
	}
	n := 0
	for _, c := range first {
		if c == 'x' {
			n++
		}
	}
	if n < 40 || n > 80 {
		t.Errorf("%d of 200 requests failed, want about 60", n)
	}
	if a, b := kubetest.RandomScript(3, time.Minute).String(), kubetest.RandomScript(3, time.Minute).String(); a != b || a == "" {
		t.Errorf("the same seed drew the scripts\n%s and\n%s", a, b)
	}
}

// TestPlayEnds expects that a script that is interrupted leaves no fault behind.
func TestPlayEnds(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := s.Play(ctx, kubetest.Script{
			{At: time.Second, For: time.Hour, Act: kubetest.Requests, Fault: kubetest.Fault{Code: 500}},
			{At: time.Minute, Act: kubetest.Down, For: time.Hour},
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("interrupted: %v", err)
		}
		must[*corev1.PodList](t)(c.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{}))
		if n := requestsOf(s, "list"); n != 1 {
			t.Errorf("%d lists were needed", n)
		}
	})
}
