package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// An Explanation tells why a pod gets the node it gets, or none: every node, and
// what every plugin says about it.
type Explanation struct {
	Version string `json:"version"`
	Pod     string `json:"pod"` // namespace/name
	Policy  string `json:"policy"`
	Ties    string `json:"ties"` // how equal scores are decided
	// On is the node that the pod is on already, "" if it is on none. The rest
	// is as if it were not.
	On     string `json:"on,omitempty"`
	Chosen string `json:"chosen,omitempty"` // the node that it would get
	// Refused is why admission would refuse the pod if it were created now, "" if it would
	// not. The rest is as if it had been admitted.
	Refused string `json:"refused,omitempty"`
	// Message is kube-scheduler's, if it would get none, or the error that keeps it
	// from getting one.
	Message string          `json:"message,omitempty"`
	Preempt *PreemptionPlan `json:"preempt,omitempty"`
	Nodes   []NodeStory     `json:"nodes"` // feasible ones first, the best of them on top
}

// A PreemptionPlan says who would have to go.
type PreemptionPlan struct {
	Node    string   `json:"node"`
	Victims []string `json:"victims"` // namespace/name
}

// A NodeStory is what is said about one node.
type NodeStory struct {
	Node    string       `json:"node"`
	Verdict string       `json:"verdict"` // Success, or the code in Kubernetes
	Plugin  string       `json:"plugin,omitempty"`
	Reasons []string     `json:"reasons,omitempty"`
	Scores  []ScoreStory `json:"scores,omitempty"`
	Total   int64        `json:"total"`
}

// A ScoreStory is what one plugin scores a node.
type ScoreStory struct {
	Plugin   string `json:"plugin"`
	Raw      int64  `json:"raw"`      // before normalisation
	Score    int64  `json:"score"`    // 0 to 100
	Weight   int64  `json:"weight"`   // of the plugin
	Weighted int64  `json:"weighted"` // Score times Weight
}

// Explain asks a profile about p, which may be on a node already; then it tells
// what would be decided if it were not. It leaves s as it was.
func Explain(s *cluster.State, p cluster.PodID, policy string, profile *scheduler.Profile) *Explanation {
	x := &Explanation{Version: Version, Pod: s.PodName(p), Policy: policy, Ties: profile.Ties().String()}
	if n := s.Pods.Node[p]; n != cluster.None {
		x.On = s.Nodes.Name[n]
		mark := s.Mark()
		defer s.Undo(mark)
		s.Remove(p)
	}
	e := profile.Evaluate(s, p)
	x.tellFeasible(s, &e)
	x.tellRuledOut(s, &e.Diagnosis)
	if e.Chosen >= 0 {
		x.Chosen = s.Nodes.Name[e.Feasible[e.Chosen].Node]
		return x
	}
	if e.Err != nil {
		x.Message = e.Err.Error()
		return x
	}
	x.Message = e.Diagnosis.String()
	if pre, ok := profile.Preemption(s, p); ok && pre.Node != cluster.None {
		x.Preempt = &PreemptionPlan{Node: s.Nodes.Name[pre.Node]}
		for _, v := range pre.Victims {
			x.Preempt.Victims = append(x.Preempt.Victims, s.PodName(v))
		}
	}
	return x
}

// tellFeasible adds the feasible nodes, the chosen one first and then by score.
func (x *Explanation) tellFeasible(s *cluster.State, e *scheduler.Evaluation) {
	order := make([]int, len(e.Feasible))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case a == e.Chosen:
			return -1
		case b == e.Chosen:
			return 1
		case e.Feasible[a].Total > e.Feasible[b].Total:
			return -1
		case e.Feasible[a].Total < e.Feasible[b].Total:
			return 1
		}
		return 0
	})
	for _, i := range order {
		f := &e.Feasible[i]
		story := NodeStory{Node: s.Nodes.Name[f.Node], Verdict: scheduler.Success.String(), Total: f.Total}
		for _, sc := range f.Scores {
			story.Scores = append(story.Scores, ScoreStory{sc.Plugin, sc.Raw, sc.Score, sc.Weight, sc.Score * sc.Weight})
		}
		x.Nodes = append(x.Nodes, story)
	}
}

// tellRuledOut adds the nodes that were ruled out, in order of arrival.
func (x *Explanation) tellRuledOut(s *cluster.State, d *scheduler.Diagnosis) {
	said := map[cluster.NodeID]scheduler.NodeVerdict{}
	for _, v := range d.Verdicts {
		said[v.Node] = v
	}
	feasible := len(x.Nodes)
	for _, n := range s.Nodes.Live() {
		v, ok := said[n]
		if !ok {
			name := s.Nodes.Name[n]
			if slices.ContainsFunc(x.Nodes[:feasible], func(ns NodeStory) bool { return ns.Node == name }) {
				continue
			}
			v = scheduler.NodeVerdict{Node: n, Plugin: d.RuledBy, Verdict: d.Of(n)}
			if v.Code == scheduler.Success {
				continue // it was not looked at: enough others were found
			}
		}
		x.Nodes = append(x.Nodes, NodeStory{Node: s.Nodes.Name[n], Verdict: v.Code.String(), Plugin: v.Plugin, Reasons: v.Reasons})
	}
}

// WriteJSON writes the explanation as JSON.
func (x *Explanation) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(x)
}

// WriteText writes the explanation for people: the outcome, a table of scores,
// and a table of the nodes that were ruled out.
func (x *Explanation) WriteText(w io.Writer) error {
	var b strings.Builder
	if x.Refused != "" {
		fmt.Fprintf(&b, "pod %s would not be admitted: %s.\nIf it were:\n", x.Pod, x.Refused)
	}
	fmt.Fprintln(&b, x.outcome())
	x.writeScores(&b)
	x.writeRuledOut(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (x *Explanation) outcome() string {
	text := "pod " + x.Pod
	if x.On != "" {
		text += " is on " + x.On + "; placed anew, it"
	}
	if x.Chosen == "" {
		text += " fits nowhere under policy " + x.Policy + ": " + x.Message
		if x.Preempt != nil {
			text += fmt.Sprintf("\nIt would fit on %s if these pods went: %s.", x.Preempt.Node, strings.Join(x.Preempt.Victims, ", "))
		}
		return text
	}
	return text + " goes to " + x.Chosen + " under policy " + x.Policy + ": " + x.margin()
}

// margin says why the first node beats the second.
func (x *Explanation) margin() string {
	first := x.Nodes[0]
	if len(x.Nodes) < 2 || x.Nodes[1].Verdict != first.Verdict {
		return "it is the only node that will do."
	}
	second := x.Nodes[1]
	if len(first.Scores) == 0 {
		return fmt.Sprintf("nothing scores its nodes, and ties go to the %s.", x.Ties)
	}
	if first.Total == second.Total {
		return fmt.Sprintf("it scores %d, as %s does; ties: %s.", first.Total, second.Node, x.Ties)
	}
	var parts []string
	for i, sc := range first.Scores {
		if d := sc.Weighted - second.Scores[i].Weighted; d != 0 {
			parts = append(parts, fmt.Sprintf("%s %+d", sc.Plugin, d))
		}
	}
	return fmt.Sprintf("it scores %d, %d more than %s (%s).", first.Total, first.Total-second.Total, second.Node, strings.Join(parts, ", "))
}

func (x *Explanation) writeScores(b *strings.Builder) {
	if len(x.Nodes) == 0 || len(x.Nodes[0].Scores) == 0 {
		return
	}
	fmt.Fprintln(b, "\nScore times weight, and in brackets the score before it was normalised:")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "total\t")
	for _, sc := range x.Nodes[0].Scores {
		fmt.Fprintf(w, "%s×%d\t", sc.Plugin, sc.Weight)
	}
	fmt.Fprintln(w, "  node")
	for _, n := range x.Nodes {
		if n.Verdict != scheduler.Success.String() {
			break
		}
		fmt.Fprintf(w, "%d\t", n.Total)
		for _, sc := range n.Scores {
			fmt.Fprintf(w, "%d (%d)\t", sc.Weighted, sc.Raw)
		}
		fmt.Fprintln(w, "  "+n.Node)
	}
	w.Flush()
}

func (x *Explanation) writeRuledOut(b *strings.Builder) {
	first := slices.IndexFunc(x.Nodes, func(n NodeStory) bool { return n.Verdict != scheduler.Success.String() })
	if first < 0 {
		return
	}
	fmt.Fprintln(b, "\nRuled out:")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, n := range x.Nodes[first:] {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.Node, n.Plugin, n.Verdict, strings.Join(n.Reasons, ", "))
	}
	w.Flush()
}
