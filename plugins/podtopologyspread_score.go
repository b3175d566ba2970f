package plugins

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// unscored is the raw score of a node that soft constraints don't apply to, for
// want of labels. It ends up with 0. Other raw scores are never negative.
const unscored = -1

// Score implements scheduler.Scorer.
func (pl *podTopologySpread) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	return pl.ScoreAmong(s, p, s.Nodes.Live())
}

// ScoreAmong implements scheduler.SetScorer: the fewer selected pods there are in
// a node's domains, the lower is its raw score, and the better.
func (pl *podTopologySpread) ScoreAmong(s *cluster.State, p cluster.PodID, feasible []cluster.NodeID) func(cluster.NodeID) int64 {
	if sc := pl.softly(s, p, feasible); sc != nil {
		return sc.score
	}
	return nil
}

// ScoreBare implements scheduler.BareScorer: pods that a hostname has are those of a
// node of which nothing is known.
func (pl *podTopologySpread) ScoreBare(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	sc := pl.softly(s, p, nodes)
	if sc == nil {
		clear(out)
		return false
	}
	sc.bare = true
	for i, n := range nodes {
		out[i] = sc.score(n)
	}
	return true
}

// softly prepares p's soft constraints; nil if there are none.
func (pl *podTopologySpread) softly(s *cluster.State, p cluster.PodID, feasible []cluster.NodeID) *spreadScore {
	sc := &spreadScore{state: s, class: s.Class(p)}
	if sc.constraints = pl.constraints(s, sc.class, true); len(sc.constraints) == 0 {
		return nil
	}
	sc.needsAll = pl.needsAll(sc.class)
	sc.size(feasible)
	sc.count()
	return sc
}

// Normalize implements scheduler.Normalizer. The node with the lowest raw score
// gets 100. Where no raw score is above 0 all nodes do.
func (pl *podTopologySpread) Normalize(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, scores []int64) {
	highest := slices.Max(scores)
	lowest := highest
	for _, score := range scores {
		if score != unscored {
			lowest = min(lowest, score)
		}
	}
	for i, score := range scores {
		switch {
		case score == unscored:
			scores[i] = 0
		case highest == 0:
			scores[i] = scheduler.MaxScore
		default:
			scores[i] = scheduler.MaxScore * (highest + lowest - score) / highest
		}
	}
}

// A spreadScore holds a pod's soft constraints and what they are scored by.
type spreadScore struct {
	state       *cluster.State
	class       *cluster.Class // of the pod that wants a node
	constraints []cluster.SpreadConstraint
	needsAll    bool // only nodes that are in a domain of every constraint are scored and count
	domains     []softDomains
	bare        bool // nothing is known of pods on a node that is scored
}

// softDomains are what a soft constraint knows of the domains that feasible nodes
// are in.
type softDomains struct {
	selected []bool // by ClassID
	weight   float64

	// pods in each domain, by the value of the topology key. A node without the
	// key is in domain "". Hostnames are left out: each is one node's, whose pods
	// are counted when it is scored.
	pods map[string]int
}

// size finds the domains that feasible nodes are in, and weighs the constraints
// by their number: without, pods would hardly count in many small domains.
func (sc *spreadScore) size(feasible []cluster.NodeID) {
	sc.domains = make([]softDomains, len(sc.constraints))
	for i := range sc.domains {
		sc.domains[i].pods = map[string]int{}
		sc.domains[i].selected = selected(sc.state, &sc.constraints[i], sc.class.Namespace)
	}
	scored := 0
	for _, n := range feasible {
		labels := sc.state.Nodes.Labels[n]
		if !sc.applies(labels) {
			continue
		}
		scored++
		for i := range sc.domains {
			if sc.constraints[i].TopologyKey == hostnameLabel {
				continue
			}
			value, _ := labels.Get(sc.constraints[i].TopologyKey)
			sc.domains[i].pods[value] = 0
		}
	}
	for i := range sc.domains {
		size := len(sc.domains[i].pods)
		if sc.constraints[i].TopologyKey == hostnameLabel {
			size = scored
		}
		sc.domains[i].weight = math.Log(float64(size + 2))
	}
}

func (sc *spreadScore) applies(node cluster.Labels) bool {
	return !sc.needsAll || hasKeys(node, sc.constraints)
}

// count counts the selected pods in the domains, on all nodes, feasible or not.
func (sc *spreadScore) count() {
	for _, n := range sc.state.Nodes.Live() {
		labels := sc.state.Nodes.Labels[n]
		if !sc.applies(labels) {
			continue
		}
		for i := range sc.domains {
			d, constraint := &sc.domains[i], &sc.constraints[i]
			value, _ := labels.Get(constraint.TopologyKey)
			if _, ok := d.pods[value]; ok && includes(sc.state, sc.class, constraint, n) {
				d.pods[value] += countSelected(sc.state, constraint, d.selected, n)
			}
		}
	}
}

// score returns n's raw score: over its domains, the sum of weighted counts and
// of the skews that may be passed over, rounded half away from zero.
func (sc *spreadScore) score(n cluster.NodeID) int64 {
	labels := sc.state.Nodes.Labels[n]
	if !sc.applies(labels) {
		return unscored
	}
	sum := 0.0
	for i := range sc.domains {
		d, constraint := &sc.domains[i], &sc.constraints[i]
		value, ok := labels.Get(constraint.TopologyKey)
		if !ok {
			continue
		}
		pods := d.pods[value]
		if constraint.TopologyKey == hostnameLabel && !sc.bare {
			pods = countSelected(sc.state, constraint, d.selected, n)
		}
		sum += float64(float64(pods)*d.weight) + float64(constraint.MaxSkew-1)
	}
	return int64(math.Round(sum))
}
