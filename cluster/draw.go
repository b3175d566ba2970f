package cluster

import "math/bits"

// A Draw is a random number that is fixed by what it is drawn for: the run's
// seed, a purpose and a name. Drawing one never changes another, so a decision
// more or less, or another order, leaves all the rest as they were.
type Draw uint64

// NewDraw returns the number drawn for a purpose and a name under a seed.
func NewDraw(seed int64, purpose, name string) Draw {
	return Draw(mix64(uint64(seed) ^ bits.RotateLeft64(hashName(purpose, name), 32)))
}

// Draw returns the number drawn for a purpose and pod p in this run.
func (s *State) Draw(purpose string, p PodID) Draw {
	s.drew = true
	h := hashName(purpose, s.Class(p).Namespace)
	return Draw(mix64(uint64(s.Seed) ^ bits.RotateLeft64(fnv(h, s.Pods.Name[p]), 32)))
}

// Drew reports whether anything was drawn in this run: if not, another seed
// gives the same decisions.
func (s *State) Drew() bool { return s.drew }

// For returns the number drawn for node n under d.
func (ns *Nodes) For(d Draw, n NodeID) Draw { return Draw(mix64(uint64(d) ^ ns.key[n])) }

// At returns the i-th of the numbers drawn under d.
func (d Draw) At(i int) Draw { return Draw(mix64(uint64(d) + uint64(i)*0x9e3779b97f4a7c15)) }

// Below returns d brought to 0 … n-1, each as likely to within n/2⁶⁴.
func (d Draw) Below(n int) int {
	hi, _ := bits.Mul64(uint64(d), uint64(n))
	return int(hi)
}

// Float returns d brought to [0, 1).
func (d Draw) Float() float64 { return float64(d>>11) / (1 << 53) }

// mix64 is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hashName hashes two strings with FNV-1a, 64 bits.
func hashName(a, b string) uint64 {
	return fnv(fnv(14695981039346656037, a), b)
}

// fnv goes on hashing with s, and with a mark that no UTF-8 text contains, so
// that ("ab", "c") and ("a", "bc") differ.
func fnv(h uint64, s string) uint64 {
	const prime = 1099511628211
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return (h ^ 0xff) * prime
}
