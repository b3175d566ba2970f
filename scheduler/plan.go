package scheduler

import "github.com/berthsim/berth/cluster"

// A plan says which of a profile's plugins decide about a class, and what their answers
// depend on. Plugins are meant by their places in the profile.
type plan struct {
	described []int // filters that depend on the description alone
	rows      []int // filters that depend on the row
	rules     []*tally

	sums    []int // scorers that depend on the row
	alone   bool  // sums is a BestKeeper, and nothing else scores: raw scores are kept
	bases   []int // scorers that depend on the description alone
	normals []int // the same, that are normalised
	ranks   []*tally

	tables Tables
}

// maxSum is what scores that are not normalised may add up to.
const maxSum = 1 << 30

// planFor returns the plan for p's class, and false if answers about it can't be kept.
func (pr *Profile) planFor(s *cluster.State, p cluster.PodID) (pl plan, ok bool) {
	if _, _, restricted, v := pr.preselect(s, p); restricted != 0 || v.Code != Success || pr.preScore(s, p) != nil {
		return pl, false
	}
	c := s.Pods.Class[p]
	for i := range pr.filters {
		if !pl.addFilter(s, c, i, &pr.filters[i]) {
			return pl, false
		}
	}
	highest := int64(0)
	for i := range pr.scorers {
		if !pl.addScorer(s, c, i, &pr.scorers[i]) {
			return pl, false
		}
		highest += min(pr.scorers[i].weight, maxSum) * MaxScore
	}
	return pl, highest < maxSum && (!pl.alone || len(pl.sums)+len(pl.bases)+len(pl.normals)+len(pl.ranks) == 1)
}

func (pl *plan) addFilter(s *cluster.State, c cluster.ClassID, i int, f *namedFilter) (ok bool) {
	d, ok := f.Filter.(Dependent)
	if !ok {
		return false
	}
	on := d.Depends(s, c)
	pl.tables |= on.Tables
	switch on.Filter {
	case Class:
	case Described:
		if len(pl.rows) == 0 {
			pl.described = append(pl.described, i)
			break
		}
		// Asked with the others, so that it is known which is the first to say no.
		pl.rows = append(pl.rows, i)
	case Row:
		pl.rows = append(pl.rows, i)
	case Domains:
		rule := f.Filter.(DomainFilter).FilterDomains(s, c)
		pl.rules = append(pl.rules, &tally{DomainRule: rule, plugin: i})
	default:
		return false
	}
	return true
}

func (pl *plan) addScorer(s *cluster.State, c cluster.ClassID, i int, sc *weightedScorer) (ok bool) {
	d, ok := sc.Scorer.(Dependent)
	if !ok {
		return false
	}
	on := d.Depends(s, c)
	pl.tables |= on.Tables
	switch normalised := sc.normalizer != nil; {
	case on.Score == Class:
	case on.Score == Described && normalised:
		pl.normals = append(pl.normals, i)
	case on.Score == Described:
		pl.bases = append(pl.bases, i)
	case on.Score == Row && !normalised:
		pl.sums = append(pl.sums, i)
	case on.Score == Row && keepsBest(sc):
		pl.sums, pl.alone = append(pl.sums, i), true
	case on.Score == Domains:
		rule := sc.Scorer.(DomainScorer).ScoreDomains(s, c)
		pl.ranks = append(pl.ranks, &tally{DomainRule: rule, plugin: i})
	default:
		return false
	}
	return true
}

// keepsBest reports whether a scorer that normalises is a BestKeeper whose weight counts.
func keepsBest(sc *weightedScorer) bool {
	_, ok := sc.Scorer.(BestKeeper)
	return ok && sc.weight > 0
}

// eachTally calls do for each rule.
func (pl *plan) eachTally(do func(t *tally)) {
	for _, t := range pl.rules {
		do(t)
	}
	for _, t := range pl.ranks {
		do(t)
	}
}

// anyColumn reports whether a rule counts anything.
func (pl *plan) anyColumn() bool {
	counts := false
	pl.eachTally(func(t *tally) { counts = counts || len(t.Columns) > 0 })
	return counts
}
