package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// UseBounds bound how much of a resource's capacity pods ask for on a node, in percent.
type UseBounds struct {
	Resource  cluster.Resource
	Low, High int64 // a node below Low has room; one above High has too much
}

// LowNodeUtilization moves pods from nodes that are used much to nodes that are used
// little: the descheduler's strategy of that name. Use is the sum of requests.
//
// A node is used little if it is below Low in every resource, and much if it is above
// High in any. CPU, memory and pods count with 100 % if no threshold is given. Pods go
// from the fullest nodes, until those aren't above High any more, or until the nodes that
// are used little could be filled to High by what has gone. Nothing happens unless more
// than least nodes are used little.
//
// How full a node is, is the sum of its percentages of the given resources; the
// descheduler adds up cores and bytes, so that memory alone decides.
func LowNodeUtilization(least int, thresholds ...UseBounds) Strategy {
	all := slices.Clone(thresholds)
	for _, r := range []cluster.Resource{cluster.CPU, cluster.Memory, cluster.PodSlots} {
		if !slices.ContainsFunc(all, func(t UseBounds) bool { return t.Resource == r }) {
			all = append(all, UseBounds{r, 100, 100})
		}
	}
	return Strategy{
		Name: "LowNodeUtilization",
		Doc:  "evicts pods from nodes of which more than a threshold is asked for, while others are almost empty",
		Choose: func(s *cluster.State, e *Evictions) {
			b := &balance{state: s, thresholds: all}
			b.classify(len(thresholds))
			if len(b.low) > least {
				for _, n := range b.high {
					b.relieve(n.node, e)
				}
			}
		},
	}
}

// balance is one time of LowNodeUtilization.
type balance struct {
	state      *cluster.State
	thresholds []UseBounds
	low        []cluster.NodeID
	high       []fullNode // the fullest first
	room       []int64    // on the low nodes together, up to High, by threshold
}

type fullNode struct {
	node  cluster.NodeID
	share int64 // sum of percentages
}

// classify finds the nodes that are used little and much. Given is how many of the
// thresholds say how full a node is.
func (b *balance) classify(given int) {
	s := b.state
	b.room = make([]int64, len(b.thresholds))
	for _, n := range s.Nodes.Live() {
		under, over, share := true, false, int64(0)
		for i, t := range b.thresholds {
			used, capacity := s.Nodes.Used[t.Resource][n], s.Nodes.Cap[t.Resource][n]
			under = under && used*100 < t.Low*capacity
			over = over || used*100 > t.High*capacity
			if i < given {
				share += used * 100 / max(1, capacity)
			}
		}
		switch {
		case under && !s.Nodes.Unschedulable[n] && !slices.Contains(s.Nodes.Taints[n], Unschedulable):
			b.low = append(b.low, n)
			for i, t := range b.thresholds {
				b.room[i] += t.High*s.Nodes.Cap[t.Resource][n]/100 - s.Nodes.Used[t.Resource][n]
			}
		case over:
			b.high = append(b.high, fullNode{n, share})
		}
	}
	slices.SortStableFunc(b.high, func(x, y fullNode) int { return cmp.Compare(y.share, x.share) })
}

// relieve evicts pods of n, the least important first, while that is of use.
func (b *balance) relieve(n cluster.NodeID, e *Evictions) {
	s := b.state
	gone := make([]int64, len(b.thresholds))
	for _, p := range cheapestFirst(s, n) {
		if !b.useful(n, gone) {
			return
		}
		c := s.Class(p)
		welcome := slices.ContainsFunc(b.low, func(to cluster.NodeID) bool { return tolerates(s, c, to, true) })
		if !welcome || !e.Evict(p) {
			continue
		}
		for i, t := range b.thresholds {
			amount := c.Requests.Get(t.Resource)
			gone[i] += amount
			b.room[i] -= amount
		}
	}
}

// useful reports whether n, less what has gone, is still above High in any resource, and
// the low nodes have room for more.
func (b *balance) useful(n cluster.NodeID, gone []int64) bool {
	over := false
	for i, t := range b.thresholds {
		if b.room[i] <= 0 {
			return false
		}
		used := b.state.Nodes.Used[t.Resource][n] - gone[i]
		over = over || used*100 > t.High*b.state.Nodes.Cap[t.Resource][n]
	}
	return over
}
