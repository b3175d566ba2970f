package hints

import (
	"maps"
	"math/rand/v2"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// drawer draws changes of a scenario's objects.
type drawer struct {
	*rand.Rand
	nodes []*v1.Node
	pods  []*v1.Pod
}

// chance is true with probability p.
func (d *drawer) chance(p float64) bool { return d.Float64() < p }

// pick draws one of the values.
func pick[T any](d *drawer, values ...T) T { return values[d.IntN(len(values))] }

func (d *drawer) change() *change {
	c := &change{target: d.rejected()}
	switch d.IntN(10) {
	case 0:
		c.node = d.node(c.target)
	case 1:
		c.oldNode = d.node(c.target)
	case 2, 3, 4:
		c.oldNode = d.node(c.target)
		c.node = c.oldNode.DeepCopy()
		d.vary(1, 2, func() { d.varyNode(c.node, c.target) })
	case 5:
		c.pod = d.other(c.target)
	case 6:
		c.oldPod = d.other(c.target)
	case 7, 8:
		c.oldPod = d.other(c.target)
		if d.chance(0.3) {
			d.resize(c.oldPod)
		}
		c.pod = c.oldPod.DeepCopy()
		d.vary(0, 3, func() { d.varyPod(c.pod, c.target) })
		if c.pod.Spec.NodeName == "" && d.chance(0.4) { // its nomination comes or goes, and its labels change
			d.relabel(c.pod, c.target)
			p := pick(d, c.oldPod, c.pod)
			c.oldPod.Status.NominatedNodeName, c.pod.Status.NominatedNodeName = "", ""
			p.Status.NominatedNodeName = pick(d, d.nodes...).Name
		}
	default: // the queue has the new version when it asks
		c.oldPod = c.target
		c.pod = c.oldPod.DeepCopy()
		d.vary(0, 4, func() { d.varyPod(c.pod, d.other(c.target)) })
		c.target = c.pod
	}
	return c
}

// vary calls f so many times.
func (d *drawer) vary(atLeast, atMost int, f func()) {
	for range atLeast + d.IntN(atMost-atLeast+1) {
		f()
	}
}

// node draws a node in one of its versions, often one that the pod may run on as far as its node
// selector and its taints go.
func (d *drawer) node(p *v1.Pod) *v1.Node {
	n := pick(d, d.nodes...).DeepCopy()
	if d.chance(0.4) {
		maps.Copy(n.Labels, p.Spec.NodeSelector)
	}
	if d.chance(0.4) {
		n.Spec.Taints = nil
	}
	return n
}

// pod draws a pod in one of its versions, on the named node or on none, perhaps with another one kept
// for it. Its UID is its own in the change.
func (d *drawer) pod(on string, uid types.UID) *v1.Pod {
	p := pick(d, d.pods...).DeepCopy()
	p.UID, p.Spec.NodeName = uid, on
	p.Status.NominatedNodeName = ""
	if on == "" {
		p.Status = v1.PodStatus{Phase: v1.PodPending} // no kubelet has it
		if d.chance(0.3) {
			p.Status.NominatedNodeName = pick(d, d.nodes...).Name
		}
	}
	return p
}

// rejected draws a pod that is asked about, often one that other pods matter to. It may have gates.
func (d *drawer) rejected() *v1.Pod {
	p := d.pod("", "rejected")
	for range 8 {
		if len(topologyKeys(p)) > 0 || d.chance(0.3) {
			break
		}
		p = d.pod("", "rejected")
	}
	for i := range p.Spec.TopologySpreadConstraints {
		if d.chance(0.3) {
			honor := v1.NodeInclusionPolicyHonor
			p.Spec.TopologySpreadConstraints[i].NodeTaintsPolicy = &honor
		}
	}
	p.Spec.SchedulingGates = d.gates(0.2)
	return p
}

// other draws a pod besides the rejected one, mostly on a node, and often with something in common.
func (d *drawer) other(p *v1.Pod) *v1.Pod {
	on := ""
	if d.chance(0.75) {
		on = pick(d, d.nodes...).Name
	}
	q := d.pod(on, "other")
	if d.chance(0.5) {
		q.Namespace = p.Namespace
	}
	if d.chance(0.3) {
		q.Labels = maps.Clone(p.Labels)
	}
	if d.chance(0.2) {
		q.Spec.Affinity = p.Spec.Affinity.DeepCopy()
	}
	if on == "" {
		q.Spec.SchedulingGates = d.gates(0.3)
	}
	if d.chance(0.3) {
		d.suit(q, p)
	}
	return q
}

// suit gives a pod the labels that one of the required terms and hard constraints of another wants, and
// mostly its namespace.
func (d *drawer) suit(q, p *v1.Pod) {
	var selectors []*metav1.LabelSelector
	for i := range p.Spec.TopologySpreadConstraints {
		selectors = append(selectors, p.Spec.TopologySpreadConstraints[i].LabelSelector)
	}
	for _, t := range requiredTerms(p) {
		selectors = append(selectors, t.LabelSelector)
	}
	if len(selectors) == 0 {
		return
	}
	selector := pick(d, selectors...)
	if selector == nil {
		return
	}
	q.Labels = maps.Clone(selector.MatchLabels)
	for _, r := range selector.MatchExpressions {
		if r.Operator == metav1.LabelSelectorOpIn {
			q.Labels = labels.Merge(q.Labels, labels.Set{r.Key: r.Values[0]})
		}
	}
	if d.chance(0.8) {
		q.Namespace = p.Namespace
	}
}
