package eviction

import (
	"github.com/berthsim/berth/cluster"
)

// taintOf returns the NoExecute taint of a node whose condition Ready is False or Unknown.
func taintOf(ready cluster.ConditionStatus) cluster.Taint {
	if ready == cluster.ConditionFalse {
		return cluster.Taint{Key: cluster.TaintNotReady, Effect: cluster.NoExecute}
	}
	return cluster.Taint{Key: cluster.TaintUnreachable, Effect: cluster.NoExecute}
}

// opposite returns the status whose taint goes when the other's comes.
func opposite(ready cluster.ConditionStatus) cluster.ConditionStatus {
	if ready == cluster.ConditionFalse {
		return cluster.ConditionUnknown
	}
	return cluster.ConditionFalse
}

// hasTaint reports whether there is one with t's key and effect.
func hasTaint(taints []cluster.Taint, t cluster.Taint) bool {
	for i := range taints {
		if taints[i].Key == t.Key && taints[i].Effect == t.Effect {
			return true
		}
	}
	return false
}

// judge has the node wait to be tainted, or has its taints go
// (Controller.processTaintBaseEviction). It goes by the taints before the look.
func (h *Health) judge(s *cluster.State, n *nodeHealth) {
	if n.ready == cluster.ConditionTrue {
		h.reach(s, n)
		return
	}
	if hasTaint(n.taints, taintOf(opposite(n.ready))) { // it has been its turn
		h.swap(s, n)
		return
	}
	if !hasTaint(n.taints, taintOf(n.ready)) {
		n.zone.release(n)
	}
	n.zone.join(n, s.Now)
}

// swap gives the node the taint of its condition, and takes the opposite one.
func (h *Health) swap(s *cluster.State, n *nodeHealth) {
	ready := s.Nodes.Health[n.node].Conditions[cluster.NodeReady]
	if is := taintOf(ready); !hasTaint(s.Nodes.Taints[n.node], is) {
		s.AddTaint(n.node, is)
	}
	if not := taintOf(opposite(ready)); hasTaint(s.Nodes.Taints[n.node], not) {
		s.RemoveTaint(n.node, not)
	}
}

// reach has a node be as one that was never silent (Controller.markNodeAsReachable).
func (h *Health) reach(s *cluster.State, n *nodeHealth) {
	before := n.taints
	if before == nil {
		before = s.Nodes.Taints[n.node]
	}
	for _, ready := range []cluster.ConditionStatus{cluster.ConditionUnknown, cluster.ConditionFalse} {
		if t := taintOf(ready); hasTaint(before, t) && hasTaint(s.Nodes.Taints[n.node], t) {
			s.RemoveTaint(n.node, t)
		}
	}
	n.zone.release(n)
}

// pass taints those nodes whose turn it is (Controller.doNoExecuteTaintingPass), and
// reports whether there were any.
func (h *Health) pass(s *cluster.State) (done bool) {
	for _, z := range h.lines {
		for len(z.line) > 0 && z.ask <= s.Now {
			i, at := h.policy.NextNode(s, z)
			if at > s.Now {
				z.ask = at
				break
			}
			h.turn(s, z, i)
			done = true
		}
	}
	return done
}

// turn has the i-th node in a zone's line have its turn, whatever comes of it.
func (h *Health) turn(s *cluster.State, z *Zone, i int) {
	n := z.line[i].node
	z.drop(i)
	if n.node == cluster.None {
		return
	}
	switch s.Nodes.Health[n.node].Conditions[cluster.NodeReady] {
	case cluster.ConditionFalse, cluster.ConditionUnknown:
		h.swap(s, n)
	case cluster.ConditionAbsent: // it was removed and has come back, and has said nothing yet
		z.wait(waiter{s.Now + retryAfter, n})
	}
}

// retryAfter is when a node that can't be judged has its turn again.
const retryAfter = 50*cluster.Millisecond + 1

// nextPass returns when a node may have its turn: Never if none is waiting for that.
func (h *Health) nextPass(now cluster.Time) cluster.Time {
	next := cluster.Never
	for _, z := range h.lines {
		if len(z.line) > 0 && z.ask != cluster.Never {
			next = min(next, h.gridFrom(max(z.ask, now+1), taintPeriod))
		}
	}
	return next
}

// conditionTaints are the keys of the NoSchedule taints that a condition's status brings.
var conditionTaints = []struct {
	condition cluster.NodeCondition
	status    cluster.ConditionStatus
	key       string
}{
	{cluster.NodeReady, cluster.ConditionFalse, cluster.TaintNotReady},
	{cluster.NodeReady, cluster.ConditionUnknown, cluster.TaintUnreachable},
	{cluster.NodeMemoryPressure, cluster.ConditionTrue, cluster.TaintMemoryPressure},
	{cluster.NodeDiskPressure, cluster.ConditionTrue, cluster.TaintDiskPressure},
	{cluster.NodeNetworkUnavailable, cluster.ConditionTrue, cluster.TaintNetworkUnavailable},
	{cluster.NodePIDPressure, cluster.ConditionTrue, cluster.TaintPIDPressure},
}

// taintByConditions has a node have those NoSchedule taints that its conditions bring, and
// no others of theirs (Controller.doNoScheduleTaintingPass).
func (h *Health) taintByConditions(s *cluster.State, row cluster.NodeID) {
	conditions := &s.Nodes.Health[row].Conditions
	for _, c := range conditionTaints {
		setTaint(s, row, c.key, conditions[c.condition] == c.status)
	}
	setTaint(s, row, cluster.TaintUnschedulable, s.Nodes.Unschedulable[row])
}

// setTaint has a node have a NoSchedule taint, or not.
func setTaint(s *cluster.State, row cluster.NodeID, key string, wanted bool) {
	t := cluster.Taint{Key: key, Effect: cluster.NoSchedule}
	switch has := hasTaint(s.Nodes.Taints[row], t); {
	case wanted && !has:
		s.AddTaint(row, t)
	case has && !wanted:
		s.RemoveTaint(row, t)
	}
}
