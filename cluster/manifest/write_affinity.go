package manifest

import (
	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writeAffinity makes what setAffinity makes c of.
func writeAffinity(c *cluster.Class) *v1.Affinity {
	out := v1.Affinity{NodeAffinity: writeNodeAffinity(c)}
	if must, may := writePodAffinity(&c.Affinity); len(must)+len(may) > 0 {
		out.PodAffinity = &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: must, PreferredDuringSchedulingIgnoredDuringExecution: may}
	}
	if must, may := writePodAffinity(&c.AntiAffinity); len(must)+len(may) > 0 {
		out.PodAntiAffinity = &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: must, PreferredDuringSchedulingIgnoredDuringExecution: may}
	}
	if out == (v1.Affinity{}) {
		return nil
	}
	return &out
}

// writeNodeAffinity makes what setNodeAffinity makes c of. The only node that will
// do is named as the DaemonSet controller names it.
func writeNodeAffinity(c *cluster.Class) *v1.NodeAffinity {
	required := c.RequiredNode
	if c.NodeName != "" {
		only := cluster.Requirement{Key: cluster.FieldName, Op: cluster.In, Values: []string{c.NodeName}}
		with := &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{{}}}
		if required != nil {
			with.Terms = append(with.Terms[:0], required.Terms...)
		}
		for i := range with.Terms {
			t := &with.Terms[i]
			t.Fields = append([]cluster.Requirement{only}, t.Fields...)
		}
		required = with
	}
	if required == nil && len(c.Preferred) == 0 {
		return nil
	}
	out := &v1.NodeAffinity{}
	if required != nil {
		out.RequiredDuringSchedulingIgnoredDuringExecution = &v1.NodeSelector{}
		to := out.RequiredDuringSchedulingIgnoredDuringExecution
		for i := range required.Terms {
			to.NodeSelectorTerms = append(to.NodeSelectorTerms, writeNodeTerm(&required.Terms[i]))
		}
	}
	for i := range c.Preferred {
		out.PreferredDuringSchedulingIgnoredDuringExecution = append(out.PreferredDuringSchedulingIgnoredDuringExecution,
			v1.PreferredSchedulingTerm{Weight: c.Preferred[i].Weight, Preference: writeNodeTerm(&c.Preferred[i].NodeSelectorTerm)})
	}
	return out
}

var nodeOperatorNames = [...]v1.NodeSelectorOperator{
	cluster.In: v1.NodeSelectorOpIn, cluster.NotIn: v1.NodeSelectorOpNotIn, cluster.Exists: v1.NodeSelectorOpExists,
	cluster.DoesNotExist: v1.NodeSelectorOpDoesNotExist, cluster.Gt: v1.NodeSelectorOpGt, cluster.Lt: v1.NodeSelectorOpLt,
}

// writeNodeTerm makes what nodeTerm makes t of. What could not be parsed gets an
// operator with which it can't.
func writeNodeTerm(t *cluster.NodeSelectorTerm) (out v1.NodeSelectorTerm) {
	for _, r := range t.Labels {
		op := r.Op
		if op == cluster.Unparsable {
			for op = cluster.In; op < cluster.Lt && parseRequirement(op, r.Key, r.Values) == nil; op++ {
			}
		}
		to := v1.NodeSelectorRequirement{Key: r.Key, Operator: nodeOperatorNames[op], Values: r.Values}
		out.MatchExpressions = append(out.MatchExpressions, to)
	}
	for _, r := range t.Fields {
		to := v1.NodeSelectorRequirement{Key: r.Key, Operator: nodeOperatorNames[r.Op], Values: r.Values}
		out.MatchFields = append(out.MatchFields, to)
	}
	return out
}

// writePodAffinity makes what podAffinity makes a of.
func writePodAffinity(a *cluster.PodAffinity) (must []v1.PodAffinityTerm, may []v1.WeightedPodAffinityTerm) {
	for i := range a.Required {
		must = append(must, writePodTerm(&a.Required[i]))
	}
	for i := range a.Preferred {
		may = append(may, v1.WeightedPodAffinityTerm{Weight: a.Preferred[i].Weight, PodAffinityTerm: writePodTerm(&a.Preferred[i].PodTerm)})
	}
	return must, may
}

func writePodTerm(t *cluster.PodTerm) v1.PodAffinityTerm {
	return v1.PodAffinityTerm{
		LabelSelector: writeSelector(t.Selector), NamespaceSelector: writeSelector(t.NamespaceSelector),
		Namespaces: t.Namespaces, TopologyKey: t.TopologyKey,
	}
}

var labelOperatorNames = [...]metav1.LabelSelectorOperator{
	cluster.In: metav1.LabelSelectorOpIn, cluster.NotIn: metav1.LabelSelectorOpNotIn,
	cluster.Exists: metav1.LabelSelectorOpExists, cluster.DoesNotExist: metav1.LabelSelectorOpDoesNotExist,
}

// writeSelector makes what labelSelector makes sel of, in the longer of its forms.
func writeSelector(sel *cluster.Selector) *metav1.LabelSelector {
	if sel == nil {
		return nil
	}
	out := &metav1.LabelSelector{}
	for _, r := range sel.Requirements {
		to := metav1.LabelSelectorRequirement{Key: r.Key, Operator: labelOperatorNames[r.Op], Values: r.Values}
		out.MatchExpressions = append(out.MatchExpressions, to)
	}
	return out
}

// writeSpread makes what spreadConstraints makes the constraints of.
func writeSpread(from []cluster.SpreadConstraint) (out []v1.TopologySpreadConstraint) {
	policy := func(honors bool) *v1.NodeInclusionPolicy {
		p := v1.NodeInclusionPolicyIgnore
		if honors {
			p = v1.NodeInclusionPolicyHonor
		}
		return &p
	}
	for i := range from {
		f := &from[i]
		t := v1.TopologySpreadConstraint{
			MaxSkew: f.MaxSkew, TopologyKey: f.TopologyKey, WhenUnsatisfiable: v1.DoNotSchedule,
			LabelSelector: writeSelector(f.Selector), MatchLabelKeys: f.MatchLabelKeys,
			NodeAffinityPolicy: policy(!f.IgnoreAffinity), NodeTaintsPolicy: policy(f.HonorTaints),
		}
		if f.Soft {
			t.WhenUnsatisfiable = v1.ScheduleAnyway
		}
		if f.MinDomains != 0 {
			t.MinDomains = &f.MinDomains
		}
		out = append(out, t)
	}
	return out
}

// writeTolerations makes what tolerations makes the tolerations of.
func writeTolerations(from []cluster.Toleration) (out []v1.Toleration) {
	for _, t := range from {
		op := v1.TolerationOpEqual
		if t.Exists {
			op = v1.TolerationOpExists
		}
		out = append(out, v1.Toleration{Key: t.Key, Operator: op, Value: t.Value, Effect: effectNames[t.Effect], TolerationSeconds: t.Seconds})
	}
	return out
}
