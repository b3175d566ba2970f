package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Wakes implements scheduler.Waker.
func (na *nodeAffinity) Wakes() scheduler.Action { return nodeJoins | scheduler.UpdateNodeLabel }

// Wake implements scheduler.Waker: a node matches that is new, or did not match
// before. As upstream, a required term that can't be parsed wakes the pod whenever
// no other term matches; and whether the node matched the options before doesn't
// count.
func (na *nodeAffinity) Wake(_ *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	if c.What == scheduler.UpdateNodeTaint {
		return true
	}
	if na.required != nil && !na.required.Matches(c.Node.Name, c.Node.Labels) {
		return false
	}
	if !selectsNode(class, c.Node) {
		return hasAll(c.Node.Labels, class.NodeLabels) && anyUnparsable(class.RequiredNode)
	}
	return c.OldNode == nil || !selectsNode(class, c.OldNode)
}

// selectsNode reports whether the class's node selector and required affinity
// match a node.
func selectsNode(c *cluster.Class, n *cluster.NodeSpec) bool {
	return hasAll(n.Labels, c.NodeLabels) && (c.RequiredNode == nil || c.RequiredNode.Matches(n.Name, n.Labels))
}

// anyUnparsable reports whether a term has a requirement that can't be parsed.
func anyUnparsable(required *cluster.NodeSelector) bool {
	unparsable := func(r cluster.Requirement) bool { return r.Op == cluster.Unparsable }
	return required != nil && slices.ContainsFunc(required.Terms, func(t cluster.NodeSelectorTerm) bool {
		return slices.ContainsFunc(t.Labels, unparsable) || slices.ContainsFunc(t.Fields, unparsable)
	})
}
