package schedulertest

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// wakes makes something happen to the cluster, and checks that a Waker says so if it
// makes a node acceptable that the filter refused: else pods would wait that could run.
func (c *check) wakes() error {
	w, ok := c.fresh.(scheduler.Waker)
	f, filters := c.fresh.(scheduler.Filter)
	if !ok || !filters {
		return nil
	}
	var before [][]string
	nodes := len(c.state.Nodes.Live())
	for _, p := range c.pods {
		before = append(before, c.accepted(p, f))
	}
	changes, err := c.happen()
	if err != nil {
		return err
	}
	fresh, err := c.plugin.New(nil)
	if err != nil {
		return fmt.Errorf("making an instance: %w", err)
	}
	for i, p := range c.pods {
		after := c.accepted(p, fresh.(scheduler.Filter))
		gained := slices.DeleteFunc(after, func(name string) bool { return slices.Contains(before[i], name) })
		rejected := len(before[i]) < nodes // or the plugin has nothing to change its mind about
		if rejected && len(gained) > 0 && !c.woken(w, p, changes) {
			return fmt.Errorf("pod %s: after %+v nodes %v are acceptable, and no Wake says so", c.state.PodName(p), changes, gained)
		}
	}
	return nil
}

// accepted returns the names of the nodes that f lets p run on.
func (c *check) accepted(p cluster.PodID, f scheduler.Filter) (names []string) {
	may := f.Filter(c.state, p)
	for _, n := range c.state.Nodes.Live() {
		if may == nil || may(n).Code == scheduler.Success {
			names = append(names, c.state.Nodes.Name[n])
		}
	}
	return names
}

// woken asks about each of the changes.
func (c *check) woken(w scheduler.Waker, p cluster.PodID, changes []scheduler.Change) bool {
	return slices.ContainsFunc(changes, func(ch scheduler.Change) bool {
		return w.Wakes()&ch.What != 0 && w.Wake(c.state, c.state.Class(p), &ch)
	})
}

// happen makes one thing happen, and returns what that is to a queue.
func (c *check) happen() (changes []scheduler.Change, err error) {
	s, live := c.state, c.state.Nodes.Live()
	var event cluster.Event
	placed := cluster.PodID(cluster.None)
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Node[p] != cluster.None && (placed == cluster.None || c.rng.IntN(4) == 0) {
			placed = p
		}
	}
	switch kind := c.rng.IntN(4); {
	case kind == 0:
		name := fmt.Sprintf("late-%d", c.rng.IntN(1<<30))
		event = cluster.Event{Kind: cluster.NodeAdded, NodeSpec: RandomNode(c.rng, name)}
	case kind == 1 && placed != cluster.None:
		event = cluster.Event{Kind: cluster.PodEnded, Pod: placed, Node: s.Pods.Node[placed]}
	case kind == 2:
		return c.bind()
	default:
		n := live[c.rng.IntN(len(live))]
		spec := *s.Nodes.Spec[n]
		c.vary(&spec)
		event = cluster.Event{Kind: cluster.NodeChanged, Node: n, NodeSpec: &spec}
	}
	events := []cluster.Event{event}
	s.Observe(s.Now, events)
	return asChanges(&events[0]), nil
}

// bind binds a pod somewhere.
func (c *check) bind() ([]scheduler.Change, error) {
	p := AddPod(c.state, c.rng, fmt.Sprintf("company-%d", c.rng.IntN(1<<30)))
	bindAnywhere(c.rng, c.state, p)
	c.state.TakeDecisions()
	return []scheduler.Change{{What: scheduler.PodAdd, Pod: c.state.PodState(p)}}, nil
}

// vary makes a node another in one way.
func (c *check) vary(spec *cluster.NodeSpec) {
	other := RandomNode(c.rng, spec.Name)
	switch c.rng.IntN(5) {
	case 0:
		spec.Labels = other.Labels
	case 1:
		spec.Taints = other.Taints
	case 2:
		spec.Unschedulable = !spec.Unschedulable
	case 3:
		spec.Capacity, spec.Extended = other.Capacity, other.Extended
	default:
		spec.Features = other.Features
	}
}

// asChanges returns what an event is to a queue.
func asChanges(e *cluster.Event) (changes []scheduler.Change) {
	switch e.Kind {
	case cluster.NodeAdded:
		return []scheduler.Change{{What: scheduler.NodeAdd, Node: e.NodeSpec}}
	case cluster.PodEnded:
		return []scheduler.Change{{What: scheduler.PodDelete, OldPod: e.OldPod}}
	}
	set := scheduler.ChangesOfNode(e.OldNode, e.NodeSpec)
	for a := scheduler.NodeAdd; a != 0 && a <= set; a <<= 1 {
		if set&a != 0 {
			changes = append(changes, scheduler.Change{What: a, Node: e.NodeSpec, OldNode: e.OldNode})
		}
	}
	return changes
}
