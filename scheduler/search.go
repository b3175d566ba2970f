package scheduler

import (
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A search is what came of a look at nodes for a pod, one by one.
type search struct {
	Diagnosis
	nodes []cluster.NodeID // feasible, in the order in which they were looked at
	bare  bool             // an extender sent them back, and not only their names

	looked            int // nodes that the place where the next cycle begins moves past
	rejected, pending uint64

	// The pod that it was for, and the State's version, if isFor is to be asked.
	pod            cluster.PodID
	order, version uint64

	at []int32 // by row, 1 + the place of the node's verdict; 0 if it has none
}

// isFor reports whether it was for p, in a State as it is now.
func (r *search) isFor(s *cluster.State, p cluster.PodID) bool {
	return r != nil && r.pod == p && r.order == s.Pods.Order[p] && r.version == s.Version()
}

// note writes down why a node won't do. What is said last counts.
func (r *search) note(v NodeVerdict) {
	if i := r.at[v.Node]; i > 0 {
		r.Verdicts[i-1] = v
		return
	}
	r.Verdicts = append(r.Verdicts, v)
	r.at[v.Node] = int32(len(r.Verdicts))
}

// search asks every filter about every node that a cycle looks at, until one rules
// it out, and then the extenders about those that are left.
func (pr *Profile) search(s *cluster.State, p cluster.PodID) *search {
	r := &search{at: make([]int32, s.Nodes.Rows())}
	r.Nodes = len(s.Nodes.Live())
	v := pr.visiting(s, p, nil)
	r.rejected = v.bits
	if v.ruled.Code != Success {
		r.Ruled, r.RuledBy = v.ruled, v.plugin
		return r
	}
	t := pr.NewTrial(s, p)
	restricting := []string{v.plugin}
	if n := s.Pods.Nominated[p]; n != cluster.None && s.Nodes.IsLive(n) {
		plugin, done := pr.searchKept(t, n, &v, r)
		if done {
			return r
		}
		if plugin != "" {
			restricting = append(restricting, plugin) // as upstream, which has one set for both
		}
	}
	if !v.all {
		slices.Sort(restricting)
		restricting = slices.Compact(restricting)
		r.Absent = Verdict{Unresolvable, []string{"node(s) didn't satisfy plugin(s) [" + strings.Join(restricting, " ") + "]"}}
	} else if len(pr.extenders) > 0 {
		r.Absent = Verdict{Code: Unresolvable} // an extender may drop a node without a word
	}
	for _, n := range v.nodes {
		plugin, verdict := t.VerdictWithNominees(n)
		if verdict.Code != Success {
			r.note(NodeVerdict{n, plugin, verdict})
			pr.count(r, plugin, verdict.Code)
			continue
		}
		if len(r.nodes) == v.enough {
			break
		}
		r.nodes = append(r.nodes, n)
	}
	r.looked = len(r.nodes) + len(r.Verdicts)
	before := len(r.nodes)
	if r.nodes, r.Err = pr.filterByExtenders(s, p, r.nodes, r); r.Err != nil {
		r.Absent = Verdict{} // of what the filters have left nothing is known
		return r
	}
	if len(r.nodes) != before {
		r.rejected |= pr.extended
	}
	return r
}

// searchKept looks at n, which is kept for the pod. It returns whether nothing else
// needs to be looked at, and if not, the plugin that rules n out; none if extenders
// do. An extender without an answer is no error here: it is asked again.
func (pr *Profile) searchKept(t *Trial, n cluster.NodeID, v *visit, r *search) (plugin string, done bool) {
	plugin, verdict := t.VerdictWithNominees(n)
	if verdict.Code != Success {
		r.note(NodeVerdict{n, plugin, verdict})
		if v.bits != 0 {
			pr.count(r, plugin, verdict.Code)
		}
		return plugin, false
	}
	nodes, err := pr.filterByExtenders(t.s, t.pod, []cluster.NodeID{n}, r)
	if err == nil && len(nodes) > 0 {
		r.nodes = nodes
		return "", true
	}
	r.bare = false
	return "", false
}

// count notes that a plugin ruled a node out.
func (pr *Profile) count(r *search, plugin string, code Code) {
	bit := uint64(1) << pr.bitOf(plugin)
	r.rejected |= bit
	if code == Pending {
		r.pending |= bit
	}
}

// feasibleExtended is feasible for a pod about which extenders are asked: node by
// node, since each filter's verdicts may be needed, and asking takes longer anyway.
func (pr *Profile) feasibleExtended(s *cluster.State, p cluster.PodID) []cluster.NodeID {
	r := pr.search(s, p)
	r.pod, r.order, r.version = p, s.Pods.Order[p], s.Version()
	pr.last, pr.err, pr.bare = r, r.Err, r.bare
	pr.rejected, pr.pending = r.rejected, r.pending
	if r.looked > 0 {
		pr.advance(s, r.looked)
	}
	return r.nodes
}

// diagnosed returns why p, which fits nowhere, does so. If extenders have just said
// so, they are not asked again.
func (pr *Profile) diagnosed(s *cluster.State, p cluster.PodID) Diagnosis {
	if pr.last.isFor(s, p) {
		return pr.last.Diagnosis
	}
	return pr.Diagnose(s, p)
}
