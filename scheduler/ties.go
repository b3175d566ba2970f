package scheduler

import "github.com/berthsim/berth/cluster"

// Ties says how a node is chosen among those with the highest score.
type Ties uint8

// The ways to choose among equals.
const (
	TiesLowest Ties = iota // the earliest node to arrive
	TiesRandom             // each as likely, drawn by seed, pod and node
	TiesKube               // as kube-scheduler does with parallelism 1
)

// String returns the rule's name, as reports give it.
func (t Ties) String() string {
	return [...]string{"lowest", "random", "kube"}[t]
}

// choose returns the place in sum of the node that p gets: one with the highest
// score. It expects at least one node.
func (pr *Profile) choose(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, sum []int64) int {
	if pr.told != nil {
		return pr.chooseTold(s, p, nodes, sum)
	}
	switch pr.ties {
	case TiesRandom:
		return chooseRandom(s, p, nodes, sum)
	case TiesKube:
		return chooseKube(sum, 0)
	}
	best, order := 0, s.Nodes.Order
	if pr.sorted {
		for i, v := range sum {
			if v > sum[best] {
				best = i
			}
		}
		return best
	}
	for i, v := range sum {
		if v > sum[best] || v == sum[best] && order[nodes[i]] < order[nodes[best]] {
			best = i
		}
	}
	return best
}

// chooseKube returns the place of the highest score among those below place in
// an implicit binary heap, as kube-scheduler 1.36 does: it makes a heap of the
// feasible nodes in the order in which they were found (container/heap), and
// takes the top. Among equals that is the first in pre-order: a child gets past
// its parent, and the right child past the left, only if it scores more.
func chooseKube(sum []int64, place int) int {
	best := place
	for child := 2*place + 1; child <= 2*place+2 && child < len(sum); child++ {
		if c := chooseKube(sum, child); sum[c] > sum[best] {
			best = c
		}
	}
	return best
}

// chooseRandom gives every node a number drawn for the pod, and takes the
// highest among equals. So a node more or less changes the choice only if that
// node is chosen, and the rows that nodes have don't matter.
func chooseRandom(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, sum []int64) int {
	d := s.Draw("ties", p)
	best, bestDraw := 0, s.Nodes.For(d, nodes[0])
	for i := 1; i < len(nodes); i++ {
		if sum[i] < sum[best] {
			continue
		}
		if x := s.Nodes.For(d, nodes[i]); sum[i] > sum[best] || x > bestDraw {
			best, bestDraw = i, x
		}
	}
	return best
}
