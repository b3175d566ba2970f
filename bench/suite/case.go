// Package suite measures how fast pods are placed: a scheduler with kube's default
// plugins, on clusters of several sizes and under several workloads, of which each case
// is one. A case is measured in its steady state: for every pod that comes an old one
// ends.
//
// Four things come out. Samples of time and allocations for a pod; counts of work, which
// are the same on any machine and have limits in testdata; where a profiler found the
// time to go, by phase and plugin; and what each plugin costs by itself, as a multiple of
// a fixed piece of work, so that a later run on such a machine can be compared.
package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Case is a workload on a cluster of a size.
type Case struct {
	Workload string
	Nodes    int
	Classes  int // of pods, where the workload leaves it open; otherwise 0
}

// Name returns the case's name as benchstat splits it: "basic/nodes=5000/classes=10".
func (c Case) Name() string {
	name := fmt.Sprintf("%s/nodes=%d", c.Workload, c.Nodes)
	if c.Classes > 0 {
		name += fmt.Sprintf("/classes=%d", c.Classes)
	}
	return name
}

// DefaultNodes are the sizes of basic's clusters, unless others are asked for; other
// workloads have the largest of them.
var DefaultNodes = []int{500, 5000}

// basicClasses are the numbers of classes of basic.
var basicClasses = []int{1, 10, 100, 1000}

// Cases returns all cases on clusters of the sizes, workload by workload; without sizes,
// those that are measured by default.
func Cases(nodes ...int) (cases []Case) {
	for _, w := range workloads {
		sizes := nodes
		if len(nodes) == 0 {
			sizes = DefaultNodes
			if w.classes == nil {
				sizes = sizes[len(sizes)-1:]
			}
		}
		for _, n := range sizes {
			if w.classes == nil {
				cases = append(cases, Case{w.name, n, 0})
			}
			for _, classes := range w.classes {
				cases = append(cases, Case{w.name, n, classes})
			}
		}
	}
	return cases
}

// Matching returns the cases whose names match a regular expression, or an error that
// says which names there are.
func Matching(cases []Case, expr string) ([]Case, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("%q is not a regular expression: %w; write one that matches names of cases, for example basic", expr, err)
	}
	matching := slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return !re.MatchString(c.Name()) })
	if len(matching) == 0 {
		names := make([]string, len(cases))
		for i, c := range cases {
			names[i] = c.Name()
		}
		return nil, fmt.Errorf("no case matches %q; there are %s", expr, strings.Join(names, ", "))
	}
	return matching, nil
}
