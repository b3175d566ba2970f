package generate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/component-helpers/resource"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

// pod makes another pod of a workload, mostly just like the others.
func (g *generator) pod(w *workload) *v1.Pod {
	name := fmt.Sprintf("%s-%d", w.name, g.podSerial)
	g.podSerial++
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace, UID: uid(name), Labels: maps.Clone(w.labels)},
		Spec:       *w.spec.DeepCopy(),
	}
	if w.owner != nil {
		p.OwnerReferences = []metav1.OwnerReference{*w.owner}
	}
	if p.Labels != nil && g.chance(0.15) {
		p.Labels[hashLabel] = pick(g, hashes...)
	}
	if g.chance(0.1) {
		g.vary(p)
	}
	g.prioritise(p, w.priority)
	if p.Spec.PreemptionPolicy == nil && g.chance(0.5) {
		p.Spec.PreemptionPolicy = pointer(v1.PreemptLowerPriority)
	}
	if g.chance(0.5) {
		defaultTolerations(p)
	}
	mergeAll(p)
	// Servers before 1.34 left merging to the scheduler, which still does it.
	for i := range p.Spec.TopologySpreadConstraints {
		if c := &p.Spec.TopologySpreadConstraints[i]; g.chance(0.7) {
			mergeLabelKeys(c.LabelSelector, c.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
		}
	}
	g.pods = append(g.pods, scenario.Ref{Kind: "Pod", Namespace: p.Namespace, Name: p.Name})
	return p
}

func (g *generator) prioritise(p *v1.Pod, priority int32) {
	p.Spec.Priority, p.Spec.PriorityClassName = &priority, className(priority)
	if g.options.Loose && g.chance(0.1) {
		p.Spec.Priority, p.Spec.PriorityClassName = nil, ""
	}
}

// low draws from the lower priorities, high from the higher ones.
func (g *generator) low() int32 {
	return pick(g, g.dials.priorities[:(len(g.dials.priorities)+1)/2]...)
}

func (g *generator) high() int32 { return pick(g, g.dials.priorities[len(g.dials.priorities)/2:]...) }

// vary makes the pod differ from its workload in one thing.
func (g *generator) vary(p *v1.Pod) {
	switch g.IntN(4) {
	case 0:
		if p.Spec.Resources == nil { // those of the pod must cover those of the containers
			p.Spec.Containers[0].Resources = g.requests()
		}
	case 1:
		p.Spec.Tolerations = g.tolerations()
	case 2:
		p.Spec.NodeSelector = g.nodeSelector()
	default:
		p.Spec.TopologySpreadConstraints = g.spreadConstraints(p.Labels)
	}
}

// defaultTolerations adds what the DefaultTolerationSeconds admission plugin adds.
func defaultTolerations(p *v1.Pod) {
	for _, key := range []string{v1.TaintNodeNotReady, v1.TaintNodeUnreachable} {
		has := func(t v1.Toleration) bool {
			return (t.Key == key || t.Key == "") && (t.Effect == v1.TaintEffectNoExecute || t.Effect == "")
		}
		if slices.ContainsFunc(p.Spec.Tolerations, has) {
			continue
		}
		p.Spec.Tolerations = append(p.Spec.Tolerations, v1.Toleration{
			Key: key, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: pointer(int64(300)),
		})
	}
}

// fillNodes adds the pods that run at first. Nothing asks whether they fit, so nodes may be
// overcommitted and rules already broken.
func (g *generator) fillNodes() {
	for _, name := range g.nodes {
		if g.dials.preempting && g.chance(0.9) {
			g.crowd(g.latest[name])
			continue
		}
		for i := range g.IntN(int(2*g.dials.fill) + 1) {
			g.add(g.running(name, i))
		}
	}
}

// crowd adds pods to a node until there is hardly room for another one.
func (g *generator) crowd(n *v1.Node) {
	const most = 12
	free := n.Status.Allocatable.DeepCopy()
	for i := range most {
		p := g.running(n.Name, i)
		g.add(p)
		for name, q := range resource.PodRequests(p, resource.PodResourcesOptions{}) {
			left := free[name]
			left.Sub(q)
			free[name] = left
		}
		if free.Cpu().MilliValue() < 200 || free.Memory().Value() < 200*mebi || int64(i+1) >= free.Pods().Value() {
			return
		}
	}
}

// freePorts takes from a pod the host ports that another pod has on its node. No kubelet admits two
// such pods; and upstream, which keeps ports as a set, takes a port for free once either of them goes.
func (g *generator) freePorts(p *v1.Pod) {
	if g.ports == nil {
		g.ports = map[string]bool{}
	}
	for _, list := range [2][]v1.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for i := range list {
			list[i].Ports = slices.DeleteFunc(list[i].Ports, func(port v1.ContainerPort) bool {
				key := fmt.Sprint(p.Spec.NodeName, port.HostPort, port.Protocol)
				taken := port.HostPort > 0 && g.ports[key]
				g.ports[key] = true
				return taken
			})
		}
	}
}

// running makes the i-th pod that runs on a node.
func (g *generator) running(node string, i int) *v1.Pod {
	p := g.pod(pick(g, g.workloads...))
	p.Spec.NodeName = node
	p.Spec.SchedulingGates = nil
	g.freePorts(p)
	if g.dials.preempting && g.chance(0.7) {
		g.prioritise(p, g.low())
	}
	p.Status.Phase = v1.PodRunning
	var age int
	switch g.dials.starts {
	case everDifferent:
		age = g.podSerial
	case differentOnNode:
		age = i
	case oftenEqual:
		age = g.IntN(3)
	}
	start := metav1.NewTime(scenario.Epoch.Add(-time.Duration(age+1) * time.Minute))
	p.Status.StartTime = &start
	if g.uses(terminating) && g.chance(0.5) {
		g.end(p)
	}
	if g.uses(resizes) {
		g.resize(p)
	}
	if g.uses(terminating) && g.chance(0.1) {
		p.Status.Phase = pick(g, v1.PodSucceeded, v1.PodFailed) // no longer there for the scheduler
	}
	return p
}

// end makes the pod terminating, because of preemption or something else.
func (g *generator) end(p *v1.Pod) {
	at := metav1.NewTime(scenario.Epoch.Add(time.Minute))
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &at, pointer(int64(60))
	if g.chance(0.5) {
		p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{
			Type: v1.DisruptionTarget, Status: v1.ConditionTrue,
			Reason: pick(g, v1.PodReasonPreemptionByScheduler, v1.PodReasonPreemptionByScheduler, "EvictionByEvictionAPI"),
		})
	}
}

// resize writes into the status what a kubelet does while a pod is resized in place: allocated and
// actual resources that differ from the specified.
func (g *generator) resize(p *v1.Pod) {
	if p.Spec.NodeName == "" {
		return // no kubelet has the pod
	}
	draw := func(like v1.ResourceList) v1.ResourceList {
		list := v1.ResourceList{}
		for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
			if _, ok := like[name]; !ok && g.chance(0.8) {
				continue
			}
			if name == v1.ResourceCPU {
				list[name] = g.cpu()
			} else {
				list[name] = g.memory()
			}
		}
		return list
	}
	status := func(c v1.Container) v1.ContainerStatus {
		s := v1.ContainerStatus{Name: c.Name, Image: c.Image, AllocatedResources: draw(c.Resources.Requests)}
		if g.chance(0.8) {
			s.Resources = &v1.ResourceRequirements{Requests: draw(c.Resources.Requests)}
		}
		return s
	}
	for _, c := range p.Spec.Containers {
		if g.chance(0.8) {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, status(c))
		}
	}
	for _, c := range p.Spec.InitContainers {
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, status(c))
	}
	if r := p.Spec.Resources; r != nil && g.chance(0.7) {
		p.Status.Resources = &v1.ResourceRequirements{Requests: draw(r.Requests)}
		p.Status.AllocatedResources = draw(r.Requests)
	}
	if g.chance(0.4) {
		p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{
			Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: pick(g, v1.PodReasonInfeasible, v1.PodReasonDeferred),
		})
	}
}

// addNominees adds pending pods that were promised a node before.
func (g *generator) addNominees() {
	for range min(2*len(g.nodes), 40) {
		if !g.uses(nominations) {
			continue
		}
		p := g.pod(pick(g, g.workloads...))
		if g.chance(0.6) {
			g.prioritise(p, g.low())
		}
		p.Spec.SchedulingGates = nil
		p.Status.Phase = v1.PodPending
		p.Status.NominatedNodeName = "node-gone"
		if !g.chance(0.1) {
			p.Status.NominatedNodeName = pick(g, g.nodes...)
		}
		g.add(p)
	}
}

func (g *generator) addBudgets() {
	for range 4 {
		if g.uses(disruptionBudgets) {
			g.add(g.budget(fmt.Sprintf("budget-%d", g.budgets)))
			g.budgets++
		}
	}
}

func (g *generator) budget(name string) *policyv1.PodDisruptionBudget {
	w := pick(g, g.workloads...)
	b := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: pointer(intstr.FromInt32(1)), Selector: g.labelSelector()},
		Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: int32(g.IntN(3))},
	}
	switch app, ok := w.labels[appLabel]; {
	case ok && g.chance(0.7):
		b.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{appLabel: app}}
	case g.chance(0.3): // also pods without labels, but for those no budget counts
		b.Spec.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: absentLabel, Operator: metav1.LabelSelectorOpDoesNotExist},
		}}
	}
	for range 3 {
		// Pods get their serial numbers later; some of these names will exist.
		if g.chance(0.3) {
			if b.Status.DisruptedPods == nil {
				b.Status.DisruptedPods = map[string]metav1.Time{}
			}
			b.Status.DisruptedPods[fmt.Sprintf("%s-%d", w.name, g.IntN(8*len(g.nodes)))] = metav1.NewTime(scenario.Epoch)
		}
	}
	return b
}
