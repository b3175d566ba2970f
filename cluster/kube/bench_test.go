package kube_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// untilBound is a Recorder that ends a run when so many pods are bound.
type untilBound struct {
	left int
	stop context.CancelFunc
}

// Record implements cluster.Recorder.
func (u *untilBound) Record(_ *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := range events {
		if events[i].Kind == cluster.PodBound {
			u.left--
		}
	}
	if u.left == 0 {
		u.stop()
	}
	return nil
}

// firstRoom binds each pod to the next node in turn: so little that what the API costs shows.
type firstRoom struct{ next int }

// Step implements cluster.Controller.
func (f *firstRoom) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for i := range events {
		if e := &events[i]; e.Kind == cluster.PodAdded && s.Pods.Phase[e.Pod] == cluster.Pending {
			live := s.Nodes.Live()
			s.Bind(e.Pod, live[f.next%len(live)], cluster.Allocation{})
			f.next++
		}
	}
	return cluster.Never
}

// BenchmarkBind binds pods on a server in memory, in real time: from the first list to the last
// answer. The server takes its share of the time and of allocations. With decide=kube the
// scheduler has kube-scheduler's plugins, else nobody thinks.
func BenchmarkBind(b *testing.B) {
	const nodes, pods = 100, 2000
	for _, decide := range []string{"turns", "kube"} {
		b.Run(fmt.Sprintf("nodes=%d/pods=%d/decide=%s", nodes, pods, decide), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				server := kubetest.New(kubetest.Options{})
				for i := range nodes {
					if err := server.Add(benchNode(fmt.Sprint("n", i))); err != nil {
						b.Fatal(err)
					}
				}
				for i := range pods {
					if err := server.Add(aPod(fmt.Sprint("p", i), 100)); err != nil {
						b.Fatal(err)
					}
				}
				var decider cluster.Controller = &firstRoom{}
				if decide == "kube" {
					decider = kubeScheduler(b, "Kube")
				}
				b.StartTimer()
				bindAll(b, server, pods, decider)
				b.StopTimer()
				server.Close()
				b.StartTimer()
			}
			b.ReportMetric(pods*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// bindAll drives a server until so many pods are bound.
func bindAll(b *testing.B, server *kubetest.Server, pods int, decider cluster.Controller) {
	b.Helper()
	s := cluster.NewState()
	c, err := kube.New(s, kube.Options{Config: server.Config()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := cluster.Run(ctx, c, s, &untilBound{pods, stop}, decider); !errors.Is(err, context.Canceled) {
		b.Fatal(err)
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

// benchNode is a node with room for many pods, that no kubelet looks after.
func benchNode(name string) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status: v1.NodeStatus{
			Allocatable: v1.ResourceList{v1.ResourceCPU: resource.MustParse("64"), v1.ResourceMemory: resource.MustParse("256Gi"), v1.ResourcePods: resource.MustParse("110")},
			Conditions:  []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, LastHeartbeatTime: metav1.Now()}},
		},
	}
}
