package scheduler

import (
	"cmp"
	"slices"
)

// A flight keeps the changes that happen while pods are being tried, for those
// that come back: a change may make up for what they were rejected for.
type flight struct {
	changes []flown
	dropped int     // changes that nobody in flight has missed
	begun   []begun // pods in flight, by the first change that they miss
	count   int
}

// begun counts pods in flight that began to miss changes with the same one.
type begun struct{ first, pods int }

// flown is a change, and the pod that it happened to, by order of arrival; 0 if it
// is none that wants a node.
type flown struct {
	Change
	target uint64
}

// begin counts a pod in, and returns the first change that it misses.
func (f *flight) begin() int {
	f.count++
	next := f.next()
	if last := len(f.begun) - 1; last >= 0 && f.begun[last].first == next {
		f.begun[last].pods++
	} else {
		f.begun = append(f.begun, begun{next, 1})
	}
	return next
}

// next is the number of the next change.
func (f *flight) next() int { return f.dropped + len(f.changes) }

// at returns a change.
func (f *flight) at(i int) (c Change, target uint64) {
	x := &f.changes[i-f.dropped]
	return x.Change, x.target
}

// note keeps a change if anybody is in flight.
func (f *flight) note(c Change, target uint64) {
	if f.count > 0 {
		f.changes = append(f.changes, flown{c, target})
	}
}

// done counts out a pod that began to miss changes at began, and lets go of the
// changes that nobody needs any more.
func (f *flight) done(began int) {
	f.count--
	i, _ := slices.BinarySearchFunc(f.begun, began, func(b begun, first int) int { return cmp.Compare(b.first, first) })
	if f.begun[i].pods--; f.begun[i].pods == 0 {
		f.begun = slices.Delete(f.begun, i, i+1)
	}
	n := len(f.changes)
	if len(f.begun) > 0 {
		n = f.begun[0].first - f.dropped
	}
	if n > 0 {
		f.dropped += n
		f.changes = slices.Delete(f.changes, 0, n)
	}
}
