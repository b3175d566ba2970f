package plugins

import (
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// Depends implements scheduler.Dependent. Constraints that a pod declares are its
// class's; defaults follow from Services and controllers.
func (pl *podTopologySpread) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	class := s.ClassByID(c)
	on := scheduler.Dependence{Filter: scheduler.Class, Score: scheduler.Class}
	if len(class.Spread) == 0 && len(pl.defaults) > 0 {
		on.Tables = scheduler.OnServices | scheduler.OnWorkloads
	}
	if len(pl.constraints(s, class, false)) > 0 {
		on.Filter = scheduler.Domains
	}
	if soft := pl.constraints(s, class, true); len(soft) > 0 {
		on.Score = scheduler.Domains
		if !pl.needsAll(class) && anyUnnamed(s, soft) {
			on.Score = scheduler.Anything
		}
	}
	return on
}

// needsAll reports whether only nodes that are in a domain of every soft constraint are
// scored and count. With kube's own defaults, nodes without a zone are spread by
// hostname.
func (pl *podTopologySpread) needsAll(c *cluster.Class) bool { return len(c.Spread) > 0 || !pl.system }

// anyUnnamed reports whether some node is in a domain called "", which is also that of
// nodes that are in none.
func anyUnnamed(s *cluster.State, constraints []cluster.SpreadConstraint) bool {
	for _, n := range s.Nodes.Live() {
		for i := range constraints {
			if value, ok := s.Nodes.Labels[n].Get(constraints[i].TopologyKey); ok && value == "" {
				return true
			}
		}
	}
	return false
}

// spreadShares says which of constraints select the pods of a class.
func spreadShares(s *cluster.State, own *cluster.Class, constraints []cluster.SpreadConstraint) func(cluster.ClassID) ([]scheduler.Share, bool) {
	return func(c cluster.ClassID) (shares []scheduler.Share, ok bool) {
		for i := range constraints {
			if !constraints[i].Selector.Empty() && selects(&constraints[i], own.Namespace, s.ClassByID(c)) {
				shares = append(shares, scheduler.Share{Column: i, Weight: 1})
			}
		}
		return shares, true
	}
}

// FilterDomains implements scheduler.DomainFilter.
func (pl *podTopologySpread) FilterDomains(s *cluster.State, c cluster.ClassID) *scheduler.DomainRule {
	class := s.ClassByID(c)
	constraints := pl.constraints(s, class, false)
	rule := &scheduler.DomainRule{Brings: spreadShares(s, class, constraints)}
	self := make([]int64, len(constraints))
	for i := range constraints {
		constraint := &constraints[i]
		if selects(constraint, class.Namespace, class) {
			self[i] = 1
		}
		rule.Columns = append(rule.Columns, scheduler.DomainColumn{
			Key: constraint.TopologyKey, Staying: true, Least: true,
			Counts: func(n cluster.NodeID) bool {
				return hasKeys(s.Nodes.Labels[n], constraints) && includes(s, class, constraint, n)
			},
		})
	}
	rule.May = func(at scheduler.Cell) bool {
		for i := range constraints {
			if !at.In(i) {
				return false
			}
			least, eligible := at.Least(i)
			if eligible < int(constraints[i].MinDomains) {
				least = 0
			}
			if at.Count(i)+self[i]-least > int64(constraints[i].MaxSkew) {
				return false
			}
		}
		return true
	}
	return rule
}

// ScoreDomains implements scheduler.DomainScorer.
func (pl *podTopologySpread) ScoreDomains(s *cluster.State, c cluster.ClassID) *scheduler.DomainRule {
	class := s.ClassByID(c)
	constraints := pl.constraints(s, class, true)
	sp := &softDomainScore{constraints: constraints, needsAll: pl.needsAll(class), weights: make([]logWeight, len(constraints))}
	rule := &scheduler.DomainRule{Brings: spreadShares(s, class, constraints), Scores: sp.scores}
	for i := range constraints {
		constraint := &constraints[i]
		column := scheduler.DomainColumn{Key: constraint.TopologyKey, Staying: true}
		if constraint.TopologyKey == hostnameLabel {
			column.PerNode = true
		} else {
			column.Few = true
			column.Counts = func(n cluster.NodeID) bool {
				return (!sp.needsAll || hasKeys(s.Nodes.Labels[n], constraints)) && includes(s, class, constraint, n)
			}
		}
		rule.Columns = append(rule.Columns, column)
	}
	return rule
}

// softDomainScore scores the nodes of cells as spreadScore does one by one.
type softDomainScore struct {
	constraints []cluster.SpreadConstraint
	needsAll    bool
	weights     []logWeight
	seen        []bool // scratch: by 1 + domain
}

// logWeight remembers a weight, which is a logarithm.
type logWeight struct {
	size   int
	weight float64
}

func (w *logWeight) of(size int) float64 {
	if w.weight == 0 || w.size != size {
		*w = logWeight{size, math.Log(float64(size + 2))}
	}
	return w.weight
}

func (sp *softDomainScore) applies(at scheduler.Cell) bool {
	if !sp.needsAll {
		return true
	}
	for i := range sp.constraints {
		if !at.In(i) {
			return false
		}
	}
	return true
}

// size returns the number of domains of a constraint that feasible nodes are in; for
// hostnames, of the nodes. Being in none is a domain.
func (sp *softDomainScore) size(cells []scheduler.Cell, i int) (size int) {
	clear(sp.seen)
	for _, at := range cells {
		if !sp.applies(at) {
			continue
		}
		if sp.constraints[i].TopologyKey == hostnameLabel {
			size += at.Nodes()
			continue
		}
		d := int(at.Domain(i)) + 1
		for len(sp.seen) <= d {
			sp.seen = append(sp.seen, false)
		}
		if !sp.seen[d] {
			sp.seen[d] = true
			size++
		}
	}
	return size
}

func (sp *softDomainScore) scores(cells []scheduler.Cell, out []int64) {
	for i := range sp.constraints {
		sp.weights[i].of(sp.size(cells, i))
	}
	for j, at := range cells {
		if !sp.applies(at) {
			out[j] = unscored
			continue
		}
		sum := 0.0
		for i := range sp.constraints {
			if at.In(i) {
				sum += float64(float64(at.Count(i))*sp.weights[i].weight) + float64(sp.constraints[i].MaxSkew-1)
			}
		}
		out[j] = int64(math.Round(sum))
	}
}
