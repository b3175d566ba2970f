// Package heap is a binary heap of values. The standard container/heap calls
// through an interface and boxes every value, which costs more than the rest of
// a simulated event.
package heap

// An Ordered value knows whether it comes before another. Values of which
// neither comes before the other leave a Heap in no particular order, so a total
// order is needed for determinism.
type Ordered[T any] interface {
	Before(other T) bool
}

// A Heap gives back what was pushed, first things first. The zero Heap is empty.
type Heap[T Ordered[T]] []T

// Push adds x, in O(log n).
func (q *Heap[T]) Push(x T) {
	h := append(*q, x)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !h[i].Before(h[parent]) {
			break
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
	*q = h
}

// Pop takes out the value that comes before all others, in O(log n). The heap
// must not be empty.
func (q *Heap[T]) Pop() T {
	h := *q
	top, last := h[0], len(h)-1
	h[0] = h[last]
	var zero T
	h[last] = zero // lets go of what it pointed to
	h = h[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h[child+1].Before(h[child]) {
			child++
		}
		if !h[child].Before(h[i]) {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	*q = h
	return top
}
