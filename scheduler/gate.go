package scheduler

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A Gate can keep a pod from being bound that has found its node: kube's Reserve
// and Permit. The pod's room is held for it meanwhile, so that a Gate can wait for
// the rest of a gang, or for a quota.
type Gate interface {
	// Permit says whether p may be bound to n, where the State shows it already:
	// Success; Wait, for at most so long, after which it is rejected; or a
	// rejection. It must not write to s.
	Permit(s *cluster.State, p cluster.PodID, n cluster.NodeID) (v Verdict, atMost cluster.Time)

	// Settle is asked again and again about a pod that waits: Success lets it go
	// on, Wait lets it wait, and anything else rejects it. It must not write to s.
	Settle(s *cluster.State, p cluster.PodID) Verdict
}

// maxWait is the longest that a pod waits for a Gate, as kube has it.
const maxWait = 15 * cluster.Minute

// A held pod waits for Gates.
type held struct {
	pod   cluster.PodID
	order uint64
	began cluster.Time
	gates []heldBy
}

// heldBy is a Gate that a pod waits for, by its place in the profile, and for how
// long at most.
type heldBy struct {
	gate  int
	until cluster.Time
}

// permit asks the Gates about p, for which the State holds room on n. If one rejects it,
// bit is that Gate's. Otherwise waits are those that p must wait for.
func (pr *Profile) permit(s *cluster.State, p cluster.PodID, n cluster.NodeID) (bit uint64, code Code, waits []heldBy) {
	for i := range pr.gates {
		g := &pr.gates[i]
		pr.watch.begin(PhasePermit, g.name)
		v, atMost := g.Permit(s, p, n)
		pr.watch.end()
		switch v.Code {
		case Success:
		case Wait:
			waits = append(waits, heldBy{i, s.Now + min(atMost, maxWait)})
		default:
			return 1 << g.bit, v.Code, nil
		}
	}
	return 0, Success, waits
}

// settle asks the Gates that a pod waits for again. It returns those that are left,
// or the one that rejects the pod; a Gate does when its time is over.
func (pr *Profile) settle(s *cluster.State, h *held) (bit uint64, code Code) {
	left := h.gates[:0]
	for _, by := range h.gates {
		g := &pr.gates[by.gate]
		switch v := g.Settle(s, h.pod); {
		case v.Code == Success:
		case v.Code != Wait:
			return 1 << g.bit, v.Code
		case s.Now >= by.until:
			return 1 << g.bit, Unschedulable
		default:
			left = append(left, by)
		}
	}
	h.gates = left
	return 0, Success
}

// reserve holds room for p on the node that was chosen, and asks the Gates what comes
// of it.
func (sc *Scheduler) reserve(s *cluster.State, p cluster.PodID, f *flying) {
	s.Reserve(p, f.node, f.devices)
	bit, code, waits := sc.profile(s, p).permit(s, p, f.node)
	switch {
	case bit != 0:
		s.Release(p)
		sc.refuse(s, p, f.node, bit, code)
	case len(waits) > 0:
		sc.queue.pods[p].told = true
		sc.held = append(sc.held, held{p, f.order, s.Now, waits})
	default:
		sc.confirm(s, p)
	}
	sc.settleAll(s)
}

// refuse takes back into the queue a pod that a Gate keeps from n, at once.
func (sc *Scheduler) refuse(s *cluster.State, p cluster.PodID, n cluster.NodeID, bit uint64, code Code) {
	sc.tell(s, p, cluster.None, bit)
	sc.queue.fail(s, p, bit, pendingIf(bit, code))
	sc.disappoint(s, p, n)
}

// confirm binds p where room is held for it.
func (sc *Scheduler) confirm(s *cluster.State, p cluster.PodID) {
	sc.tell(s, p, s.Pods.Node[p], 0)
	sc.queue.done(p)
	s.Confirm(p)
}

// settleAll lets the pods go, or takes them back, for which Gates have made up their
// minds. A pod that goes may be what others wait for, so it begins again then.
func (sc *Scheduler) settleAll(s *cluster.State) {
	sc.dropTaken(s)
	for again := true; again; {
		again = false
		for i := 0; i < len(sc.held); i++ {
			h := &sc.held[i]
			bit, code := sc.profile(s, h.pod).settle(s, h)
			if bit == 0 && len(h.gates) > 0 {
				continue
			}
			p := h.pod
			sc.held = slices.Delete(sc.held, i, i+1)
			sc.release(s, p, bit, code)
			again = true
			break
		}
	}
}

// dropTaken forgets the pods that waited and that another controller has decided
// about since, which shows before any event tells of it: there is nothing left to
// bind or to take back. One that wants a node again is tried again, as after an
// error.
func (sc *Scheduler) dropTaken(s *cluster.State) {
	sc.held = slices.DeleteFunc(sc.held, func(h held) bool {
		p := h.pod
		if s.Pods.Phase[p] == cluster.Assumed {
			return false
		}
		sc.changed = s.Now
		if s.Pods.Phase[p] == cluster.Pending && sc.queue.pods[p].place == inFlight {
			sc.tell(s, p, cluster.None, 0)
			sc.queue.fail(s, p, 0, 0)
		}
		sc.queue.done(p)
		return true
	})
}

// release binds a pod that waited, or takes it back if a Gate rejects it or its node
// is gone.
func (sc *Scheduler) release(s *cluster.State, p cluster.PodID, bit uint64, code Code) {
	sc.changed = s.Now
	n := s.Pods.Node[p]
	if bit == 0 && s.Nodes.IsLive(n) {
		sc.confirm(s, p)
		return
	}
	was := s.PodState(p)
	s.Release(p)
	sc.tell(s, p, cluster.None, bit)
	sc.queue.fail(s, p, bit, pendingIf(bit, code))
	// The pod itself isn't helped by its own leaving.
	sc.queue.moveOthers(s, Change{What: PodDelete, OldPod: was}, p)
	sc.disappoint(s, p, n)
}

// disappoint tells of a pod that does not get its node, although its status says
// that one is kept for it: it was nominated, or kube-scheduler has said so while it
// waited. That this is taken away is an event, for the pod itself, too.
func (sc *Scheduler) disappoint(s *cluster.State, p cluster.PodID, n cluster.NodeID) {
	if !sc.queue.pods[p].told {
		return
	}
	was := s.PodState(p)
	was.Nominated = n
	if s.Hope(p) != "" {
		s.Nominate(p, cluster.None)
	}
	sc.queue.move(s, Change{What: PodDelete, OldPod: was}, s.Class(p).Priority)
}

// giveWay takes back a pod that waits, since another is to have its room: nobody
// need be told to end. As in kube-scheduler it is an error of its try.
func (sc *Scheduler) giveWay(s *cluster.State, p cluster.PodID) {
	sc.drop(p)
	was := s.PodState(p)
	s.Release(p)
	sc.queue.move(s, Change{What: PodDelete, OldPod: was}, everyone)
	sc.tell(s, p, cluster.None, 0)
	sc.queue.fail(s, p, 0, 0)
	sc.disappoint(s, p, was.Node)
}

// pendingIf returns the bit if its plugin said Pending.
func pendingIf(bit uint64, code Code) uint64 {
	if code == Pending {
		return bit
	}
	return 0
}

// isHeld reports whether p waits for Gates.
func (sc *Scheduler) isHeld(s *cluster.State, p cluster.PodID) bool {
	return slices.ContainsFunc(sc.held, func(h held) bool { return h.pod == p && h.order == s.Pods.Order[p] })
}

// drop forgets a pod that waited: it is gone, or was told to end.
func (sc *Scheduler) drop(p cluster.PodID) {
	sc.held = slices.DeleteFunc(sc.held, func(h held) bool { return h.pod == p })
}

// nextHeld returns when the first wait is over.
func (sc *Scheduler) nextHeld() cluster.Time {
	next := cluster.Never
	for i := range sc.held {
		for _, by := range sc.held[i].gates {
			next = min(next, by.until)
		}
	}
	return next
}
