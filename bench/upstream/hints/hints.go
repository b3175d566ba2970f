// Package hints holds Berth's answers to which changes of a cluster may let which rejected pods be
// placed (scheduler.Waker) against upstream's queueing hints.
//
// Nodes and pods are those of generated scenarios; a change is one of them coming or going, or becoming
// another version of itself that differs in an aspect or two. Both sides are asked about the same pod
// and the same change: upstream by the functions that its plugins registered in its queue, Berth by the
// plugins' Wakes and Wake. What kinds of change an update amounts to is compared as well.
package hints

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"

	"github.com/berthsim/berth/bench/upstream/generate"
)

// plugins are those of kube's that reject pods and that Berth has.
var plugins = []string{
	"SchedulingGates", "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts",
	"NodeResourcesFit", "PodTopologySpread", "InterPodAffinity", "NodeDeclaredFeatures",
}

// A Verdict is what a side says of a change: "queue", "skip", or "ignored" if the plugin isn't interested
// in changes of the kind.
type Verdict string

// The verdicts.
const (
	queue   Verdict = "queue"
	skip    Verdict = "skip"
	ignored Verdict = "ignored"
)

// An Outcome is what upstream says for a plugin of a change of one kind.
type Outcome struct {
	Plugin, Event string
	Verdict       Verdict
}

// A Run is what the comparison of many changes gave.
type Run struct {
	Cases       int
	Comparisons int
	Seen        map[Outcome]int
	Mismatches  []string
}

// perScenario is how many changes are drawn from one scenario's objects.
const perScenario = 250

// Compare compares so many changes, drawn for a seed. It stops early after a scenario with a mismatch.
func Compare(seed uint64, cases int) (*Run, error) {
	run := &Run{Seen: map[Outcome]int{}}
	for index := uint64(0); run.Cases < cases && len(run.Mismatches) == 0; index++ {
		w, err := newWorld(generate.Scenario(seed, index, generate.Options{Nodes: 8, Pods: 30}))
		if err != nil {
			return run, fmt.Errorf("seed %d, scenario %d: %w", seed, index, err)
		}
		d := &drawer{Rand: rand.New(rand.NewPCG(seed, ^index)), nodes: w.nodes, pods: w.pods}
		for i := 0; i < perScenario && err == nil; i++ {
			run.Cases++
			if err = run.compare(w, d.change()); err != nil {
				err = fmt.Errorf("seed %d, scenario %d, change %d: %w", seed, index, i, err)
			}
		}
		w.oracle.Close()
		if err != nil {
			return run, err
		}
	}
	return run, nil
}

// change is something that happens, and a pod that was rejected before. Of oldNode, node, oldPod and
// pod, those are set that the event has.
type change struct {
	target        *v1.Pod
	oldNode, node *v1.Node
	oldPod, pod   *v1.Pod
}

// String shows the objects, for messages.
func (c *change) String() string {
	show := func(what string, obj any) string {
		text, err := json.Marshal(obj)
		if err != nil {
			return err.Error()
		}
		if string(text) == "null" {
			return ""
		}
		return fmt.Sprintf("\n%s: %s", what, text)
	}
	return show("rejected", c.target) + show("old node", c.oldNode) + show("node", c.node) + show("old pod", c.oldPod) + show("pod", c.pod)
}

// events lists what upstream makes of the change.
func (c *change) events() []fwk.ClusterEvent {
	switch {
	case c.node != nil && c.oldNode != nil:
		return framework.NodeSchedulingPropertiesChange(c.node, c.oldNode)
	case c.node != nil:
		return []fwk.ClusterEvent{{Resource: fwk.Node, ActionType: fwk.Add}}
	case c.oldNode != nil:
		return []fwk.ClusterEvent{{Resource: fwk.Node, ActionType: fwk.Delete}}
	case c.pod != nil && c.oldPod != nil:
		return framework.PodSchedulingPropertiesChange(c.pod, c.oldPod)
	case c.pod != nil:
		return []fwk.ClusterEvent{framework.EventAssignedPodAdd}
	}
	return []fwk.ClusterEvent{framework.EventAssignedPodDelete}
}

// objects are the change's as upstream's functions get them: an absent one is a plain nil.
func (c *change) objects() (was, is any) {
	switch {
	case c.oldNode != nil:
		was = c.oldNode
	case c.oldPod != nil:
		was = c.oldPod
	}
	switch {
	case c.node != nil:
		is = c.node
	case c.pod != nil:
		is = c.pod
	}
	return was, is
}

// compare compares the kinds of a change, and each plugin's verdict for each kind.
func (r *Run) compare(w *world, c *change) error {
	b, err := w.convert(c)
	if err != nil {
		return fmt.Errorf("%w%s", err, c)
	}
	events := c.events()
	var kinds scheduler.Action
	for _, e := range events {
		kinds |= actionOf(e)
	}
	differ := b.kinds(w.state, kinds) ^ kinds
	r.Comparisons++
	if differ&^unnoticed(c) != 0 {
		r.mismatch("upstream says that the change is %v, and Berth differs by %b%s", events, differ, c)
	}
	for _, e := range events {
		for _, name := range plugins {
			registered, ok := w.hints[name]
			if !ok {
				continue // the scenario's configuration leaves it out
			}
			r.Comparisons++
			want := ask(registered, e, c)
			got := b.ask(w, name, actionOf(e))
			if got != want {
				r.mismatch("%s says %s of %s, and upstream %s%s", name, got, label(e), want, c)
			}
			if differ&actionOf(e)&scheduler.UpdateNodeAllocatable != 0 && want == queue {
				r.mismatch("%s says %s of what Berth takes for no change%s", name, want, c)
			}
			r.Seen[Outcome{name, label(e), want}]++
		}
	}
	return nil
}

func (r *Run) mismatch(format string, args ...any) {
	r.Mismatches = append(r.Mismatches, fmt.Sprintf(format, args...))
}

// ask gives upstream's verdict, as its queue would come to it (isPodWorthRequeuing).
func ask(registered []hint, e fwk.ClusterEvent, c *change) Verdict {
	verdict := ignored
	for _, h := range registered {
		if !framework.MatchClusterEvents(h.Event, e) {
			continue
		}
		was, is := c.objects()
		answer, err := h.Ask(logr.Discard(), c.target, was, is)
		if answer == fwk.Queue || err != nil {
			return queue
		}
		verdict = skip
	}
	return verdict
}

// label names an event without telling assigned pods from others.
func label(e fwk.ClusterEvent) string {
	if e.Resource == fwk.Node {
		return "Node" + e.ActionType.String()
	}
	return "Pod" + e.ActionType.String()
}

// actions are Berth's names of upstream's kinds of updates.
var actions = map[fwk.ActionType]scheduler.Action{
	fwk.UpdateNodeAllocatable:     scheduler.UpdateNodeAllocatable,
	fwk.UpdateNodeLabel:           scheduler.UpdateNodeLabel,
	fwk.UpdateNodeTaint:           scheduler.UpdateNodeTaint,
	fwk.UpdateNodeDeclaredFeature: scheduler.UpdateNodeDeclaredFeature,
	fwk.UpdatePodLabel:            scheduler.UpdatePodLabel,
	fwk.UpdatePodScaleDown:        scheduler.UpdatePodScaleDown,
	fwk.UpdatePodToleration:       scheduler.UpdatePodToleration,
	fwk.Update:                    scheduler.UpdatePodOther,

	fwk.UpdatePodSchedulingGatesEliminated: scheduler.UpdatePodSchedulingGatesEliminated,
}

func actionOf(e fwk.ClusterEvent) scheduler.Action {
	node := e.Resource == fwk.Node
	switch {
	case e.ActionType == fwk.Add && node:
		return scheduler.NodeAdd
	case e.ActionType == fwk.Delete && node:
		return scheduler.NodeDelete
	case e.ActionType == fwk.Add:
		return scheduler.PodAdd
	case e.ActionType == fwk.Delete:
		return scheduler.PodDelete
	}
	return actions[e.ActionType]
}

// berthChange is a change in Berth's vocabulary.
type berthChange struct {
	class  *cluster.Class
	change scheduler.Change
}

// ask gives Berth's verdict.
func (b *berthChange) ask(w *world, plugin string, what scheduler.Action) Verdict {
	waker := w.wakers[plugin]
	if waker.Wakes()&what == 0 {
		return ignored
	}
	b.change.What = what
	if waker.Wake(w.state, b.class, &b.change) {
		return queue
	}
	return skip
}

// kinds says what Berth makes of the change. Coming and going are nothing to find out.
func (b *berthChange) kinds(s *cluster.State, otherwise scheduler.Action) scheduler.Action {
	switch c := &b.change; {
	case c.Node != nil && c.OldNode != nil:
		return scheduler.ChangesOfNode(c.OldNode, c.Node)
	case otherwise&scheduler.UpdatePod != 0:
		return scheduler.ChangesOfPod(s, c.OldPod, c.Pod)
	}
	return otherwise
}
