package eviction

import (
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// BenchmarkBudgets has one pod after the other be ready or not, of many under many
// budgets, and the status that follows be stored.
func BenchmarkBudgets(b *testing.B) {
	for _, size := range []struct{ pods, budgets, namespaces int }{{1000, 10, 1}, {100000, 1000, 1}, {100000, 1000, 100}} {
		b.Run(fmt.Sprintf("pods=%d/budgets=%d/namespaces=%d", size.pods, size.budgets, size.namespaces), func(b *testing.B) {
			s, budgets := cluster.NewState(), NewBudgets()
			events := []cluster.Event{node("n")}
			for i := range size.budgets {
				events = append(events, set(&cluster.DisruptionBudget{
					Namespace: fmt.Sprint("x", i%size.namespaces), Name: fmt.Sprint("b", i), Selector: app(fmt.Sprint(i)), MinAvailable: number(1),
				}))
			}
			for i := range size.pods {
				k := i % size.budgets
				events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
					Name: fmt.Sprint("p", i), On: "n", Class: &cluster.Class{Namespace: fmt.Sprint("x", k%size.namespaces)}, Labels: cluster.Labels{{Key: "app", Value: fmt.Sprint(k)}},
				}})
			}
			s.Observe(0, events)
			budgets.Step(s, events)
			s.TakeDecisions()
			stored := 0
			for i := 0; b.Loop(); i++ {
				happens := []cluster.Event{{Kind: cluster.PodReady, Pod: cluster.PodID(i % size.pods), Ready: i/size.pods%2 == 1}}
				s.Observe(s.Now+1, happens)
				budgets.Step(s, happens)
				stored += len(s.TakeDecisions())
			}
			b.ReportMetric(float64(stored)/float64(b.N), "stored/op")
		})
	}
}
