package scheduler

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Sampling says at how many nodes a cycle looks. The zero Sampling is all.
type Sampling struct {
	// Adaptive stops looking once enough feasible nodes were found.
	Adaptive bool
	// Percent of the nodes is enough, and at least 100; 0 means what kube takes
	// by default: 50 minus one for every 125 nodes, and at least 5.
	Percent int
}

// Kube's bounds on how many feasible nodes are enough
// (pkg/scheduler/schedule_one.go, numFeasibleNodesToFind).
const (
	minFeasible        = 100
	minFeasiblePercent = 5
)

// enough returns how many feasible nodes of n a cycle looks for.
func (sa Sampling) enough(n int) int {
	if !sa.Adaptive || n < minFeasible {
		return n
	}
	percent := sa.Percent
	if percent == 0 {
		percent = max(minFeasiblePercent, 50-n/125)
	}
	return max(n*percent/100, minFeasible)
}

// A visit is the order in which a cycle looks at nodes.
type visit struct {
	nodes  []cluster.NodeID // candidates, in that order
	enough int              // feasible nodes
	ruled  Verdict          // what rules out every node, before any is looked at
	plugin string           // that ruled so, or that restricted the candidates
	all    bool             // the candidates are all nodes
	bits   uint64           // the plugins that ruled so, or restricted the candidates
}

// visiting returns the order in which p's cycle looks at nodes, into buf.
func (pr *Profile) visiting(s *cluster.State, p cluster.PodID, buf []cluster.NodeID) visit {
	order := s.Nodes.Live()
	if pr.inZones() {
		order = s.Nodes.ByZone() // as of now, also if a plugin rules out every node
	}
	names, plugin, bits, v := pr.preselect(s, p)
	restricted := bits != 0
	if v.Code != Success {
		return visit{ruled: v, plugin: plugin, bits: bits}
	}
	if restricted {
		order = chosen(s, names, order)
	}
	start := 0
	if len(order) > 0 && pr.inZones() {
		start = *pr.start % len(order)
	}
	buf = append(append(buf[:0], order[start:]...), order[:start]...)
	enough := pr.sampling.enough(len(order))
	if len(pr.scorers) == 0 && pr.sampling.Adaptive && !pr.extend(VerbFilter|VerbPrioritize) {
		enough = 1
	}
	return visit{nodes: buf, enough: enough, plugin: plugin, all: !restricted, bits: bits}
}

// inZones reports whether it matters in which order nodes are looked at, so that
// it must be kube's: one of each zone in turn, from where the last cycle ended.
func (pr *Profile) inZones() bool { return pr.sampling.Adaptive || pr.ties == TiesKube }

// preselect asks the plugins that can tell beforehand which nodes may do. As in
// kube-scheduler, what they name is intersected. Bits are the plugins that restrict
// the nodes, or rule out all.
func (pr *Profile) preselect(s *cluster.State, p cluster.PodID) (names []string, plugin string, bits uint64, v Verdict) {
	for _, pre := range pr.preselectors {
		pr.watch.begin(PhasePreFilter, pre.name)
		these, some, v := pre.Preselect(s, p)
		pr.watch.end()
		if v.Code != Success {
			return nil, pre.name, bits | 1<<pre.bit, v
		}
		if !some {
			continue
		}
		if bits != 0 {
			these = slices.DeleteFunc(these, func(name string) bool { return !slices.Contains(names, name) })
		}
		names, plugin, bits = these, pre.name, bits|1<<pre.bit
		if len(names) == 0 {
			return nil, pre.name, bits, Verdict{Unresolvable, []string{"node(s) didn't satisfy plugin " + pre.name}}
		}
	}
	return names, plugin, bits, Verdict{}
}

// chosen returns those of nodes that have one of the names.
func chosen(s *cluster.State, names []string, nodes []cluster.NodeID) (out []cluster.NodeID) {
	for _, n := range nodes {
		if slices.Contains(names, s.Nodes.Name[n]) {
			out = append(out, n)
		}
	}
	return out
}

// advance moves the place where the next cycle begins to look past what this one
// has looked at.
func (pr *Profile) advance(s *cluster.State, looked int) {
	if n := len(s.Nodes.Live()); n > 0 {
		*pr.start = (*pr.start + looked) % n
	}
}
