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

// maxTried is how many results are remembered at most, of all classes.
const maxTried = 1 << 20

// remembered returns what is remembered for a class, by row; nil if there is no room.
func (d *defaultPreemption) remembered(s *cluster.State, c cluster.ClassID) []tried {
	rows := s.Nodes.Rows()
	if d.tried == nil {
		d.tried = map[cluster.ClassID][]tried{}
	}
	known := d.tried[c]
	if len(known) < rows {
		if d.size+rows-len(known) > maxTried {
			return nil
		}
		d.size += rows - len(known)
		known = append(known, make([]tried, rows-len(known))...)
		d.tried[c] = known
	}
	return known
}

// again is try, unless nothing has changed since it was tried.
func (d *defaultPreemption) again(s *cluster.State, p cluster.PodID, n cluster.NodeID, t *scheduler.Trial, known *tried) *candidate {
	if known.stamp != s.Nodes.Stamp[n] || known.budgets != s.Budgets.Epoch {
		stamp := s.Nodes.Stamp[n] // a trial changes it, and Undo brings it back
		*known = tried{stamp, s.Budgets.Epoch, d.try(s, p, n, t)}
	}
	return known.candidate
}
