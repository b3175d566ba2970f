package oracle

import (
	"slices"
	"strings"

	fwk "k8s.io/kube-scheduler/framework"
)

// Status is a plugin's verdict.
type Status struct {
	// Code is upstream's name of the code: "Success", "Unschedulable", "Skip" and so on.
	Code string
	// Plugin is the plugin that gave the verdict, empty for Success.
	Plugin string
	// Reasons are sorted: NodeResourcesFit lists extended resources in the order of a Go map.
	Reasons []string
}

// Success tells whether the verdict is Success.
func (s Status) Success() bool { return s.Code == fwk.Success.String() }

// String is the code with plugin and reasons, for messages.
func (s Status) String() string {
	if s.Plugin == "" && len(s.Reasons) == 0 {
		return s.Code
	}
	return s.Code + " by " + s.Plugin + ": " + strings.Join(s.Reasons, ", ")
}

func statusOf(s *fwk.Status) Status {
	if s == nil {
		return Status{Code: fwk.Success.String()}
	}
	reasons := slices.Clone(s.Reasons())
	slices.Sort(reasons)
	return Status{Code: s.Code().String(), Plugin: s.Plugin(), Reasons: reasons}
}

// Verdict is the answer of the filters for one node.
type Verdict struct {
	Node string
	Status
}

// PluginScore is one plugin's score of one node, normalised and multiplied by the plugin's weight.
type PluginScore struct {
	Plugin string
	Score  int64
}

// NodeScore holds the scores of one node. A plugin that was skipped is absent from Plugins.
type NodeScore struct {
	Node    string
	Total   int64
	Plugins []PluginScore // and extenders
	// Drawn tells that an extender scored the node: upstream draws a number for it then, and among
	// nodes of one total takes the one with the highest, 0 where none is drawn.
	Drawn bool
}

// Candidate is a node on which pods could be preempted.
type Candidate struct {
	Node string
	// Victims are keys "namespace/name", the most important first. Terminating pods are among them
	// although they aren't evicted again.
	Victims []string
	// PDBViolations counts the victims whose eviction violates a disruption budget.
	PDBViolations int64
	// Best tells that upstream's ordering puts no other candidate before this one. Among several
	// best candidates upstream takes the first in the order of a Go map.
	Best bool
	// Tied tells that two pods which may be preempted on the node have equal importance (priority and
	// start time). Which of them is reprieved first then depends on their order in the node's list.
	Tied bool
}

// Preemption is what PostFilter did after no node was found feasible.
type Preemption struct {
	Status Status
	// Nominates tells that PostFilter set the pod's nominated node, perhaps to none.
	Nominates bool
	// Node is the nominated node; empty clears the nomination.
	Node string
	// Victims are the pods of the chosen candidate, as in Candidate.
	Victims []string
	// Evicted are the victims for which a delete was sent.
	Evicted []string
	// Cleared are pods of lower priority that lost their nomination to the node.
	Cleared []string
	// Candidates are all candidates, by node name; empty if the pod may not preempt.
	Candidates []Candidate
}

// Result is everything upstream computed for one pod.
type Result struct {
	// Gate is the verdict of PreEnqueue; if it isn't Success nothing else was run.
	Gate Status
	// PreFilter is the verdict of the PreFilter plugins; if it was rejected there are no Visits.
	PreFilter Status
	// NodeSet, if not nil, lists the nodes to which PreFilter restricts the search, sorted.
	NodeSet []string
	// FilterSkipped and ScoreSkipped are the plugins that left themselves out, sorted.
	FilterSkipped, ScoreSkipped []string
	// Nominated is the verdict for the pod's nominated node, which is tried before the others.
	Nominated *Verdict
	// Visits are the verdicts for the nodes upstream looked at, in its order. If more nodes were
	// feasible than it wanted, the last visit is the feasible node that ended the search; it is not
	// in Feasible.
	Visits []Verdict
	// Rest are the verdicts for the other nodes of the search, which upstream would have reached
	// without sampling, in snapshot order.
	Rest []Verdict
	// Unordered tells that the order of Visits, and with it the choice among equal nodes, is that of
	// a Go map: PreFilter gave a set of several nodes.
	Unordered bool
	// Feasible is the list of nodes that were scored, in upstream's order. With exactly one there
	// are no Scores.
	Feasible []string
	// Scores are in the order of Feasible.
	Scores []NodeScore
	// Chosen is upstream's choice; empty if there is none.
	Chosen string
	// Best lists the nodes with the highest total, in the order of Feasible; those that are Drawn, if
	// any of them is.
	Best []string
	// Drawn tells that Chosen is any of Best.
	Drawn bool
	// Evaluated and FeasibleCount are as upstream reports them.
	Evaluated, FeasibleCount int
	// Message is upstream's "0/N nodes are available: …", including what PostFilter said.
	Message string
	// Rejectors are the plugins that the queue is told rejected the pod, sorted.
	Rejectors []string
	// Err is the text of an error that isn't a lack of room, such as "no nodes available".
	Err string
	// Preemption is nil unless PostFilter ran.
	Preemption *Preemption
}

// Verdict gives the answer of the filters for a node, from Visits or Rest.
func (r *Result) Verdict(node string) (Status, bool) {
	for _, list := range [2][]Verdict{r.Visits, r.Rest} {
		for _, v := range list {
			if v.Node == node {
				return v.Status, true
			}
		}
	}
	return Status{}, false
}
