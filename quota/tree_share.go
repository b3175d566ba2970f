package quota

import (
	"cmp"
	"math/bits"
)

// A Share is how much a queue has borrowed, as a fraction of what there is to borrow: the
// dominant share of Ghodsi et al. ("Dominant Resource Fairness", NSDI 2011), counted above the
// guarantee as Kueue does (KEP-1714; pkg/cache/scheduler/fair_sharing.go). It is exact; Kueue
// reckons in floating point. The zero Share is that of a queue that borrows nothing.
type Share struct {
	Over     int64 // what is used beyond the quota, of the resource for which the fraction is highest
	Lendable int64 // what the parent and all below could have of it
	Weight   int64 // which divides the fraction
	Resource int   // the number of the resource
}

// Share returns how much queue i has borrowed, 0 for a root. Resources of which there is nothing
// to borrow don't count.
func (u *TreeUsage) Share(i int) (s Share) {
	n := &u.tree.nodes[i]
	if n.parent == NoQueue {
		return s
	}
	for r := range u.tree.resources {
		over, lendable := u.Used(i, r)-n.quota[r], u.tree.nodes[n.parent].potential[r]
		if over <= 0 || lendable <= 0 {
			continue
		}
		if one := (Share{over, lendable, n.Weight, r}); one.Compare(s) > 0 {
			s = one
		}
	}
	return s
}

// Compare returns -1 if s is less than o, 1 if it is more, and 0 if they are equal.
func (s Share) Compare(o Share) int {
	if s.Over == 0 || o.Over == 0 {
		return cmp.Compare(s.Over, o.Over)
	}
	// s.Over / (s.Lendable s.Weight) against o.Over / (o.Lendable o.Weight).
	x, y := product3(s.Over, o.Lendable, o.Weight), product3(o.Over, s.Lendable, s.Weight)
	return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(x[2], y[2]))
}

// product3 multiplies three numbers that aren't negative. The first digit, of 64 bits, counts most.
func product3(a, b, c int64) [3]uint64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	middle, last := bits.Mul64(low, uint64(c))
	first, rest := bits.Mul64(high, uint64(c))
	middle, carry := bits.Add64(middle, rest, 0)
	return [3]uint64{first + carry, middle, last}
}

// First returns the place of the leaf whose turn it is: from the roots down, of the queues under
// one parent that which has the lowest share. NoQueue stands for no queue, which never borrows.
// Where shares are equal, and between trees, before decides, a strict order of places.
func (u *TreeUsage) First(leaves []int, before func(a, b int) bool) int {
	t := u.tree
	if u.best == nil {
		u.best, u.via = make([]int, len(t.nodes)), make([]int, len(t.nodes))
	}
	for i := range u.best {
		u.best[i] = NoQueue
	}
	first := NoQueue
	for place, leaf := range leaves {
		if leaf == NoQueue {
			if first == NoQueue || before(place, first) {
				first = place
			}
		} else if u.best[leaf] == NoQueue || before(place, u.best[leaf]) {
			u.best[leaf] = place
		}
	}
	for i := len(t.nodes) - 1; i >= 0; i-- {
		place, parent := u.best[i], t.nodes[i].parent
		switch {
		case place == NoQueue:
		case parent == NoQueue:
			if first == NoQueue || before(place, first) {
				first = place
			}
		case u.best[parent] == NoQueue || u.lower(i, u.via[parent], before(place, u.best[parent])):
			u.best[parent], u.via[parent] = place, i
		}
	}
	return first
}

// lower reports whether queue a has a lower share than b, its sibling; if they are equal, what
// tie says.
func (u *TreeUsage) lower(a, b int, tie bool) bool {
	if c := u.Share(a).Compare(u.Share(b)); c != 0 {
		return c < 0
	}
	return tie
}

// CompareLeaves compares the shares of two leaves, or rather of the siblings above them where
// their branches part.
func (u *TreeUsage) CompareLeaves(a, b int) int {
	x, y, ok := u.tree.fork(a, b)
	if !ok {
		return 0
	}
	return u.Share(x).Compare(u.Share(y))
}
