package sim

import "github.com/berthsim/berth/cluster"

// An Admission answers for the admission plugins of an API server.
type Admission interface {
	// Admit decides whether a pod may be created, and counts it if so. If it may not, reason
	// says why, and code is the HTTP status. What was counted since the last Charged is not
	// in the State yet.
	Admit(s *cluster.State, spec *cluster.PodSpec) (code int16, reason string)

	// Charged appends quotas as they are after what was admitted since the last call: the
	// State will have them before Admit is called again.
	Charged(s *cluster.State, to []cluster.Object) []cluster.Object
}

// admit has a new pod come, or be refused.
func (c *Cluster) admit(to []cluster.Event, spec *cluster.PodSpec) []cluster.Event {
	e := cluster.Event{Time: c.now, Kind: cluster.PodAdded, PodSpec: spec}
	if c.opts.Admission != nil && spec.On == "" {
		if code, reason := c.opts.Admission.Admit(c.state, spec); reason != "" {
			e.Kind, e.Pod, e.Node, e.Code, e.Reason = cluster.PodRefused, cluster.None, cluster.None, code, reason
		}
	}
	return append(to, e)
}

// charge has the quotas come as events that pay for the pods that were admitted.
func (c *Cluster) charge(to []cluster.Event) []cluster.Event {
	if c.opts.Admission == nil {
		return to
	}
	c.quotas = c.opts.Admission.Charged(c.state, c.quotas[:0])
	for _, o := range c.quotas {
		to = append(to, cluster.Event{Time: c.now, Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: o})
	}
	return to
}
