package scheduler

import (
	"encoding/binary"

	"github.com/berthsim/berth/cluster"
)

// A site is what plugins say about the descriptions of nodes, for pods of all classes
// that say the same about them. Where every pod is a class of its own, most is still
// known.
type site struct {
	nodes    []cluster.NodeID // that no such filter rules out, in order of arrival
	why      []int8           // by node, 1 + the place of the filter that rules it out, 0 if none does
	rejected []int32          // by place of a filter: nodes that it rules out
	base     []int32          // by node: scores that are not normalised; nil for none
	normals  []int            // scorers that are normalised and have a say, by place
	raws     [][]int64        // theirs, by place in normals and in nodes
	even     bool             // each gives all nodes the same
}

// maxSiteRows bounds what is kept: sites times nodes.
const maxSiteRows = 2 << 20

// siteFor returns the site of p's class; nil if it is seen for the first time and may not
// come again.
func (ks *rankings) siteFor(s *cluster.State, p cluster.PodID, pl *plan, always bool) *site {
	key := binary.AppendVarint(ks.key[:0], int64(s.Site(s.Pods.Class[p])))
	for _, places := range [...][]int{pl.described, pl.bases, pl.normals} {
		key = binary.AppendVarint(key, int64(len(places)))
		for _, i := range places {
			key = binary.AppendVarint(key, int64(i))
		}
	}
	ks.key = key
	if st, known := ks.sites[string(key)]; st != nil || !known && !always {
		if !known {
			ks.keepSite(key, nil)
		}
		return st
	}
	st := ks.newSite(s, p, pl)
	ks.keepSite(key, st)
	return st
}

func (ks *rankings) keepSite(key []byte, st *site) {
	if ks.sites == nil || len(ks.sites)*len(ks.place) >= maxSiteRows {
		ks.sites = map[string]*site{}
	}
	ks.sites[string(key)] = st
}

// newSite asks the plugins.
func (ks *rankings) newSite(s *cluster.State, p cluster.PodID, pl *plan) *site {
	pr := ks.profile
	st := &site{why: make([]int8, s.Nodes.Rows()), rejected: make([]int32, len(pr.filters)), even: true}
	nodes := append([]cluster.NodeID(nil), s.Nodes.Live()...)
	for _, i := range pl.described {
		nodes = ks.strike(s, p, st.why, st.rejected, i, nodes)
	}
	st.nodes = nodes
	for _, i := range pl.bases {
		ks.one = resize(ks.one, len(nodes))
		if ks.scores(&pr.scorers[i], s, p, nodes, ks.one) {
			st.addBase(s, p, &pr.scorers[i], ks.one)
		}
	}
	for _, i := range pl.normals {
		out := make([]int64, len(nodes))
		if !ks.scores(&pr.scorers[i], s, p, nodes, out) {
			continue
		}
		st.normals, st.raws = append(st.normals, i), append(st.raws, out)
		for _, v := range out {
			st.even = st.even && v == out[0]
		}
	}
	return st
}

// addBase adds a scorer's scores to base, which stays nil while they are all 0.
func (st *site) addBase(s *cluster.State, p cluster.PodID, sc *weightedScorer, scores []int64) {
	for j, n := range st.nodes {
		sc.check(s, p, n, scores[j])
		if scores[j] == 0 {
			continue
		}
		if st.base == nil {
			st.base = make([]int32, len(st.why))
		}
		st.base[n] += int32(sc.weight * scores[j])
	}
}

// scan looks at all nodes for p, whose class has no ranking, but doesn't ask again about
// their descriptions. ok is false if it can't tell.
func (ks *rankings) scan(s *cluster.State, p cluster.PodID) (n cluster.NodeID, ok bool) {
	if s.AnyNominee() || s.Pods.Nominated[p] != cluster.None || ks.classes[s.Pods.Class[p]].refused {
		return cluster.None, false
	}
	if r := ks.classes[s.Pods.Class[p]].ranking; r != nil && !r.anyColumn() {
		return ks.scanSite(s, p, &r.plan, r.site), true
	}
	pl, ok := ks.profile.planFor(s, p)
	if !ok || pl.anyColumn() {
		return cluster.None, false
	}
	ks.renewIfStale(s)
	st := ks.siteFor(s, p, &pl, false)
	if st == nil {
		return cluster.None, false
	}
	return ks.scanSite(s, p, &pl, st), true
}

// scanSite returns the best of a site's nodes, None if none is feasible.
func (ks *rankings) scanSite(s *cluster.State, p cluster.PodID, pl *plan, st *site) cluster.NodeID {
	pr := ks.profile
	ks.work.Scans++
	pr.rejected, pr.pending, pr.all = 0, 0, true
	for i, nodes := range st.rejected {
		if nodes > 0 {
			pr.rejected |= 1 << pr.filters[i].bit
		}
	}
	nodes := append(ks.nodes[:0], st.nodes...)
	ks.nodes = nodes
	for _, i := range pl.rows {
		nodes = pr.narrow(&pr.filters[i], s, p, nodes)
	}
	if len(nodes) == 0 {
		return cluster.None
	}
	ks.sumUp(s, p, pl, st, nodes)
	best := 0
	for i, v := range ks.sum {
		if v > ks.sum[best] {
			best = i
		}
	}
	return nodes[best]
}

// sumUp sets sum to the total scores of nodes, but for what all nodes get.
func (ks *rankings) sumUp(s *cluster.State, p cluster.PodID, pl *plan, st *site, nodes []cluster.NodeID) {
	pr := ks.profile
	ks.sum, ks.one = resize(ks.sum, len(nodes)), resize(ks.one, len(nodes))
	clear(ks.sum)
	for _, i := range pl.sums {
		if ks.scores(&pr.scorers[i], s, p, nodes, ks.one) {
			pr.scorers[i].add(s, p, nodes, ks.one, ks.sum)
		}
	}
	if st.base != nil {
		for j, n := range nodes {
			ks.sum[j] += int64(st.base[n])
		}
	}
	if st.even {
		return
	}
	for k, i := range st.normals {
		j := 0
		for at, n := range st.nodes {
			if j < len(nodes) && nodes[j] == n {
				ks.one[j] = st.raws[k][at]
				j++
			}
		}
		sc := &pr.scorers[i]
		sc.normalize(s, p, nodes, ks.one, pr.watch)
		sc.add(s, p, nodes, ks.one, ks.sum)
	}
}
