package schedulertest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// InOtherRows returns a State with the same nodes and pods as s, in the same
// order of arrival but in other rows, and for each row of a pod in s its row
// there. It leaves out nodes that are gone with the pods on them, nominations
// and objects. No trial may be open in s.
func InOtherRows(rng *rand.Rand, s *cluster.State) (*cluster.State, map[cluster.PodID]cluster.PodID) {
	twin := cluster.NewState()
	twin.Seed, twin.Mix = s.Seed, s.Mix
	var pods []cluster.PodID
	for p, phase := range s.Pods.Phase {
		p := cluster.PodID(p)
		if n := s.Pods.Node[p]; phase != cluster.Ended && (n == cluster.None || slices.Contains(s.Nodes.Live(), n)) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b cluster.PodID) int { return cmp.Compare(s.Pods.Order[a], s.Pods.Order[b]) })
	ScatterRows(rng, twin, len(s.Nodes.Live()), len(pods))

	events := []cluster.Event{}
	for _, n := range s.Nodes.Live() {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: nodeSpec(s, n)})
	}
	for _, p := range pods {
		events = append(events, cluster.Event{Time: s.Pods.Arrived[p], Kind: cluster.PodAdded, PodSpec: podSpec(s, p)})
	}
	twin.Observe(s.Now, events)
	rows := map[cluster.PodID]cluster.PodID{}
	for i, p := range pods {
		rows[p] = events[len(s.Nodes.Live())+i].Pod
	}
	for i, n := range s.Nodes.Live() {
		for p := range s.PodsOn(n) {
			twin.Bind(rows[p], twin.Nodes.Live()[i], s.Pods.Allocation[p])
		}
	}
	twin.TakeDecisions()
	return twin, rows
}

// ScatterRows has nodes and pods come to an empty State and go, so that rows are
// reused in a random order.
func ScatterRows(rng *rand.Rand, s *cluster.State, nodes, pods int) {
	var come, leave []cluster.Event
	for i := range nodes {
		come = append(come, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: fmt.Sprint("gone-", i)}})
	}
	for i := range pods {
		come = append(come, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: fmt.Sprint("gone-", i), Class: &cluster.Class{}}})
	}
	s.Observe(0, come)
	for _, e := range come {
		if e.Kind == cluster.NodeAdded {
			leave = append(leave, cluster.Event{Kind: cluster.NodeRemoved, Node: e.Node})
		} else {
			leave = append(leave, cluster.Event{Kind: cluster.PodEnded, Pod: e.Pod, Node: cluster.None})
		}
	}
	rng.Shuffle(len(leave), func(i, j int) { leave[i], leave[j] = leave[j], leave[i] })
	s.Observe(0, leave)
}

// nodeSpec returns what n was described by.
func nodeSpec(s *cluster.State, n cluster.NodeID) *cluster.NodeSpec {
	spec := &cluster.NodeSpec{GPUs: len(s.Nodes.GPUFree[n]), GPUModel: s.GPUModel(n)}
	describe(reflect.ValueOf(spec).Elem(), reflect.ValueOf(&s.Nodes).Elem(), int(n))
	for r := range s.Nodes.Cap {
		r, amount := cluster.Resource(r), s.Nodes.Cap[r][n]
		switch {
		case r <= cluster.GPU:
			spec.Capacity = append(spec.Capacity, amount)
		case amount > 0:
			spec.Extended = append(spec.Extended, cluster.NamedAmount{Name: s.ResourceName(r), Amount: amount})
		}
	}
	slices.SortFunc(spec.Extended, func(a, b cluster.NamedAmount) int { return cmp.Compare(a.Name, b.Name) })
	return spec
}

// podSpec returns what p was described by.
func podSpec(s *cluster.State, p cluster.PodID) *cluster.PodSpec {
	spec := &cluster.PodSpec{Class: s.Class(p), Run: cluster.Never}
	describe(reflect.ValueOf(spec).Elem(), reflect.ValueOf(&s.Pods).Elem(), int(p))
	return spec
}

// describe sets the fields of a spec that are columns under the same name, so
// that one that is added is not forgotten here.
func describe(spec, columns reflect.Value, row int) {
	for i := range spec.NumField() {
		field := spec.Field(i)
		column := columns.FieldByName(spec.Type().Field(i).Name)
		if column.IsValid() && column.Kind() == reflect.Slice && column.Type().Elem() == field.Type() {
			field.Set(column.Index(row))
		}
	}
}

// otherRows asks a fresh instance about the same pods when they and the nodes
// have other rows.
func (c *check) otherRows(stranger any) error {
	twin, rows := InOtherRows(c.rng, c.state)
	live, live2 := c.state.Nodes.Live(), twin.Nodes.Live()
	for _, p := range c.pods {
		here, there := answers(c.fresh, c.state, p, live), answers(stranger, twin, rows[p], live2)
		for i, n := range live {
			if here[i] != there[i] {
				return fmt.Errorf("pod %s, node %s: the answer is %+v, and with the same nodes and pods in other rows %+v",
					c.state.PodName(p), c.state.Nodes.Name[n], here[i], there[i])
			}
		}
	}
	return nil
}

// An answer is all that a plugin says of a pod and a node.
type answer struct {
	filtered   bool
	score      int64
	allocation cluster.Allocation
}

// answers returns what inst says of p and each of the nodes.
func answers(inst any, s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []answer {
	byRow := map[cluster.NodeID]*answer{}
	out := make([]answer, len(nodes))
	for i, n := range nodes {
		byRow[n] = &out[i]
	}
	if f, ok := inst.(scheduler.Filter); ok {
		for _, n := range scheduler.Narrow(f, s, p, slices.Clone(nodes)) {
			byRow[n].filtered = true
		}
	}
	if sc, ok := inst.(scheduler.Scorer); ok {
		if scored := feasible(s, p); len(scored) > 0 && preScore(s, p, sc) == nil {
			got := make([]int64, len(scored))
			if scheduler.Scores(sc, s, p, scored, got) {
				normalize(s, p, sc, scored, got)
			}
			for i, n := range scored {
				byRow[n].score = got[i]
			}
		}
	}
	if al, ok := inst.(scheduler.Allocator); ok {
		for i, n := range nodes {
			out[i].allocation, _ = al.Allocate(s, p, n)
		}
	}
	return out
}
