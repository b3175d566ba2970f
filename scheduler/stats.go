package scheduler

import (
	"github.com/berthsim/berth/cluster"
)

// Stats are what a Scheduler counts of its work, with the meanings of
// kube-scheduler's metrics.
type Stats struct {
	Scheduled, Unschedulable, Errors uint64 // tries, by what came of them

	// Attempts[i] counts the pods that got a node at their (i+1)-th try; the last
	// place counts all that needed more. Waited[i] is how long those pods waited,
	// together, since they could be tried at first.
	Attempts [maxAttempts]uint64
	Waited   [maxAttempts]cluster.Time

	Flushed uint64 // pods that got a node after they were tried only because of their age

	HintsAsked, HintsQueue uint64 // plugins asked whether a change helps, and that said so
}

// maxAttempts is up to where tries are told apart, as in kube's metrics.
const maxAttempts = 15

// count counts a try that gave the pod node n.
func (st *Stats) count(s *cluster.State, e *queued, n cluster.NodeID, rejected uint64) {
	switch {
	case n == cluster.None && rejected == 0:
		st.Errors++
	case n == cluster.None:
		st.Unschedulable++
	default:
		st.Scheduled++
		i := min(e.attempts, maxAttempts) - 1
		st.Attempts[i]++
		st.Waited[i] += s.Now - e.first
		if e.flushed {
			st.Flushed++
		}
	}
}

// hints counts plugins that were asked about a change.
func (st *Stats) hints(asked, woken uint64) {
	for ; asked != 0; asked &= asked - 1 {
		st.HintsAsked++
	}
	for ; woken != 0; woken &= woken - 1 {
		st.HintsQueue++
	}
}

// Lengths are the numbers of pods in the parts of a queue.
type Lengths struct{ Active, Backoff, Unschedulable, Gated int }

// Stats returns what the Scheduler has counted so far.
func (sc *Scheduler) Stats() Stats { return sc.stats }

// Lengths returns how many pods wait now.
func (sc *Scheduler) Lengths() Lengths {
	q := &sc.queue
	l := Lengths{Active: q.active.live, Backoff: q.backing.live + q.failed.live}
	for _, g := range q.idle.all {
		if g.key.gate != ungated {
			l.Gated += len(g.pods)
		}
	}
	l.Unschedulable = q.idle.pods - l.Gated
	return l
}
