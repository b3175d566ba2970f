package lifecycle

import "slices"

// Shrink makes a timeline smaller for which fails says true, as long as it does: it leaves out events,
// pods, nodes with what belongs to them, tolerations and taints, takes default settings, and ends
// earlier. It asks at most tries times.
func Shrink(t *Timeline, fails func(*Timeline) bool, tries int) *Timeline {
	s := &shrinker{best: t.Clone(), fails: fails, tries: tries}
	for before := -1; before < s.taken && s.tries > 0; {
		before = s.taken
		s.pieces(len(s.best.Events), func(c *Timeline, i, j int) { c.Events = slices.Delete(c.Events, i, j) })
		s.pieces(len(s.best.Nodes), without)
		s.pieces(len(s.best.Pods), func(c *Timeline, i, j int) { c.Pods = slices.Delete(c.Pods, i, j) })
		s.words()
		s.try(func(c *Timeline) { c.Settings = DefaultSettings() })
		s.try(func(c *Timeline) { c.End = c.End * 2 / 3 })
	}
	return s.best
}

type shrinker struct {
	best  *Timeline
	fails func(*Timeline) bool
	tries int
	taken int // candidates that still failed
}

// try takes a changed copy if that still fails.
func (s *shrinker) try(change func(*Timeline)) bool {
	if s.tries <= 0 {
		return false
	}
	c := s.best.Clone()
	change(c)
	if c.String() == s.best.String() {
		return false
	}
	s.tries--
	if !s.fails(c.Clone()) {
		return false
	}
	s.best = c
	s.taken++
	return true
}

// pieces leaves out pieces of a list of n, large ones first.
func (s *shrinker) pieces(n int, leave func(c *Timeline, i, j int)) {
	for size := max(n/2, 1); size >= 1; size /= 2 {
		for i := 0; i < n; {
			j := min(i+size, n)
			if s.try(func(c *Timeline) { leave(c, i, j) }) {
				n -= j - i
			} else {
				i = j
			}
		}
	}
}

// without leaves out nodes, their pods and their events.
func without(c *Timeline, i, j int) {
	gone := map[string]bool{}
	for _, n := range c.Nodes[i:j] {
		gone[n.Name] = true
	}
	c.Nodes = slices.Delete(c.Nodes, i, j)
	for _, n := range c.Nodes {
		delete(gone, n.Name) // it is added twice
	}
	c.Pods = slices.DeleteFunc(c.Pods, func(p Pod) bool { return gone[p.Node] })
	c.Events = slices.DeleteFunc(c.Events, func(e Event) bool { return verbs[e.Verb] && gone[e.Name] })
}

// words leaves out what is said of nodes and pods.
func (s *shrinker) words() {
	for i := range s.best.Nodes {
		s.try(func(c *Timeline) { c.Nodes[i].Taints = nil })
		s.try(func(c *Timeline) { c.Nodes[i].Cordoned = false })
		s.try(func(c *Timeline) { c.Nodes[i].Excluded = false })
		s.try(func(c *Timeline) { c.Nodes[i].Silent = false })
		s.try(func(c *Timeline) { c.Nodes[i].Age = 0 })
		s.try(func(c *Timeline) { c.Nodes[i].Status = Beat{} })
	}
	for i := range s.best.Pods {
		s.try(func(c *Timeline) { c.Pods[i].NotReady = false })
		s.try(func(c *Timeline) { c.Pods[i].Stop = 0 })
		for j := len(s.best.Pods[i].Tolerations) - 1; j >= 0; j-- {
			s.try(func(c *Timeline) {
				c.Pods[i].Tolerations = slices.Delete(slices.Clone(c.Pods[i].Tolerations), j, j+1)
			})
		}
	}
}
