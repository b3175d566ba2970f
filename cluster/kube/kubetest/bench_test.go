package kubetest_test

import (
	"fmt"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// BenchmarkBind binds a pod by client-go, while one other client watches: how fast a
// scheduler could be at best.
func BenchmarkBind(b *testing.B) {
	for _, media := range []string{kruntime.ContentTypeJSON, kruntime.ContentTypeProtobuf} {
		for _, workers := range []int{1, 16} {
			b.Run(fmt.Sprintf("media=%s/workers=%d", media[len("application/"):], workers), func(b *testing.B) {
				s := kubetest.New(kubetest.Options{})
				defer s.Close()
				config := s.Config()
				config.ContentType = media
				config.AcceptContentTypes = media
				c, err := kubernetes.NewForConfig(config)
				if err != nil {
					b.Fatal(err)
				}
				for i := range b.N {
					if err := s.Add(pod(fmt.Sprintf("p%d", i))); err != nil {
						b.Fatal(err)
					}
				}
				l, err := c.CoreV1().Pods("").List(b.Context(), metav1.ListOptions{Limit: 1})
				if err != nil {
					b.Fatal(err)
				}
				w, err := c.CoreV1().Pods("").Watch(b.Context(), metav1.ListOptions{ResourceVersion: l.ResourceVersion})
				if err != nil {
					b.Fatal(err)
				}
				defer w.Stop()
				b.ReportAllocs()
				b.ResetTimer()
				bindAll(b, c, workers)
				for range b.N {
					<-w.ResultChan()
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "binds/s")
			})
		}
	}
}

// bindAll binds p0 to the last.
func bindAll(b *testing.B, c kubernetes.Interface, workers int) {
	names := make(chan string)
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for name := range names {
				if err := bind(c, name, "n"); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range b.N {
		names <- fmt.Sprintf("p%d", i)
	}
	close(names)
	done.Wait()
}
