package scheduler

import (
	"math/rand/v2"
	"testing"
)

// TestTournament holds a tournament against a look at all places.
func TestTournament(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for places := 1; places <= 40; places++ {
		tr, scores := newTournament(places), make([]int32, places)
		for i := range scores {
			scores[i] = out
			if rng.IntN(2) == 0 { // these are there before it is built
				scores[i] = int32(rng.IntN(5))
				tr.setLeaf(int32(i), scores[i])
			}
		}
		tr.build()
		for range 300 {
			best := 0
			for i, v := range scores {
				if v > scores[best] {
					best = i
				}
			}
			if tr.best() != scores[best] || scores[best] != out && tr.winner() != int32(best) {
				t.Fatalf("the winner of %v is %d with %d", scores, tr.winner(), tr.best())
			}
			i := rng.IntN(places)
			scores[i] = int32(rng.IntN(6)) - 1
			tr.set(int32(i), scores[i])
			if got := tr.get(int32(i)); got != scores[i] {
				t.Fatalf("place %d has %d, want %d", i, got, scores[i])
			}
		}
	}
}
