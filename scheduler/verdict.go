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
)

// A Verdict says whether a pod may run on a node, and why not.
type Verdict struct {
	Code    Code
	Reasons []string // in kube's words; shared, so the reader must not change it
}

// Diagnosis says why a pod has no node.
type Diagnosis struct {
	Nodes int // that were looked at
	// Verdicts holds one for each node that was ruled out, in order of the
	// nodes' arrival: that of the first filter to do so.
	Verdicts []NodeVerdict
}

// A NodeVerdict says which filter ruled a node out, and why.
type NodeVerdict struct {
	Node   cluster.NodeID
	Plugin string
	Verdict
}

// Diagnose asks every filter about every node, until one rules it out. It takes
// the slow way, by rung 1: reasons are made for people only.
func (pr *Profile) Diagnose(s *cluster.State, p cluster.PodID) Diagnosis {
	d := Diagnosis{Nodes: len(s.Nodes.Live())}
	asked := make([]func(cluster.NodeID) Verdict, len(pr.filters))
	for i, f := range pr.filters {
		asked[i] = f.Filter.Filter(s, p)
	}
	for _, n := range s.Nodes.Live() {
		for i, may := range asked {
			if may == nil {
				continue
			}
			if v := may(n); v.Code != Success {
				d.Verdicts = append(d.Verdicts, NodeVerdict{n, pr.filters[i].name, v})
				break
			}
		}
	}
	return d
}

// String returns kube-scheduler's message for a pod that fits nowhere, reasons
// in order of their text: "0/12 nodes are available: 3 Insufficient cpu, 9 …".
func (d Diagnosis) String() string {
	if d.Nodes == 0 {
		return "no nodes available to schedule pods"
	}
	count := map[string]int{}
	for _, v := range d.Verdicts {
		for _, r := range v.Reasons {
			count[r]++
		}
	}
	parts := make([]string, 0, len(count))
	for _, r := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[r], r))
	}
	slices.Sort(parts)
	return fmt.Sprintf("0/%d nodes are available: %s.", d.Nodes, strings.Join(parts, ", "))
}
