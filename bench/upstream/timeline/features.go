package timeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// features count what happened in stories, by upstream's account.
type features struct {
	tries  int
	counts map[string]int
}

func newFeatures() *features { return &features{counts: map[string]int{}} }

func (f *features) count(name string) { f.counts[name]++ }

// begun counts what a story is like.
func (f *features) begun(s *Story) {
	if s.Initial > 0 {
		f.count("story: other backoffs")
	}
	if s.Most > 0 {
		f.count("story: flush after another time")
	}
}

// tried counts a try.
func (f *features) tried(info *framework.QueuedPodInfo, node string, rejected []string) {
	f.tries++
	if info.WasFlushedFromUnschedulable {
		f.count("try: after a flush")
	}
	if info.Attempts >= 5 {
		f.count("try: the fifth or later")
	}
	switch {
	case node != "":
		f.count("try: node")
	case len(rejected) == 0:
		f.count("try: error")
	default:
		for _, name := range rejected {
			f.count("try: rejected by " + name)
		}
	}
}

// patched counts what a patch of a pod's status does to its nomination.
func (f *features) patched(was, is *v1.Pod) {
	switch old, new := was.Status.NominatedNodeName, is.Status.NominatedNodeName; {
	case old == "" && new != "":
		f.count("nomination: new")
	case old != "" && new == "":
		f.count("nomination: cleared")
	case old != new:
		f.count("nomination: another node")
	}
}

// moved counts what a step changed, and what came of it. Before and after are where pods are.
func (f *features) moved(c *change, before, after map[string]string) {
	if c == nil {
		return
	}
	for _, what := range whatChanged(c, before) {
		if slices.Contains(slices.Collect(maps.Values(before)), "in flight") {
			f.count("in flight: " + what)
		}
		f.count(outcomeOf(c, before, after) + what)
	}
}

// outcomeOf tells whether a step let unschedulable pods go.
func outcomeOf(c *change, before, after map[string]string) string {
	waits, goes := false, false
	for name, place := range before {
		if place != "unschedulable" && place != "gated" || c.oldPod != nil && c.oldPod.Name == name && c.pod == nil {
			continue
		}
		waits = true
		goes = goes || after[name] != place
	}
	switch {
	case goes:
		return "queues: "
	case waits:
		return "skips: "
	}
	return "nobody waits: "
}

// whatChanged names what a change is.
func whatChanged(c *change, before map[string]string) []string {
	switch {
	case c.node != nil && c.oldNode == nil:
		return []string{"node added"}
	case c.node != nil:
		return nodeChanges(c.oldNode, c.node)
	case c.oldNode != nil:
		return []string{"node gone"}
	case c.pod != nil && c.oldPod == nil:
		return []string{"pod added, " + kindOf(c.pod)}
	case c.pod != nil && c.pod.Spec.NodeName != "":
		return []string{"pod on a node changed"}
	case c.pod != nil:
		return podChanges(c.oldPod, c.pod)
	}
	place := before[c.oldPod.Name]
	switch {
	case c.oldPod.Spec.NodeName != "":
		place = "on a node"
	case c.oldPod.Status.NominatedNodeName != "":
		place = "nominated"
	}
	return []string{"pod gone, " + place}
}

func kindOf(p *v1.Pod) string {
	switch {
	case p.Spec.NodeName != "":
		return "on a node"
	case p.Spec.SchedulerName != v1.DefaultSchedulerName:
		return "another scheduler's"
	case len(p.Spec.SchedulingGates) > 0:
		return "gated"
	}
	return "pending"
}

func nodeChanges(was, is *v1.Node) (list []string) {
	note := func(same bool, what string) {
		if !same {
			list = append(list, "node's "+what)
		}
	}
	note(equality.Semantic.DeepEqual(was.Status.Allocatable, is.Status.Allocatable), "allocatable")
	note(maps.Equal(was.Labels, is.Labels), "labels")
	note(equality.Semantic.DeepEqual(was.Spec.Taints, is.Spec.Taints), "taints")
	note(was.Spec.Unschedulable == is.Spec.Unschedulable, "unschedulable")
	return list
}

func podChanges(was, is *v1.Pod) (list []string) {
	note := func(same bool, what string) {
		if !same {
			list = append(list, "own "+what)
		}
	}
	request := func(p *v1.Pod) int64 { return p.Spec.Containers[0].Resources.Requests.Cpu().MilliValue() }
	note(maps.Equal(was.Labels, is.Labels), "labels")
	note(len(was.Spec.Tolerations) == len(is.Spec.Tolerations), "tolerations")
	note(request(was) <= request(is), "scale down")
	note(request(was) >= request(is), "scale up")
	note(len(was.Spec.SchedulingGates) == len(is.Spec.SchedulingGates), "gate")
	note(was.Status.NominatedNodeName == is.Status.NominatedNodeName, "nomination")
	return list
}

// table shows how often everything was seen.
func (f *features) table() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		fmt.Fprintf(&b, "%7d %s\n", f.counts[name], name)
	}
	return b.String()
}

// expected lists what must be seen.
func expected() (list []string) {
	add := func(kind string, names ...string) {
		for _, name := range names {
			list = append(list, kind+name)
		}
	}
	add("story: ", "other backoffs", "flush after another time")
	add("try: ", "node", "error", "error, no nodes", "after a flush", "the fifth or later")
	add("try: rejected by ", "InterPodAffinity", "NodeAffinity", "NodePorts", "NodeResourcesFit", "NodeUnschedulable", "PodTopologySpread", "TaintToleration")
	add("nomination: ", "new", "cleared")
	add("permit: ", "passes", "rejected", "no node any more")
	add("", "popped from backoff when idle", "idle, but an error's backoff goes on", "binding refused", "victim", "rejected, and helped by what it missed")
	changes := []string{
		"node added", "node gone", "node's allocatable", "node's labels", "node's taints", "node's unschedulable",
		"pod on a node changed", "pod gone, on a node", "pod gone, nominated",
		"own labels", "own tolerations", "own scale down", "own gate", "own nomination",
	}
	add("queues: ", changes...)
	add("skips: ", changes...)
	add("skips: ", "own scale up", "pod gone, gated", "pod gone, unschedulable", "pod gone, backoff")
	add("in flight: ", "gone or bound", "node gone", "changed, and placed", "pod added, pending", "pod added, gated", "pod added, on a node",
		"pod gone, in flight", "pod gone, active", "pod gone, backoff", "pod gone, unschedulable")
	add("in flight: ", slices.DeleteFunc(changes, func(name string) bool { return name == "own nomination" })...)
	add("nobody waits: ", "pod added, another scheduler's")
	return list
}
