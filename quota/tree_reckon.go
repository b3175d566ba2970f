package quota

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// notGiven stands for an amount that a queue doesn't give.
const notGiven = -1

// allot makes room for what follows from a queue, and writes down what it says itself: what
// it is guaranteed in total, and in most and kept, for now, its limits.
func (t *Tree) allot(i int) {
	n := &t.nodes[i]
	n.limited = make([]bool, len(t.resources))
	for _, column := range []*[]int64{&n.total, &n.quota, &n.kept, &n.most, &n.potential} {
		*column = make([]int64, len(t.resources))
	}
	for r, name := range t.resources {
		n.total[r], n.most[r], n.kept[r] = givenAmount(n.Guaranteed, name), givenAmount(n.BorrowingLimit, name), givenAmount(n.LendingLimit, name)
		if n.total[r] != notGiven || n.most[r] != notGiven || n.kept[r] != notGiven {
			t.nodes[n.root].limited[r] = true
		}
	}
}

func givenAmount(list []cluster.NamedAmount, name string) int64 {
	if i := slices.IndexFunc(list, func(a cluster.NamedAmount) bool { return a.Name == name }); i >= 0 {
		return list[i].Amount
	}
	return notGiven
}

// reckon sums up guarantees from the leaves to the roots, and then, back down, what each queue
// could have (Kueue's SubtreeQuota and potentialAvailable, pkg/cache/scheduler/resource_node.go).
func (t *Tree) reckon() error {
	for r, name := range t.resources {
		children, passed := make([]int64, len(t.nodes)), make([]int64, len(t.nodes))
		for i, n := range slices.Backward(t.nodes) {
			if n.total[r] == notGiven {
				n.total[r] = children[i]
			}
			if n.total[r] < children[i] {
				return fmt.Errorf("queue %q: guaranteed: %s is %d, and that of its children adds up to %d; it must be as much at least", n.Name, name, n.total[r], children[i])
			}
			n.quota[r] = n.total[r] - children[i] + passed[i]
			lends, borrows := n.kept[r], n.most[r]
			n.kept[r], n.most[r] = 0, boundless
			if lends > n.total[r] {
				return fmt.Errorf("queue %q: lendingLimit: %s is %d, and guaranteed is %d; nobody can lend more", n.Name, name, lends, n.total[r])
			}
			if lends != notGiven {
				n.kept[r] = max(0, n.quota[r]-lends)
			}
			if borrows != notGiven {
				n.most[r] = n.quota[r] + borrows
			}
			if n.parent == NoQueue {
				continue
			}
			children[n.parent] += n.total[r]
			passed[n.parent] += n.quota[r] - n.kept[r]
			if children[n.parent] > maxTreeAmount {
				return fmt.Errorf("queue %q: guaranteed: that of %s of all its children is more than %d", t.nodes[n.parent].Name, name, int64(maxTreeAmount))
			}
		}
		for i := range t.nodes {
			n := &t.nodes[i]
			n.potential[r] = n.quota[r]
			if n.parent != NoQueue {
				n.potential[r] = min(n.most[r], n.kept[r]+t.nodes[n.parent].potential[r])
			}
		}
	}
	return nil
}
