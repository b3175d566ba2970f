package eviction

import (
	"cmp"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// TopologySpread evicts pods from topology domains that have more of them than their hard
// spread constraints allow: the descheduler's RemovePodsViolatingTopologySpreadConstraint.
// Every node that has the topology key counts as one of its domain.
var TopologySpread = Strategy{
	Name: "TopologySpread",
	Doc:  "evicts pods from the largest domains until those of a hard spread constraint differ by no more than its maxSkew",
	Choose: func(s *cluster.State, e *Evictions) {
		var goes []cluster.PodID
		for _, c := range hardConstraints(s) {
			goes = append(goes, c.surplus(s, e)...)
		}
		for _, p := range goes {
			if s.Pods.Phase[p] != cluster.Terminating { // on behalf of another constraint
				e.Evict(p)
			}
		}
	},
}

// A constraint is a hard spread constraint, of pods of a namespace.
type constraint struct {
	namespace, key string
	maxSkew        int
	selector       *cluster.Selector
}

// hardConstraints returns the constraints of the pods that stay on their nodes, each once,
// in order of nodes and pods.
func hardConstraints(s *cluster.State) (list []constraint) {
	seen := map[cluster.ClassID]bool{}
	for _, n := range s.Nodes.Live() {
		for p := range s.PodsOn(n) {
			class := s.Class(p)
			if seen[s.Pods.Class[p]] || s.Pods.Phase[p] == cluster.Terminating {
				continue
			}
			seen[s.Pods.Class[p]] = true
			for i := range class.Spread {
				if class.Spread[i].Soft {
					continue
				}
				c := constraintOf(class, &class.Spread[i])
				if !slices.ContainsFunc(list, c.same) {
					list = append(list, c)
				}
			}
		}
	}
	return list
}

func constraintOf(class *cluster.Class, from *cluster.SpreadConstraint) constraint {
	c := constraint{namespace: class.Namespace, key: from.TopologyKey, maxSkew: int(from.MaxSkew), selector: from.Selector}
	if from.Selector == nil || len(from.MatchLabelKeys) == 0 {
		return c
	}
	c.selector = &cluster.Selector{Requirements: slices.Clone(from.Selector.Requirements)}
	for _, key := range from.MatchLabelKeys {
		if value, ok := class.Labels.Get(key); ok {
			c.selector.Requirements = append(c.selector.Requirements, cluster.Requirement{Key: key, Op: cluster.In, Values: []string{value}})
		}
	}
	return c
}

func (c constraint) same(other constraint) bool {
	if c.namespace != other.namespace || c.key != other.key || c.maxSkew != other.maxSkew || (c.selector == nil) != (other.selector == nil) {
		return false
	}
	return c.selector == nil || slices.EqualFunc(c.selector.Requirements, other.selector.Requirements, func(a, b cluster.Requirement) bool {
		return a.Key == b.Key && a.Op == b.Op && slices.Equal(a.Values, b.Values)
	})
}

// A spreadDomain is a topology domain, and the pods in it that count.
type spreadDomain struct {
	value string
	nodes []cluster.NodeID
	pods  []cluster.PodID
}

// domains returns the domains of a constraint, in order of their first nodes.
func (c *constraint) domains(s *cluster.State) (list []spreadDomain, pods int) {
	at := map[string]int{}
	for _, n := range s.Nodes.Live() {
		value, ok := s.Nodes.Labels[n].Get(c.key)
		if !ok {
			continue
		}
		i, known := at[value]
		if !known {
			i = len(list)
			at[value] = i
			list = append(list, spreadDomain{value: value})
		}
		list[i].nodes = append(list[i].nodes, n)
		for p := range s.PodsOn(n) {
			if class := s.Class(p); class.Namespace == c.namespace && s.Pods.Phase[p] != cluster.Terminating && c.selector.Matches(class.Labels) {
				list[i].pods = append(list[i].pods, p)
				pods++
			}
		}
	}
	return list, pods
}

// surplus returns the pods that had better go, for the domains to be as even as the
// constraint asks. The smallest domain is filled in thought from the largest, then the
// next ones, neither across the average, and no more than half of what the skew is above
// maxSkew at a time. A pod that fits on no node of the domains below the average stays,
// though it counts as moved: the descheduler does so too.
func (c *constraint) surplus(s *cluster.State, e *Evictions) (goes []cluster.PodID) {
	domains, pods := c.domains(s)
	average := float64(pods) / float64(max(1, len(domains)))
	var below []cluster.NodeID
	for i := range domains {
		if float64(len(domains[i].pods)) < average {
			below = append(below, domains[i].nodes...)
		}
		dearestFirst(s, e, domains[i].pods)
	}
	slices.SortStableFunc(domains, func(a, b spreadDomain) int { return cmp.Compare(len(a.pods), len(b.pods)) })
	low, high := 0, len(domains)-1
	for low < high {
		if float64(len(domains[high].pods)) <= average {
			high--
			continue
		}
		from, to := &domains[high], &domains[low]
		excess := len(from.pods) - len(to.pods) - c.maxSkew
		above := int(math.Ceil(float64(len(from.pods)) - average))
		room := int(math.Ceil(average - float64(len(to.pods))))
		move := min(above, room, (excess+1)/2)
		if move <= 0 {
			low++
			continue
		}
		stay := len(from.pods) - move
		for _, p := range from.pods[stay:] {
			if fitsOn(s, p, below) {
				goes = append(goes, p)
			}
		}
		to.pods = append(to.pods, from.pods[stay:]...)
		from.pods = from.pods[:stay]
	}
	return goes
}

// dearestFirst sorts pods so that those that had better go come last: first those that
// may not be evicted, then those that ask for certain nodes, then by falling priority.
func dearestFirst(s *cluster.State, e *Evictions, pods []cluster.PodID) {
	rank := func(p cluster.PodID) int {
		switch c := s.Class(p); {
		case !e.May(p):
			return 0
		case c.RequiredNode != nil || len(c.NodeLabels)+len(c.Preferred) > 0:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(pods, func(a, b cluster.PodID) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(s.Class(b).Priority, s.Class(a).Priority))
	})
}
