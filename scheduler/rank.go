package scheduler

import (
	"encoding/binary"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// rank makes the ranking for p's class; nil if it would take too much.
func (ks *rankings) rank(s *cluster.State, p cluster.PodID) *ranking {
	pl, ok := ks.profile.planFor(s, p)
	if !ok {
		return nil
	}
	r := &ranking{plan: pl, class: s.Pods.Class[p], epoch: s.Nodes.Epoch, tabled: epochs(s)}
	_, r.position, _ = s.ChangesSince(s.LastChange())
	st := ks.siteFor(s, p, &pl, true)
	r.site, r.base, r.normals = st, st.base, st.normals
	r.why, r.rejected = slices.Clone(st.why), slices.Clone(st.rejected)
	ks.nodes = append(ks.nodes[:0], st.nodes...)
	nodes := ks.nodes
	if !r.count(s, ks) || !ks.sort(s, r, nodes, st) {
		return nil
	}
	if !ks.judge(s, p, r, nodes, true) {
		return nil
	}
	for _, b := range r.blocs {
		b.build()
	}
	return r
}

// count makes the columns of all rules, and counts all pods.
func (r *ranking) count(s *cluster.State, ks *rankings) (ok bool) {
	coarse := 0
	r.eachTally(func(t *tally) {
		t.columns = make([]column, len(t.Columns))
		for i := range t.columns {
			c := &t.columns[i]
			c.begin(s, ks, t.Columns[i])
			if c.fine {
				c.slot = r.fine
				r.fine++
			} else {
				c.slot = coarse
				coarse++
			}
		}
	})
	return !r.anyColumn() || r.countAll(s)
}

// begin makes a column without pods.
func (c *column) begin(s *cluster.State, ks *rankings, d DomainColumn) {
	c.DomainColumn = d
	c.keyIndex = ks.index(s, d.Key, d.PerNode)
	c.counts = make([]int64, c.domains)
	// With few domains, they are gone through for each decision; with many, the nodes
	// of one are looked at again when its number changes.
	nodes := len(s.Nodes.Live())
	c.fine = d.PerNode || !d.Few && c.domains > minFine && c.domains*c.domains > nodes
	if d.Counts != nil {
		c.in = make([]bool, s.Nodes.Rows())
		for _, n := range s.Nodes.Live() {
			c.in[n] = d.Counts(n)
		}
	}
	if d.Least {
		c.beginLeast(s)
	}
}

// minFine is how many domains are always gone through.
const minFine = 16

// countAll counts the pods on all nodes.
func (r *ranking) countAll(s *cluster.State) (ok bool) {
	for _, n := range s.Nodes.Live() {
		for q := range s.PodsOn(n) {
			brings, ok := r.brings(s.Pods.Class[q])
			if !ok {
				return false
			}
			if brings == something {
				r.eachTally(func(t *tally) { t.countPod(s, q, n) })
			}
		}
	}
	return true
}

// countPod counts q, which is on n.
func (t *tally) countPod(s *cluster.State, q cluster.PodID, n cluster.NodeID) {
	for _, sh := range t.sharesOf(s.Pods.Class[q]) {
		c := &t.columns[sh.Column]
		if d := c.domain[n]; d != noDomain && (c.in == nil || c.in[n]) && !(c.Staying && s.Pods.Phase[q] == cluster.Terminating) {
			c.add(d, sh.Weight)
		}
	}
}

// sort finds out of which kinds nodes are, and gives them their places.
func (ks *rankings) sort(s *cluster.State, r *ranking, nodes []cluster.NodeID, st *site) (ok bool) {
	raws := st.raws
	coarse := false
	r.eachTally(func(t *tally) {
		for i := range t.columns {
			coarse = coarse || !t.columns[i].fine
		}
	})
	if r.fine > 0 {
		r.blocOf = make([]int32, s.Nodes.Rows())
		for n := range r.blocOf {
			r.blocOf[n] = -1
		}
	}
	if !coarse && st.even {
		return ks.oneKind(s, r, nodes, raws)
	}
	return ks.manyKinds(s, r, nodes, raws)
}

// scores is Scores of a scorer of the profile.
func (ks *rankings) scores(sc *weightedScorer, s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	ks.work.Scored += uint64(len(nodes))
	ks.profile.watch.begin(PhaseScore, sc.name)
	said := sc.raw(s, p, nodes, out)
	ks.profile.watch.end()
	return said
}

// oneKind puts all nodes into one kind.
func (ks *rankings) oneKind(s *cluster.State, r *ranking, nodes []cluster.NodeID, raws [][]int64) (ok bool) {
	k := kind{nodes: s.Nodes.Live()}
	for _, raw := range raws {
		if len(nodes) > 0 {
			k.raws = append(k.raws, raw[0])
		}
	}
	if len(nodes) == len(k.nodes) {
		r.place = ks.place
		k.nodes = ks.live
	} else {
		k.nodes = append([]cluster.NodeID(nil), nodes...)
		r.place = make([]int32, s.Nodes.Rows())
		for n := range r.place {
			r.place[n] = -1
		}
		for i, n := range nodes {
			r.place[n] = int32(i)
		}
	}
	r.kinds = []kind{k}
	return r.fine > 0 || r.addBloc(&r.kinds[0]) != nil
}

// manyKinds puts nodes with the same raw scores and in the same domains into one kind.
func (ks *rankings) manyKinds(s *cluster.State, r *ranking, nodes []cluster.NodeID, raws [][]int64) (ok bool) {
	r.place, r.kindOf = make([]int32, s.Nodes.Rows()), make([]int32, s.Nodes.Rows())
	for n := range r.place {
		r.place[n] = -1
	}
	byKey := map[string]int32{}
	var key []byte
	for i, n := range nodes {
		key = key[:0]
		for _, raw := range raws {
			key = binary.LittleEndian.AppendUint64(key, uint64(raw[i]))
		}
		r.eachTally(func(t *tally) {
			for j := range t.columns {
				if c := &t.columns[j]; !c.fine {
					key = binary.LittleEndian.AppendUint32(key, uint32(c.domain[n]))
				}
			}
		})
		id, known := byKey[string(key)]
		if !known {
			if len(r.kinds) == maxKinds {
				return false
			}
			id = int32(len(r.kinds))
			byKey[string(key)] = id
			r.kinds = append(r.kinds, r.newKind(raws, i, n))
		}
		k := &r.kinds[id]
		r.kindOf[n], r.place[n] = id, int32(len(k.nodes))
		k.nodes = append(k.nodes, n)
	}
	for i := range r.kinds {
		if r.fine == 0 && r.addBloc(&r.kinds[i]) == nil {
			return false
		}
	}
	return true
}

// newKind returns the kind of a node, the i-th.
func (r *ranking) newKind(raws [][]int64, i int, n cluster.NodeID) (k kind) {
	for _, raw := range raws {
		k.raws = append(k.raws, raw[i])
	}
	r.eachTally(func(t *tally) {
		for j := range t.columns {
			if c := &t.columns[j]; !c.fine {
				k.domains = append(k.domains, c.domain[n])
			}
		}
	})
	return k
}

// strike is narrow, and notes which nodes the filter at a place rules out.
func (ks *rankings) strike(s *cluster.State, p cluster.PodID, why []int8, rejected []int32, filter int, nodes []cluster.NodeID) []cluster.NodeID {
	ks.work.Filtered += uint64(len(nodes))
	before := append(ks.before[:0], nodes...)
	ks.before = before
	ks.profile.watch.begin(PhaseFilter, ks.profile.filters[filter].name)
	kept := ks.profile.filters[filter].keep(s, p, nodes)
	ks.profile.watch.end()
	if len(kept) == len(before) {
		return kept
	}
	i := 0
	for _, n := range before {
		if i < len(kept) && kept[i] == n {
			i++
			continue
		}
		why[n] = int8(filter + 1)
		rejected[filter]++
	}
	return kept
}

// judge brings nodes, all of which have places, up to date. First says that their blocs
// are to be built when all are. ok is false if there would be too many blocs.
func (ks *rankings) judge(s *cluster.State, p cluster.PodID, r *ranking, nodes []cluster.NodeID, first bool) (ok bool) {
	pr := ks.profile
	for _, i := range r.rows {
		before := len(nodes)
		if nodes = ks.strike(s, p, r.why, r.rejected, i, nodes); len(nodes) == before {
			continue
		}
		for _, n := range ks.before {
			if r.why[n] == int8(i+1) && !first && !r.put(n, out) {
				return false
			}
		}
	}
	ks.sum, ks.one = resize(ks.sum, len(nodes)), resize(ks.one, len(nodes))
	clear(ks.sum)
	for _, i := range r.sums {
		sc := &pr.scorers[i]
		if !ks.scores(sc, s, p, nodes, ks.one) {
			continue
		}
		if !r.alone {
			sc.add(s, p, nodes, ks.one, ks.sum)
		} else if !addRaw(ks.one, ks.sum) {
			return false
		}
	}
	for j, n := range nodes {
		score := int32(ks.sum[j])
		if r.base != nil {
			score += r.base[n]
		}
		if first {
			ok = r.putFirst(n, score)
		} else {
			ok = r.put(n, score)
		}
		if !ok {
			return false
		}
	}
	return true
}

// maxRaw is the bound of raw scores, from below and above, that are kept as they are.
const maxRaw = 1 << 29

// addRaw adds raw scores to sum, so that none is less than 0; ok is false if one is too far
// from it to be kept.
func addRaw(raw, sum []int64) (ok bool) {
	for j, v := range raw {
		if v <= -maxRaw || v >= maxRaw {
			return false
		}
		sum[j] += v + maxRaw
	}
	return true
}

// putFirst is put for a node that was not feasible, before blocs are built.
func (r *ranking) putFirst(n cluster.NodeID, score int32) (ok bool) {
	b := r.kind(n).first()
	if r.fine > 0 {
		if b = r.blocFor(n); b == nil {
			return false
		}
		r.blocOf[n] = b.slot
	}
	b.feasible++
	b.setLeaf(r.place[n], score)
	return true
}

// first returns the first bloc, nil if there is none.
func (k *kind) first() *bloc {
	if len(k.blocs) == 0 {
		return nil
	}
	return k.blocs[0]
}
