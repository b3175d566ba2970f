package generate

import (
	"fmt"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

// retried is how many pending pods are tried again at a time.
const retried = 4

// arrivals lets pods arrive to be scheduled, with changes of the cluster between them.
func (g *generator) arrivals() {
	n := g.options.Pods
	if n == 0 {
		n = 30
	}
	for i := 0; n > 0; i++ {
		if len(g.nodes) == 0 {
			g.addNode()
		}
		n -= g.arrive(n)
		if g.chance(g.dials.churn) {
			g.change()
		}
		// Preemption goes on in later cycles: while victims end, and when they have ended.
		if i%4 == 3 {
			if g.chance(0.6) {
				g.step(scenario.Step{Verb: scenario.Finish})
			}
			g.step(scenario.Step{Verb: scenario.Retry, Limit: retried})
		}
	}
}

// arrive lets at most so many pods arrive and tells how many did.
func (g *generator) arrive(atMost int) int {
	w := pick(g, g.workloads...)
	if g.chance(0.03) {
		p := g.pod(w)
		p.Spec.NodeName = pick(g, g.nodes...)
		p.Spec.SchedulingGates = nil
		g.step(scenario.Step{Verb: scenario.Try, Object: p})
		return 1
	}
	n := min(atMost, pick(g, 1, 1, 2, 3)) // the same kind of pod in a row meets ties
	for range n {
		p := g.pod(w)
		p.Status.Phase = v1.PodPending
		if g.dials.preempting && g.chance(0.7) {
			g.prioritise(p, g.high())
		}
		g.step(scenario.Step{Verb: scenario.Schedule, Object: p})
	}
	return n
}

// change draws a change of the cluster.
func (g *generator) change() {
	switch g.IntN(12) {
	case 0, 1, 2:
		for range g.between(1, 4) {
			g.step(scenario.Step{Verb: scenario.Delete, Ref: pick(g, g.pods...)})
		}
	case 3:
		g.step(scenario.Step{Verb: scenario.Terminate, Ref: pick(g, g.pods...)})
	case 4:
		g.addNode()
	case 5:
		g.removeNode()
	case 6:
		n := g.namespace(pick(g, "team-a", "team-b"))
		g.step(scenario.Step{Verb: scenario.Update, Object: n})
	case 7:
		if g.budgets > 0 {
			b := g.budget(fmt.Sprintf("budget-%d", g.IntN(g.budgets)))
			if old := g.find(scenario.Ref{Kind: "PodDisruptionBudget", Name: b.Name}); old != nil {
				b.Namespace = old.(metav1.Object).GetNamespace()
				g.step(scenario.Step{Verb: scenario.Update, Object: b})
			}
		}
	case 8, 9:
		g.changePod()
	default:
		g.changeNode()
	}
}

// changePod changes the labels or the resources of a pod that may be pending, running or gone.
func (g *generator) changePod() {
	p := g.find(pick(g, g.pods...)).(*v1.Pod).DeepCopy()
	switch g.IntN(3) {
	case 0:
		p.Labels = maps.Clone(pick(g, g.workloads...).labels)
	case 1:
		if p.Spec.Resources == nil { // those of the pod must cover those of the containers
			p.Spec.Containers[0].Resources = g.requests()
		}
	default:
		p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, nil
		g.resize(p)
	}
	g.step(scenario.Step{Verb: scenario.Update, Object: p})
}

// removeNode takes a node away, and with it its pods.
func (g *generator) removeNode() {
	i := g.IntN(len(g.nodes))
	g.step(scenario.Step{Verb: scenario.Delete, Ref: scenario.Ref{Kind: "Node", Name: g.nodes[i]}})
	g.nodes = slices.Delete(g.nodes, i, i+1)
}

// changeNode changes one thing about a node.
func (g *generator) changeNode() {
	name := pick(g, g.nodes...)
	n := g.latest[name].DeepCopy()
	other := g.node(name)
	switch g.IntN(6) {
	case 0:
		cordon(n, g.chance(0.7))
	case 1:
		n.Spec.Unschedulable, n.Spec.Taints = false, other.Spec.Taints
	case 2:
		n.Labels = maps.Clone(other.Labels)
	case 3:
		n.Status.Allocatable, n.Status.Capacity = other.Status.Allocatable, other.Status.Capacity
	case 4:
		n.Status.Images = other.Status.Images
	default:
		n.Status.DeclaredFeatures = other.Status.DeclaredFeatures
	}
	g.latest[name] = n
	g.step(scenario.Step{Verb: scenario.Update, Object: n})
}

// find gives the last state of an object; an empty namespace matches any.
func (g *generator) find(ref scenario.Ref) any {
	for _, s := range slices.Backward(g.scenario.Steps) {
		if s.Object == nil {
			continue
		}
		r, err := scenario.RefTo(s.Object)
		if err != nil {
			panic(err) // the generator makes known kinds only
		}
		if ref.Namespace == "" {
			r.Namespace = ""
		}
		if r == ref {
			return s.Object
		}
	}
	return nil
}
