package plugins

import (
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// What is here gives what the functions for any number of resources give, for two of them in
// less time. TestFastScores holds both against each other.

// columns remembers those of the resources that a score looks at. A resource that has a
// column keeps it.
type columns []cluster.Resource

// of returns the columns of resources, -1 for one that has none.
func (cs *columns) of(s *cluster.State, resources []resourceWeight) columns {
	if len(*cs) < len(resources) {
		*cs = make(columns, len(resources))
		for i := range *cs {
			(*cs)[i] = -1
		}
	}
	for i, r := range *cs {
		if r >= 0 {
			continue
		}
		if r, ok := scored(s, resources[i].Name); ok {
			(*cs)[i] = r
		}
	}
	return *cs
}

// leastOfTwo is score for LeastAllocated over two resources, kube's default.
func leastOfTwo(a, b *term, nodes []cluster.NodeID, out []int64) {
	for i, n := range nodes {
		capA, capB := a.capacity[n], b.capacity[n]
		var sum, weights int64
		if capA != 0 {
			sum = leastFast(capA, a.used[n]+a.want) * a.weight
			weights = a.weight
		}
		if capB != 0 {
			sum += leastFast(capB, b.used[n]+b.want) * b.weight
			weights += b.weight
		}
		switch {
		case weights == 2:
			sum >>= 1 // of two that weigh 1, or of one that weighs 2
		case weights > 1:
			sum /= weights
		}
		out[i] = sum
	}
}

// exactCapacity is up to where leastFast may divide floats: the quotient of whole numbers,
// 100 at most, lies at least 1/capacity below the next whole number or is one, and
// is so rounded to less than it (floats below 128 are 2^-46 apart, and round by half
// of that).
const exactCapacity = 1 << 46

// leastFast is leastPart, of which it takes half the time.
func leastFast(capacity, requested int64) int64 {
	if capacity >= exactCapacity || capacity < 0 {
		return leastPart(capacity, requested)
	}
	left := capacity - requested
	if left <= 0 {
		return 0
	}
	if left > capacity {
		return leastPart(capacity, requested)
	}
	return int64(float64(left*scheduler.MaxScore) / float64(capacity))
}

// balanceOfTwo is score over two resources, kube's default.
func balanceOfTwo(x, y *term, nodes []cluster.NodeID, out []int64) {
	const half = scheduler.MaxScore / 2
	for i, n := range nodes {
		capX, capY := x.capacity[n], y.capacity[n]
		if capX == 0 || capY == 0 {
			out[i] = half + half/2 // a single resource is always even
			continue
		}
		usedX, usedY := x.used[n], y.used[n]
		with := evennessOfTwo(fraction(usedX+x.want, capX), fraction(usedY+y.want, capY))
		without := evennessOfTwo(fraction(usedX, capX), fraction(usedY, capY))
		out[i] = half + (half+with-without)/2
	}
}

func fraction(requested, capacity int64) float64 {
	if f := float64(requested) / float64(capacity); f < 1 {
		return f
	}
	return 1
}

// evennessOfTwo is evenness of two fractions.
func evennessOfTwo(x, y float64) int64 {
	return int64((1 - math.Abs((x-y)/2)) * scheduler.MaxScore)
}
