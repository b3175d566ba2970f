package generate

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (g *generator) nodeSelector() map[string]string {
	if !g.uses(selectors) || g.chance(0.7) {
		return nil
	}
	s := map[string]string{}
	switch g.IntN(4) {
	case 0:
		s[diskLabel] = pick(g, disks...)
	case 1:
		s[v1.LabelTopologyZone] = pick(g, zoneNames...)
	case 2:
		s[rackLabel] = pick(g, racks...)
	default:
		s[diskLabel] = pick(g, disks...)
		s[genLabel] = pick(g, "1", "2", "3")
	}
	return s
}

// requiredNodes draws required node affinity: terms are alternatives, and may be empty.
func (g *generator) requiredNodes() *v1.NodeSelector {
	s := &v1.NodeSelector{}
	if g.chance(0.1) {
		s.NodeSelectorTerms = g.namedNodes()
		return s
	}
	for range pick(g, 1, 2, 2, 3) {
		s.NodeSelectorTerms = append(s.NodeSelectorTerms, g.nodeTerm(false))
	}
	return s
}

// namedNodes draws terms that each name nodes, the case in which upstream looks at no others. Some
// contradict themselves and some name nodes that don't exist.
func (g *generator) namedNodes() []v1.NodeSelectorTerm {
	var terms []v1.NodeSelectorTerm
	contradiction := 0.1
	if g.chance(0.1) {
		contradiction = 1
	}
	n := pick(g, 1, 1, 2, 3, 6)
	if g.dials.unscored {
		n = 1 // upstream takes any one of several, and looks at as many others as chance has it
	}
	for range n {
		t := v1.NodeSelectorTerm{MatchFields: []v1.NodeSelectorRequirement{g.nodeName(v1.NodeSelectorOpIn)}}
		if g.chance(contradiction) {
			t.MatchFields = append(t.MatchFields, g.nodeName(v1.NodeSelectorOpIn))
		}
		if g.chance(0.2) {
			t.MatchFields = append(t.MatchFields, g.nodeName(v1.NodeSelectorOpNotIn))
		}
		if g.chance(0.2) {
			t.MatchExpressions = []v1.NodeSelectorRequirement{g.nodeRequirement(false)}
		}
		terms = append(terms, t)
	}
	return terms
}

func (g *generator) nodeName(op v1.NodeSelectorOperator) v1.NodeSelectorRequirement {
	name := "node-gone"
	if !g.chance(0.2) {
		name = pick(g, g.nodes...)
	}
	return v1.NodeSelectorRequirement{Key: metav1.ObjectNameField, Operator: op, Values: []string{name}}
}

// nodeTerm draws a term. Parsable says that bounds must be integers: a preferred term that can't be
// parsed makes upstream fail the whole cycle, while a required one is only skipped.
func (g *generator) nodeTerm(parsable bool) v1.NodeSelectorTerm {
	t := v1.NodeSelectorTerm{}
	if g.chance(0.06) {
		return t
	}
	for range pick(g, 1, 1, 1, 2) {
		t.MatchExpressions = append(t.MatchExpressions, g.nodeRequirement(parsable))
	}
	if g.chance(0.1) && !g.dials.unscored {
		t.MatchFields = []v1.NodeSelectorRequirement{g.nodeName(pick(g, v1.NodeSelectorOpIn, v1.NodeSelectorOpNotIn))}
	}
	return t
}

func (g *generator) nodeRequirement(parsable bool) v1.NodeSelectorRequirement {
	r := v1.NodeSelectorRequirement{
		Key: pick(g, diskLabel, genLabel, genLabel, rackLabel, v1.LabelTopologyZone, v1.LabelTopologyRegion, v1.LabelHostname, absentLabel),
		Operator: pick(g, v1.NodeSelectorOpIn, v1.NodeSelectorOpIn, v1.NodeSelectorOpNotIn, v1.NodeSelectorOpNotIn,
			v1.NodeSelectorOpExists, v1.NodeSelectorOpDoesNotExist, v1.NodeSelectorOpGt, v1.NodeSelectorOpLt),
	}
	switch r.Operator {
	case v1.NodeSelectorOpExists, v1.NodeSelectorOpDoesNotExist:
	case v1.NodeSelectorOpGt, v1.NodeSelectorOpLt:
		r.Values = []string{pick(g, bounds...)}
		if !parsable && g.chance(0.5) {
			r.Values = []string{pick(g, notBounds...)}
			if g.options.Loose {
				r.Values = []string{pick(g, notLabels...)}
			}
		}
		if g.chance(0.8) {
			r.Key = genLabel
		}
	default:
		r.Values = g.labelValues(r.Key)
	}
	return r
}

// labelValues draws one or two values that the label has somewhere.
func (g *generator) labelValues(key string) []string {
	known := map[string][]string{
		diskLabel: disks, genLabel: gens, rackLabel: racks, v1.LabelTopologyZone: zoneNames,
		v1.LabelTopologyRegion: regionNames, v1.LabelHostname: g.nodes, absentLabel: {"x"},
	}[key]
	values := []string{pick(g, known...)}
	for g.chance(0.4) {
		if v := pick(g, known...); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// preferredNodes draws preferred node affinity. Few weights make equal sums likely.
func (g *generator) preferredNodes() []v1.PreferredSchedulingTerm {
	var terms []v1.PreferredSchedulingTerm
	parsable := !g.chance(0.25)
	for range g.between(1, 3) {
		t := v1.PreferredSchedulingTerm{Weight: g.weight(), Preference: g.nodeTerm(parsable)}
		if g.options.Loose && g.chance(0.05) {
			t.Weight = 0
		}
		terms = append(terms, t)
	}
	return terms
}

func (g *generator) weight() int32 {
	return pick(g, int32(1), 1, 2, 10, 33, 50, 99, 100)
}
