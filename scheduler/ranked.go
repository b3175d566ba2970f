package scheduler

import "github.com/berthsim/berth/cluster"

// selectRanked is Select by a ranking. known is false if there is none that can say.
func (pr *Profile) selectRanked(s *cluster.State, p cluster.PodID) (n cluster.NodeID, known bool) {
	ks := &pr.ranks
	pr.watch.begin(PhaseRank, "")
	r := ks.For(s, p)
	pr.watch.end()
	if r == nil {
		return ks.scan(s, p)
	}
	if s.Pods.Nominated[p] != cluster.None {
		if kept, _ := pr.tryNominated(s, p); kept != cluster.None {
			return kept, true
		}
	}
	var masked []mask
	if s.AnyNominee() {
		masked = pr.mask(s, p, r)
	}
	n = ks.best(s, p, r)
	for i := len(masked) - 1; i >= 0; i-- {
		r.put(masked[i].node, masked[i].score)
	}
	if n != cluster.None {
		return n, true
	}
	if r.anyRule() {
		return cluster.None, false // a scan tells who ruled out what
	}
	pr.all = true
	pr.rejectedBeside(s, p, r)
	return cluster.None, true
}

// A mask is a node that was taken out for one decision.
type mask struct {
	node  cluster.NodeID
	score int32
}

// mask takes out the nodes on which p doesn't fit beside the pods that they are kept for.
func (pr *Profile) mask(s *cluster.State, p cluster.PodID, r *ranking) (masked []mask) {
	var t *Trial
	for n := range s.NominatedNodes() {
		if int(n) >= len(r.place) || r.place[n] < 0 || r.score(n) == out {
			continue
		}
		if t == nil {
			t = pr.NewTrial(s, p)
		}
		mark := t.Mark()
		if t.addNominees(n) {
			if _, v := t.Verdict(n); v.Code != Success {
				masked = append(masked, mask{n, r.score(n)})
				r.put(n, out)
			}
			t.Undo(mark)
		}
	}
	return masked
}

// best returns the node that p gets, None if none is feasible.
func (ks *rankings) best(s *cluster.State, p cluster.PodID, r *ranking) cluster.NodeID {
	ks.active = ks.active[:0]
	ks.profile.watch.begin(PhaseFilter, "")
	for _, b := range r.blocs {
		if b.feasible > 0 && mayAll(r.rules, b) {
			ks.active = append(ks.active, b)
		}
	}
	ks.profile.watch.end()
	switch len(ks.active) {
	case 0:
		return cluster.None
	case 1:
		return ks.active[0].head()
	}
	ks.total(s, p, r)
	best, node := int64(-1), cluster.NodeID(cluster.None)
	for i, b := range ks.active {
		if ks.sum[i] < best {
			continue
		}
		if n := b.head(); ks.sum[i] > best || s.Nodes.Order[n] < s.Nodes.Order[node] {
			best, node = ks.sum[i], n
		}
	}
	return node
}

// head returns the first of the best nodes.
func (b *bloc) head() cluster.NodeID { return b.kind.nodes[b.winner()] }

// anyRule reports whether a rule may rule out nodes.
func (r *ranking) anyRule() bool {
	for _, t := range r.rules {
		if len(t.columns) > 0 {
			return true
		}
	}
	return false
}

func mayAll(rules []*tally, b *bloc) bool {
	for _, t := range rules {
		if len(t.columns) > 0 && !t.May(Cell{t, b}) {
			return false
		}
	}
	return true
}

// total sets sum to the total score of the best node of each active bloc.
func (ks *rankings) total(s *cluster.State, p cluster.PodID, r *ranking) {
	count := len(ks.active)
	ks.sum, ks.raw = resize(ks.sum, count), resize(ks.raw, count)
	ks.heads, ks.cells = ks.heads[:0], ks.cells[:0]
	for i, b := range ks.active {
		ks.sum[i] = int64(b.best())
		ks.heads = append(ks.heads, b.kind.nodes[0])
	}
	for j, i := range r.normals {
		for k, b := range ks.active {
			ks.raw[k] = b.kind.raws[j]
		}
		ks.add(s, p, &ks.profile.scorers[i])
	}
	for _, t := range r.ranks {
		if len(t.columns) == 0 {
			continue
		}
		ks.cells = ks.cells[:0]
		for _, b := range ks.active {
			ks.cells = append(ks.cells, Cell{t, b})
		}
		ks.profile.watch.begin(PhaseScore, ks.profile.scorers[t.plugin].name)
		t.Scores(ks.cells, ks.raw)
		ks.profile.watch.end()
		ks.add(s, p, &ks.profile.scorers[t.plugin])
	}
}

// add normalises raw and adds it to sum.
func (ks *rankings) add(s *cluster.State, p cluster.PodID, sc *weightedScorer) {
	ks.work.Scored += uint64(len(ks.raw))
	sc.normalize(s, p, ks.heads, ks.raw, ks.profile.watch)
	sc.add(s, p, ks.heads, ks.raw, ks.sum)
}

// Kept calls yield with each feasible node and its total score, in no order, as far as
// they are kept for pods like p; it returns false if they aren't. It is for tests and
// people: what is kept must be what Evaluate says.
func (pr *Profile) Kept(s *cluster.State, p cluster.PodID, yield func(n cluster.NodeID, total int64)) bool {
	if !pr.mayRank() || s.AnyNominee() {
		return false
	}
	ks := &pr.ranks
	r := ks.For(s, p)
	if r == nil {
		return false
	}
	if r.alone {
		return false // raw scores are
	}
	if ks.best(s, p, r) == cluster.None {
		return true
	}
	ks.total(s, p, r)
	for i, b := range ks.active {
		for place, n := range b.kind.nodes {
			if score := b.get(int32(place)); score != out {
				yield(n, ks.sum[i]+int64(score-b.best()))
			}
		}
	}
	return true
}
