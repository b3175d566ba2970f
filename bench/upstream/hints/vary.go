package hints

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// varyNode changes one aspect of a node; like is the pod that was rejected.
func (d *drawer) varyNode(n *v1.Node, like *v1.Pod) {
	other := pick(d, d.nodes...)
	switch d.IntN(11) {
	case 0:
		n.Spec.Unschedulable = !n.Spec.Unschedulable
	case 1:
		n.Spec.Taints = slices.Clone(other.Spec.Taints)
	case 2:
		d.varyTaints(n, like)
	case 3:
		n.Labels = maps.Clone(other.Labels)
	case 4, 5:
		d.varyLabel(n.Labels, other.Labels, topologyKeys(like))
	case 6:
		if d.chance(0.5) {
			maps.Copy(n.Labels, like.Spec.NodeSelector)
		} else {
			maps.DeleteFunc(n.Labels, func(key, _ string) bool { _, ok := like.Spec.NodeSelector[key]; return ok })
		}
	case 7:
		n.Status.Allocatable = other.Status.Allocatable.DeepCopy()
	case 8, 9:
		if n.Status.Allocatable == nil {
			n.Status.Allocatable = v1.ResourceList{}
		}
		d.varyAmount(n.Status.Allocatable)
	default:
		n.Status.DeclaredFeatures = d.features(n.Status.DeclaredFeatures, other.Status.DeclaredFeatures)
	}
}

// features draws others than a node declares.
func (d *drawer) features(was, others []string) []string {
	if d.chance(0.5) || len(was) == 0 {
		return slices.Clone(others)
	}
	i := d.IntN(len(was))
	return slices.Delete(slices.Clone(was), i, i+1)
}

// varyTaints takes a taint away, turns the order round, or adds a taint that the pod may tolerate.
func (d *drawer) varyTaints(n *v1.Node, like *v1.Pod) {
	switch taints := n.Spec.Taints; {
	case len(taints) > 0 && d.chance(0.4):
		n.Spec.Taints = taints[1:]
	case len(taints) > 1 && d.chance(0.5):
		slices.Reverse(taints)
	default:
		t := v1.Taint{Key: "dedicated", Value: "x", Effect: pick(d, v1.TaintEffectNoSchedule, v1.TaintEffectNoExecute, v1.TaintEffectPreferNoSchedule)}
		if tolerations := like.Spec.Tolerations; len(tolerations) > 0 && d.chance(0.5) {
			if one := pick(d, tolerations...); one.Key != "" {
				t.Key, t.Value = one.Key, one.Value
			}
		}
		n.Spec.Taints = append(taints, t)
	}
}

// requiredTerms lists the pod's required terms of affinity and of anti-affinity.
func requiredTerms(p *v1.Pod) (terms []v1.PodAffinityTerm) {
	if a := p.Spec.Affinity; a != nil && a.PodAffinity != nil {
		terms = append(terms, a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution...)
	}
	if a := p.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		terms = append(terms, a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution...)
	}
	return terms
}

// topologyKeys lists the keys of the pod's hard constraints and required terms.
func topologyKeys(p *v1.Pod) (keys []string) {
	for _, c := range p.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable == v1.DoNotSchedule {
			keys = append(keys, c.TopologyKey)
		}
	}
	for _, t := range requiredTerms(p) {
		keys = append(keys, t.TopologyKey)
	}
	return keys
}

// varyLabel changes one label, sets it or takes it away; often one of the keys.
func (d *drawer) varyLabel(labels, others map[string]string, keys []string) {
	if len(keys) == 0 || d.chance(0.3) {
		keys = append(slices.Sorted(maps.Keys(others)), slices.Sorted(maps.Keys(labels))...)
	}
	if len(keys) == 0 {
		return
	}
	key := pick(d, keys...)
	value, ok := others[key]
	switch {
	case d.chance(0.3):
		delete(labels, key)
	case ok && value != labels[key]:
		labels[key] = value
	default:
		labels[key] = pick(d, "", "1", "3", "5", "a", "b", "ssd")
	}
}

// varyAmount changes one amount: more, less, none, or no key at all.
func (d *drawer) varyAmount(list v1.ResourceList) {
	names := slices.Sorted(maps.Keys(list))
	if len(names) == 0 || d.chance(0.3) {
		names = append(names, v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, "example.com/gpu")
	}
	name := pick(d, names...)
	q := list[name]
	switch d.IntN(8) {
	case 0:
		delete(list, name)
		return
	case 1:
		q = *resource.NewQuantity(0, q.Format)
	case 2, 3:
		q = *resource.NewQuantity(q.Value()/2, q.Format)
	case 4:
		q.Sub(resource.MustParse("1"))
		if q.Sign() < 0 {
			q = resource.MustParse("0")
		}
	case 5:
		q.Add(resource.MustParse("1"))
	default:
		q = *resource.NewQuantity(q.Value()+q.Value()/2+1, q.Format)
	}
	list[name] = q
}

// varyPod changes one aspect of a pod; like is another pod of the change.
func (d *drawer) varyPod(p, like *v1.Pod) {
	other := pick(d, d.pods...)
	switch d.IntN(13) {
	case 0:
		p.Labels = maps.Clone(other.Labels)
	case 1:
		p.Labels = maps.Clone(like.Labels)
	case 2:
		d.relabel(p, like)
	case 3:
		p.Labels = maps.Clone(p.Labels)
		if p.Labels == nil {
			p.Labels = map[string]string{}
		}
		d.varyLabel(p.Labels, other.Labels, nil)
	case 4, 5:
		c := &p.Spec.Containers[d.IntN(len(p.Spec.Containers))]
		if c.Resources.Requests == nil {
			c.Resources.Requests = v1.ResourceList{}
		}
		d.varyAmount(c.Resources.Requests)
	case 6:
		d.resize(p)
	case 7:
		p.Spec.Tolerations = append(slices.Clone(p.Spec.Tolerations), d.toleration())
	case 8:
		if k := len(p.Spec.Tolerations); k > 0 {
			p.Spec.Tolerations = slices.Clone(p.Spec.Tolerations)
			if t := &p.Spec.Tolerations[d.IntN(k)]; d.chance(0.5) {
				t.TolerationSeconds = pick(d, nil, new(int64), new(int64(300)))
			} else {
				*t = d.toleration()
			}
		}
	case 9:
		if len(p.Spec.SchedulingGates) > 0 {
			p.Spec.SchedulingGates = p.Spec.SchedulingGates[:len(p.Spec.SchedulingGates)/2]
		} else {
			p.Spec.SchedulingGates = d.gates(0.3)
		}
	case 10:
		if p.Spec.NodeName == "" {
			p.Status.NominatedNodeName = pick(d, "", pick(d, d.nodes...).Name)
		}
		if d.chance(0.6) {
			d.relabel(p, like)
		}
	case 11:
		p.Spec.HostNetwork, p.Spec.HostUsers = d.chance(0.7), pick(d, nil, new(bool), new(bool))
	default:
		p.Annotations = map[string]string{"example.com/note": "other"}
	}
}

// relabel gives a pod the labels that another one wants, or has. Its namespace can't change.
func (d *drawer) relabel(p, like *v1.Pod) {
	namespace := p.Namespace
	d.suit(p, like)
	p.Namespace = namespace
	if d.chance(0.2) {
		p.Labels = maps.Clone(like.Labels)
	}
}

// gates draws one or two with probability p.
func (d *drawer) gates(p float64) []v1.PodSchedulingGate {
	if !d.chance(p) {
		return nil
	}
	return []v1.PodSchedulingGate{{Name: "example.com/a"}, {Name: "example.com/b"}}[:1+d.IntN(2)]
}

// resize writes into the status of a pod on a node what its kubelet has given it.
func (d *drawer) resize(p *v1.Pod) {
	if p.Spec.NodeName == "" {
		return
	}
	p.Status.ContainerStatuses = nil
	for _, c := range p.Spec.Containers {
		given := c.Resources.Requests.DeepCopy()
		if given == nil {
			given = v1.ResourceList{}
		}
		d.varyAmount(given)
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, v1.ContainerStatus{
			Name: c.Name, AllocatedResources: given, Resources: &v1.ResourceRequirements{Requests: given},
		})
	}
}

func (d *drawer) toleration() v1.Toleration {
	return pick(d,
		v1.Toleration{Key: v1.TaintNodeUnschedulable, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoSchedule},
		v1.Toleration{Key: v1.TaintNodeUnschedulable, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute},
		v1.Toleration{Key: "dedicated", Value: "x"},
		v1.Toleration{Key: "spot", Operator: v1.TolerationOpExists, TolerationSeconds: new(int64)},
		v1.Toleration{Key: "spot", Operator: v1.TolerationOpExists},
		v1.Toleration{Operator: v1.TolerationOpExists},
	)
}
