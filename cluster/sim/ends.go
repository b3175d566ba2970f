package sim

import "github.com/berthsim/berth/cluster"

// An end is a pod's, at a time to come.
type end struct {
	at   cluster.Time
	seq  uint64 // order of scheduling; never reused
	pod  cluster.PodID
	node cluster.NodeID
}

// before orders ends by time, then by when they were set.
func (a *end) before(b *end) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	return a.seq < b.seq
}

// ends is a binary heap, the earliest end first. container/heap would box every
// end it is given.
type ends []end

func (q *ends) push(e end) {
	h := append(*q, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].before(&h[parent]) {
			break
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
	*q = h
}

func (q *ends) pop() end {
	h := *q
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h[child+1].before(&h[child]) {
			child++
		}
		if !h[child].before(&h[i]) {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	*q = h
	return top
}
