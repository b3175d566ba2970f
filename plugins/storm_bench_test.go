package plugins

import (
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// BenchmarkStorm has every node of a large cluster change again and again, while as
// many pods wait that fit nowhere. Nothing helps them: what it costs to find that
// out must depend on how many kinds of pods there are, not on how many pods.
func BenchmarkStorm(b *testing.B) {
	const nodes, pods, classes, events = 5000, 100_000, 50, 100_000
	b.Run(fmt.Sprintf("nodes=%d/pods=%d/classes=%d/events=%d", nodes, pods, classes, events), func(b *testing.B) {
		st := newStorm(b, nodes, pods, classes)
		b.ReportAllocs()
		for b.Loop() {
			for range events / len(st.events) {
				st.blow()
			}
		}
		if l := st.scheduler.Lengths(); l.Unschedulable != pods {
			b.Fatalf("%d pods are unschedulable; want all %d", l.Unschedulable, pods)
		}
		asked := uint64(0)
		for _, h := range st.scheduler.Stats().Hints {
			asked += h.Queue + h.Skip
		}
		b.ReportMetric(float64(asked)/float64(b.N)/events, "hints/event")
	})
}

// A storm is a cluster whose nodes change all the time.
type storm struct {
	*cluster.State
	scheduler *scheduler.Scheduler
	nodes     []*cluster.NodeSpec
	next      int
	events    []cluster.Event
}

func newStorm(tb testing.TB, nodes, pods, classes int) *storm {
	profile, err := scheduler.NewProfile(All, []scheduler.Weighted{{Name: "Kube", Weight: 1}})
	if err != nil {
		tb.Fatal(err)
	}
	st := &storm{State: cluster.NewState(), scheduler: scheduler.New(profile), events: make([]cluster.Event, 100)}
	var events []cluster.Event
	for i := range nodes {
		st.nodes = append(st.nodes, &cluster.NodeSpec{
			Name:     fmt.Sprintf("node-%05d", i),
			Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1 << 34, cluster.PodSlots: 110},
			Labels:   cluster.MakeLabels(map[string]string{"zone": fmt.Sprint(i % 3), "beat": "0"}),
		})
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: st.nodes[i]})
	}
	kinds := make([]*cluster.Class, classes)
	for i := range kinds {
		kinds[i] = &cluster.Class{Namespace: "storm", Requests: cluster.Amounts{cluster.CPU: 2000 + int64(i)}}
	}
	for i := range pods {
		spec := &cluster.PodSpec{Name: fmt.Sprint("pod-", i), Class: kinds[i%classes], Run: cluster.Never}
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	}
	st.step(events)
	return st
}

// blow changes the labels of some nodes, and what others have to offer.
func (st *storm) blow() {
	for i := range st.events {
		row := st.next % len(st.nodes)
		spec := *st.nodes[row]
		spec.Labels = cluster.MakeLabels(map[string]string{"zone": fmt.Sprint(row % 3), "beat": fmt.Sprint(st.next % 7)})
		if st.next%2 == 0 {
			spec.Capacity = cluster.Amounts{cluster.CPU: 1000 + int64(st.next%100), cluster.Memory: 1 << 34, cluster.PodSlots: 110}
		}
		st.nodes[row] = &spec
		n, _ := st.Nodes.Named(spec.Name)
		st.events[i] = cluster.Event{Kind: cluster.NodeChanged, Node: n, NodeSpec: &spec}
		st.next++
	}
	st.step(st.events)
}

func (st *storm) step(events []cluster.Event) {
	st.Observe(st.Now, events)
	st.scheduler.Step(st.State, events)
	st.TakeDecisions()
}
