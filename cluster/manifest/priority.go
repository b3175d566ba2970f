package manifest

import (
	"github.com/berthsim/berth/internal/input"
	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
)

// priorities are the priority classes of a cluster, by which pods get their
// priority as they are created. The two that every cluster has need not be added.
type priorities struct {
	byName map[string]*schedulingv1.PriorityClass
	normal *schedulingv1.PriorityClass // of pods that name none
}

// systemPriorities are those of the classes that every cluster has.
var systemPriorities = map[string]int32{
	"system-cluster-critical": 2000000000,
	"system-node-critical":    2000001000,
}

// add adds a class. If several are the default, the one of the lowest value is.
func (ps *priorities) add(c *schedulingv1.PriorityClass) {
	if ps.byName == nil {
		ps.byName = map[string]*schedulingv1.PriorityClass{}
	}
	ps.byName[c.Name] = c
	if c.GlobalDefault && (ps.normal == nil || c.Value < ps.normal.Value) {
		ps.normal = c
	}
}

// resolve returns the priority and the preemption policy of pods that name a class,
// or "" for none. It fails with a *FieldError if there is no such class.
func (ps *priorities) resolve(name string) (int32, *v1.PreemptionPolicy, error) {
	c := ps.byName[name]
	if name == "" {
		c = ps.normal
	}
	if c != nil {
		return c.Value, c.PreemptionPolicy, nil
	}
	priority, ok := systemPriorities[name]
	if name != "" && !ok {
		err := wrong("is "+input.Quoted(name)+", which is no PriorityClass that is given", "add the class, or give the pod a spec.priority")
		return 0, nil, in(err, "spec", "priorityClassName")
	}
	return priority, nil, nil
}
