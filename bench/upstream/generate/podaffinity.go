package generate

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// affinity draws the pod's affinity to nodes and pods.
func (g *generator) affinity(w *workload) *v1.Affinity {
	a := &v1.Affinity{}
	if g.uses(selectors) && g.chance(0.6) {
		a.NodeAffinity = &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: g.requiredNodes()}
	} else if g.uses(namedNodes) {
		a.NodeAffinity = &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: g.namedNodes()}}
	}
	if g.uses(preferences) {
		if a.NodeAffinity == nil {
			a.NodeAffinity = &v1.NodeAffinity{}
		}
		a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = g.preferredNodes()
	}
	if g.uses(podAffinity) {
		a.PodAffinity = &v1.PodAffinity{}
		if g.chance(0.3) {
			a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution = g.affinityTerms(w)
		} else if g.chance(0.6) && len(g.workloads) > 0 {
			a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution = []v1.PodAffinityTerm{g.companyTerm()}
		}
		if g.chance(0.5) {
			a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution = g.weightedTerms(w)
		}
	}
	if g.uses(podAffinity) {
		a.PodAntiAffinity = &v1.PodAntiAffinity{}
		if g.chance(0.5) {
			a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution = g.affinityTerms(w)
		}
		if g.chance(0.5) {
			a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution = g.weightedTerms(w)
		}
	}
	if *a == (v1.Affinity{}) {
		return nil
	}
	return a
}

func (g *generator) affinityTerms(w *workload) []v1.PodAffinityTerm {
	var terms []v1.PodAffinityTerm
	for range pick(g, 1, 1, 1, 2) {
		terms = append(terms, g.affinityTerm(w))
	}
	return terms
}

func (g *generator) weightedTerms(w *workload) []v1.WeightedPodAffinityTerm {
	var terms []v1.WeightedPodAffinityTerm
	for range g.between(1, 2) {
		terms = append(terms, v1.WeightedPodAffinityTerm{Weight: g.weight(), PodAffinityTerm: g.affinityTerm(w)})
	}
	return terms
}

// affinityTerm draws a term about other pods, or, often, about the workload itself.
func (g *generator) affinityTerm(w *workload) v1.PodAffinityTerm {
	t := v1.PodAffinityTerm{TopologyKey: pick(g, topologyKeys...), LabelSelector: g.labelSelector()}
	if app, ok := w.labels[appLabel]; ok && g.chance(0.4) {
		t.LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{appLabel: app}}
	}
	if g.chance(0.2) {
		t.Namespaces = pickSome(g, 0.5, g.namespaces...)
	}
	switch g.IntN(10) {
	case 0:
		t.NamespaceSelector = &metav1.LabelSelector{} // all namespaces
	case 1:
		t.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{teamLabel: pick(g, teams...)}}
	case 2:
		t.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: teamLabel, Operator: pick(g, metav1.LabelSelectorOpDoesNotExist, metav1.LabelSelectorOpExists)},
		}}
	}
	if t.LabelSelector == nil {
		return t
	}
	if g.chance(0.2) && !mentions(t.LabelSelector, hashLabel) {
		t.MatchLabelKeys = []string{hashLabel}
	}
	if g.chance(0.2) && !mentions(t.LabelSelector, tierLabel) {
		t.MismatchLabelKeys = []string{tierLabel}
	}
	return t
}

// mentions tells whether a selector speaks of a key; such a key may not be a match label key.
func mentions(s *metav1.LabelSelector, key string) bool {
	if s == nil {
		return false
	}
	_, ok := s.MatchLabels[key]
	return ok || slices.ContainsFunc(s.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool { return r.Key == key })
}

// mergeLabelKeys does what the API server does when a pod is created: the pod's own values under
// the match label keys become requirements of the selector.
func mergeLabelKeys(s *metav1.LabelSelector, keys []string, op metav1.LabelSelectorOperator, labels map[string]string) {
	if s == nil {
		return
	}
	for _, key := range keys {
		if value, ok := labels[key]; ok {
			s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: op, Values: []string{value}})
		}
	}
}

// mergeAll merges the label keys of all terms and constraints of a pod.
func mergeAll(p *v1.Pod) {
	term := func(t *v1.PodAffinityTerm) {
		mergeLabelKeys(t.LabelSelector, t.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
		mergeLabelKeys(t.LabelSelector, t.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, p.Labels)
	}
	all := func(required []v1.PodAffinityTerm, preferred []v1.WeightedPodAffinityTerm) {
		for i := range required {
			term(&required[i])
		}
		for i := range preferred {
			term(&preferred[i].PodAffinityTerm)
		}
	}
	if a := p.Spec.Affinity; a != nil && a.PodAffinity != nil {
		all(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution, a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if a := p.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		all(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution, a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

// companyTerm draws a term that the pods of another workload meet.
func (g *generator) companyTerm() v1.PodAffinityTerm {
	other := pick(g, g.workloads...)
	return v1.PodAffinityTerm{
		TopologyKey:   pick(g, v1.LabelHostname, v1.LabelHostname, v1.LabelTopologyZone, rackLabel),
		LabelSelector: &metav1.LabelSelector{MatchLabels: maps.Clone(other.labels)},
		Namespaces:    []string{other.namespace},
	}
}

// spreadConstraints draws constraints for a pod with the labels; topology key and effect together are unique.
func (g *generator) spreadConstraints(labels map[string]string) []v1.TopologySpreadConstraint {
	var list []v1.TopologySpreadConstraint
	if !g.uses(spread) {
		return nil
	}
	for range pick(g, 1, 1, 2, 3) {
		c := v1.TopologySpreadConstraint{
			MaxSkew:           pick(g, int32(1), 1, 1, 2, 3, 5),
			TopologyKey:       pick(g, topologyKeys...),
			WhenUnsatisfiable: pick(g, v1.DoNotSchedule, v1.ScheduleAnyway),
			LabelSelector:     g.labelSelector(),
		}
		if app, ok := labels[appLabel]; ok && g.chance(0.6) {
			c.LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{appLabel: app}}
		}
		same := func(o v1.TopologySpreadConstraint) bool {
			return o.TopologyKey == c.TopologyKey && o.WhenUnsatisfiable == c.WhenUnsatisfiable
		}
		if slices.ContainsFunc(list, same) {
			continue
		}
		if c.WhenUnsatisfiable == v1.DoNotSchedule && g.chance(0.4) {
			c.MinDomains = pointer(pick(g, int32(1), 2, 3, 4, 6))
		}
		if g.chance(0.4) {
			c.NodeAffinityPolicy = pointer(pick(g, v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore))
		}
		if g.chance(0.4) {
			c.NodeTaintsPolicy = pointer(pick(g, v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore))
		}
		if c.LabelSelector != nil && g.chance(0.3) && !mentions(c.LabelSelector, hashLabel) {
			c.MatchLabelKeys = []string{hashLabel}
		}
		list = append(list, c)
	}
	return list
}
