package quota

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A PriorityClass gives pods that name it their priority.
type PriorityClass struct {
	Name          string
	Value         int32
	GlobalDefault bool // pods that name no class are of it
	NeverPreempts bool // the preemption policy: Never rather than PreemptLowerPriority
}

// systemClasses are those that every cluster has.
var systemClasses = []PriorityClass{
	{Name: "system-cluster-critical", Value: 2000000000},
	{Name: "system-node-critical", Value: 2000001000},
}

// priorities are classes sorted by name.
type priorities []PriorityClass

func makePriorities(classes []PriorityClass) priorities {
	ps := slices.Clone(classes)
	for _, system := range systemClasses {
		if !slices.ContainsFunc(ps, func(c PriorityClass) bool { return c.Name == system.Name }) {
			ps = append(ps, system)
		}
	}
	slices.SortStableFunc(ps, func(a, b PriorityClass) int { return strings.Compare(a.Name, b.Name) })
	return ps
}

// named returns a class, or what pods get that name none: the default class, of several that
// of the lowest value, or else a priority of 0 and no class.
func (ps priorities) named(name string) (PriorityClass, bool) {
	if name == "" {
		normal := PriorityClass{Value: math.MaxInt32}
		for _, c := range ps {
			if c.GlobalDefault && (normal.Name == "" || c.Value < normal.Value) {
				normal = c
			}
		}
		if normal.Name == "" {
			normal.Value = 0
		}
		return normal, true
	}
	i, ok := slices.BinarySearchFunc(ps, name, func(c PriorityClass, name string) int { return strings.Compare(c.Name, name) })
	if !ok {
		return PriorityClass{}, false
	}
	return ps[i], true
}

// admit gives a pod its priority. A pod that brings another than its class has is refused.
func (ps priorities) admit(p *NewPod) error {
	c, ok := ps.named(p.Account.PriorityClass)
	if !ok {
		return p.forbidden("no PriorityClass with name " + p.Account.PriorityClass + " was found")
	}
	if p.Priority != nil && *p.Priority != c.Value {
		return p.forbidden(fmt.Sprintf("the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name", *p.Priority, c.Value))
	}
	if p.NeverPreempts != nil && *p.NeverPreempts != c.NeverPreempts {
		return p.forbidden(fmt.Sprintf("the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name",
			preemptionPolicy(*p.NeverPreempts), preemptionPolicy(c.NeverPreempts)))
	}
	p.Account.PriorityClass, p.Priority, p.NeverPreempts = c.Name, &c.Value, &c.NeverPreempts
	return nil
}

func preemptionPolicy(never bool) string {
	if never {
		return "Never"
	}
	return "PreemptLowerPriority"
}

// Priority returns what pods get that name a class, or "" for none, and whether there is such
// a class.
func (ps *Plugins) Priority(name string) (class PriorityClass, ok bool) {
	return ps.priorities.named(name)
}
