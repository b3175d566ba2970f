package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// systemCritical is the lowest priority of pods that Kubernetes' own classes call critical.
const systemCritical = 2_000_000_000

// A Descheduler evicts pods that had better be elsewhere, again and again, as
// sigs.k8s.io/descheduler does: that they are put elsewhere is the scheduler's part. It
// asks the Eviction API, so that budgets hold.
//
// Pods that are being ended, critical pods, and pods that belong to their node stay, and
// so do those that no controller would make again, unless Bare says otherwise.
type Descheduler struct {
	Strategies []Strategy
	Every      cluster.Time // the first time is at 0
	Until      cluster.Time // after which it rests, lest a simulation never end; 0 for never
	// PerNode and Total are how many pods may be asked to go each time, from one node and
	// in all; 0 for any number. A request counts whatever the API server answers, since
	// the answer comes later.
	PerNode, Total int
	Bare           bool // whether pods without a controller may go

	next cluster.Time
}

// A Strategy chooses pods to be evicted. It is a value in a list.
type Strategy struct {
	Name, Doc string
	// Choose calls Evict for pods, in the order in which they had better go.
	Choose func(s *cluster.State, e *Evictions)
}

// Evictions are those of one time, of all strategies.
type Evictions struct {
	state   *cluster.State
	limits  *Descheduler
	total   int
	perNode map[cluster.NodeID]int
}

// Step implements cluster.Controller.
func (d *Descheduler) Step(s *cluster.State, _ []cluster.Event) (wake cluster.Time) {
	if d.Every <= 0 {
		panic("eviction: a Descheduler without a period")
	}
	if s.Now >= d.next {
		e := &Evictions{state: s, limits: d, perNode: map[cluster.NodeID]int{}}
		for _, strategy := range d.Strategies {
			strategy.Choose(s, e)
		}
		d.next = (s.Now/d.Every + 1) * d.Every
	}
	if d.Until > 0 && d.next > d.Until {
		return cluster.Never
	}
	return d.next
}

// May reports whether p may be evicted at all.
func (e *Evictions) May(p cluster.PodID) bool {
	class := e.state.Class(p)
	return e.state.Pods.Phase[p] == cluster.Bound && e.state.Pods.Node[p] != cluster.None && !staysWithNode(e.state, p) &&
		class.Priority < systemCritical && (e.limits.Bare || class.Owner != cluster.OwnerRef{})
}

// Evict asks for p's eviction, if p may be evicted and the limits allow it. It reports
// whether it did: then State shows p as Terminating.
func (e *Evictions) Evict(p cluster.PodID) bool {
	n := e.state.Pods.Node[p]
	if !e.May(p) || e.Full(n) {
		return false
	}
	e.total++
	e.perNode[n]++
	e.state.RequestEviction(p)
	return true
}

// Full reports whether no more pods of n may be evicted this time.
func (e *Evictions) Full(n cluster.NodeID) bool {
	return e.limits.Total > 0 && e.total >= e.limits.Total || e.limits.PerNode > 0 && e.perNode[n] >= e.limits.PerNode
}

// cheapestFirst returns the pods on n that stay, those of lower priority first, then in
// order of binding.
func cheapestFirst(s *cluster.State, n cluster.NodeID) []cluster.PodID {
	var pods []cluster.PodID
	for p := range s.PodsOn(n) {
		if s.Pods.Phase[p] != cluster.Terminating {
			pods = append(pods, p)
		}
	}
	slices.SortStableFunc(pods, func(a, b cluster.PodID) int { return cmp.Compare(s.Class(a).Priority, s.Class(b).Priority) })
	return pods
}

// tolerates reports whether a pod of a class is let onto n by its taints that keep pods
// from it: NoSchedule, and NoExecute if executes is true.
func tolerates(s *cluster.State, c *cluster.Class, n cluster.NodeID, executes bool) bool {
	for i := range s.Nodes.Taints[n] {
		taint := &s.Nodes.Taints[n][i]
		if taint.Effect != cluster.NoSchedule && !(executes && taint.Effect == cluster.NoExecute) {
			continue
		}
		if !slices.ContainsFunc(c.Tolerations, func(t cluster.Toleration) bool { return t.Tolerates(taint) }) {
			return false
		}
	}
	return true
}

// wants reports whether n is a node that a pod of a class asks for: by name, by labels,
// or by required affinity.
func wants(s *cluster.State, c *cluster.Class, n cluster.NodeID) bool {
	labels := s.Nodes.Labels[n]
	if c.NodeName != "" && c.NodeName != s.Nodes.Name[n] {
		return false
	}
	for _, l := range c.NodeLabels {
		if value, ok := labels.Get(l.Key); !ok || value != l.Value {
			return false
		}
	}
	return c.RequiredNode == nil || c.RequiredNode.Matches(s.Nodes.Name[n], labels)
}

// fits reports whether p would do on n, which it isn't on: n is schedulable, tolerated
// and wanted, and has room.
func fits(s *cluster.State, p cluster.PodID, n cluster.NodeID) bool {
	c := s.Class(p)
	if n == s.Pods.Node[p] || s.Nodes.Unschedulable[n] || !tolerates(s, c, n, true) || !wants(s, c, n) {
		return false
	}
	for r := range s.Nodes.Cap {
		if want := c.Requests.Get(cluster.Resource(r)); want > 0 && want > s.Free(n, cluster.Resource(r)) {
			return false
		}
	}
	return true
}
