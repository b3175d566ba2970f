package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// tried is what came of trying a node for pods of a class, when its row had a stamp and
// the table of budgets an epoch.
type tried struct {
	stamp, budgets uint64
	*candidate     // nil if they would not fit
}

// A memory is what is remembered of a class.
type memory struct {
	tried []tried // by row

	// vain says that preemption helped pods of the class on no node when the State's log of
	// changes was at position, and nodes and budgets had these epochs. Then only nodes that
	// have changed since can be otherwise.
	vain           bool
	position       uint64
	nodes, budgets uint64
}

// maxTried is how many results are remembered at most, of all classes.
const maxTried = 1 << 22

// remembered returns what is remembered of a class; nil if there is no room.
func (d *defaultPreemption) remembered(s *cluster.State, c cluster.ClassID) *memory {
	rows := s.Nodes.Rows()
	if d.known == nil {
		d.known = map[cluster.ClassID]*memory{}
	}
	m := d.known[c]
	if m == nil {
		m = &memory{}
		d.known[c] = m
	}
	if grows := rows - len(m.tried); grows > 0 {
		if d.size+grows > maxTried {
			return nil
		}
		d.size += grows
		m.tried = append(m.tried, make([]tried, grows)...)
	}
	return m
}

// again is try, unless nothing has changed since it was tried for a pod of the class. Known is
// nil if nothing is remembered. Where a node is kept for others, the answer depends on them,
// too.
func (d *defaultPreemption) again(s *cluster.State, p cluster.PodID, n cluster.NodeID, t *scheduler.Trial, known *memory) *candidate {
	if known == nil || isKept(s, n) {
		return d.try(s, p, n, t)
	}
	k := &known.tried[n]
	if k.stamp != s.Nodes.Stamp[n] || k.budgets != s.Budgets.Epoch {
		stamp := s.Nodes.Stamp[n] // a trial changes it, and Undo brings it back
		*k = tried{stamp, s.Budgets.Epoch, d.try(s, p, n, t)}
	}
	return k.candidate
}

// isKept reports whether n is kept for a pod.
func isKept(s *cluster.State, n cluster.NodeID) bool {
	if !s.AnyNominee() {
		return false
	}
	for range s.Nominees(n) {
		return true
	}
	return false
}

// conclude remembers whether preemption helps on no node, if that depends on nothing but rows.
func (m *memory) conclude(s *cluster.State, vain bool) {
	m.vain = vain && !s.AnyNominee()
	m.position, m.nodes, m.budgets = s.LastChange(), s.Nodes.Epoch, s.Budgets.Epoch
}

// inVain reports whether it is known that preemption helps on no node. It looks at those that
// have changed since that was so, and at those that are kept for pods.
func (d *defaultPreemption) inVain(s *cluster.State, p cluster.PodID, diag *scheduler.Diagnosis, t *scheduler.Trial, m *memory) bool {
	if !m.vain || m.nodes != s.Nodes.Epoch || m.budgets != s.Budgets.Epoch {
		return false
	}
	list, now, ok := s.ChangesSince(m.position)
	if !ok || len(list) > len(s.Nodes.Live()) {
		return false
	}
	d.nodes = d.nodes[:0]
	for i := range list {
		if n := list[i].Node; s.Nodes.IsLive(n) {
			d.nodes = append(d.nodes, n)
		}
	}
	for n := range s.NominatedNodes() {
		if s.Nodes.IsLive(n) {
			d.nodes = append(d.nodes, n)
		}
	}
	for _, n := range d.nodes {
		if diag.Of(n).Code == scheduler.Unschedulable && d.again(s, p, n, t, m) != nil {
			return false
		}
	}
	if !s.AnyNominee() {
		m.position = now
	}
	return true
}
