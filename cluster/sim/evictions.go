package sim

import "github.com/berthsim/berth/cluster"

// An EvictionCheck answers for the Eviction API of an API server.
type EvictionCheck interface {
	// Evict decides whether p may be evicted. Ending says that it was told to end before,
	// which State doesn't show: there, p is Terminating because somebody asks. Latest gives
	// a budget as it is after the evictions that were allowed at this instant, of which
	// State doesn't know yet.
	//
	// Charged is the budget that pays for it, as it is to be from now on, nil if none does.
	// If p may not be evicted, reason says why, and code is the HTTP status.
	Evict(s *cluster.State, p cluster.PodID, ending bool, latest func(*cluster.DisruptionBudget) *cluster.DisruptionBudget) (charged *cluster.DisruptionBudget, code int16, reason string)
}

// review asks about an eviction, and has the budget charged that pays for it. What
// controllers store at an instant counts as stored before anything is evicted, as State
// has it.
func (c *Cluster) review(d cluster.Decision) (code int16, reason string) {
	if c.opts.Evictions == nil {
		return 0, ""
	}
	charged, code, reason := c.opts.Evictions.Evict(c.state, d.Pod, c.pods[d.Pod].told, c.latest)
	if charged != nil {
		if c.charged == nil {
			c.charged = map[*cluster.DisruptionBudget]*cluster.DisruptionBudget{}
		}
		c.charged[c.state.Budgets.Get(charged.Namespace, charged.Name)] = charged
	}
	return code, reason
}

// latest returns a budget as it is now, which State has as b.
func (c *Cluster) latest(b *cluster.DisruptionBudget) *cluster.DisruptionBudget {
	if now, ok := c.charged[b]; ok {
		return now
	}
	return b
}

// announce has the budgets that were charged come as events.
func (c *Cluster) announce() {
	if len(c.charged) == 0 {
		return
	}
	for b := range c.state.Budgets.All() {
		if charged, ok := c.charged[b]; ok {
			c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: charged})
		}
	}
	clear(c.charged)
}
