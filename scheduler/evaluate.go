package scheduler

import (
	"slices"
	"strings"

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
	// Err is why the pod could not be scored, nil if it could be.
	Err error
}

// A NodeScore is what the plugins score a node.
type NodeScore struct {
	Node   cluster.NodeID
	Scores []PluginScore // of the plugins that had a say, in the profile's order
	Total  int64         // of Score times Weight
}

// A PluginScore is what one plugin scores a node.
type PluginScore struct {
	Plugin string
	Raw    int64 // before normalisation
	Score  int64 // 0 to MaxScore
	Weight int64
}

// Evaluate does what Select does, node by node and plugin by plugin, and tells
// everything. It is for people and tests: it is slow, and unlike Select it leaves
// the place where the next cycle begins as it is.
func (pr *Profile) Evaluate(s *cluster.State, p cluster.PodID) Evaluation {
	e := Evaluation{Chosen: -1}
	nodes := pr.diagnose(s, p, &e.Diagnosis)
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
		sum := pr.tellScores(s, p, nodes, &e)
		e.Chosen = pr.choose(s, p, nodes, sum)
	}
	return e
}

// Diagnose says why p can't run on the nodes where it can't.
func (pr *Profile) Diagnose(s *cluster.State, p cluster.PodID) Diagnosis {
	var d Diagnosis
	pr.diagnose(s, p, &d)
	return d
}

// diagnose asks every filter about every node that a cycle looks at, until one
// rules it out, and returns the feasible nodes.
func (pr *Profile) diagnose(s *cluster.State, p cluster.PodID, d *Diagnosis) []cluster.NodeID {
	d.Nodes = len(s.Nodes.Live())
	v := pr.visiting(s, p, nil)
	if v.ruled.Code != Success {
		d.Ruled, d.RuledBy = v.ruled, v.plugin
		return nil
	}
	t := pr.NewTrial(s, p)
	restricting := []string{v.plugin}
	if n := s.Pods.Nominated[p]; n != cluster.None && s.Nodes.IsLive(n) {
		plugin, verdict := t.VerdictWithNominees(n)
		if verdict.Code == Success {
			return []cluster.NodeID{n}
		}
		restricting = append(restricting, plugin) // as upstream, which has one set for both
		if !slices.Contains(v.nodes, n) {
			d.Verdicts = append(d.Verdicts, NodeVerdict{n, plugin, verdict})
		}
	}
	if !v.all {
		slices.Sort(restricting)
		restricting = slices.Compact(restricting)
		d.Absent = Verdict{Unresolvable, []string{"node(s) didn't satisfy plugin(s) [" + strings.Join(restricting, " ") + "]"}}
	}
	var feasible []cluster.NodeID
	for _, n := range v.nodes {
		plugin, verdict := t.VerdictWithNominees(n)
		if verdict.Code != Success {
			d.Verdicts = append(d.Verdicts, NodeVerdict{n, plugin, verdict})
			continue
		}
		if len(feasible) == v.enough {
			break
		}
		feasible = append(feasible, n)
	}
	return feasible
}

// tellScores scores nodes, writes what each plugin says into e, and returns the
// totals.
func (pr *Profile) tellScores(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, e *Evaluation) []int64 {
	sum, one, raw := make([]int64, len(nodes)), make([]int64, len(nodes)), make([]int64, len(nodes))
	for i := range pr.scorers {
		sc := &pr.scorers[i]
		if !sc.scores(s, p, nodes, one) {
			continue
		}
		e.Scored = true
		Scores(sc.Scorer, s, p, nodes, raw)
		for j := range nodes {
			e.Feasible[j].Scores = append(e.Feasible[j].Scores, PluginScore{sc.name, raw[j], one[j], sc.weight})
			sum[j] += sc.weight * one[j]
			e.Feasible[j].Total = sum[j]
		}
	}
	return sum
}
