package scheduler

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// A ticket is a pod's place in a lane. Taking a pod out of the middle only makes
// its ticket void.
type ticket struct {
	priority int32
	seq      uint64
	pod      cluster.PodID
	number   uint64
}

// Before orders pods by priority, the highest first, then by their last try:
// kube's PrioritySort.
func (a ticket) Before(b ticket) bool {
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	return a.seq < b.seq
}

// held returns the ticket itself.
func (a ticket) held() ticket { return a }

// A restTicket is the ticket of a pod that backs off.
type restTicket struct {
	expires cluster.Time
	ticket
}

// Before orders pods by the second in which their backoff expires, then as those
// that are active. Kube orders those after an error by time alone, and leaves
// equal ones to chance.
func (a restTicket) Before(b restTicket) bool {
	if a.expires != b.expires {
		return a.expires < b.expires
	}
	return a.ticket.Before(b.ticket)
}

// A holder is a kind of ticket.
type holder[T any] interface {
	heap.Ordered[T]
	held() ticket
}

// A lane is a heap of tickets, some of them void.
type lane[T holder[T]] struct {
	heap heap.Heap[T]
	live int // tickets that are not void
}

func (l *lane[T]) push(t T) {
	l.heap.Push(t)
	l.live++
}

// peek returns the first ticket that is not void.
func (l *lane[T]) peek(q *queue, where place) (t T, ok bool) {
	for l.live > 0 {
		t = l.heap[0]
		h := t.held()
		if e := &q.pods[h.pod]; e.place == where && e.ticket == h.number {
			return t, true
		}
		l.heap.Pop()
	}
	l.heap = l.heap[:0]
	return t, false
}

// pop takes it out.
func (l *lane[T]) pop(q *queue, where place) (t T, ok bool) {
	if t, ok = l.peek(q, where); ok {
		l.heap.Pop()
		l.live--
	}
	return t, ok
}
