package scheduler

import "github.com/berthsim/berth/cluster"

// Ties says how a node is chosen among those with the highest score.
type Ties uint8

// The ways to choose among equals.
const (
	TiesLowest Ties = iota // the earliest node to arrive
	TiesRandom             // each as likely, drawn by seed, pod and node
)

// String returns the rule's name, as reports give it.
func (t Ties) String() string {
	if t == TiesRandom {
		return "random"
	}
	return "lowest"
}

// choose returns the place in sum of the node that p gets: one with the highest
// score. It expects nodes in order of arrival, and at least one.
func (pr *Profile) choose(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, sum []int64) int {
	if pr.ties == TiesRandom {
		return chooseRandom(s, p, nodes, sum)
	}
	best := 0
	for i, v := range sum {
		if v > sum[best] {
			best = i
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
