package scheduler

import (
	"github.com/berthsim/berth/cluster"
)

// An Evaluation is a whole scheduling cycle, with all that led to the choice.
type Evaluation struct {
	Diagnosis
	Feasible []NodeScore // in the order in which they were looked at
	// Chosen is the place in Feasible of the node that the pod gets, -1 if there
	// is none.
	Chosen int
	// Scored is false if the choice needed no scores: no node or one is feasible,
	// or nothing scores.
	Scored bool
	// Err is why the pod could not be filtered or scored, nil if it could be.
	Err error
}

// A NodeScore is what the plugins score a node.
type NodeScore struct {
	Node   cluster.NodeID
	Scores []PluginScore // of the plugins that had a say, in the profile's order, then of extenders
	Total  int64         // of Score times Weight
}

// A PluginScore is what one plugin scores a node.
type PluginScore struct {
	Plugin string // or an extender
	Raw    int64  // before normalisation
	Score  int64  // 0 to MaxScore
	Weight int64
}

// Evaluate does what Select does, node by node and plugin by plugin, and tells
// everything. It is for people and tests: it is slow, and unlike Select it leaves
// the place where the next cycle begins as it is.
func (pr *Profile) Evaluate(s *cluster.State, p cluster.PodID) Evaluation {
	r := pr.search(s, p)
	e := Evaluation{Diagnosis: r.Diagnosis, Chosen: -1, Err: r.Err}
	nodes := r.nodes
	for _, n := range nodes {
		e.Feasible = append(e.Feasible, NodeScore{Node: n})
	}
	if len(nodes) == 0 {
		return e
	}
	if len(nodes) > 1 {
		if e.Err = pr.preScore(s, p); e.Err != nil {
			return e
		}
	}
	e.Chosen = 0
	if len(nodes) > 1 {
		sum := pr.tellScores(s, p, r, &e)
		pr.sorted = false
		e.Chosen = pr.choose(s, p, nodes, sum)
	}
	return e
}

// Diagnose says why p can't run on the nodes where it can't.
func (pr *Profile) Diagnose(s *cluster.State, p cluster.PodID) Diagnosis {
	return pr.search(s, p).Diagnosis
}

// tellScores scores nodes, writes what each plugin says into e, and returns the
// totals.
func (pr *Profile) tellScores(s *cluster.State, p cluster.PodID, r *search, e *Evaluation) []int64 {
	nodes := r.nodes
	sum, one, raw := make([]int64, len(nodes)), make([]int64, len(nodes)), make([]int64, len(nodes))
	for i := range pr.scorers {
		sc := &pr.scorers[i]
		if !sc.scores(s, p, nodes, one, r.bare, pr.watch) {
			continue
		}
		e.Scored = true
		rawScores(sc.Scorer, s, p, nodes, raw, r.bare)
		for j := range nodes {
			e.Feasible[j].Scores = append(e.Feasible[j].Scores, PluginScore{sc.name, raw[j], one[j], sc.weight})
		}
		sc.add(s, p, nodes, one, sum)
	}
	pr.addPriorities(s, p, nodes, sum, func(j int, score PluginScore) {
		e.Scored = true
		e.Feasible[j].Scores = append(e.Feasible[j].Scores, score)
	})
	for j := range nodes {
		e.Feasible[j].Total = sum[j]
	}
	return sum
}
