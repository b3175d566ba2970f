package manifest

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// setAffinity converts the three kinds of affinity.
func setAffinity(c *cluster.Class, from *v1.Affinity) (err error) {
	if from == nil {
		return nil
	}
	if err = setNodeAffinity(c, from.NodeAffinity); err != nil {
		return in(err, "nodeAffinity")
	}
	if a := from.PodAffinity; a != nil {
		c.Affinity, err = podAffinity(c.Namespace, a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
		if err != nil {
			return in(err, "podAffinity")
		}
	}
	if a := from.PodAntiAffinity; a != nil {
		c.AntiAffinity, err = podAffinity(c.Namespace, a.RequiredDuringSchedulingIgnoredDuringExecution, a.PreferredDuringSchedulingIgnoredDuringExecution)
		if err != nil {
			return in(err, "podAntiAffinity")
		}
	}
	return nil
}

const (
	required  = "requiredDuringSchedulingIgnoredDuringExecution"
	preferred = "preferredDuringSchedulingIgnoredDuringExecution"
)

// setNodeAffinity converts node affinity. A selector without terms matches no
// node, unlike one that isn't there.
func setNodeAffinity(c *cluster.Class, from *v1.NodeAffinity) error {
	if from == nil {
		return nil
	}
	if r := from.RequiredDuringSchedulingIgnoredDuringExecution; r != nil {
		terms, err := nodeTerms(r.NodeSelectorTerms)
		if err != nil {
			return in(err, required, "nodeSelectorTerms")
		}
		c.RequiredNode = &cluster.NodeSelector{Terms: terms}
	}
	for i := range from.PreferredDuringSchedulingIgnoredDuringExecution {
		p := &from.PreferredDuringSchedulingIgnoredDuringExecution[i]
		term, err := nodeTerm(&p.Preference)
		if err != nil {
			return in(err, preferred, i, "preference")
		}
		c.Preferred = append(c.Preferred, cluster.PreferredTerm{Weight: p.Weight, NodeSelectorTerm: term})
	}
	return nil
}

// podAffinity converts affinity to pods, or anti-affinity, of a pod in namespace.
func podAffinity(namespace string, must []v1.PodAffinityTerm, may []v1.WeightedPodAffinityTerm) (to cluster.PodAffinity, err error) {
	for i := range must {
		term, err := podTerm(namespace, &must[i])
		if err != nil {
			return to, in(err, required, i)
		}
		to.Required = append(to.Required, term)
	}
	for i := range may {
		term, err := podTerm(namespace, &may[i].PodAffinityTerm)
		if err != nil {
			return to, in(err, preferred, i, "podAffinityTerm")
		}
		to.Preferred = append(to.Preferred, cluster.WeightedPodTerm{Weight: may[i].Weight, PodTerm: term})
	}
	return to, nil
}

// podTerm converts a term of a pod in namespace, which is what the term is about
// if it names no other. What matchLabelKeys and mismatchLabelKeys mean is in the
// selector: the API server writes it there (Default).
func podTerm(namespace string, from *v1.PodAffinityTerm) (to cluster.PodTerm, err error) {
	to.TopologyKey = from.TopologyKey
	if to.Selector, err = labelSelector(from.LabelSelector); err != nil {
		return to, in(err, "labelSelector")
	}
	if to.NamespaceSelector, err = labelSelector(from.NamespaceSelector); err != nil {
		return to, in(err, "namespaceSelector")
	}
	if len(from.Namespaces) == 0 && from.NamespaceSelector == nil {
		to.Namespaces = []string{namespace}
		return to, nil
	}
	to.Namespaces = slices.Clone(from.Namespaces)
	slices.Sort(to.Namespaces)
	to.Namespaces = slices.Compact(to.Namespaces)
	return to, nil
}

// spreadConstraints converts topology spread constraints. kube-scheduler adds the
// pod's own values of matchLabelKeys whenever it looks at the pod, so they stay.
func spreadConstraints(from []v1.TopologySpreadConstraint) (to []cluster.SpreadConstraint, err error) {
	for i := range from {
		f := &from[i]
		t := cluster.SpreadConstraint{MaxSkew: f.MaxSkew, TopologyKey: f.TopologyKey, MatchLabelKeys: f.MatchLabelKeys}
		switch f.WhenUnsatisfiable {
		case v1.DoNotSchedule:
		case v1.ScheduleAnyway:
			t.Soft = true
		default:
			return nil, in(wrongValue(string(f.WhenUnsatisfiable), "DoNotSchedule", "ScheduleAnyway"), i, "whenUnsatisfiable")
		}
		if t.Selector, err = labelSelector(f.LabelSelector); err != nil {
			return nil, in(err, i, "labelSelector")
		}
		if f.MinDomains != nil {
			t.MinDomains = *f.MinDomains
		}
		affinity, err := honors(f.NodeAffinityPolicy, true)
		if err != nil {
			return nil, in(err, i, "nodeAffinityPolicy")
		}
		t.IgnoreAffinity = !affinity
		if t.HonorTaints, err = honors(f.NodeTaintsPolicy, false); err != nil {
			return nil, in(err, i, "nodeTaintsPolicy")
		}
		to = append(to, t)
	}
	return to, nil
}

// honors reports whether a policy is Honor.
func honors(policy *v1.NodeInclusionPolicy, otherwise bool) (bool, error) {
	switch {
	case policy == nil:
		return otherwise, nil
	case *policy == v1.NodeInclusionPolicyHonor:
		return true, nil
	case *policy == v1.NodeInclusionPolicyIgnore:
		return false, nil
	}
	return false, wrongValue(string(*policy), "Honor", "Ignore")
}
