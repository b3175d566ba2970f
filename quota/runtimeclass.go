package quota

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A RuntimeClass is a way to run pods, by which they come to overhead and to restrictions.
type RuntimeClass struct {
	Name     string
	Overhead []cluster.NamedAmount // sorted by name; nil if the class says nothing of it, not empty

	// Schedules says that the class says where its pods may run, if only with nothing at all:
	// tolerations that others include are dropped then.
	Schedules   bool
	NodeLabels  cluster.Labels // that nodes must have
	Tolerations []cluster.Toleration
}

// admit gives a pod what its class says. A pod that brings something else is refused.
func (c *RuntimeClass) admit(p *NewPod) error {
	if c.Overhead != nil {
		if len(p.Account.Overhead) > 0 && !slices.Equal(p.Account.Overhead, c.Overhead) {
			return p.forbidden(wrongOverhead)
		}
		p.Account.Overhead = c.Overhead
	}
	if !c.Schedules {
		return nil
	}
	labels := slices.Clone(p.NodeLabels)
	for _, l := range c.NodeLabels {
		if value, ok := p.NodeLabels.Get(l.Key); !ok {
			labels = append(labels, l)
		} else if value != l.Value {
			return p.forbidden(fmt.Sprintf("conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] = %s", l.Key, l.Value, l.Key, value))
		}
	}
	slices.SortFunc(labels, func(a, b cluster.Label) int { return strings.Compare(a.Key, b.Key) })
	p.NodeLabels, p.Tolerations = labels, mergedTolerations(p.Tolerations, c.Tolerations)
	return nil
}

const wrongOverhead = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

// validate refuses a pod that has another overhead than its class, or one of its own: c is
// nil if the pod names no class.
func (c *RuntimeClass) validate(p *NewPod) error {
	switch {
	case c != nil && c.Overhead != nil:
		if !slices.Equal(p.Account.Overhead, c.Overhead) {
			return p.forbidden(wrongOverhead)
		}
	case len(p.Account.Overhead) > 0:
		return p.forbidden("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
	}
	return nil
}

// mergedTolerations returns the tolerations of two lists that no other includes; of equal
// ones, the first.
func mergedTolerations(first, second []cluster.Toleration) (merged []cluster.Toleration) {
	all := slices.Concat(first, second)
	for i := range all {
		t := &all[i]
		redundant := slices.ContainsFunc(merged, func(other cluster.Toleration) bool { return includes(&other, t) }) ||
			slices.ContainsFunc(all[i+1:], func(other cluster.Toleration) bool { return !sameToleration(&other, t) && includes(&other, t) })
		if !redundant {
			merged = append(merged, *t)
		}
	}
	return merged
}

// includes reports whether a tolerates all that b does, for as long. Upstream holds
// that no toleration without an operator is included, though it says the same as one with
// Equal; here the two are one.
func includes(a, b *cluster.Toleration) bool {
	switch {
	case sameToleration(a, b):
		return true
	case a.Key != b.Key && (a.Key != "" || !a.Exists),
		a.Effect != b.Effect && a.Effect != cluster.NoEffect,
		a.Effect == cluster.NoExecute && a.Seconds != nil && (b.Seconds == nil || *b.Seconds > *a.Seconds):
		return false
	}
	return a.Exists || !b.Exists && a.Value == b.Value
}

func sameToleration(a, b *cluster.Toleration) bool {
	seconds := a.Seconds == b.Seconds || a.Seconds != nil && b.Seconds != nil && *a.Seconds == *b.Seconds
	return a.Key == b.Key && a.Exists == b.Exists && a.Value == b.Value && a.Effect == b.Effect && seconds
}
