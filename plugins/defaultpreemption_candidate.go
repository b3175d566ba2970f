package plugins

import (
	"cmp"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// A candidate is a node on which a pod would fit if others went, with what it is judged
// by.
type candidate struct {
	scheduler.Candidate
	highest int32        // priority of a victim
	sum     int64        // of the victims' priorities, from the lowest that there is
	oldest  cluster.Time // start of the first among the most important victims
}

func newCandidate(s *cluster.State, c scheduler.Candidate) *candidate {
	is := &candidate{Candidate: c}
	if len(c.Victims) == 0 {
		return is
	}
	is.highest = s.Class(c.Victims[0]).Priority
	for _, v := range c.Victims {
		is.sum += int64(s.Class(v).Priority) + math.MaxInt32 + 1
	}
	// The first, unless an extender has put the victims in another order.
	is.oldest = s.Pods.Started[slices.MinFunc(c.Victims, func(a, b cluster.PodID) int { return byImportance(s, a, b) })]
	return is
}

// compare returns less than 0 if c is better than other by kube's rules, in turn:
// fewest violations, least important victim at the top, smallest sum of priorities,
// fewest victims, and the latest start of the first among the most important victims.
func (c *candidate) compare(other *candidate) int {
	return cmp.Or(
		cmp.Compare(c.Violations, other.Violations),
		cmp.Compare(c.highest, other.highest),
		cmp.Compare(c.sum, other.sum),
		cmp.Compare(len(c.Victims), len(other.Victims)),
		cmp.Compare(other.oldest, c.oldest),
	)
}
