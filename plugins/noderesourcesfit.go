package plugins

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// NodeResourcesFit is kube's plugin of that name
// (pkg/scheduler/framework/plugins/noderesources/fit.go), but for resources that
// dynamic resource allocation provides.
var NodeResourcesFit = &scheduler.Plugin{
	Name: "NodeResourcesFit",
	Doc: "NodeResourcesFit rules out nodes without room for what the pod requests. " +
		"When a policy names it, it scores by what would be requested of CPU and memory, as LeastAllocated does, or as its options say.",
	New:      func(args scheduler.Args) (any, error) { return newFit(args) },
	Required: true,
}

type fitArgs struct {
	IgnoredResources      []string         `json:"ignoredResources"`
	IgnoredResourceGroups []string         `json:"ignoredResourceGroups"`
	ScoringStrategy       *scoringStrategy `json:"scoringStrategy"`
}

type scoringStrategy struct {
	Type      string           `json:"type"`
	Resources []resourceWeight `json:"resources"`

	RequestedToCapacityRatio *struct {
		Shape []shapePoint `json:"shape"`
	} `json:"requestedToCapacityRatio"`
}

type fit struct {
	ignored       []string // extended resources, which are not filtered by
	ignoredGroups []string // what comes before the slash in others
	needs         []need   // scratch
	strategy
}

func newFit(args scheduler.Args) (*fit, error) {
	var a fitArgs
	if args != nil {
		if err := args(&a); err != nil {
			return nil, err
		}
	}
	if err := a.checkIgnored(); err != nil {
		return nil, err
	}
	if a.ScoringStrategy == nil {
		a.ScoringStrategy = &scoringStrategy{Type: "LeastAllocated"}
	}
	st, err := a.ScoringStrategy.strategy()
	if err != nil {
		return nil, fmt.Errorf("scoringStrategy: %w", err)
	}
	return &fit{ignored: a.IgnoredResources, ignoredGroups: a.IgnoredResourceGroups, strategy: st}, nil
}

// checkIgnored reports what can't be the name of a resource, or of a group.
func (a *fitArgs) checkIgnored() error {
	for _, name := range a.IgnoredResources {
		if err := checkLabelName(name); err != nil {
			return fmt.Errorf("ignoredResources: %w", err)
		}
	}
	for _, group := range a.IgnoredResourceGroups {
		if strings.Contains(group, "/") {
			return fmt.Errorf("ignoredResourceGroups has %q; a group is what comes before the slash", group)
		}
		if err := checkLabelName(group); err != nil {
			return fmt.Errorf("ignoredResourceGroups: %w", err)
		}
	}
	return nil
}

func (a *scoringStrategy) strategy() (strategy, error) {
	st := strategy{resources: withDefaults(a.Resources)}
	if err := checkWeights(st.resources, 100); err != nil {
		return st, err
	}
	if a.Type != "RequestedToCapacityRatio" && a.RequestedToCapacityRatio != nil {
		return st, fmt.Errorf("requestedToCapacityRatio is set and the type is %q", a.Type)
	}
	switch a.Type {
	case "LeastAllocated":
		st.part, st.two = leastPart, leastOfTwo
	case "MostAllocated":
		st.part = mostPart
	case "RequestedToCapacityRatio":
		if a.RequestedToCapacityRatio == nil {
			return st, fmt.Errorf("requestedToCapacityRatio is not set")
		}
		if err := checkShape(a.RequestedToCapacityRatio.Shape); err != nil {
			return st, fmt.Errorf("requestedToCapacityRatio: %w", err)
		}
		st.part, st.ratio = shapePart(a.RequestedToCapacityRatio.Shape), true
	default:
		return st, fmt.Errorf("unknown type %q; known: LeastAllocated, MostAllocated, RequestedToCapacityRatio", a.Type)
	}
	return st, nil
}

func checkShape(shape []shapePoint) error {
	if len(shape) == 0 {
		return fmt.Errorf("shape has no points")
	}
	for i, pt := range shape {
		switch {
		case pt.Utilization < 0 || pt.Utilization > 100:
			return fmt.Errorf("a point of shape has utilization %d; it must be 0 to 100", pt.Utilization)
		case pt.Score < 0 || pt.Score > maxShapeScore:
			return fmt.Errorf("a point of shape has score %d; it must be 0 to %d", pt.Score, maxShapeScore)
		case i > 0 && pt.Utilization <= shape[i-1].Utilization:
			return fmt.Errorf("a point of shape has utilization %d, after %d; they must increase", pt.Utilization, shape[i-1].Utilization)
		}
	}
	return nil
}

// A want is what a pod requests of one resource.
type want struct {
	resource cluster.Resource
	amount   int64
	reason   string // for which a node is ruled out that has too little
}

// Filter implements scheduler.Filter. A request of nothing fits even where less
// than nothing is free. Every resource of which there is too little is a reason.
func (f *fit) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	wants := f.wants(s, s.Class(p).Requests)
	return func(n cluster.NodeID) (v scheduler.Verdict) {
		for i := range wants {
			w := &wants[i]
			if w.amount > s.Free(n, w.resource) {
				v.Reasons = append(v.Reasons, w.reason)
				v.Code = max(v.Code, preemptable(w, s.Nodes.Cap[w.resource][n]))
			}
		}
		return v
	}
}

// Hopeless implements scheduler.Foreteller.
func (f *fit) Hopeless(s *cluster.State, p cluster.PodID) func(cluster.NodeID) bool {
	wants, priority := f.wants(s, s.Class(p).Requests), s.Class(p).Priority
	return func(n cluster.NodeID) bool {
		for i := range wants {
			w := &wants[i]
			if lacks := w.amount - s.Free(n, w.resource); lacks > 0 && s.HeldBelow(n, w.resource, priority) < lacks {
				return true
			}
		}
		return false
	}
}

// wants lists what of requests the filter looks at, in upstream's order of
// reasons: pods, then the resources that every cluster has, then others, which
// upstream has in no order, by name.
func (f *fit) wants(s *cluster.State, requests cluster.Amounts) (wants []want) {
	order := []cluster.Resource{cluster.PodSlots, cluster.CPU, cluster.Memory, cluster.EphemeralStorage}
	own := len(order)
	for r := cluster.GPU; int(r) < len(requests); r++ {
		order = append(order, r)
	}
	slices.SortFunc(order[own:], func(a, b cluster.Resource) int {
		return strings.Compare(s.ResourceName(a), s.ResourceName(b))
	})
	for _, r := range order {
		if requests[r] > 0 && !f.ignores(s, r) {
			wants = append(wants, want{r, requests[r], insufficient(s, r)})
		}
	}
	return wants
}

// preemptable returns the code of a pod that does not fit: whether preemption
// can help depends on whether it would fit an empty node. As upstream, a node
// that takes no pods at all counts as one that has too many.
func preemptable(w *want, capacity int64) scheduler.Code {
	if w.amount > capacity && w.resource != cluster.PodSlots {
		return scheduler.Unresolvable
	}
	return scheduler.Unschedulable
}

func insufficient(s *cluster.State, r cluster.Resource) string {
	if r == cluster.PodSlots {
		return "Too many pods"
	}
	return "Insufficient " + s.ResourceName(r)
}

// ignores reports whether the options say that r, an extended resource, doesn't
// matter.
func (f *fit) ignores(s *cluster.State, r cluster.Resource) bool {
	if len(f.ignored)+len(f.ignoredGroups) == 0 || r < cluster.GPU {
		return false
	}
	name := s.ResourceName(r)
	group, _, _ := strings.Cut(name, "/")
	return isExtended(name) && (slices.Contains(f.ignored, name) || slices.Contains(f.ignoredGroups, group))
}

// Depends implements scheduler.Dependent.
func (*fit) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Filter: scheduler.Row, Score: scheduler.Row}
}

// FilterBatch implements scheduler.BatchFilter.
func (f *fit) FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	f.needs = f.needs[:0]
	for r, want := range s.Class(p).Requests {
		if want > 0 && !f.ignores(s, cluster.Resource(r)) {
			f.needs = append(f.needs, need{s.Nodes.Cap[r], s.Nodes.Used[r], want})
		}
	}
	needs, kept := f.needs, nodes[:0]
next:
	for _, n := range nodes {
		for i := range needs {
			if x := &needs[i]; x.want > x.capacity[n]-x.used[n] {
				continue next
			}
		}
		kept = append(kept, n)
	}
	return kept
}

// A need is what a pod requests of a resource, beside the columns of nodes.
type need struct {
	capacity, used []int64
	want           int64
}
