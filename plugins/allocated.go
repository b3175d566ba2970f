package plugins

import (
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// LeastAllocated is the scoring strategy of that name of kube's NodeResourcesFit,
// over CPU and memory alike.
var LeastAllocated = &scheduler.Plugin{
	Name: "LeastAllocated",
	Doc:  "LeastAllocated prefers the node that would have the largest share of its CPU and memory left: it spreads.",
	New: func(scheduler.Args) (any, error) {
		return &strategy{resources: defaultResources, part: leastPart, two: leastOfTwo}, nil
	},
}

// MostAllocated is the scoring strategy of that name of kube's NodeResourcesFit,
// over CPU and memory alike.
var MostAllocated = &scheduler.Plugin{
	Name: "MostAllocated",
	Doc:  "MostAllocated prefers the node that would have the smallest share of its CPU and memory left: it packs.",
	New: func(scheduler.Args) (any, error) {
		return &strategy{resources: defaultResources, part: mostPart}, nil
	},
}

// A strategy scores a node by the shares of some resources that would be
// requested there (pkg/scheduler/framework/plugins/noderesources,
// resource_allocation.go and the files of the three strategies).
type strategy struct {
	resources []resourceWeight
	part      func(capacity, requested int64) int64                 // the score of one resource
	ratio     bool                                                  // RequestedToCapacityRatio, which has a mean of its own
	two       func(a, b *term, nodes []cluster.NodeID, out []int64) // score, of two resources; nil if there is nothing faster
	terms     []term                                                // scratch
	columns   columns
}

// Score implements scheduler.Scorer.
func (st *strategy) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	terms := appendEstimated(nil, s, p, st.resources, &st.columns)
	return func(n cluster.NodeID) int64 { return st.score(terms, n) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (st *strategy) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	st.terms = appendEstimated(st.terms[:0], s, p, st.resources, &st.columns)
	if st.two != nil && len(st.terms) == 2 {
		st.two(&st.terms[0], &st.terms[1], nodes, out)
		return true
	}
	for i, n := range nodes {
		out[i] = st.score(st.terms, n)
	}
	return true
}

// Depends implements scheduler.Dependent.
func (*strategy) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Row}
}

// ScoreBare implements scheduler.BareScorer.
func (st *strategy) ScoreBare(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) (says bool) {
	scheduler.Emptied(s, nodes, func() { says = st.ScoreBatch(s, p, nodes, out) })
	return says
}

// score returns the weighted mean of the resources' scores, in whole numbers: cut
// off, or, for the ratio, rounded half away from zero. Resources of which n has
// none are left out; so are, for the ratio, those that score 0.
func (st *strategy) score(terms []term, n cluster.NodeID) int64 {
	var sum, weights int64
	for i := range terms {
		t := &terms[i]
		capacity := t.capacity[n]
		if capacity == 0 {
			continue
		}
		score := st.part(capacity, t.used[n]+t.want)
		if st.ratio && score <= 0 {
			continue
		}
		sum += score * t.weight
		weights += t.weight
	}
	switch {
	case weights == 0:
		return 0
	case st.ratio:
		return int64(math.Round(float64(sum) / float64(weights)))
	}
	return sum / weights
}

// leastPart returns the share of capacity that is left, in whole hundredths, 0
// if nothing is.
func leastPart(capacity, requested int64) int64 {
	return (capacity - min(requested, capacity)) * scheduler.MaxScore / capacity
}

// mostPart returns the share of capacity that is taken, in whole hundredths. A
// node may be asked for more than it has, since estimates count pods that ask
// for nothing.
func mostPart(capacity, requested int64) int64 {
	return min(requested, capacity) * scheduler.MaxScore / capacity
}

// A shapePoint says how a node scores at a utilisation, in hundredths.
type shapePoint struct {
	Utilization int64 `json:"utilization"`
	Score       int64 `json:"score"` // 0 to maxShapeScore
}

const maxShapeScore = 10

// shapePart returns the function that goes through the points of shape in
// straight lines, level before the first and after the last. As upstream, it cuts
// off utilisation and score to whole numbers.
func shapePart(shape []shapePoint) func(capacity, requested int64) int64 {
	const scale = scheduler.MaxScore / maxShapeScore
	return func(capacity, requested int64) int64 {
		utilization := int64(100)
		if requested <= capacity {
			utilization = requested * 100 / capacity
		}
		for i, to := range shape {
			if utilization > to.Utilization {
				continue
			}
			if i == 0 {
				return to.Score * scale
			}
			from := shape[i-1]
			rise := (to.Score - from.Score) * scale
			return from.Score*scale + rise*(utilization-from.Utilization)/(to.Utilization-from.Utilization)
		}
		return shape[len(shape)-1].Score * scale
	}
}
