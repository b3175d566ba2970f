package heap

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type number int

func (a number) Before(b number) bool { return a < b }

// TestOrder mixes pushes and pops, and compares with a sorted slice.
func TestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h Heap[number]
	var twin []number
	for range 20000 {
		if len(twin) == 0 || rng.IntN(5) < 3 {
			x := number(rng.IntN(500))
			h.Push(x)
			i, _ := slices.BinarySearch(twin, x)
			twin = slices.Insert(twin, i, x)
			continue
		}
		if got := h.Pop(); got != twin[0] {
			t.Fatalf("Pop = %d, want %d of %d", got, twin[0], len(twin))
		}
		twin = twin[1:]
	}
}
