package scheduler

// A flight keeps the changes that happen while pods are being tried, for those
// that come back: a change may make up for what they were rejected for.
type flight struct {
	changes []flown
	dropped int         // changes that nobody in flight has missed
	pods    map[int]int // pods in flight, by the first change that they miss
	count   int
}

// flown is a change, and the pod that it happened to, by order of arrival; 0 if it
// is none that wants a node.
type flown struct {
	Change
	target uint64
}

// begin counts a pod in, and returns the first change that it misses.
func (f *flight) begin() int {
	if f.pods == nil {
		f.pods = map[int]int{}
	}
	f.pods[f.next()]++
	f.count++
	return f.next()
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
	if f.pods[began]--; f.pods[began] == 0 {
		delete(f.pods, began)
	}
	n := 0
	for n < len(f.changes) && f.pods[f.dropped] == 0 {
		f.dropped++
		n++
	}
	if n > 0 {
		f.changes = append(f.changes[:0], f.changes[n:]...)
	}
}
