package plugins

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// PodTopologySpread is kube's plugin of that name
// (pkg/scheduler/framework/plugins/podtopologyspread).
var PodTopologySpread = &scheduler.Plugin{
	Name: "PodTopologySpread",
	Doc: "PodTopologySpread keeps the pods that a pod's spread constraints select spread over topology domains. " +
		"Hard constraints rule out nodes, soft ones score them. " +
		"Pods without any, but with a Service or a controller, get defaults, as softly as the options say.",
	New:      newPodTopologySpread,
	Required: true,
}

// podTopologySpreadArgs are the plugin's options, with the names and meanings of
// kube's.
type podTopologySpreadArgs struct {
	// DefaultingType says which constraints a pod has that declares none:
	// "System", the default, for kube's own, or "List" for DefaultConstraints.
	DefaultingType     string          `json:"defaultingType"`
	DefaultConstraints []defaultSpread `json:"defaultConstraints"`
}

// A defaultSpread is a constraint for pods that declare none. Its selector
// follows from the pod's Services and its controller.
type defaultSpread struct {
	MaxSkew           int32  `json:"maxSkew"`
	TopologyKey       string `json:"topologyKey"`
	WhenUnsatisfiable string `json:"whenUnsatisfiable"` // "DoNotSchedule" or "ScheduleAnyway"

	// Upstream doesn't check these: less than one domain means 1, and what is
	// not "Honor" means "Ignore".
	MinDomains         int32   `json:"minDomains"`         // by default 1
	NodeAffinityPolicy *string `json:"nodeAffinityPolicy"` // by default "Honor"
	NodeTaintsPolicy   *string `json:"nodeTaintsPolicy"`   // by default "Ignore"

	LabelSelector  any      `json:"labelSelector"`  // must be left out
	MatchLabelKeys []string `json:"matchLabelKeys"` // without effect, as upstream
}

// The labels by which kube's own defaults spread.
const (
	hostnameLabel = "kubernetes.io/hostname"
	zoneLabel     = "topology.kubernetes.io/zone"
)

// systemSpread is what kube gives to pods that declare no constraints.
var systemSpread = []cluster.SpreadConstraint{
	{TopologyKey: hostnameLabel, MaxSkew: 3, Soft: true},
	{TopologyKey: zoneLabel, MaxSkew: 5, Soft: true},
}

type podTopologySpread struct {
	defaults []cluster.SpreadConstraint // without selectors
	system   bool                       // defaults are kube's own
}

func newPodTopologySpread(args scheduler.Args) (any, error) {
	var options podTopologySpreadArgs
	if args != nil {
		if err := args(&options); err != nil {
			return nil, err
		}
	}
	switch options.DefaultingType {
	case "", "System":
		if len(options.DefaultConstraints) > 0 {
			return nil, fmt.Errorf(`defaultingType is "System" although there are defaultConstraints; it must be "List" then`)
		}
		return &podTopologySpread{systemSpread, true}, nil
	case "List":
	default:
		return nil, fmt.Errorf(`defaultingType %q; it is "System" or "List"`, options.DefaultingType)
	}
	pl := &podTopologySpread{}
	for i := range options.DefaultConstraints {
		c, err := options.DefaultConstraints[i].constraint()
		if err != nil {
			return nil, fmt.Errorf("defaultConstraints[%d]: %w", i, err)
		}
		same := func(other cluster.SpreadConstraint) bool {
			return other.TopologyKey == c.TopologyKey && other.Soft == c.Soft
		}
		if slices.ContainsFunc(pl.defaults, same) {
			return nil, fmt.Errorf("defaultConstraints[%d] has the topologyKey and the whenUnsatisfiable of another", i)
		}
		pl.defaults = append(pl.defaults, c)
	}
	return pl, nil
}

// constraint returns what d says in the vocabulary of pods.
func (d *defaultSpread) constraint() (c cluster.SpreadConstraint, err error) {
	c = cluster.SpreadConstraint{MaxSkew: d.MaxSkew, TopologyKey: d.TopologyKey}
	if d.MaxSkew <= 0 {
		return c, fmt.Errorf("maxSkew %d; it must be above 0", d.MaxSkew)
	}
	if err := checkLabelName(d.TopologyKey); err != nil {
		return c, fmt.Errorf("topologyKey %w", err)
	}
	if d.LabelSelector != nil {
		return c, fmt.Errorf("labelSelector is set; it must be left out, since it follows from each pod's Services and controller")
	}
	c.MinDomains = d.MinDomains
	c.IgnoreAffinity = d.NodeAffinityPolicy != nil && *d.NodeAffinityPolicy != "Honor"
	c.HonorTaints = d.NodeTaintsPolicy != nil && *d.NodeTaintsPolicy == "Honor"
	switch d.WhenUnsatisfiable {
	case "DoNotSchedule":
	case "ScheduleAnyway":
		c.Soft = true
	default:
		return c, fmt.Errorf(`whenUnsatisfiable %q; it is "DoNotSchedule" or "ScheduleAnyway"`, d.WhenUnsatisfiable)
	}
	return c, nil
}

// constraints returns p's soft or its hard constraints, their selectors complete:
// those that the pod declares; or, if it declares none at all, the defaults.
func (pl *podTopologySpread) constraints(s *cluster.State, c *cluster.Class, soft bool) []cluster.SpreadConstraint {
	if len(c.Spread) > 0 {
		own := ofKind(c.Spread, soft)
		for i := range own {
			own[i].Selector = withMatchLabelKeys(&own[i], c.Labels)
		}
		return own
	}
	defaults := ofKind(pl.defaults, soft)
	if len(defaults) == 0 {
		return nil
	}
	selector := defaultSelector(s, c)
	if selector.Empty() {
		return nil
	}
	for i := range defaults {
		defaults[i].Selector = selector
	}
	return defaults
}

func ofKind(all []cluster.SpreadConstraint, soft bool) (kept []cluster.SpreadConstraint) {
	for _, c := range all {
		if c.Soft == soft {
			kept = append(kept, c)
		}
	}
	return kept
}

// withMatchLabelKeys returns c's selector, narrowed to pods with the same values
// as the pod's under c's MatchLabelKeys. Keys that the pod lacks don't count, and
// a selector that matches nothing goes on matching nothing.
func withMatchLabelKeys(c *cluster.SpreadConstraint, pod cluster.Labels) *cluster.Selector {
	if c.Selector == nil {
		return nil
	}
	var added []cluster.Requirement
	for _, key := range c.MatchLabelKeys {
		if value, ok := pod.Get(key); ok {
			added = append(added, equals(key, value))
		}
	}
	return &cluster.Selector{Requirements: append(added, c.Selector.Requirements...)}
}

func equals(key, value string) cluster.Requirement {
	return cluster.Requirement{Key: key, Op: cluster.In, Values: []string{value}}
}

// defaultSelector returns the selector of the pods that belong together with
// those of class c: of their Services, and of their controller
// (helper.DefaultSelector upstream). A ReplicationController's labels take the
// place of a Service's; the selectors of others are added to them.
func defaultSelector(s *cluster.State, c *cluster.Class) *cluster.Selector {
	sel := &cluster.Selector{}
	for service := range s.Services.All() {
		if c.SelectedBy(service) {
			for _, l := range service.Selector {
				sel.Requirements = append(sel.Requirements, equals(l.Key, l.Value))
			}
		}
	}
	switch c.Owner.Kind {
	case "ReplicationController", "ReplicaSet", "StatefulSet":
	default:
		return sel
	}
	w := s.Workload(c.Namespace, c.Owner)
	if w == nil || w.Selector == nil {
		return sel
	}
	if w.Kind == "ReplicationController" {
		sel.Requirements = slices.DeleteFunc(sel.Requirements, func(r cluster.Requirement) bool {
			return slices.ContainsFunc(w.Selector.Requirements, func(own cluster.Requirement) bool { return own.Key == r.Key })
		})
	}
	sel.Requirements = append(sel.Requirements, w.Selector.Requirements...)
	return sel
}

// hasKeys reports whether a node with these labels is in a domain of every
// constraint.
func hasKeys(node cluster.Labels, constraints []cluster.SpreadConstraint) bool {
	for i := range constraints {
		if _, ok := node.Get(constraints[i].TopologyKey); !ok {
			return false
		}
	}
	return true
}

// includes reports whether n counts for a constraint of pods of class c: kube's
// node inclusion policies.
func includes(s *cluster.State, c *cluster.Class, constraint *cluster.SpreadConstraint, n cluster.NodeID) bool {
	if !constraint.IgnoreAffinity {
		name, labels := s.Nodes.Name[n], s.Nodes.Labels[n]
		if !hasAll(labels, c.NodeLabels) || c.RequiredNode != nil && !c.RequiredNode.Matches(name, labels) {
			return false
		}
	}
	return !constraint.HonorTaints || !repels(s.Nodes.Taints[n], c.Tolerations)
}

// selected says of each class whether a constraint of pods in namespace selects
// its pods.
func selected(s *cluster.State, constraint *cluster.SpreadConstraint, namespace string) []bool {
	by := make([]bool, s.Classes())
	for id := range by {
		by[id] = selects(constraint, namespace, s.ClassByID(cluster.ClassID(id)))
	}
	return by
}

// selects reports whether a constraint of pods in namespace selects pods of class c.
func selects(constraint *cluster.SpreadConstraint, namespace string, c *cluster.Class) bool {
	return c.Namespace == namespace && constraint.Selector.Matches(c.Labels)
}

// countSelected counts the pods on n that a constraint selects. Pods that are
// about to end don't count, and to a selector without requirements none do.
func countSelected(s *cluster.State, constraint *cluster.SpreadConstraint, selected []bool, n cluster.NodeID) (count int) {
	if constraint.Selector.Empty() {
		return 0
	}
	for q := range s.PodsOn(n) {
		if selected[s.Pods.Class[q]] && s.Pods.Phase[q] != cluster.Terminating {
			count++
		}
	}
	return count
}
