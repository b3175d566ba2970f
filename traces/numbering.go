package traces

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A numbering gives pods and nodes of a changed stream their numbers. A stream that
// has events about pods and nodes that came before numbers them as package wire
// does: node k is the k-th that came, from 0, and pod 2k the k-th.
//
// It takes 4 bytes for each pod of a stream with numbers, and nothing for one without.
type numbering struct {
	pods, nodes       []int32 // of the k-th that came: its number now, or left
	podsOut, nodesOut int32   // how many have one
}

// left is the number of what was left out.
const left = cluster.None

// come notes that the pod or node of a PodAdded or NodeAdded comes. If it is kept it
// gets the next number.
func (ns *numbering) come(e *cluster.Event, kept bool) {
	number := int32(left)
	if e.Kind == cluster.PodAdded {
		if kept {
			number = 2 * ns.podsOut
			ns.podsOut++
		}
		if e.Pod != cluster.None {
			ns.pods = append(ns.pods, number)
		}
		e.Pod = cluster.PodID(number)
		return
	}
	if kept {
		number = ns.nodesOut
		ns.nodesOut++
	}
	if e.Node != cluster.None {
		ns.nodes = append(ns.nodes, number)
	}
	e.Node = cluster.NodeID(number)
}

// refer gives an event about a pod or node that came before their numbers now. It
// returns false if what it is about was left out.
func (ns *numbering) refer(e *cluster.Event) bool {
	if e.Pod != cluster.None {
		if e.Pod = cluster.PodID(numberIn(ns.pods, int32(e.Pod)/2)); e.Pod == left {
			return false
		}
	}
	if e.Node != cluster.None {
		if e.Node = cluster.NodeID(numberIn(ns.nodes, int32(e.Node))); e.Node == left {
			return false
		}
	}
	return true
}

// note gives a note the numbers that pods and nodes have now. It returns false if it is
// about a pod that was left out; a node that was is one that nobody knows.
func (ns *numbering) note(n *Note) bool {
	switch n.What {
	case wire.Sample:
		n.Usage.Pod = ns.pod(n.Usage.Pod)
		return n.Usage.Pod != left
	case wire.Placed:
		p := &n.Placement
		if p.Node = cluster.NodeID(numberIn(ns.nodes, int32(p.Node))); p.Node == left {
			p.Allocation = cluster.Allocation{}
		}
		p.Pod = ns.pod(p.Pod)
		return p.Pod != left
	}
	return true
}

// pod returns the number that a pod has now, or left. One that was an outcome has none.
func (ns *numbering) pod(was cluster.PodID) cluster.PodID {
	if was%2 != 0 {
		return left
	}
	return cluster.PodID(numberIn(ns.pods, int32(was)/2))
}

func numberIn(numbers []int32, i int32) int32 {
	if i < 0 || int(i) >= len(numbers) {
		return left
	}
	return numbers[i]
}

// comes reports whether an event brings a pod or node.
func comes(kind cluster.Kind) bool { return kind == cluster.PodAdded || kind == cluster.NodeAdded }
