package plugins

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Depends implements scheduler.Dependent. Also for a pod without terms others may have
// some, if not now, then when there are other pods.
func (pl *interPodAffinity) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	on := scheduler.Dependence{Filter: scheduler.Domains, Score: scheduler.Domains, Tables: scheduler.OnNamespaces}
	if pl.ignores(s.ClassByID(c)) {
		on.Score = scheduler.Class
	}
	return on
}

// ignores reports whether the options say that pods of a class are not scored.
func (pl *interPodAffinity) ignores(c *cluster.Class) bool {
	return pl.IgnorePreferredTermsOfExistingPods && len(c.Affinity.Preferred)+len(c.AntiAffinity.Preferred) == 0
}

// termColumns are the columns of a rule, by topology key.
type termColumns struct {
	columns []scheduler.DomainColumn
	only    int64 // the column's Most
}

// at returns the column for a key among those from first on, -1 if there is none.
func (tc *termColumns) at(key string, first int) int {
	for i := first; i < len(tc.columns); i++ {
		if tc.columns[i].Key == key {
			return i
		}
	}
	return -1
}

// add adds a column for a key, if there is none among those from first on.
func (tc *termColumns) add(key string, first int) {
	if tc.at(key, first) < 0 {
		tc.columns = append(tc.columns, scheduler.DomainColumn{Key: key, Most: tc.only})
	}
}

// A domainAffinity is what affinityFilter is, for cells. The columns are its, too.
type domainAffinity struct {
	termColumns
	state          *cluster.State
	class          *cluster.Class
	anti, existing int
	self           bool // all of the pod's required affinity terms are about itself
}

// FilterDomains implements scheduler.DomainFilter.
func (pl *interPodAffinity) FilterDomains(s *cluster.State, c cluster.ClassID) *scheduler.DomainRule {
	class := s.ClassByID(c)
	a := &domainAffinity{state: s, class: class, termColumns: termColumns{only: 1}}
	for i := range class.Affinity.Required {
		a.add(class.Affinity.Required[i].TopologyKey, 0)
	}
	a.anti = len(a.columns)
	for i := range class.AntiAffinity.Required {
		a.add(class.AntiAffinity.Required[i].TopologyKey, a.anti)
	}
	a.existing = len(a.columns)
	for _, id := range s.AffineClasses() {
		theirs := s.ClassByID(id).AntiAffinity.Required
		for i := range theirs {
			if theirs[i].Matches(s, class) {
				a.add(theirs[i].TopologyKey, a.existing)
			}
		}
	}
	a.self = matchesAll(s, class.Affinity.Required, class)
	return &scheduler.DomainRule{Columns: a.columns, Brings: a.brings, May: a.may}
}

// brings says which terms are about pods of class c, and which of theirs about the pod.
func (a *domainAffinity) brings(c cluster.ClassID) (shares []scheduler.Share, ok bool) {
	s, other := a.state, a.state.ClassByID(c)
	bring := func(key string, first int) bool {
		column := a.at(key, first)
		if column >= 0 {
			shares = append(shares, scheduler.Share{Column: column, Weight: 1})
		}
		return column >= 0
	}
	if near := a.class.Affinity.Required; matchesAll(s, near, other) {
		for i := range near {
			bring(near[i].TopologyKey, 0)
		}
	}
	away, theirs := a.class.AntiAffinity.Required, other.AntiAffinity.Required
	for i := range away {
		if incomingMatches(s, &away[i], other) {
			bring(away[i].TopologyKey, a.anti)
		}
	}
	for i := range theirs {
		if theirs[i].Matches(s, a.class) && !bring(theirs[i].TopologyKey, a.existing) {
			return nil, false
		}
	}
	return shares, true
}

func (a *domainAffinity) may(at scheduler.Cell) bool {
	met, total := true, int64(0)
	for i := range a.anti {
		if !at.In(i) {
			return false
		}
		met = met && at.Count(i) > 0
		total += at.Total(i)
	}
	if !met && !(total == 0 && a.self) {
		return false
	}
	for i := a.anti; i < len(a.columns); i++ {
		if at.Count(i) > 0 {
			return false
		}
	}
	return true
}

// A domainWeights is what domainSums are for a score, for cells.
type domainWeights struct {
	termColumns
	state *cluster.State
	class *cluster.Class
	hard  int64 // what required affinity terms weigh
}

// ScoreDomains implements scheduler.DomainScorer.
func (pl *interPodAffinity) ScoreDomains(s *cluster.State, c cluster.ClassID) *scheduler.DomainRule {
	class := s.ClassByID(c)
	w := &domainWeights{state: s, class: class, hard: int64(pl.HardPodAffinityWeight)}
	for _, terms := range [...][]cluster.WeightedPodTerm{class.Affinity.Preferred, class.AntiAffinity.Preferred} {
		for i := range terms {
			w.add(terms[i].TopologyKey, 0)
		}
	}
	for _, id := range s.AffineClasses() {
		w.theirs(s.ClassByID(id), func(key string, _ int64) { w.add(key, 0) })
	}
	return &scheduler.DomainRule{Columns: w.columns, Brings: w.brings, Scores: w.scores}
}

// theirs calls bring for each term of pods of class other that is about the pod.
func (w *domainWeights) theirs(other *cluster.Class, bring func(key string, weight int64)) {
	weighted := func(terms []cluster.WeightedPodTerm, sign int64) {
		for i := range terms {
			if terms[i].Matches(w.state, w.class) {
				bring(terms[i].TopologyKey, sign*int64(terms[i].Weight))
			}
		}
	}
	weighted(other.Affinity.Preferred, 1)
	weighted(other.AntiAffinity.Preferred, -1)
	required := other.Affinity.Required
	for i := range required {
		if w.hard > 0 && required[i].Matches(w.state, w.class) {
			bring(required[i].TopologyKey, w.hard)
		}
	}
}

// brings adds up the weights of terms about pods of class c, and of theirs about the pod.
func (w *domainWeights) brings(c cluster.ClassID) (shares []scheduler.Share, ok bool) {
	other := w.state.ClassByID(c)
	ok = true
	bring := func(key string, weight int64) {
		column := w.at(key, 0)
		if ok = ok && column >= 0; !ok {
			return
		}
		i := slices.IndexFunc(shares, func(sh scheduler.Share) bool { return sh.Column == column })
		if i < 0 {
			i = len(shares)
			shares = append(shares, scheduler.Share{Column: column})
		}
		shares[i].Weight += weight
	}
	own := func(terms []cluster.WeightedPodTerm, sign int64) {
		for i := range terms {
			if incomingMatches(w.state, &terms[i].PodTerm, other) {
				bring(terms[i].TopologyKey, sign*int64(terms[i].Weight))
			}
		}
	}
	own(w.class.Affinity.Preferred, 1)
	own(w.class.AntiAffinity.Preferred, -1)
	w.theirs(other, bring)
	return shares, ok
}

func (w *domainWeights) scores(cells []scheduler.Cell, out []int64) {
	for j, at := range cells {
		out[j] = 0
		for i := range w.columns {
			out[j] += at.Count(i)
		}
	}
}
