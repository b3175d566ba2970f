package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A Code is the outcome of a filter, with the numbers of Kubernetes' framework.
type Code uint8

// The codes that a filter or allocator may return.
const (
	Success       Code = 0
	Unschedulable Code = 2 // the pod doesn't fit now; it might if others were preempted
	Unresolvable  Code = 3 // kube's UnschedulableAndUnresolvable: preemption would not help
	Wait          Code = 4 // of a Gate alone: the pod has its node, and is to wait before it is bound
	Pending       Code = 6 // the pod waits for something definite, and is tried at once when it comes
)

// String returns the code's name in Kubernetes.
func (c Code) String() string {
	switch c {
	case Success:
		return "Success"
	case Unschedulable:
		return "Unschedulable"
	case Unresolvable:
		return "UnschedulableAndUnresolvable"
	case Wait:
		return "Wait"
	case Pending:
		return "Pending"
	}
	return fmt.Sprintf("Code(%d)", uint8(c))
}

// A Verdict says whether a pod may run on a node, and why not.
type Verdict struct {
	Code    Code
	Reasons []string // in kube's words; shared, so the reader must not change it
}

// A Diagnosis says which nodes a pod can't run on, and why.
type Diagnosis struct {
	Nodes int // in the cluster

	// Ruled is what ruled out every node before any was looked at, and RuledBy
	// the plugin. Its code is Success if nothing did.
	Ruled   Verdict
	RuledBy string

	// Verdicts holds one for each node that was looked at and ruled out, in
	// order: that of the first filter to do so.
	Verdicts []NodeVerdict

	// Absent is the verdict on nodes that were not looked at, because a plugin
	// knew beforehand which nodes may do.
	Absent Verdict

	// ByRow says that verdicts about the pod, and others like it, depend on nothing but
	// nodes' rows and descriptions. What a Preemptor has found out about a node then
	// holds while the node's Stamp is the same, but for nodes that are kept for pods.
	ByRow bool

	// by tells more, if ByRow; then Verdicts is empty.
	by *byRow

	// Err is why no more is known: an extender gave no answer. Nil if none failed.
	Err error
}

// A NodeVerdict says which filter ruled a node out, and why; Plugin is ExtenderName
// if an extender did.
type NodeVerdict struct {
	Node   cluster.NodeID
	Plugin string
	Verdict
}

// Of returns the verdict on n, which is live, of a pod that fits nowhere; if ByRow, without
// reasons.
func (d *Diagnosis) Of(n cluster.NodeID) Verdict {
	if d.ByRow {
		return Verdict{Code: d.by.code(n)}
	}
	for i := range d.Verdicts {
		if d.Verdicts[i].Node == n {
			return d.Verdicts[i].Verdict
		}
	}
	if d.Ruled.Code != Success {
		return d.Ruled
	}
	return d.Absent
}

// With returns the nodes on which the verdict has a code, in order of arrival.
// The caller must not change the slice.
func (d *Diagnosis) With(s *cluster.State, code Code) (nodes []cluster.NodeID) {
	if d.ByRow && code == Unschedulable {
		return d.by.helpless()
	}
	rest := d.Absent.Code
	if d.Ruled.Code != Success {
		rest = d.Ruled.Code
	}
	codes := make([]Code, s.Nodes.Rows())
	for i := range codes {
		codes[i] = rest
	}
	for i := range d.Verdicts {
		codes[d.Verdicts[i].Node] = d.Verdicts[i].Code
	}
	for _, n := range s.Nodes.Live() {
		if codes[n] == code {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// String returns kube-scheduler's message for a pod that fits nowhere, reasons
// in order of their text: "0/12 nodes are available: 3 Insufficient cpu, 9 …".
func (d Diagnosis) String() string {
	if d.Nodes == 0 {
		return "no nodes available to schedule pods"
	}
	if d.Err != nil {
		return d.Err.Error()
	}
	text := fmt.Sprintf("0/%d nodes are available:", d.Nodes)
	if d.Ruled.Code != Success {
		return text + " " + strings.Join(d.Ruled.Reasons, ", ") + "."
	}
	count := map[string]int{}
	for _, v := range d.Verdicts {
		for _, r := range v.Reasons {
			count[r]++
		}
	}
	for _, r := range d.Absent.Reasons {
		count[r] += d.Nodes - len(d.Verdicts)
	}
	var parts []string
	for _, r := range slices.Sorted(maps.Keys(count)) {
		if count[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[r], r))
		}
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return text
	}
	return text + " " + strings.Join(parts, ", ") + "."
}
