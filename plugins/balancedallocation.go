package plugins

import (
	"fmt"
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeResourcesBalancedAllocation is kube's plugin of that name
// (pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go), but for
// resources that dynamic resource allocation provides.
var NodeResourcesBalancedAllocation = &scheduler.Plugin{
	Name: "NodeResourcesBalancedAllocation",
	Doc: "NodeResourcesBalancedAllocation prefers nodes whose resources the pod brings closer to being equally full. " +
		"It scores the change, 75 if there is none, from 50 to 100.",
	New: func(args scheduler.Args) (any, error) { return newBalance(args) },
}

type balance struct {
	Resources []resourceWeight `json:"resources"`

	terms     []term    // scratch of ScoreBatch
	fractions []float64 // scratch
	columns   columns
}

func newBalance(args scheduler.Args) (*balance, error) {
	b := &balance{}
	if args != nil {
		if err := args(b); err != nil {
			return nil, err
		}
	}
	b.Resources = withDefaults(b.Resources)
	seen := map[string]bool{}
	for _, r := range b.Resources {
		if seen[r.Name] {
			return nil, fmt.Errorf("resource %q stands twice; name each once", r.Name)
		}
		seen[r.Name] = true
	}
	return b, checkWeights(b.Resources, 1)
}

// Score implements scheduler.Scorer. As upstream, a pod that requests nothing has
// no say, lest all such pods go to the same node.
func (b *balance) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	terms := appendRequested(nil, s, p, b.Resources, &b.columns)
	if !wanted(terms) {
		return nil
	}
	return func(n cluster.NodeID) int64 { return b.score(terms, n) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (b *balance) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	b.terms = appendRequested(b.terms[:0], s, p, b.Resources, &b.columns)
	if !wanted(b.terms) {
		clear(out)
		return false
	}
	if len(b.terms) == 2 {
		balanceOfTwo(&b.terms[0], &b.terms[1], nodes, out)
		return true
	}
	for i, n := range nodes {
		out[i] = b.score(b.terms, n)
	}
	return true
}

// Depends implements scheduler.Dependent.
func (*balance) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// ScoreBare implements scheduler.BareScorer.
func (b *balance) ScoreBare(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) (says bool) {
	scheduler.Emptied(s, nodes, func() { says = b.ScoreBatch(s, p, nodes, out) })
	return says
}

// wanted reports whether anything is requested of terms.
func wanted(terms []term) bool {
	for i := range terms {
		if terms[i].want != 0 {
			return true
		}
	}
	return false
}

// score brings the difference that the pod makes to n's evenness, -50 to 50, to
// 50 to 100.
func (b *balance) score(terms []term, n cluster.NodeID) int64 {
	const half = scheduler.MaxScore / 2
	b.fractions = appendFractions(b.fractions[:0], terms, n, true)
	with := evenness(b.fractions)
	b.fractions = appendFractions(b.fractions[:0], terms, n, false)
	without := evenness(b.fractions)
	return half + (half+with-without)/2
}

// appendFractions appends the share requested of each resource that n has, at
// most 1, with the pod's request or without.
func appendFractions(fractions []float64, terms []term, n cluster.NodeID, with bool) []float64 {
	for i := range terms {
		t := &terms[i]
		capacity, requested := t.capacity[n], t.used[n]
		if capacity == 0 {
			continue
		}
		if with {
			requested += t.want
		}
		fractions = append(fractions, min(1, float64(requested)/float64(capacity)))
	}
	return fractions
}

// evenness returns 100 if all fractions are equal, and down to 50 by their
// standard deviation, cut off to a whole number. Sums go from left to right, so
// that they are upstream's to the last bit.
func evenness(fractions []float64) int64 {
	var deviation float64
	switch count := float64(len(fractions)); {
	case count == 2:
		deviation = math.Abs((fractions[0] - fractions[1]) / 2)
	case count > 2:
		total, squares := 0.0, 0.0
		for _, f := range fractions {
			total += f
		}
		mean := total / count
		for _, f := range fractions {
			squares += float64((f - mean) * (f - mean))
		}
		deviation = math.Sqrt(squares / count)
	}
	return int64((1 - deviation) * scheduler.MaxScore)
}
