package scheduler

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// BenchmarkQueue pushes a pod to a queue of a million and pops one.
func BenchmarkQueue(b *testing.B) {
	for _, pods := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("pods=%d", pods), func(b *testing.B) {
			s, sc := waitingPods(pods)
			all := make([]cluster.PodID, pods)
			for i := range all {
				all[i] = cluster.PodID(i)
			}
			rand.New(rand.NewPCG(1, 2)).Shuffle(pods, func(i, j int) { all[i], all[j] = all[j], all[i] })
			b.Run("push", func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%pods == 0 {
						b.StopTimer()
						sc.queue = NewScheduler(Options{Profiles: sc.profiles}).queue
						sc.queue.rules = sc
						sc.queue.at(cluster.PodID(pods - 1))
						b.StartTimer()
					}
					sc.queue.add(s, all[i%pods])
				}
			})
			for _, p := range all {
				sc.queue.add(s, p)
			}
			b.Run("pop and push", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p, ok := sc.queue.pop(s)
					if !ok {
						b.Fatal("the queue is empty")
					}
					sc.queue.done(p)
					sc.queue.add(s, p)
				}
			})
		})
	}
}

// waitingPods returns a State with so many pending pods of 100 classes, and a
// Scheduler that has not seen them.
func waitingPods(n int) (*cluster.State, *Scheduler) {
	s := cluster.NewState()
	var classes [100]*cluster.Class
	for i := range classes {
		classes[i] = &cluster.Class{Namespace: "b", Priority: int32(i % 10), Requests: cluster.Amounts{cluster.CPU: int64(i)}}
	}
	events := make([]cluster.Event, n)
	for i := range events {
		events[i] = cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: fmt.Sprint("p", i), Class: classes[i%100], Run: cluster.Never}}
	}
	s.Observe(0, events)
	return s, New(&Profile{})
}
