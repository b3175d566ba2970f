package workload_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
)

// fill binds each pod to the last node.
type fill struct{}

func (fill) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Pending {
			live := s.Nodes.Live()
			s.Bind(p, live[len(live)-1], cluster.Allocation{})
		}
	}
	return cluster.Never
}

// evict deletes all pods at times, once each.
type evict []cluster.Time

func (ev *evict) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	switch {
	case len(*ev) == 0:
		return cluster.Never
	case s.Now < (*ev)[0]:
		return (*ev)[0]
	}
	*ev = (*ev)[1:]
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Bound {
			s.Delete(p, cluster.DeletionByTaint)
		}
	}
	return s.Now
}

// diary notes when pods come and go.
type diary struct{ strings.Builder }

func (d *diary) Record(s *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case cluster.PodAdded, cluster.PodEnded:
			fmt.Fprintf(d, "%g %v %s\n", s.Now.Seconds(), e.Kind, s.Pods.Name[e.Pod])
		}
	}
	return nil
}

// TestReplicas has a pod with work for 100 s be evicted twice, of which it does half before
// the checkpoint at 30 s.
func TestReplicas(t *testing.T) {
	s := cluster.NewState()
	class := &cluster.Class{Requests: cluster.Amounts{cluster.CPU: 1}}
	events := &sim.List{
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.CPU: 9, cluster.PodSlots: 9}}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "a", Class: class, Run: 100 * cluster.Second}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "b", Class: class, Run: 10 * cluster.Second}},
	}
	kubelets := sim.DefaultKubelets()
	kubelets.Faults, kubelets.Work = &faults.List{}, sim.Work{Kept: true, Every: 30 * cluster.Second}
	c, err := sim.New(s, events, sim.Options{Kubelets: kubelets})
	if err != nil {
		t.Fatal(err)
	}
	var d diary
	if err := cluster.Run(context.Background(), c, s, &d, fill{}, &evict{40 * cluster.Second, 60 * cluster.Second}, workload.NewReplicas()); err != nil {
		t.Fatal(err)
	}
	const want = `0 PodAdded a
0 PodAdded b
10 PodEnded b
40 PodAdded a~1
40 PodEnded a
60 PodAdded a~2
60 PodEnded a~1
130 PodEnded a~2
`
	if d.String() != want {
		t.Errorf("%s\ninstead of\n%s", d.String(), want)
	}
}
