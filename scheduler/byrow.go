package scheduler

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// byRow is what a ranking tells about a pod that fits nowhere: nothing is looked at that
// nobody asks for. It is valid until the profile's next Select.
type byRow struct {
	ks      *rankings
	state   *cluster.State
	pod     cluster.PodID
	ranking *ranking
	filters []func(cluster.NodeID) Verdict // by place, nil as long as it was not needed
	beside  []besideVerdict
	help    []cluster.NodeID // nodes with code Unschedulable, in order of arrival
	listed  bool             // help holds them
}

// A besideVerdict is that on a node which is kept for other pods, as important as the one
// that is asked about: it must fit with them there and without. Plugin rules it out, if one
// does.
type besideVerdict struct {
	node   cluster.NodeID
	plugin string
	code   Code
}

// besideNominees asks about the nodes that are kept for other pods which count for p.
func (pr *Profile) besideNominees(s *cluster.State, p cluster.PodID, list []besideVerdict) []besideVerdict {
	if !s.AnyNominee() {
		return list
	}
	t := pr.NewTrial(s, p)
	for n := range s.NominatedNodes() {
		if !s.Nodes.IsLive(n) {
			continue
		}
		mark := t.Mark()
		counts := t.addNominees(n)
		t.Undo(mark)
		if counts {
			plugin, v := t.VerdictWithNominees(n)
			list = append(list, besideVerdict{n, plugin, v.Code})
		}
	}
	return list
}

// rejectedBeside notes which plugins rule out nodes for p, which fits nowhere although some
// nodes are kept for other pods.
func (pr *Profile) rejectedBeside(s *cluster.State, p cluster.PodID, r *ranking) {
	ks := &pr.ranks
	ks.counts = append(ks.counts[:0], r.rejected...)
	ks.beside = pr.besideNominees(s, p, ks.beside[:0])
	pr.rejected, pr.pending = 0, 0
	for _, b := range ks.beside {
		if w := r.why[b.node]; w > 0 {
			ks.counts[w-1]--
		}
		if b.code != Success {
			pr.reject(b.plugin, b.code)
		}
	}
	for i, nodes := range ks.counts {
		if nodes > 0 {
			pr.rejected |= 1 << pr.filters[i].bit
		}
	}
}

// diagnosedByRow says on which nodes preemption may help p, which fits nowhere, if that
// is kept. It must follow a Select of p.
func (pr *Profile) diagnosedByRow(s *cluster.State, p cluster.PodID) (d Diagnosis, ok bool) {
	if !pr.mayRank() {
		return d, false
	}
	ks, c := &pr.ranks, s.Pods.Class[p]
	if ks.state != s || int(c) >= len(ks.classes) {
		return d, false
	}
	r := ks.classes[c].ranking
	if r == nil || r.anyRule() || r.position != s.LastChange() {
		return d, false
	}
	by := &ks.byRow
	*by = byRow{ks: ks, state: s, pod: p, ranking: r, filters: by.filters[:0], beside: by.beside[:0], help: by.help[:0]}
	by.beside = pr.besideNominees(s, p, by.beside)
	for range r.rejected {
		by.filters = append(by.filters, nil)
	}
	if r.codes == nil {
		r.codes = make([]Code, len(r.why))
		for n := range r.codes {
			r.codes[n] = unknown
		}
	}
	return Diagnosis{Nodes: len(s.Nodes.Live()), ByRow: true, by: by}, true
}

// unknown stands for a code that has not been asked for since the row has changed.
const unknown = ^Code(0)

// code returns the code of the verdict on n, which is live.
func (by *byRow) code(n cluster.NodeID) Code {
	if i := slices.IndexFunc(by.beside, func(b besideVerdict) bool { return b.node == n }); i >= 0 {
		return by.beside[i].code
	}
	r := by.ranking
	if r.why[n] == 0 {
		return Success
	}
	if r.codes[n] == unknown {
		i := r.why[n] - 1
		if by.filters[i] == nil {
			by.filters[i] = by.ks.profile.filters[i].Filter.Filter(by.state, by.pod)
		}
		r.codes[n] = by.filters[i](n).Code
	}
	return r.codes[n]
}

// helpless returns the nodes that are ruled out with code Unschedulable.
func (by *byRow) helpless() []cluster.NodeID {
	if by.listed {
		return by.help
	}
	by.listed = true
	codes, why := by.ranking.codes, by.ranking.why
	for _, n := range by.state.Nodes.Live() {
		if len(by.beside) > 0 || codes[n] == unknown && why[n] > 0 {
			if by.code(n) == Unschedulable {
				by.help = append(by.help, n)
			}
		} else if why[n] > 0 && codes[n] == Unschedulable {
			by.help = append(by.help, n)
		}
	}
	return by.help
}
