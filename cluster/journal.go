package cluster

import (
	"fmt"
	"slices"
)

// An entry of the journal is one write, with what it takes to undo it.
type entry struct {
	op    op
	phase Phase // before
	pod   PodID
	node  NodeID
	alloc Allocation
	stamp uint64     // of the node's row, before
	since uint64     // position in the log of Changes, before
	kept  nomination // before, of what a Bind or Nominate changes

	hoped   string // before a Nominate: the node that the pod hoped for
	hopedAt int    // and the place of that among hopes

	prev, next PodID // in the node's list, before a Remove or Release
	preempted  bool  // before an Evict or Preempt; before a MarkUnready, whether it was unready

	detail *detail
}

type op uint8

const (
	opBind op = iota
	opEvict
	opPreempt
	opNominate
	opRemove
	opTry
	opReserve
	opConfirm
	opRelease

	opRequest
	opFinalise
	opTaint
	opUntaint
	opConditions
	opUnready
	opCreate
	opStore
)

// Bind decides that p runs on n with the devices a, and shows it there from now
// on. The pod must be Pending, and a must be free on n.
func (s *State) Bind(p PodID, n NodeID, a Allocation) { s.assume(p, n, a, opBind) }

// Reserve is Bind without a decision: it holds room for p, which is Assumed from
// now on, until Confirm or Release, be it in a later Step.
func (s *State) Reserve(p PodID, n NodeID, a Allocation) { s.assume(p, n, a, opReserve) }

// Confirm decides that p runs where Reserve has put it.
func (s *State) Confirm(p PodID) {
	n := s.Pods.Node[p]
	if s.Pods.Phase[p] != Assumed || s.Nodes.gone[n] {
		panic("cluster: Confirm of " + s.PodName(p) + ", which is not reserved on a node that is there")
	}
	s.journal = append(s.journal, entry{op: opConfirm, phase: Assumed, pod: p, node: n, alloc: s.Pods.Allocation[p], stamp: s.Nodes.Stamp[n], since: s.changes.next()})
}

// Release takes back a Reserve: p is Pending again.
func (s *State) Release(p PodID) {
	n := s.Pods.Node[p]
	if s.Pods.Phase[p] != Assumed {
		panic("cluster: Release of " + s.PodName(p) + ", which is not reserved")
	}
	s.journal = append(s.journal, entry{
		op: opRelease, phase: Assumed, pod: p, node: n, alloc: s.Pods.Allocation[p], stamp: s.Nodes.Stamp[n], since: s.changes.next(),
		prev: s.Pods.prev[p], next: s.Pods.next[p],
	})
	s.displace(p)
	s.spareIfEmpty(n)
	s.Pods.Phase[p] = Pending
	s.pending++
}

func (s *State) assume(p PodID, n NodeID, a Allocation, op op) {
	if ph := s.Pods.Phase[p]; ph != Pending || s.Pods.Node[p] != None {
		panic(fmt.Sprintf("cluster: Bind of %s, which is %v", s.PodName(p), ph))
	}
	if s.Nodes.gone[n] {
		panic("cluster: Bind of " + s.PodName(p) + " to " + s.Nodes.Name[n] + ", which was removed")
	}
	s.mustFit(p, n, a)
	kept := s.nominate(p, None)
	s.journal = append(s.journal, entry{op: op, phase: Pending, pod: p, node: n, alloc: a, stamp: s.Nodes.Stamp[n], since: s.changes.next(), kept: kept})
	s.Pods.Phase[p] = Assumed
	s.pending--
	s.place(p, n, a)
}

// mustFit panics unless a is what p asks for and n has it free. Allocators
// choose devices; getting them wrong is a programmer's error.
func (s *State) mustFit(p PodID, n NodeID, a Allocation) {
	want := s.Class(p).GPUs
	free, got := s.Nodes.GPUFree[n], int32(0)
	for i := range free {
		if a.GPUs.Has(i) && free[i] >= want.Shares {
			got++
		}
	}
	if got != want.Count || a.GPUs>>len(free) != 0 {
		panic(fmt.Sprintf("cluster: GPUs %b of %s do not serve %s, which asks for %d with %d shares free",
			a.GPUs, s.Nodes.Name[n], s.PodName(p), want.Count, want.Shares))
	}
}

// Evict decides that p ends. It is Terminating from now on; its room is free
// only when the cluster says that it has ended. The pod must be on a node.
func (s *State) Evict(p PodID) { s.terminate(p, opEvict, nil) }

// Preempt is Evict, to make room for another pod.
func (s *State) Preempt(p PodID) { s.terminate(p, opPreempt, nil) }

func (s *State) terminate(p PodID, op op, beside *detail) {
	n := s.Pods.Node[p]
	if n == None && op == opFinalise && s.Pods.Phase[p] != Pending {
		s.journal = append(s.journal, entry{op: op, phase: s.Pods.Phase[p], pod: p, node: None, since: s.changes.next(), preempted: s.Pods.Preempted[p], detail: beside})
		s.Pods.Phase[p] = Terminating
		return
	}
	if n == None {
		panic("cluster: the end of " + s.PodName(p) + ", which is on no node")
	}
	s.journal = append(s.journal, entry{op: op, phase: s.Pods.Phase[p], pod: p, node: n, alloc: s.Pods.Allocation[p], stamp: s.Nodes.Stamp[n], since: s.changes.next(), preempted: s.Pods.Preempted[p], detail: beside})
	if s.Pods.Phase[p] != Terminating {
		s.noteStaying(p, n, -1)
	}
	s.Pods.Phase[p] = Terminating
	s.Pods.Preempted[p] = s.Pods.Preempted[p] || op == opPreempt
	s.touch(n)
}

// Nominate decides that n is kept for p, None to keep nothing, be it a node that is
// not known. The pod must be Pending.
func (s *State) Nominate(p PodID, n NodeID) {
	if ph := s.Pods.Phase[p]; ph != Pending {
		panic(fmt.Sprintf("cluster: Nominate of %s, which is %v", s.PodName(p), ph))
	}
	hoped, at := s.Hope(p), s.hopeOf(p)
	s.hope(p, "")
	s.journal = append(s.journal, entry{op: opNominate, phase: Pending, pod: p, node: n, since: s.changes.next(), kept: s.nominate(p, n), hoped: hoped, hopedAt: at})
}

// Try puts p on n for a trial, whether it fits there or not: it emits no
// decision, and must be undone within the Step. The pod must be on no node,
// because it wants one or because a trial removed it.
func (s *State) Try(p PodID, n NodeID, a Allocation) {
	if s.Pods.Node[p] != None {
		panic("cluster: Try of " + s.PodName(p) + ", which is on a node")
	}
	s.journal = append(s.journal, entry{op: opTry, phase: s.Pods.Phase[p], pod: p, node: n, stamp: s.Nodes.Stamp[n], since: s.changes.next()})
	s.place(p, n, a)
}

// Remove takes p off its node for a trial: it emits no decision, and must be
// undone within the Step. The pod must be on a node.
func (s *State) Remove(p PodID) {
	n := s.Pods.Node[p]
	s.journal = append(s.journal, entry{
		op: opRemove, phase: s.Pods.Phase[p], pod: p, node: n, alloc: s.Pods.Allocation[p], stamp: s.Nodes.Stamp[n], since: s.changes.next(),
		prev: s.Pods.prev[p], next: s.Pods.next[p],
	})
	s.displace(p)
}

// Mark returns a point that Undo can go back to, within the same Step.
func (s *State) Mark() int { return len(s.journal) }

// Undo takes back everything written since mark, last first. Afterwards the
// State is as it was, stamps included.
func (s *State) Undo(mark int) {
	for i := len(s.journal) - 1; i >= mark; i-- {
		s.undo(s.journal[i])
	}
	if mark < len(s.journal) {
		s.changes.forget(s.journal[mark].since)
	}
	s.journal = s.journal[:mark]
}

func (s *State) undo(e entry) {
	switch e.op {
	case opBind, opReserve:
		s.displace(e.pod)
		s.pending++
		s.renominate(e.pod, e.kept)
	case opConfirm:
		return
	case opTaint, opUntaint, opConditions, opUnready, opCreate, opStore:
		s.undoDetail(&e)
		return
	case opEvict, opPreempt, opRequest, opFinalise:
		s.Pods.Preempted[e.pod] = e.preempted
		if e.node == None {
			s.Pods.Phase[e.pod] = e.phase
			return
		}
		if e.phase != Terminating {
			s.noteStaying(e.pod, e.node, +1)
		}
	case opTry:
		s.displace(e.pod)
	case opNominate:
		s.renominate(e.pod, e.kept)
		if e.hoped != "" {
			s.hopes = slices.Insert(s.hopes, e.hopedAt, hope{e.pod, e.hoped})
		}
		return
	case opRelease, opRemove:
		if e.op == opRelease {
			s.pending--
			s.unspare(e.node)
		}
		s.Pods.Node[e.pod] = e.node
		s.Pods.Allocation[e.pod] = e.alloc
		s.relink(e.pod, e.node, e.prev, e.next)
		s.charge(e.pod, e.node, e.alloc, +1)
	}
	s.Pods.Phase[e.pod] = e.phase
	// The row is what it was under this stamp, so what was remembered of it
	// under this stamp holds again.
	s.Nodes.Stamp[e.node] = e.stamp
}

// decides maps those writes that are decisions to their kinds.
var decides = [...]Kind{
	opBind: Bind, opConfirm: Bind, opEvict: Evict, opPreempt: Preempt, opNominate: Nominate,
	opRequest: RequestEviction, opFinalise: Finalise, opTaint: AddTaint, opUntaint: RemoveTaint,
	opConditions: SetConditions, opUnready: MarkUnready, opCreate: Create, opStore: Store,
}

// TakeDecisions returns the decisions made since the last call, in order. The
// slice is valid until the next call. A trial Remove must have been undone.
func (s *State) TakeDecisions() []Decision {
	s.decisions = s.decisions[:0]
	for i := range s.journal {
		e := &s.journal[i]
		if e.op == opRemove || e.op == opTry {
			panic("cluster: a trial was not undone")
		}
		if decides[e.op] == 0 {
			continue
		}
		d := Decision{Kind: decides[e.op], Pod: e.pod, Node: e.node, Allocation: e.alloc}
		if e.detail != nil {
			d.Detail = e.detail.of
		}
		s.decisions = append(s.decisions, d)
	}
	s.journal = s.journal[:0]
	return s.decisions
}
