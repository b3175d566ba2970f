package quota

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A Queue is a node of a tree of queues. Pods wait in its leaves. Each queue is guaranteed some
// of every resource; what it doesn't use others under the same parent may borrow, and so on up
// to the root. The words and the arithmetic are Kueue's (sigs.k8s.io/kueue, "ClusterQueue" and
// "Cohort": nominalQuota, borrowingLimit, lendingLimit, fairSharing.weight), with one
// difference: what an inner queue is guaranteed includes what its children are, where a
// Cohort's nominalQuota comes on top.
//
// Amounts are in whatever unit the caller gives all amounts of a resource in. A resource that
// no queue of a tree names is not limited there. Of one that some queue names, a queue that
// doesn't is guaranteed nothing.
type Queue struct {
	Name   string
	Parent string // "" for a root

	// Namespaces are those whose pods wait here. Only leaves have any.
	Namespaces []string

	// Guaranteed is what the queue can have at any time. An inner queue that says nothing of a
	// resource is guaranteed what its children are; one that says more has the rest for all
	// of them to borrow.
	Guaranteed []cluster.NamedAmount

	// BorrowingLimit is how much more than that the queue may use, and LendingLimit how much of
	// it others may use. A resource that isn't named has no such limit. A root has neither:
	// there is nobody to borrow from.
	BorrowingLimit, LendingLimit []cluster.NamedAmount

	// Weight divides the queue's share: of two that borrow, one of weight 2 may borrow twice
	// as much before it comes second. 0 stands for 1.
	Weight int64
}

// A Tree is one or more trees of queues, which don't lend to each other. It never changes.
// Queues and resources go by number.
type Tree struct {
	nodes       []treeNode // parents before their children
	resources   []string   // sorted
	byName      map[string]int
	byNamespace map[string]int
}

// NoQueue stands for no queue.
const NoQueue = -1

// treeNode is a queue with what follows from it, by resource.
type treeNode struct {
	Queue
	parent, root, depth int

	limited   []bool  // of a root: whether any queue below names the resource
	total     []int64 // guaranteed, the children's included
	quota     []int64 // of that, what isn't kept by children: usage counts against it
	kept      []int64 // of quota, what is never lent
	most      []int64 // that quota may be used with borrowing; boundless if there is no limit
	potential []int64 // that could be used if nobody else used anything
}

const boundless = math.MaxInt64

// NewTree makes a Tree of queues, which come in any order. The error says what is wrong with
// which of them.
func NewTree(queues []Queue) (*Tree, error) {
	t := &Tree{byName: map[string]int{}, byNamespace: map[string]int{}}
	if err := t.plant(queues); err != nil {
		return nil, err
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		for _, list := range [...][]cluster.NamedAmount{n.Guaranteed, n.BorrowingLimit, n.LendingLimit} {
			for _, a := range list {
				t.resources = append(t.resources, a.Name)
			}
		}
	}
	slices.Sort(t.resources)
	t.resources = slices.Compact(t.resources)
	for i := range t.nodes {
		t.allot(i)
	}
	if err := t.reckon(); err != nil {
		return nil, err
	}
	return t, nil
}

// Queues returns the number of queues.
func (t *Tree) Queues() int { return len(t.nodes) }

// Queue returns what a queue is. The caller must not change it.
func (t *Tree) Queue(i int) *Queue { return &t.nodes[i].Queue }

// Parent returns a queue's parent, NoQueue for a root.
func (t *Tree) Parent(i int) int { return t.nodes[i].parent }

// Root returns the root of the tree that a queue is in.
func (t *Tree) Root(i int) int { return t.nodes[i].root }

// Named returns the queue of a name.
func (t *Tree) Named(name string) (i int, ok bool) {
	i, ok = t.byName[name]
	return i, ok
}

// Of returns the leaf where pods of a namespace wait, NoQueue if no queue is for them.
func (t *Tree) Of(namespace string) int {
	if i, ok := t.byNamespace[namespace]; ok {
		return i
	}
	return NoQueue
}

// Resources returns the names of the resources, by number. The caller must not change them.
func (t *Tree) Resources() []string { return t.resources }

// Limits reports whether the tree that queue i is in says anything of resource r.
func (t *Tree) Limits(i, r int) bool { return t.nodes[t.nodes[i].root].limited[r] }

// Quota returns what a queue may use of a resource without borrowing, apart from what its
// children keep for themselves.
func (t *Tree) Quota(i, r int) int64 { return t.nodes[i].quota[r] }

// Most returns what a queue could use of a resource if nobody else used anything.
func (t *Tree) Most(i, r int) int64 { return t.nodes[i].potential[r] }

// fork returns the children of the lowest queue above both a and b through which they are
// reached: the siblings between which a and b lend. Of different trees they are the roots.
// If one of the queues is above the other, ok is false.
func (t *Tree) fork(a, b int) (x, y int, ok bool) {
	for t.nodes[a].depth > t.nodes[b].depth {
		a = t.nodes[a].parent
	}
	for t.nodes[b].depth > t.nodes[a].depth {
		b = t.nodes[b].parent
	}
	if a == b {
		return a, b, false
	}
	for t.nodes[a].parent != t.nodes[b].parent {
		a, b = t.nodes[a].parent, t.nodes[b].parent
	}
	return a, b, true
}
