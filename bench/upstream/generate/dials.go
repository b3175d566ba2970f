package generate

import "slices"

// feature is a part of the API that some scenarios use much and others little.
type feature int

const (
	taints feature = iota
	cordons
	selectors
	preferences
	ports
	resources
	podLevel
	spread
	defaultSpread
	podAffinity
	priorities
	disruptionBudgets
	images
	declared
	gates
	nominations
	resizes
	missingLabels
	terminating
	namedNodes
	features // their number
)

// dials are the leanings of one scenario. If every scenario used everything, most pods would fit
// nowhere for the first of many reasons; so each turns up a few features.
type dials struct {
	use [features]float64
	// uniform makes nodes of one shape, so that many are equal.
	uniform bool
	// odd draws amounts that aren't round.
	odd bool
	// huge allows amounts near the end of int64, whose products overflow.
	huge bool
	// starts says which pods started at the same time, which makes them, or their nodes, equal for
	// preemption.
	starts starts
	// priorities are those that pods have, ascending: few, so that equal ones meet.
	priorities []int32
	// preempting is set where pods are to preempt each other: nodes are small and full, those that run
	// are rather unimportant and those that arrive rather important.
	preempting bool
	// fill is how many pods run on a node at first, on average.
	fill float64
	// churn is the probability of a change between two arrivals.
	churn float64
	// zones is the number of zones.
	zones int
	// unscored is set where no plugin scores.
	unscored bool
	// imageSizesDiffer lets an image have a size of its own on each node.
	imageSizesDiffer bool
}

// starts says which pods started at the same time.
type starts int

const (
	everDifferent   starts = iota
	differentOnNode        // the i-th pods of all nodes started together
	oftenEqual             // also pods of one node
)

const (
	focused   = 4     // features that are turned up in a scenario
	turnedUp  = 0.55  // probability of using one
	turnedOff = 0.025 // probability of using another
)

func (g *generator) drawDials() dials {
	d := dials{
		uniform:    g.chance(0.25),
		odd:        g.chance(0.25),
		huge:       g.chance(0.04),
		starts:     pick(g, everDifferent, everDifferent, everDifferent, everDifferent, differentOnNode, differentOnNode, differentOnNode, oftenEqual, oftenEqual),
		fill:       pick(g, 0, 0.5, 2, 4, 6),
		priorities: priorityValues,
		churn:      pick(g, 0, 0.1, 0.3, 0.6),
		zones:      g.between(1, 4),

		imageSizesDiffer: g.chance(0.15),
	}
	if g.chance(0.7) {
		d.priorities = []int32{0, pick(g, priorityValues...), pick(g, int32(5), 10, 1000)}
		slices.Sort(d.priorities)
	}
	for f := range d.use {
		d.use[f] = turnedOff
	}
	// Two features go round with the index, in different steps, so that a short run meets each.
	d.use[g.index%uint64(features)] = turnedUp
	d.use[(7*g.index+g.index/uint64(features))%uint64(features)] = turnedUp
	n := focused
	if g.size > samplingFrom {
		n = 2 // sampling needs many feasible nodes
	}
	for range n - 2 {
		d.use[g.IntN(int(features))] = turnedUp
	}
	if d.use[priorities] == turnedUp || d.use[disruptionBudgets] == turnedUp || d.use[nominations] == turnedUp {
		g.preempting(&d)
	}
	return d
}

// preempting turns the dials to where pods preempt each other. What makes nodes hopeless in any case
// is turned down, since then nobody need make way.
func (g *generator) preempting(d *dials) {
	d.preempting = true
	d.uniform = g.chance(0.5)
	for _, f := range []feature{taints, cordons, selectors, namedNodes, declared, gates, missingLabels} {
		if g.index%uint64(features) != uint64(f) && g.chance(0.7) {
			d.use[f] = turnedOff
		}
	}
	d.use[priorities] = turnedUp
	if g.chance(0.5) {
		d.use[disruptionBudgets] = turnedUp
	}
}

// uses draws whether something of a feature is used here.
func (g *generator) uses(f feature) bool { return g.chance(g.dials.use[f]) }
