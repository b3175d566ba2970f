package eviction

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A ZoneState says how much of a zone is disrupted.
type ZoneState uint8

// The states of a zone.
const (
	Initial           ZoneState = iota // not looked at yet
	Normal                             // few nodes are unready
	PartialDisruption                  // more than two nodes and a large share are unready
	FullDisruption                     // all nodes are unready
)

var zoneStateNames = [...]string{"Initial", "Normal", "PartialDisruption", "FullDisruption"}

// String returns the state's name.
func (st ZoneState) String() string { return zoneStateNames[st] }

// A Zone is the nodes of one zone, as far as their health goes.
type Zone struct {
	Name  string
	State ZoneState

	// Stopped says that all zones are fully disrupted: it may be who observes that is cut
	// off, so kube taints no node.
	Stopped bool

	Size    int // nodes that count
	Unready int // of them

	// Waiting are the nodes to be tainted, those first that have waited longest. A node
	// that is still unready at the next look waits anew. None stands for one that is gone,
	// and has its turn all the same.
	Waiting []cluster.NodeID

	Cluster *Picture

	line   []waiter             // in step with Waiting
	seen   map[*nodeHealth]bool // that wait or have waited, and were not released
	ask    cluster.Time         // when to ask the policy again
	bucket *bucket              // kube's
}

// A Picture is of the whole cluster.
type Picture struct {
	Zones []*Zone // in order of appearance
	Nodes int
	// Silent are the nodes that were found to be no longer heard of, in order: those of the
	// hour before the last of them, be they heard of again or not.
	Silent []Silence
}

// A Silence is a node that was found to be no longer heard of, and when.
type Silence struct {
	At   cluster.Time
	Node string
}

// silentFor is how far back Picture.Silent goes.
const silentFor = cluster.Hour

// fell notes that a node is no longer heard of.
func (p *Picture) fell(node string, now cluster.Time) {
	p.Silent = append(p.Silent, Silence{now, node})
	old := 0
	for p.Silent[old].At < now-silentFor {
		old++
	}
	p.Silent = slices.Delete(p.Silent, 0, old)
}

// A waiter is a node in line.
type waiter struct {
	since cluster.Time
	node  *nodeHealth
}

// join has a node wait, unless it has waited before and was not let go since.
func (z *Zone) join(n *nodeHealth, now cluster.Time) {
	if z.seen[n] {
		return
	}
	if z.seen == nil {
		z.seen = map[*nodeHealth]bool{}
	}
	z.seen[n] = true
	z.wait(waiter{now, n})
}

// wait puts a node in line, behind those that wait since then or longer.
func (z *Zone) wait(w waiter) {
	i := len(z.line)
	for i > 0 && z.line[i-1].since > w.since {
		i--
	}
	z.line = slices.Insert(z.line, i, w)
	z.Waiting = slices.Insert(z.Waiting, i, w.node.node)
	z.ask = min(z.ask, w.since)
}

// release takes a node out of the line, if it is in it, and lets it join anew.
func (z *Zone) release(n *nodeHealth) {
	delete(z.seen, n)
	if i := z.at(n); i >= 0 {
		z.drop(i)
	}
}

// at returns a node's place in line, -1 if it is not in it.
func (z *Zone) at(n *nodeHealth) int {
	return slices.IndexFunc(z.line, func(w waiter) bool { return w.node == n })
}

func (z *Zone) drop(i int) {
	z.line = slices.Delete(z.line, i, i+1)
	z.Waiting = slices.Delete(z.Waiting, i, i+1)
}

// state returns the state that follows from the counts (Controller.ComputeZoneState).
func (z *Zone) state(unhealthyShare float32) ZoneState {
	switch {
	case z.Unready == z.Size:
		return FullDisruption
	case z.Unready > 2 && float32(z.Unready)/float32(z.Size) >= unhealthyShare:
		return PartialDisruption
	}
	return Normal
}

// disrupt brings the states of zones up to date (Controller.handleDisruption).
func (h *Health) disrupt(s *cluster.State) {
	if !h.recount {
		return
	}
	h.recount = false
	h.cluster.Zones = slices.DeleteFunc(h.cluster.Zones, func(z *Zone) bool {
		if z.Size == 0 {
			h.forget(s, z)
		}
		return z.Size == 0
	})
	are, were := true, true // all fully disrupted
	for _, z := range h.cluster.Zones {
		are = are && z.state(h.settings.UnhealthyShare) == FullDisruption
		were = were && z.State == FullDisruption
	}
	switch {
	case are && were:
	case are:
		for _, n := range s.Nodes.Live() {
			h.reach(s, h.nodes[n])
			h.want(h.nodes[n])
		}
		h.enter(s, true)
	case were:
		for _, n := range s.Nodes.Live() {
			h.nodes[n].probe = s.Now
			h.want(h.nodes[n])
		}
		h.enter(s, false)
	default:
		for _, z := range h.cluster.Zones {
			if now := z.state(h.settings.UnhealthyShare); now != z.State {
				h.change(s, z, now, false)
			}
		}
	}
}

// forget lets a zone go in which no node counts, but for those in line. As upstream, that
// is at every look if there are nodes that don't count: they are in a new zone each time.
func (h *Health) forget(s *cluster.State, z *Zone) {
	delete(h.zones, z.Name)
	for _, row := range s.Nodes.Live() {
		if n := h.nodes[row]; n.zone == z && n.posted && n.ready != cluster.ConditionTrue {
			h.want(n)
		}
	}
}

// enter has all zones stop or go on.
func (h *Health) enter(s *cluster.State, stopped bool) {
	for _, z := range h.cluster.Zones {
		h.change(s, z, z.state(h.settings.UnhealthyShare), stopped)
	}
}

func (h *Health) change(s *cluster.State, z *Zone, state ZoneState, stopped bool) {
	z.State, z.Stopped, z.ask = state, stopped, s.Now
	if w, ok := h.policy.(ZoneWatcher); ok {
		w.ZoneChanged(s, z)
	}
}

// count has the node count in a zone, nil for none, as ready or not.
func (h *Health) count(n *nodeHealth, z *Zone, unready bool) {
	if n.counts == z && n.unready == unready {
		return
	}
	h.recount = true
	if old := n.counts; old != nil {
		old.Size--
		if n.unready {
			old.Unready--
		}
	}
	n.counts, n.unready = z, unready
	if z != nil {
		z.Size++
		if unready {
			z.Unready++
		}
	}
}
