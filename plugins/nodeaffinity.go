package plugins

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeAffinity is kube's plugin of that name
// (pkg/scheduler/framework/plugins/nodeaffinity).
var NodeAffinity = &scheduler.Plugin{
	Name: "NodeAffinity",
	Doc: "NodeAffinity rules out nodes that the pod's node selector and required affinity don't match. " +
		"It prefers nodes by the sum of the weights of the preferred terms that match them.",
	New:      func(args scheduler.Args) (any, error) { return newNodeAffinity(args) },
	Required: true,
}

// nodeAffinity holds what the options add to the affinity of every pod.
type nodeAffinity struct {
	required  *cluster.NodeSelector
	preferred []cluster.PreferredTerm
}

func newNodeAffinity(args scheduler.Args) (*nodeAffinity, error) {
	var a struct {
		AddedAffinity addedAffinity `json:"addedAffinity"`
	}
	if args != nil {
		if err := args(&a); err != nil {
			return nil, err
		}
	}
	na, err := a.AddedAffinity.convert()
	if err != nil {
		return nil, fmt.Errorf("addedAffinity: %w", err)
	}
	return na, nil
}

var (
	notEnforced  = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't match scheduler-enforced node affinity"}}
	notSelected  = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't match Pod's node affinity/selector"}}
	contradicted = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"pod affinity terms conflict"}}
)

// Filter implements scheduler.Filter.
func (na *nodeAffinity) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	c, ns := s.Class(p), &s.Nodes
	if na.required == nil && c.RequiredNode == nil && len(c.NodeLabels) == 0 {
		return nil
	}
	return func(n cluster.NodeID) scheduler.Verdict {
		switch {
		case na.required != nil && !na.required.Matches(ns.Name[n], ns.Labels[n]):
			return notEnforced
		case !hasAll(ns.Labels[n], c.NodeLabels), c.RequiredNode != nil && !c.RequiredNode.Matches(ns.Name[n], ns.Labels[n]):
			return notSelected
		}
		return scheduler.Verdict{}
	}
}

func hasAll(labels, wanted cluster.Labels) bool {
	for _, l := range wanted {
		if value, ok := labels.Get(l.Key); !ok || value != l.Value {
			return false
		}
	}
	return true
}

// Preselect implements scheduler.Preselector: the nodes that the pod's required
// terms name, if each term names some. As upstream, no other requirement counts
// here, and no added affinity.
func (na *nodeAffinity) Preselect(s *cluster.State, p cluster.PodID) (names []string, restricted bool, v scheduler.Verdict) {
	required := s.Class(p).RequiredNode
	if required == nil || len(required.Terms) == 0 {
		return nil, false, v
	}
	for i := range required.Terms {
		named, some := namedBy(&required.Terms[i])
		if !some {
			return nil, false, v
		}
		names = append(names, named...)
	}
	if len(names) == 0 {
		return nil, false, contradicted
	}
	slices.Sort(names)
	return slices.Compact(names), true, v
}

// namedBy returns the names that all requirements of t for a node's name allow,
// and whether there are such requirements.
func namedBy(t *cluster.NodeSelectorTerm) (names []string, some bool) {
	for _, r := range t.Fields {
		if r.Key != cluster.FieldName || r.Op != cluster.In {
			continue
		}
		if some {
			names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(r.Values, name) })
		} else {
			names, some = slices.Clone(r.Values), true
		}
	}
	return names, some
}

// Score implements scheduler.Scorer.
func (na *nodeAffinity) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	preferred, ns := s.Class(p).Preferred, &s.Nodes
	if len(preferred)+len(na.preferred) == 0 {
		return nil
	}
	return func(n cluster.NodeID) int64 {
		name, labels := ns.Name[n], ns.Labels[n]
		return preference(na.preferred, name, labels) + preference(preferred, name, labels)
	}
}

// Depends implements scheduler.Dependent.
func (na *nodeAffinity) Depends(s *cluster.State, c cluster.ClassID) scheduler.Dependence {
	on, class := scheduler.Dependence{Filter: scheduler.Described, Score: scheduler.Described}, s.ClassByID(c)
	if na.required == nil && class.RequiredNode == nil && len(class.NodeLabels) == 0 {
		on.Filter = scheduler.Class
	}
	if len(class.Preferred)+len(na.preferred) == 0 {
		on.Score = scheduler.Class
	}
	return on
}

// Normalize implements scheduler.Normalizer.
func (na *nodeAffinity) Normalize(_ *cluster.State, _ cluster.PodID, _ []cluster.NodeID, scores []int64) {
	normalize(scores, false)
}

// preference returns the sum of the weights of the terms that match a node.
func preference(terms []cluster.PreferredTerm, name string, labels cluster.Labels) (sum int64) {
	for i := range terms {
		if terms[i].Matches(name, labels) {
			sum += int64(terms[i].Weight)
		}
	}
	return sum
}

// PreScore implements scheduler.PreScorer. As upstream, a preferred term that
// can't be parsed is an error, where a required one matches nothing.
func (*nodeAffinity) PreScore(s *cluster.State, p cluster.PodID) error {
	for _, t := range s.Class(p).Preferred {
		if t.Weight == 0 {
			continue
		}
		for _, r := range slices.Concat(t.Labels, t.Fields) {
			if r.Op == cluster.Unparsable {
				return fmt.Errorf("a preferred term has a requirement of %s that is not a number", r.Key)
			}
		}
	}
	return nil
}
