package cluster

// A Change is something that happened to a node's row: a pod came to be on the node
// or left it, was told to end, or was marked as not ready (On and Staying are 0 then).
// Whoever keeps what follows from rows brings it up to date by them.
type Change struct {
	Node  NodeID
	Class ClassID // of the pod

	On      int8 // 1 if the pod is on the node now and was not, -1 if it was and is not
	Staying int8 // the same, where pods that have been told to end don't count
}

// changes is the log of the last Changes. Positions in it count from the beginning
// of the run, and are never used twice for different things that somebody has read.
type changes struct {
	list []Change
	base uint64 // position of list[0]
	read uint64 // the furthest that anybody has read to
}

// minChanges is how many Changes the log holds at least.
const minChanges = 1 << 12

func (l *changes) next() uint64 { return l.base + uint64(len(l.list)) }

// trim forgets what is so long ago that to look at all rows is quicker. It must not be
// called while something may be undone.
func (l *changes) trim(rows int) {
	keep := max(minChanges, 2*rows)
	if len(l.list) < 2*keep {
		return
	}
	drop := len(l.list) - keep
	l.base += uint64(drop)
	l.list = l.list[:copy(l.list, l.list[drop:])]
}

// forget takes back what was noted since a position, unless somebody has read it: what
// was done has been undone.
func (l *changes) forget(since uint64) {
	if l.read <= since {
		l.list = l.list[:since-l.base]
	}
}

// ChangesSince returns what happened to rows since a position, 0 for the beginning, and
// the position up to now. ok is false if that is too long ago. The description of nodes
// and which there are have an epoch of their own. The slice is valid until something is
// written.
func (s *State) ChangesSince(position uint64) (list []Change, now uint64, ok bool) {
	l := &s.changes
	now = l.next()
	l.read = max(l.read, now)
	if position < l.base {
		return nil, now, false
	}
	return l.list[position-l.base:], now, true
}

// note writes down that p came to n or left it.
func (s *State) note(p PodID, n NodeID, sign int64) {
	c := Change{Node: n, Class: s.Pods.Class[p], On: int8(sign)}
	if s.Pods.Phase[p] != Terminating {
		c.Staying = c.On
	}
	s.changes.list = append(s.changes.list, c)
}

// noteStaying writes down that p, which is on n, was told to end, or no longer is.
func (s *State) noteStaying(p PodID, n NodeID, sign int8) {
	s.changes.list = append(s.changes.list, Change{Node: n, Class: s.Pods.Class[p], Staying: sign})
}

// LastChange returns the position of now in the log of Changes.
func (s *State) LastChange() uint64 { return s.changes.next() }
