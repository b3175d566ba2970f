package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Score implements scheduler.Scorer: the sum of the weights of preferred terms
// that are met on a node, those of the pod and those of pods on nodes.
// Anti-affinity counts against a node.
func (pl *interPodAffinity) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	class := s.Class(p)
	if pl.ignores(class) {
		return nil
	}
	sums := pl.weigh(s, class)
	sums.addAll(s)
	if !slices.ContainsFunc(sums.columns, func(c sumColumn) bool { return c.added }) {
		return nil
	}
	return func(n cluster.NodeID) (sum int64) {
		for i := range sums.columns {
			weight, _ := sums.columns[i].at(s.Nodes.Labels[n])
			sum += weight
		}
		return sum
	}
}

// weigh returns the weights that pods of each class bring to their domains, as
// far as a pod of class own goes. Only classes with terms of their own can bring
// anything for a pod without preferred ones.
func (pl *interPodAffinity) weigh(s *cluster.State, own *cluster.Class) *domainSums {
	d := &domainSums{}
	bring := func(id cluster.ClassID, t *cluster.PodTerm, weight int32) {
		d.bring(id, d.column(t.TopologyKey, 0), int64(weight))
	}
	incoming := func(terms []cluster.WeightedPodTerm, sign int32) {
		for i := range terms {
			for id := range cluster.ClassID(s.Classes()) {
				if incomingMatches(s, &terms[i].PodTerm, s.ClassByID(id)) {
					bring(id, &terms[i].PodTerm, sign*terms[i].Weight)
				}
			}
		}
	}
	incoming(own.Affinity.Preferred, 1)
	incoming(own.AntiAffinity.Preferred, -1)
	for _, id := range s.AffineClasses() {
		c := s.ClassByID(id)
		existing := func(terms []cluster.WeightedPodTerm, sign int32) {
			for i := range terms {
				if terms[i].Matches(s, own) {
					bring(id, &terms[i].PodTerm, sign*terms[i].Weight)
				}
			}
		}
		existing(c.Affinity.Preferred, 1)
		existing(c.AntiAffinity.Preferred, -1)
		for i := range c.Affinity.Required {
			t := &c.Affinity.Required[i]
			if pl.HardPodAffinityWeight > 0 && t.Matches(s, own) {
				bring(id, t, pl.HardPodAffinityWeight)
			}
		}
	}
	return d
}

// Normalize implements scheduler.Normalizer: the highest raw score becomes 100,
// the lowest 0, and if they are equal all become 0. The quotient comes first and
// is a float, as upstream's is, so that 29 of 100 is 28.
func (pl *interPodAffinity) Normalize(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, scores []int64) {
	lowest, highest := slices.Min(scores), slices.Max(scores)
	for i, score := range scores {
		scores[i] = 0
		if highest > lowest {
			scores[i] = int64(scheduler.MaxScore * (float64(score-lowest) / float64(highest-lowest)))
		}
	}
}
