package scheduler

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
)

// Select returns the node and devices that p gets; ok is false if it fits
// nowhere. It writes nothing.
//
// As in kube-scheduler, a node that is the only feasible one is taken unscored.
func (pr *Profile) Select(s *cluster.State, p cluster.PodID) (n cluster.NodeID, a cluster.Allocation, ok bool) {
	nodes := pr.feasible(s, p)
	if len(nodes) == 0 {
		return cluster.None, a, false
	}
	n = nodes[0]
	if len(nodes) > 1 {
		n = nodes[pr.choose(s, p, nodes, pr.score(s, p, nodes))]
	}
	a, v := pr.allocate(s, p, n)
	return n, a, v.Code == Success
}

// feasible returns the nodes that pass every filter, in order of arrival.
func (pr *Profile) feasible(s *cluster.State, p cluster.PodID) []cluster.NodeID {
	pr.nodes = append(pr.nodes[:0], s.Nodes.Live()...)
	nodes := pr.nodes
	for i := range pr.filters {
		if len(nodes) == 0 {
			break
		}
		nodes = Narrow(pr.filters[i].Filter, s, p, nodes)
	}
	return nodes
}

// score returns the weighted sum of all plugins' normalised scores.
func (pr *Profile) score(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []int64 {
	pr.one, pr.sum = resize(pr.one, len(nodes)), resize(pr.sum, len(nodes))
	clear(pr.sum)
	for i := range pr.scorers {
		sc := &pr.scorers[i]
		if !Scores(sc.Scorer, s, p, nodes, pr.one) {
			continue
		}
		if sc.normalizer != nil {
			sc.normalizer.Normalize(s, p, nodes, pr.one)
		}
		for j, v := range pr.one {
			if v < 0 || v > MaxScore {
				panic(fmt.Sprintf("plugin %s scores %d for node %s and pod %s; scores go from 0 to %d",
					sc.name, v, s.Nodes.Name[nodes[j]], s.PodName(p), MaxScore))
			}
			pr.sum[j] += sc.weight * v
		}
	}
	return pr.sum
}

// allocate asks the allocators in turn until one serves p. A pod that needs no
// devices is served by none.
func (pr *Profile) allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, Verdict) {
	var last Verdict
	for _, al := range pr.allocators {
		a, v := al.Allocate(s, p, n)
		if v.Code == Success {
			return a, v
		}
		last = v
	}
	return cluster.Allocation{}, last
}

func resize(x []int64, n int) []int64 {
	if cap(x) < n {
		return make([]int64, n, n+n/2)
	}
	return x[:n]
}
