package kubetest_test

import (
	"context"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// TestMain silences client-go, which logs what the tests make go wrong.
func TestMain(m *testing.M) {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	os.Exit(m.Run())
}

// client returns a client of s.
func client(t testing.TB, s *kubetest.Server) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "pause"}}},
	}
}

func bind(c kubernetes.Interface, name, node string) error {
	return c.CoreV1().Pods("default").Bind(context.Background(), &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
}

// TestPodLife follows a pod from its creation to its end, in virtual time.
func TestPodLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kubetest.New(kubetest.Options{})
		defer s.Close()
		s.Kubelet("a", kubetest.KubeletOptions{StartDelay: 3 * time.Second})
		c := client(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()

		f := informers.NewSharedInformerFactory(c, 0)
		pods := f.Core().V1().Pods().Lister()
		f.Start(ctx.Done())
		f.WaitForCacheSync(ctx.Done())
		defer f.Shutdown()
		defer cancel()

		if _, err := c.CoreV1().Pods("default").Create(ctx, pod("p"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := bind(c, "p", "a"); err != nil {
			t.Fatal(err)
		}
		if err := bind(c, "p", "b"); !apierrors.IsConflict(err) {
			t.Errorf("binding again: %v, want a conflict", err)
		}
		time.Sleep(2 * time.Second)
		if p, err := pods.Pods("default").Get("p"); err != nil || p.Spec.NodeName != "a" || p.Status.Phase != corev1.PodPending {
			t.Errorf("after 2 s: %v, %v, want it on a and pending", p, err)
		}
		time.Sleep(2 * time.Second)
		if p, err := pods.Pods("default").Get("p"); err != nil || p.Status.Phase != corev1.PodRunning {
			t.Errorf("after 4 s: %v, %v, want it running", p, err)
		}
		if err := c.CoreV1().Pods("default").Delete(ctx, "p", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		if p, err := pods.Pods("default").Get("p"); err != nil || p.DeletionTimestamp == nil {
			t.Errorf("after 29 s of 30 s of grace: %v, %v, want it terminating", p, err)
		}
		time.Sleep(2 * time.Second)
		if p, err := pods.Pods("default").Get("p"); !apierrors.IsNotFound(err) {
			t.Errorf("after the grace period: %v, %v, want it gone", p, err)
		}
	})
}
