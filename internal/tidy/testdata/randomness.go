// Package randomness draws from generators that no seed of ours fixes.
package randomness

import (
	crypto "crypto/rand" // want: imports crypto/rand
	"hash/maphash"       // want: imports hash/maphash
	old "math/rand"      // want: imports math/rand
	"math/rand/v2"
)

func global() int {
	old.Seed(1)             // want: uses math/rand.Seed
	shuffle := rand.Shuffle // want: uses math/rand/v2.Shuffle
	shuffle(2, func(i, j int) {})
	_ = rand.N(5) // want: uses math/rand/v2.N
	_, _ = crypto.Text(), maphash.MakeSeed()
	return old.Intn(5) // want: uses math/rand.Intn
}

func keyed(seed uint64) float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	z := rand.NewZipf(r, 2, 1, 10)
	c := rand.New(rand.NewChaCha8([32]byte{}))
	legacy := old.New(old.NewSource(42))
	return r.Float64() + c.Float64() + float64(z.Uint64()) + legacy.Float64()
}
