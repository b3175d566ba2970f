package plugins

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A resourceWeight names a resource that a score looks at.
type resourceWeight struct {
	Name   string `json:"name"`
	Weight int64  `json:"weight"` // 0 stands for 1
}

// defaultResources is what kube's resource scores look at by default.
var defaultResources = []resourceWeight{{"cpu", 1}, {"memory", 1}}

// withDefaults returns resources with kube's defaults filled in.
func withDefaults(resources []resourceWeight) []resourceWeight {
	if len(resources) == 0 {
		return defaultResources
	}
	resources = slices.Clone(resources)
	for i := range resources {
		if resources[i].Weight == 0 {
			resources[i].Weight = 1
		}
	}
	return resources
}

func checkWeights(resources []resourceWeight, highest int64) error {
	for _, r := range resources {
		if r.Weight < 1 || r.Weight > highest {
			return fmt.Errorf("resource %q has weight %d; a weight is 1 to %d", r.Name, r.Weight, highest)
		}
	}
	return nil
}

// A term is a resource that a score looks at, for one pod.
type term struct {
	capacity, used []int64 // columns of Nodes
	want, weight   int64
}

// appendEstimated appends the resources that p's score looks at to terms, with
// estimates of CPU and memory.
func appendEstimated(terms []term, s *cluster.State, p cluster.PodID, resources []resourceWeight, known *columns) []term {
	ns, c := &s.Nodes, s.Pods.Class[p]
	for i, r := range known.of(s, resources) {
		if r < 0 {
			continue
		}
		t := term{ns.Cap[r], ns.Used[r], s.Incoming(c, r), resources[i].Weight}
		switch {
		case r == cluster.CPU:
			t.used = ns.EstimatedCPU
		case r == cluster.Memory:
			t.used = ns.EstimatedMemory
		case bypassed(r, t.want):
			continue
		}
		terms = append(terms, t)
	}
	return terms
}

// appendRequested is appendEstimated with real requests.
func appendRequested(terms []term, s *cluster.State, p cluster.PodID, resources []resourceWeight, known *columns) []term {
	ns, requests := &s.Nodes, s.Class(p).Requests
	for i, r := range known.of(s, resources) {
		if r >= 0 && !bypassed(r, requests.Get(r)) {
			terms = append(terms, term{ns.Cap[r], ns.Used[r], requests.Get(r), resources[i].Weight})
		}
	}
	return terms
}

// scored returns the column of a resource that can be scored; one that no node
// has and no pod wants has none. Upstream knows no other resources than these
// (framework.Resource), so that the number of pods scores nothing.
func scored(s *cluster.State, name string) (r cluster.Resource, ok bool) {
	r, ok = s.Column(name)
	return r, ok && (r <= cluster.EphemeralStorage || isScalar(name))
}

// bypassed reports whether a score leaves out r because the pod wants none of it:
// the nodes that have it would be favoured, or not, for nothing.
func bypassed(r cluster.Resource, want int64) bool {
	return want == 0 && r > cluster.EphemeralStorage
}

// isScalar reports whether upstream keeps a resource by its name, rather than in
// a field of its own or not at all (pkg/scheduler/util, IsScalarResourceName).
func isScalar(name string) bool {
	return isExtended(name) || strings.Contains(name, "kubernetes.io/") ||
		strings.HasPrefix(name, "hugepages-") || strings.HasPrefix(name, "attachable-volumes-")
}

// isExtended reports whether a resource is none of Kubernetes' own
// (pkg/apis/core/v1/helper, IsExtendedResourceName).
func isExtended(name string) bool {
	return strings.Contains(name, "/") && !strings.Contains(name, "kubernetes.io/") &&
		!strings.HasPrefix(name, "requests.")
}
