package cluster

import (
	"encoding/binary"
	"slices"
)

// What a Decision says beside its kind, pod and node, in Decision.Detail: a Taint for
// Taint and Untaint, a StatusChange for SetConditions, a Cause for Evict,
// RequestEviction and Finalise, a *PodSpec for Create, a Stored for Store.
type Detail interface {
	// appendTo adds to the bytes that a Digest is of.
	appendTo(b []byte) []byte
}

// A StatusChange is what the conditions of a node were and are to be.
type StatusChange struct{ From, To Conditions }

// A Cause says why a pod is deleted: the reason of its condition DisruptionTarget, as
// Kubernetes writes it.
type Cause string

// The causes for which Kubernetes' own controllers delete pods.
const (
	DeletionByTaint       Cause = "DeletionByTaintManager"
	DeletionByPodGC       Cause = "DeletionByPodGC"
	EvictionByEvictionAPI Cause = "EvictionByEvictionAPI"
)

// Stored is an Object that takes another's place, which is nil if there was none.
type Stored struct{ From, To Object }

func (t Taint) appendTo(b []byte) []byte {
	b = appendString(appendString(b, t.Key), t.Value)
	return append(b, byte(t.Effect))
}

func (c StatusChange) appendTo(b []byte) []byte {
	for _, st := range c.To {
		b = append(b, byte(st))
	}
	return b
}

func (c Cause) appendTo(b []byte) []byte { return appendString(b, string(c)) }

func (p *PodSpec) appendTo(b []byte) []byte {
	return appendString(appendString(b, p.Class.Namespace), p.Name)
}

// appendTo tells of budgets and quotas also what the status says, since that is what is
// decided.
func (o Stored) appendTo(b []byte) []byte {
	b = appendString(b, o.To.key())
	switch to := o.To.(type) {
	case *DisruptionBudget:
		return to.appendStatus(b)
	case *ResourceQuota:
		return appendAmounts(appendAmounts(b, to.Enforced), to.Used)
	}
	return b
}

func (budget *DisruptionBudget) appendStatus(b []byte) []byte {
	for _, count := range []int32{budget.Allowed, budget.CurrentHealthy, budget.DesiredHealthy, budget.ExpectedPods} {
		b = binary.LittleEndian.AppendUint32(b, uint32(count))
	}
	for i, name := range budget.Disrupted {
		b = binary.LittleEndian.AppendUint64(appendString(b, name), uint64(budget.DisruptedAt[i]))
	}
	return b
}

// AddTaint decides that n gets a taint, in place of one with its key and effect. State
// shows it from now on; Nodes.Spec has it once the cluster says so.
func (s *State) AddTaint(n NodeID, t Taint) {
	before := s.Nodes.Taints[n]
	after := slices.DeleteFunc(slices.Clone(before), func(o Taint) bool { return o.Key == t.Key && o.Effect == t.Effect })
	s.setTaints(opTaint, n, t, append(after, t))
}

// RemoveTaint decides that n loses the taint with t's key and effect. It must have it.
func (s *State) RemoveTaint(n NodeID, t Taint) {
	before := s.Nodes.Taints[n]
	after := slices.DeleteFunc(slices.Clone(before), func(o Taint) bool { return o.Key == t.Key && o.Effect == t.Effect })
	if len(after) == len(before) {
		panic("cluster: RemoveTaint of " + t.Key + ", which " + s.Nodes.Name[n] + " has not")
	}
	s.setTaints(opUntaint, n, t, after)
}

func (s *State) setTaints(op op, n NodeID, t Taint, after []Taint) {
	s.journal = append(s.journal, entry{
		op: op, pod: None, node: n, stamp: s.Nodes.Stamp[n], since: s.changes.next(),
		detail: &detail{of: t, taints: s.Nodes.Taints[n]},
	})
	s.retaint(n, after)
}

// retaint has n show other taints.
func (s *State) retaint(n NodeID, taints []Taint) {
	s.Nodes.Taints[n] = taints
	s.Nodes.Epoch++
	s.touch(n)
}

// SetConditions decides what the status of n says.
func (s *State) SetConditions(n NodeID, to Conditions) {
	h := &s.Nodes.Health[n]
	s.journal = append(s.journal, entry{
		op: opConditions, pod: None, node: n, stamp: s.Nodes.Stamp[n], since: s.changes.next(),
		detail: &detail{of: StatusChange{From: h.Conditions, To: to}},
	})
	h.Conditions = to
}

// MarkUnready decides that p's status doesn't say any more that its containers are
// ready: nobody hears of its node. The pod must be on a node.
func (s *State) MarkUnready(p PodID) {
	n := s.Pods.Node[p]
	s.journal = append(s.journal, entry{op: opUnready, phase: s.Pods.Phase[p], pod: p, node: n, stamp: s.Nodes.Stamp[n], since: s.changes.next(), preempted: s.Pods.Unready[p]})
	s.Pods.Unready[p] = true
	s.changes.list = append(s.changes.list, Change{Node: n, Class: s.Pods.Class[p]})
}

// Delete decides that p ends, for a cause, within the grace that the pod is given,
// whatever budgets say.
func (s *State) Delete(p PodID, why Cause) { s.terminate(p, opEvict, &detail{of: why}) }

// RequestEviction asks for p's end, by the Eviction API: if budgets don't allow it, it
// comes back as a Rejected event.
func (s *State) RequestEviction(p PodID) {
	s.terminate(p, opRequest, &detail{of: EvictionByEvictionAPI})
}

// Finalise decides that p is gone at once, whether its node still runs it or not. A pod on
// no node must be Terminating, or be on a node that is not known.
func (s *State) Finalise(p PodID, why Cause) { s.terminate(p, opFinalise, &detail{of: why}) }

// Create decides that there is a new pod, which comes as a PodAdded event.
func (s *State) Create(spec *PodSpec) {
	s.journal = append(s.journal, entry{op: opCreate, pod: None, node: None, since: s.changes.next(), detail: &detail{of: spec}})
}

// Store decides that an Object is new, or takes the place of that with its key.
func (s *State) Store(o Object) {
	was := s.object(o)
	s.journal = append(s.journal, entry{op: opStore, pod: None, node: None, since: s.changes.next(), detail: &detail{of: Stored{From: was, To: o}}})
	s.setObject(o)
}

// detail is what an entry of the journal has beside, in rare cases.
type detail struct {
	of     Detail
	taints []Taint // of the node, before
}

// undoDetail undoes what is no matter of pods' places.
func (s *State) undoDetail(e *entry) {
	switch e.op {
	case opTaint, opUntaint:
		s.retaint(e.node, e.detail.taints)
		s.Nodes.Stamp[e.node] = e.stamp
	case opConditions:
		s.Nodes.Health[e.node].Conditions = e.detail.of.(StatusChange).From
	case opUnready:
		s.Pods.Unready[e.pod] = e.preempted
	case opStore:
		if o := e.detail.of.(Stored); o.From != nil {
			s.setObject(o.From)
		} else {
			s.removeObject(o.To)
		}
	}
}

// rejectDetail applies the inverse of a decision that is no matter of pods' places,
// unless something else has changed the same since.
func (s *State) rejectDetail(d Decision) {
	switch d.Kind {
	case AddTaint:
		t := d.Detail.(Taint)
		s.retaint(d.Node, slices.DeleteFunc(slices.Clone(s.Nodes.Taints[d.Node]), func(o Taint) bool { return o == t }))
	case RemoveTaint:
		t := d.Detail.(Taint)
		if !slices.ContainsFunc(s.Nodes.Taints[d.Node], func(o Taint) bool { return o.Key == t.Key && o.Effect == t.Effect }) {
			s.retaint(d.Node, append(slices.Clone(s.Nodes.Taints[d.Node]), t))
		}
	case SetConditions:
		if c := d.Detail.(StatusChange); s.Nodes.Health[d.Node].Conditions == c.To {
			s.Nodes.Health[d.Node].Conditions = c.From
		}
	case MarkUnready:
		s.Pods.Unready[d.Pod] = false
	case Store:
		if o := d.Detail.(Stored); s.object(o.To) == o.To {
			if o.From != nil {
				s.setObject(o.From)
			} else {
				s.removeObject(o.To)
			}
		}
	}
}
