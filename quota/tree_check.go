package quota

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
)

// Bounds on what a tree may say, so that sums and products stay exact.
const (
	maxTreeAmount = 1 << 60
	maxWeight     = 1 << 20
)

// plant puts queues into t.nodes, parents first, and checks names and namespaces.
func (t *Tree) plant(queues []Queue) error {
	if len(queues) == 0 {
		return fmt.Errorf("queues is empty; list at least one queue")
	}
	index := map[string]int{}
	for i := range queues {
		q := &queues[i]
		if q.Name == "" {
			return fmt.Errorf("queues[%d]: name is empty; give each queue a name", i)
		}
		if first, twice := index[q.Name]; twice {
			return fmt.Errorf("queues[%d]: name is %q, as that of queues[%d]; give each queue another name", i, q.Name, first)
		}
		index[q.Name] = i
	}
	for i := range queues {
		if _, ok := index[queues[i].Parent]; !ok && queues[i].Parent != "" {
			return fmt.Errorf("queues[%d]: parent is %q, which is no queue; name one, or leave it out for a root", i, queues[i].Parent)
		}
		if err := checkCycle(queues, index, i); err != nil {
			return err
		}
	}
	for len(t.nodes) < len(queues) {
		for i := range queues {
			q := &queues[i]
			parent, planted := t.byName[q.Parent]
			if _, done := t.byName[q.Name]; done || q.Parent != "" && !planted {
				continue
			}
			n := treeNode{Queue: *q, parent: NoQueue, root: len(t.nodes)}
			if q.Parent != "" {
				n.parent, n.root, n.depth = parent, t.nodes[parent].root, t.nodes[parent].depth+1
			}
			n.Weight = max(n.Weight, 1)
			t.byName[q.Name] = len(t.nodes)
			t.nodes = append(t.nodes, n)
		}
	}
	return t.checkQueues(queues)
}

// checkCycle reports a queue that is above itself.
func checkCycle(queues []Queue, index map[string]int, i int) error {
	at, path := i, queues[i].Name
	for range queues {
		parent := queues[at].Parent
		next, ok := index[parent]
		if parent == "" || !ok {
			return nil
		}
		if path += " under " + parent; next == i {
			return fmt.Errorf("queues[%d]: parent is %q, which leads back to itself (%s); a tree has no cycles", i, queues[i].Parent, path)
		}
		at = next
	}
	return nil // it leads into a cycle, of which another queue is a part
}

// checkQueues checks what queues say beside their names and parents, and takes in namespaces.
func (t *Tree) checkQueues(queues []Queue) error {
	inner := map[string]bool{}
	for i := range queues {
		inner[queues[i].Parent] = true
	}
	for i := range queues {
		q := &queues[i]
		switch {
		case q.Weight < 0 || q.Weight > maxWeight:
			return fmt.Errorf("queues[%d]: weight is %d; it must be 1 to %d, or 0 for 1", i, q.Weight, maxWeight)
		case q.Parent == "" && len(q.BorrowingLimit)+len(q.LendingLimit) > 0:
			return fmt.Errorf("queues[%d]: %q is a root and has a borrowingLimit or lendingLimit; there is nobody it could borrow from or lend to", i, q.Name)
		case len(q.Namespaces) > 0 && inner[q.Name]:
			return fmt.Errorf("queues[%d]: %q has namespaces and children; pods wait in leaves alone", i, q.Name)
		}
		for _, ns := range q.Namespaces {
			if other, twice := t.byNamespace[ns]; twice {
				return fmt.Errorf("queues[%d]: namespaces has %q, as %q has; a pod waits in one queue", i, ns, t.nodes[other].Name)
			}
			t.byNamespace[ns] = t.byName[q.Name]
		}
		for _, list := range []struct {
			name    string
			amounts []cluster.NamedAmount
		}{{"guaranteed", q.Guaranteed}, {"borrowingLimit", q.BorrowingLimit}, {"lendingLimit", q.LendingLimit}} {
			if err := checkTreeAmounts(list.amounts); err != nil {
				return fmt.Errorf("queues[%d]: %s%w", i, list.name, err)
			}
		}
	}
	return nil
}

func checkTreeAmounts(list []cluster.NamedAmount) error {
	seen := map[string]bool{}
	for _, a := range list {
		switch {
		case a.Name == "":
			return fmt.Errorf(" names no resource; name it")
		case seen[a.Name]:
			return fmt.Errorf(" names %s twice; name it once", a.Name)
		case a.Amount < 0:
			return fmt.Errorf(": %s is %d; it must be 0 or more", a.Name, a.Amount)
		case a.Amount > maxTreeAmount:
			return fmt.Errorf(": %s is %d; it must be at most %d", a.Name, a.Amount, int64(maxTreeAmount))
		}
		seen[a.Name] = true
	}
	return nil
}
