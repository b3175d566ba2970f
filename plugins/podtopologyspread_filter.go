package plugins

import (
	"math"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

var (
	uneven      = scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"node(s) didn't match pod topology spread constraints"}}
	outOfDomain = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't match pod topology spread constraints (missing required label)"}}
)

// Filter implements scheduler.Filter.
func (pl *podTopologySpread) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	may, _ := pl.FilterTrial(s, p)
	return may
}

// FilterTrial implements scheduler.TrialFilter.
func (pl *podTopologySpread) FilterTrial(s *cluster.State, p cluster.PodID) (
	may func(cluster.NodeID) scheduler.Verdict, changed func(q cluster.PodID, n cluster.NodeID, delta int),
) {
	constraints := pl.constraints(s, s.Class(p), false)
	if len(constraints) == 0 {
		return nil, nil
	}
	f := &spreadFilter{state: s, class: s.Class(p), constraints: constraints}
	f.count(s.Pods.Class[p])
	return f.may, f.changed
}

// A spreadFilter holds a pod's hard constraints and the counts of pods by which
// they are judged.
type spreadFilter struct {
	state       *cluster.State
	class       *cluster.Class // of the pod that wants a node
	constraints []cluster.SpreadConstraint
	counts      []spreadCount // one for each constraint
}

// count fills in counts, for a pod of class own.
func (f *spreadFilter) count(own cluster.ClassID) {
	s := f.state
	f.counts = make([]spreadCount, len(f.constraints))
	for i := range f.counts {
		c := &f.counts[i]
		c.selected = selected(s, &f.constraints[i], f.class.Namespace)
		if c.selected[own] {
			c.self = 1
		}
		c.locate(s, f.constraints[i].TopologyKey)
	}
	for _, n := range s.Nodes.Live() {
		if !f.inAll(n) {
			continue
		}
		for i := range f.counts {
			if includes(s, f.class, &f.constraints[i], n) {
				c := &f.counts[i]
				c.include(c.domain[n], countSelected(s, &f.constraints[i], c.selected, n))
			}
		}
	}
	for i := range f.counts {
		f.counts[i].findLeast()
	}
}

// inAll reports whether n is in a domain of every constraint. Other nodes don't
// count for any.
func (f *spreadFilter) inAll(n cluster.NodeID) bool {
	for i := range f.counts {
		if f.counts[i].domain[n] == noDomain {
			return false
		}
	}
	return true
}

// may says whether putting the pod on n keeps to every constraint.
func (f *spreadFilter) may(n cluster.NodeID) scheduler.Verdict {
	for i := range f.counts {
		c := &f.counts[i]
		domain := c.domain[n]
		if domain == noDomain {
			return outOfDomain
		}
		skew := c.pods[domain] + c.self - c.minimum(f.constraints[i].MinDomains)
		if skew > int(f.constraints[i].MaxSkew) {
			return uneven
		}
	}
	return scheduler.Verdict{}
}

// changed follows a trial as kube's AddPod and RemovePod do, which is not quite
// how the counts were made: pods that are about to end count, and so do those
// that a selector without requirements selects. Counts may so fall below 0.
func (f *spreadFilter) changed(q cluster.PodID, n cluster.NodeID, delta int) {
	s := f.state
	if !f.inAll(n) {
		return
	}
	for i := range f.counts {
		c := &f.counts[i]
		if c.selected[s.Pods.Class[q]] && includes(s, f.class, &f.constraints[i], n) {
			c.change(c.domain[n], delta)
		}
	}
}

// A spreadCount counts the pods that a constraint selects, by domain.
type spreadCount struct {
	self     int     // 1 if the constraint selects the pod itself, else 0
	selected []bool  // by ClassID
	domain   []int32 // by NodeID: the domain that the node is in, or noDomain
	pods     []int   // by domain: pods on the nodes that count
	eligible []bool  // by domain: whether any node counts
	domains  int     // that are eligible
	least    int     // pods in an eligible domain; if there is none, MaxInt, and any node will do

	// having says how many eligible domains have a number of pods. It is nil
	// until a trial needs it.
	//
	// Upstream keeps the two domains with the fewest pods instead. That is as
	// good for a trial that changes one domain and starts from a fresh copy, as
	// all of upstream's do, but it is wrong after several domains have changed,
	// even if they have changed back.
	having map[int]int
}

const noDomain = -1

// locate numbers the domains of a topology key.
func (c *spreadCount) locate(s *cluster.State, key string) {
	c.domain = make([]int32, s.Nodes.Rows())
	for n := range c.domain {
		c.domain[n] = noDomain
	}
	numbers := map[string]int32{}
	for _, n := range s.Nodes.Live() {
		value, ok := s.Nodes.Labels[n].Get(key)
		if !ok {
			continue
		}
		number, ok := numbers[value]
		if !ok {
			number = int32(len(numbers))
			numbers[value] = number
		}
		c.domain[n] = number
	}
	c.pods = make([]int, len(numbers))
	c.eligible = make([]bool, len(numbers))
}

// include counts a node's pods in its domain.
func (c *spreadCount) include(domain int32, pods int) {
	c.pods[domain] += pods
	if !c.eligible[domain] {
		c.eligible[domain] = true
		c.domains++
	}
}

func (c *spreadCount) findLeast() {
	c.least = math.MaxInt
	for domain, pods := range c.pods {
		if c.eligible[domain] {
			c.least = min(c.least, pods)
		}
	}
}

// minimum returns the number of pods by which a domain's is judged: the fewest in
// any, or 0 while there are fewer domains than there should be.
func (c *spreadCount) minimum(minDomains int32) int {
	if c.domains < int(minDomains) {
		return 0
	}
	return c.least
}

// change adds delta, which is 1 or -1, to the pods in an eligible domain.
func (c *spreadCount) change(domain int32, delta int) {
	if c.having == nil {
		c.having = map[int]int{}
		for domain, pods := range c.pods {
			if c.eligible[domain] {
				c.having[pods]++
			}
		}
	}
	was, is := c.pods[domain], c.pods[domain]+delta
	c.pods[domain] = is
	c.having[was]--
	c.having[is]++
	if was == c.least && c.having[was] == 0 {
		c.least = is
	}
	c.least = min(c.least, is)
}
