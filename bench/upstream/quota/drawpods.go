package quota

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pods is how many names pods of a namespace have.
const pods = 12

// asked are the resources that containers ask for.
var asked = []v1.ResourceName{
	"cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu", "example.com/gpu", "deviceclass.resource.kubernetes.io/nic",
}

func (d *drawer) pod() *v1.Pod {
	p := &v1.Pod{ObjectMeta: d.meta("p", pods)}
	style := pick(d, 0, 1, 2, 3, 3, 3, 3, 4, 5)
	p.Spec.Containers = d.containers("c", 1+d.IntN(2), style)
	if d.one(3) {
		p.Spec.InitContainers = d.containers("i", 1+d.IntN(2), style)
		for i := range p.Spec.InitContainers {
			p.Spec.InitContainers[i].RestartPolicy = sometimes(d, 2, v1.ContainerRestartPolicyAlways)
		}
	}
	if d.one(7) {
		r := d.requirements(pick(d, asked[:2], asked[:1], asked[:4], nil))
		p.Spec.Resources = &r
	}
	p.Spec.ActiveDeadlineSeconds = sometimes(d, 4, int64(600))
	p.Spec.TerminationGracePeriodSeconds = pick(d, nil, nil, new(int64(0)), new(int64(10)))
	if d.one(5) {
		p.Spec.Affinity = d.affinity()
	}
	d.priority(p)
	d.runtime(p)
	d.tolerations(p)
	return p
}

// containers makes n containers of a style.
func (d *drawer) containers(prefix string, n, style int) (list []v1.Container) {
	names := asked
	if d.plain {
		names = asked[:2]
	}
	for i := range n {
		c := v1.Container{Name: fmt.Sprintf("%s%d", prefix, i), Image: "i"}
		switch style {
		case 0: // best effort
		case 1: // guaranteed
			c.Resources.Limits = v1.ResourceList{"cpu": d.amount("cpu", 3), "memory": d.amount("memory", 3)}
		case 2: // both requests, as quotas want them
			c.Resources.Requests = v1.ResourceList{"cpu": d.amount("cpu", 3), "memory": d.amount("memory", 3)}
		case 3: // and limits, and much else
			c.Resources = d.requirements(names[min(2, len(names)):])
			for _, list := range []*v1.ResourceList{&c.Resources.Requests, &c.Resources.Limits} {
				if *list == nil {
					*list = v1.ResourceList{}
				}
				(*list)["cpu"], (*list)["memory"] = d.amount("cpu", 2), d.amount("memory", 2)
			}
		default:
			c.Resources = d.requirements(names)
		}
		list = append(list, c)
	}
	return list
}

// affinity makes terms about pods of this namespace, and of others.
func (d *drawer) affinity() *v1.Affinity {
	term := v1.PodAffinityTerm{TopologyKey: "kubernetes.io/hostname", LabelSelector: &metav1.LabelSelector{}}
	switch d.IntN(4) {
	case 0:
		term.Namespaces = []string{pick(d, "a", "b")}
	case 1:
		term.NamespaceSelector = &metav1.LabelSelector{}
	case 2:
		term.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"x": "y"}}
	}
	required, preferred := []v1.PodAffinityTerm{term}, []v1.WeightedPodAffinityTerm{{Weight: 1, PodAffinityTerm: term}}
	return pick(d,
		&v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required}},
		&v1.Affinity{PodAffinity: &v1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: preferred}},
		&v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required}},
		&v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: preferred}},
		&v1.Affinity{NodeAffinity: &v1.NodeAffinity{}})
}

func (d *drawer) priority(p *v1.Pod) {
	p.Spec.PriorityClassName = pick(d, "", "", "", "low", "low", "high", "system-node-critical")
	if d.one(80) {
		p.Spec.PriorityClassName = "never-made"
	}
	if d.one(30) {
		p.Spec.Priority = new(pick(d, int32(0), 10, 1000, 7))
	}
	if d.one(30) {
		p.Spec.PreemptionPolicy = new(pick(d, v1.PreemptLowerPriority, v1.PreemptNever))
	}
}

// runtime gives a pod a runtime class, and some of what one would.
func (d *drawer) runtime(p *v1.Pod) {
	if d.one(4) {
		p.Spec.RuntimeClassName = new(pick(d, "plain", "heavy", "heavy", "picky", "picky"))
		if d.one(20) {
			p.Spec.RuntimeClassName = new("never-made")
		}
	}
	if d.one(5) {
		p.Spec.NodeSelector = map[string]string{pick(d, "disk", "kind"): pick(d, "ssd", "sandbox")}
	}
	if d.one(20) {
		p.Spec.Overhead = pick(d, heavy(), v1.ResourceList{"cpu": d.amount("cpu", 3)})
	}
}

func (d *drawer) tolerations(p *v1.Pod) {
	if d.one(2) {
		return
	}
	for range d.IntN(3) {
		t := v1.Toleration{
			Key:      pick(d, v1.TaintNodeNotReady, v1.TaintNodeUnreachable, "kind", "", ""),
			Operator: pick(d, v1.TolerationOpExists, v1.TolerationOpEqual),
			Effect:   pick(d, v1.TaintEffectNoExecute, v1.TaintEffectNoSchedule, ""),
		}
		if t.Key == "" {
			t.Operator = v1.TolerationOpExists
		}
		if t.Operator == v1.TolerationOpEqual {
			t.Value = pick(d, "sandbox", "x")
		}
		if t.Effect == v1.TaintEffectNoExecute {
			t.TolerationSeconds = pick(d, nil, new(int64(0)), new(int64(60)))
		}
		p.Spec.Tolerations = append(p.Spec.Tolerations, t)
	}
}

// podStatus makes a pod with a status that a kubelet may write.
func (d *drawer) podStatus() *v1.Pod {
	p := &v1.Pod{ObjectMeta: d.meta("p", pods)}
	p.Status.Phase = pick(d, v1.PodRunning, v1.PodRunning, v1.PodRunning, v1.PodSucceeded, v1.PodFailed)
	if d.one(4) { // which quotas don't count
		given := d.requirements(asked[:2])
		p.Status.Resources, p.Status.AllocatedResources = &given, d.requirements(asked[:2]).Requests
	}
	if d.one(2) {
		return p
	}
	for _, c := range d.containers("c", 1+d.IntN(2), 3) {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, d.containerStatus(c))
	}
	for _, c := range d.containers("i", d.IntN(3), 3) {
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, d.containerStatus(c))
	}
	if d.one(2) {
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: pick(d, v1.PodReasonInfeasible, v1.PodReasonDeferred)}}
	}
	return p
}

// containerStatus makes a status out of what a container asks for.
func (d *drawer) containerStatus(c v1.Container) v1.ContainerStatus {
	st := v1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: c.Image}
	if !d.one(6) {
		r := c.Resources
		st.Resources = &r
	}
	if !d.one(4) {
		st.AllocatedResources = d.requirements(asked[:2]).Requests
	}
	return st
}
