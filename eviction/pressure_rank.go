package eviction

import (
	"cmp"
	"slices"
)

// A Ranking makes the comparison by which pods are evicted when a signal is low: negative if a goes
// before b, 0 if neither does. Research policies are Rankings too.
type Ranking func(s Signal, d Disks) func(a, b *Candidate) int

// KubeletRank is the kubelet's ranking. Under pressure of memory or disks, pods that take more than they
// asked for go first, then those of lower priority, then those that take most beyond what they asked
// for. Under pressure of process numbers it is priority, then the number of processes. A pod of which
// nothing was measured comes before all others wherever measurements would be compared. QoS classes
// don't count: pods that ask for nothing just take more than they asked for.
func KubeletRank(s Signal, d Disks) func(a, b *Candidate) int {
	switch s.Condition() {
	case MemoryPressure:
		return byUse(func(p *Candidate) (over bool, excess int64) {
			return p.Memory > p.MemoryRequest, p.Memory - p.MemoryRequest
		})
	case PIDPressure:
		return func(a, b *Candidate) int {
			if c := cmp.Compare(a.Priority, b.Priority); c != 0 {
				return c
			}
			if a.NoStats || b.NoStats {
				return trueFirst(a.NoStats, b.NoStats)
			}
			return cmp.Compare(b.Processes, a.Processes)
		}
	}
	return byUse(func(p *Candidate) (over bool, excess int64) {
		used := d.use(s, p)
		if s.inodes() {
			// Nobody can ask for inodes, so whoever has one is over. Upstream takes the requested
			// bytes from the inodes all the same, which leaves few others a chance.
			return used > 0, used - p.StorageRequest
		}
		return used > p.StorageRequest, used - p.StorageRequest
	})
}

// byUse compares pods by whether they take more than they asked for, by priority, and by how much more.
func byUse(measure func(*Candidate) (over bool, excess int64)) func(a, b *Candidate) int {
	return func(a, b *Candidate) int {
		if a.NoStats || b.NoStats {
			if c := trueFirst(a.NoStats, b.NoStats); c != 0 {
				return c
			}
			return cmp.Compare(a.Priority, b.Priority)
		}
		aOver, aExcess := measure(a)
		bOver, bExcess := measure(b)
		if c := trueFirst(aOver, bOver); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Priority, b.Priority); c != 0 {
			return c
		}
		return cmp.Compare(bExcess, aExcess)
	}
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// EvictionOrder returns the indexes of pods in the order in which they would be evicted. Among equals it is
// the order of pods. The kubelet gets pods in the order of a Go map, and its sort may swap equals if
// there are more than 12.
func EvictionOrder(pods []Candidate, compare func(a, b *Candidate) int) []int {
	order := make([]int, len(pods))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return compare(&pods[i], &pods[j]) })
	return order
}

// firstEvictable returns the index of the pod that would be evicted: the first of EvictionOrder that is not critical;
// -1 if all are.
func firstEvictable(pods []Candidate, compare func(a, b *Candidate) int) int {
	least := -1
	for i := range pods {
		if !pods[i].Critical() && (least < 0 || compare(&pods[i], &pods[least]) < 0) {
			least = i
		}
	}
	return least
}
