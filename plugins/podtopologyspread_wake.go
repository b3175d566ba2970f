package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Wakes implements scheduler.Waker.
func (pl *podTopologySpread) Wakes() scheduler.Action {
	return scheduler.PodAdd | scheduler.UpdatePodLabel | scheduler.UpdatePodToleration | scheduler.PodDelete |
		scheduler.NodeAdd | scheduler.NodeDelete | scheduler.UpdateNodeLabel | scheduler.UpdateNodeTaint
}

// Wake implements scheduler.Waker: the number of pods that a hard constraint
// selects may have changed, or the nodes that count for it.
func (pl *podTopologySpread) Wake(s *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	switch c.What {
	case scheduler.PodAdd:
		return involved(s, class, c, &c.Pod) && pl.hard(s, class).anySelects(c.Pod.Labels)
	case scheduler.PodDelete:
		return involved(s, class, c, &c.OldPod) && pl.hard(s, class).anySelects(c.OldPod.Labels)
	case scheduler.UpdatePodLabel, scheduler.UpdatePodToleration:
		return involved(s, class, c, &c.OldPod) && involved(s, class, c, &c.Pod) && pl.hard(s, class).wakesAtPod(s, c)
	}
	return pl.hard(s, class).wakesAtNode(c)
}

// involved reports whether p, of c, can count for pods of the class: it is the
// pod itself, or one of its namespace with a node.
func involved(s *cluster.State, class *cluster.Class, c *scheduler.Change, p *cluster.PodState) bool {
	return c.Own || holdsNode(p) && s.ClassByID(p.Class).Namespace == class.Namespace
}

// hardSpread has the hard constraints of a class among others. It is asked much
// more often than the filter, so it copies none of them.
type hardSpread struct {
	class    *cluster.Class
	all      []cluster.SpreadConstraint
	selector *cluster.Selector // of all, if they are defaults
}

// hard returns the constraints that pl.constraints does.
func (pl *podTopologySpread) hard(s *cluster.State, c *cluster.Class) hardSpread {
	if len(c.Spread) > 0 {
		return hardSpread{class: c, all: c.Spread}
	}
	if !slices.ContainsFunc(pl.defaults, func(d cluster.SpreadConstraint) bool { return !d.Soft }) {
		return hardSpread{}
	}
	selector := defaultSelector(s, c)
	if selector.Empty() {
		return hardSpread{}
	}
	return hardSpread{c, pl.defaults, selector}
}

// selects reports whether a constraint selects pods with these labels.
func (h hardSpread) selects(c *cluster.SpreadConstraint, labels cluster.Labels) bool {
	if h.selector != nil {
		return h.selector.Matches(labels)
	}
	if !c.Selector.Matches(labels) {
		return false
	}
	for _, key := range c.MatchLabelKeys {
		if want, ok := h.class.Labels.Get(key); ok {
			if value, ok := labels.Get(key); !ok || value != want {
				return false
			}
		}
	}
	return true
}

func (h hardSpread) anySelects(labels cluster.Labels) bool {
	for i := range h.all {
		if c := &h.all[i]; !c.Soft && h.selects(c, labels) {
			return true
		}
	}
	return false
}

// wakesAtPod says so of a pod's update: a constraint selects the pod that didn't,
// or the other way round. If some constraint counts only nodes that the pod
// tolerates, any change of its own tolerations will do.
func (h hardSpread) wakesAtPod(s *cluster.State, c *scheduler.Change) bool {
	if c.Own && h.anyHonorsTaints() &&
		!slices.EqualFunc(s.ClassByID(c.OldPod.Class).Tolerations, s.ClassByID(c.Pod.Class).Tolerations, sameToleration) {
		return true
	}
	for i := range h.all {
		if k := &h.all[i]; !k.Soft && h.selects(k, c.OldPod.Labels) != h.selects(k, c.Pod.Labels) {
			return true
		}
	}
	return false
}

func (h hardSpread) anyHonorsTaints() bool {
	for i := range h.all {
		if !h.all[i].Soft && h.all[i].HonorTaints {
			return true
		}
	}
	return false
}

func sameToleration(a, b cluster.Toleration) bool {
	sameSeconds := a.Seconds == b.Seconds || a.Seconds != nil && b.Seconds != nil && *a.Seconds == *b.Seconds
	a.Seconds, b.Seconds = nil, nil
	return a == b && sameSeconds
}

// wakesAtNode says so of a node's coming, going or update: it is, or was, in a
// domain of every constraint; if it is and was, another one, or with other taints.
func (h hardSpread) wakesAtNode(c *scheduler.Change) bool {
	was := c.OldNode != nil && h.inAll(c.OldNode)
	is := c.Node != nil && h.inAll(c.Node)
	if !was || !is {
		return was || is
	}
	return h.moved(c.OldNode.Labels, c.Node.Labels) || !slices.Equal(c.OldNode.Taints, c.Node.Taints)
}

// inAll reports whether a node is in a domain of every constraint.
func (h hardSpread) inAll(n *cluster.NodeSpec) bool {
	for i := range h.all {
		if _, ok := n.Labels.Get(h.all[i].TopologyKey); !ok && !h.all[i].Soft {
			return false
		}
	}
	return true
}

// moved reports whether a node with these labels is in another domain than before
// of some constraint.
func (h hardSpread) moved(was, is cluster.Labels) bool {
	for i := range h.all {
		key := h.all[i].TopologyKey
		before, _ := was.Get(key)
		if now, _ := is.Get(key); now != before && !h.all[i].Soft {
			return true
		}
	}
	return false
}
