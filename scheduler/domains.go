package scheduler

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// A DomainRule says how answers about pods of a class follow from numbers of pods in
// topology domains. The framework counts.
type DomainRule struct {
	Columns []DomainColumn

	// Brings returns what a pod of class c adds to columns while it is on a node. ok is
	// false if Columns don't do, now that there are such pods: the rule must be made
	// anew.
	Brings func(c cluster.ClassID) (shares []Share, ok bool)

	// May is a Filter's verdict about the nodes of a cell.
	May func(at Cell) bool

	// Scores sets out[i] to a Scorer's raw score of the nodes of cells[i]. Cells are
	// all that have feasible nodes.
	Scores func(cells []Cell, out []int64)
}

// A DomainColumn is a number for each domain of a topology key: the sum of the Shares of
// the pods there.
type DomainColumn struct {
	Key     string // label of nodes
	PerNode bool   // each node that has the label is a domain of its own, whatever its value
	Staying bool   // pods that have been told to end don't count
	Least   bool   // Cell.Least will be asked for
	Few     bool   // Cell.Domain will be asked for: all domains are gone through, be they many

	// Counts reports whether pods on n count, and make its domain eligible; nil if they
	// do on all. It may depend on n's description.
	Counts func(n cluster.NodeID) bool

	// Most is a number that is as good as all above it; 0 if there is none.
	Most int64
}

// A Share is what a pod adds to a column.
type Share struct {
	Column int
	Weight int64
}

// A Cell is nodes that are in the same domains, or in domains with the same numbers: a
// rule can't tell them apart.
type Cell struct {
	rule *tally
	*bloc
}

// Nodes returns how many feasible nodes there are in the cell.
func (at Cell) Nodes() int { return at.feasible }

// In reports whether the nodes are in a domain of a column.
func (at Cell) In(column int) bool {
	c := &at.rule.columns[column]
	if c.fine {
		return at.values[c.slot] != nowhere
	}
	return at.kind.domains[c.slot] != noDomain
}

// Domain returns the number of the domain of a column with Few that the nodes are in, -1
// if they are in none. It says only which cells are in the same.
func (at Cell) Domain(column int) int32 { return at.kind.domains[at.rule.columns[column].slot] }

// Count returns the number of the domain that the nodes are in, 0 if they are in none.
func (at Cell) Count(column int) int64 {
	c := &at.rule.columns[column]
	if c.fine {
		if v := at.values[c.slot]; v != nowhere {
			return v
		}
		return 0
	}
	if d := at.kind.domains[c.slot]; d != noDomain {
		return c.counts[d]
	}
	return 0
}

// Total returns the sum over all domains of a column.
func (at Cell) Total(column int) int64 { return at.rule.columns[column].total }

// Least returns the lowest number of an eligible domain of a column, MaxInt64 if none
// is eligible; and how many are.
func (at Cell) Least(column int) (least int64, eligible int) {
	c := &at.rule.columns[column]
	return c.least(), c.eligible
}

// noDomain is the domain of a node without the label, nowhere its number.
const (
	noDomain = -1
	nowhere  = math.MinInt64
)

// A tally counts for a rule.
type tally struct {
	*DomainRule
	plugin  int // its place in the profile
	columns []column
	shares  [][]Share // by ClassID; none past the end
}

// A column is a DomainColumn with its numbers.
type column struct {
	DomainColumn
	fine bool // domains are nearly as many as nodes
	slot int  // among the fine columns of all rules, or among the others
	*keyIndex
	in     []bool  // by node, of Counts; nil for all
	counts []int64 // by domain
	total  int64

	eligible int           // domains, if Least
	counted  []bool        // by domain, whether it is eligible
	having   map[int64]int // eligible domains by their numbers
	lowest   int64
}

// least returns the lowest number of an eligible domain.
func (c *column) least() int64 {
	if c.eligible == 0 {
		return math.MaxInt64
	}
	return c.lowest
}

// beginLeast finds the eligible domains, of which none has pods yet.
func (c *column) beginLeast(s *cluster.State) {
	c.counted, c.having = make([]bool, c.domains), map[int64]int{}
	for _, n := range s.Nodes.Live() {
		if d := c.domain[n]; d != noDomain && (c.in == nil || c.in[n]) && !c.counted[d] {
			c.counted[d] = true
			c.eligible++
		}
	}
	c.having[0] = c.eligible
}

// add adds to a domain's number.
func (c *column) add(d int32, delta int64) {
	was := c.counts[d]
	c.counts[d] = was + delta
	c.total += delta
	if !c.Least || !c.counted[d] {
		return
	}
	c.leave(was)
	c.having[was+delta]++
	if was+delta < c.lowest {
		c.lowest = was + delta
	} else if was == c.lowest && c.having[was] == 0 {
		c.lowest = c.findLeast()
	}
}

func (c *column) leave(number int64) {
	if c.having[number]--; c.having[number] == 0 {
		delete(c.having, number)
	}
}

// findLeast looks for the lowest number from the lowest that there was, which is not far
// as pods come one by one.
func (c *column) findLeast() int64 {
	const near = 16
	for number := c.lowest + 1; number <= c.lowest+near; number++ {
		if c.having[number] > 0 {
			return number
		}
	}
	lowest := int64(math.MaxInt64)
	for d, ok := range c.counted {
		if ok {
			lowest = min(lowest, c.counts[d])
		}
	}
	return lowest
}

// value returns the number of the domain that n is in, as a fine column tells nodes
// apart.
func (c *column) value(n cluster.NodeID) int64 {
	d := c.domain[n]
	if d == noDomain {
		return nowhere
	}
	if v := c.counts[d]; c.Most == 0 || v <= c.Most {
		return v
	}
	return c.Most
}

// sharesOf returns what pods of class c bring, which has been learnt.
func (t *tally) sharesOf(c cluster.ClassID) []Share {
	if int(c) >= len(t.shares) {
		return nil
	}
	return t.shares[c]
}

// learn asks what pods of class c bring; ok is false if the rule must be made anew.
func (t *tally) learn(c cluster.ClassID) (any, ok bool) {
	shares, ok := t.Brings(c)
	if !ok || len(shares) == 0 {
		return false, ok
	}
	for len(t.shares) <= int(c) {
		t.shares = append(t.shares, nil)
	}
	t.shares[c] = shares
	return true, true
}

// A keyIndex numbers the domains of a topology key.
type keyIndex struct {
	domain  []int32 // by node; noDomain without the label
	domains int
	starts  []int32 // by domain, where its nodes begin in nodes; made when needed
	nodes   []cluster.NodeID
}

// newKeyIndex numbers the domains of a key, or lets each node that has it be one.
func newKeyIndex(s *cluster.State, key string, perNode bool) *keyIndex {
	ix := &keyIndex{domain: make([]int32, s.Nodes.Rows())}
	for n := range ix.domain {
		ix.domain[n] = noDomain
	}
	numbers := map[string]int32{}
	for _, n := range s.Nodes.Live() {
		value, ok := s.Nodes.Labels[n].Get(key)
		if !ok {
			continue
		}
		d, known := numbers[value]
		if !known || perNode {
			d = int32(ix.domains)
			numbers[value] = d
			ix.domains++
		}
		ix.domain[n] = d
	}
	return ix
}

// members returns the nodes in a domain, in order of arrival.
func (ix *keyIndex) members(s *cluster.State, d int32) []cluster.NodeID {
	if ix.starts == nil {
		ix.list(s)
	}
	return ix.nodes[ix.starts[d]:ix.starts[d+1]]
}

func (ix *keyIndex) list(s *cluster.State) {
	ix.starts = make([]int32, ix.domains+1)
	for _, n := range s.Nodes.Live() {
		if d := ix.domain[n]; d != noDomain {
			ix.starts[d+1]++
		}
	}
	for d := range ix.domains {
		ix.starts[d+1] += ix.starts[d]
	}
	at := append([]int32(nil), ix.starts...)
	ix.nodes = make([]cluster.NodeID, ix.starts[ix.domains])
	for _, n := range s.Nodes.Live() {
		if d := ix.domain[n]; d != noDomain {
			ix.nodes[at[d]] = n
			at[d]++
		}
	}
}
