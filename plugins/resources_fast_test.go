package plugins

import (
	"math/rand/v2"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestFastScores holds scores for two resources against those for any number, for
// amounts from nothing to more than floats hold exactly.
func TestFastScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	amount := func() int64 {
		switch bits := rng.IntN(56); rng.IntN(4) {
		case 0:
			return 0
		case 1:
			return 1 << min(bits, 50)
		default:
			return rng.Int64N(1 << bits)
		}
	}
	const nodes = 64
	ids := make([]cluster.NodeID, nodes)
	for i := range ids {
		ids[i] = cluster.NodeID(i)
	}
	for range 5000 {
		terms := make([]term, 2)
		for i := range terms {
			x := &terms[i]
			x.want, x.weight = amount(), []int64{1, 1, 1, 3, 100}[rng.IntN(5)]
			for range nodes {
				capacity := amount()
				x.capacity = append(x.capacity, capacity)
				x.used = append(x.used, []int64{0, amount(), capacity / 2, capacity}[rng.IntN(4)])
			}
		}
		least, balanced := make([]int64, nodes), make([]int64, nodes)
		leastOfTwo(&terms[0], &terms[1], ids, least)
		balanceOfTwo(&terms[0], &terms[1], ids, balanced)
		st, b := &strategy{part: leastPart}, &balance{}
		for i, n := range ids {
			if want := st.score(terms, n); least[i] != want {
				t.Fatalf("leastOfTwo gives %d, want %d: %+v of node %d", least[i], want, terms, n)
			}
			if want := b.score(terms, n); balanced[i] != want {
				t.Fatalf("balanceOfTwo gives %d, want %d: %+v of node %d", balanced[i], want, terms, n)
			}
		}
	}
}
