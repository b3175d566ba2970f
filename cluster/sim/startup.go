package sim

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// StartUp says how long it takes from a pod's binding until its containers run: quantiles
// at equal distances, from the shortest time to the longest, with straight lines between
// them. One is the same for all pods; none is no time at all. As a kubelet that was measured
// took them, they make a simulated one as slow (berth certify).
type StartUp []cluster.Time

// Check returns what is wrong with the quantiles: they may not go down, nor be below 0.
func (u StartUp) Check() error {
	if !slices.IsSorted(u) || len(u) > 0 && u[0] < 0 {
		return fmt.Errorf("start-up times are %v; give quantiles from the shortest to the longest, none below 0", []cluster.Time(u))
	}
	return nil
}

// of returns how long a pod takes.
func (u StartUp) of(seed int64, pod string) cluster.Time {
	if len(u) < 2 {
		return slices.Max(append(u[:len(u):len(u)], 0))
	}
	const steps = 1 << 20
	at := int64(cluster.NewDraw(seed, "kubelet: start-up", pod).Below((len(u)-1)*steps + 1))
	i, rest := at/steps, at%steps
	if rest == 0 {
		return u[i]
	}
	return u[i] + cluster.Time(float64(u[i+1]-u[i])*(float64(rest)/steps))
}

// begin has a pod's containers start on the node that it was bound to, or that has come back:
// at once, or when they have been started up. Until then the pod isn't ready.
func (c *Cluster) begin(p cluster.PodID, row cluster.NodeID) {
	var after cluster.Time
	if k := c.opts.Kubelets; k != nil {
		after = k.StartUp.of(c.state.Seed, c.state.PodName(p))
	}
	if after == 0 {
		c.start(p, row)
		return
	}
	c.pods[p].stopped = true
	c.pods[p].starts = c.set(chore{at: c.now + after, kind: startUp, row: row, pod: p})
}

// startedUp has the containers run that have been started up.
func (c *Cluster) startedUp(x chore, n *node) {
	p := &c.pods[x.pod]
	if p.starts != x.seq {
		return
	}
	p.starts = 0
	if !p.stopped || p.told || n.hung {
		return
	}
	c.start(x.pod, x.row)
	c.sayReady(x.pod, x.row, true)
}
