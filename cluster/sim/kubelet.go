package sim

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// Kubelets says how simulated nodes behave. They renew leases and post statuses, which is
// arithmetic; faults are events.
type Kubelets struct {
	Renew  cluster.Time  // between renewals of a lease
	Post   cluster.Time  // between posts of a status in which nothing has changed
	Faults faults.Source // what befalls nodes; nil for nothing
	// Renewed, if set, returns a time at which a node renews its lease, and so when it does so at
	// all; of nodes for which it says no, and without it, that is drawn.
	Renewed func(node string) (at cluster.Time, ok bool)
	Work    Work

	StartUp StartUp // of pods' containers

	// Policy, if set, decides where nodes run short, and looks at them, from Look after Look
	// on, as long as there are pods on them. Then Options.Until has to be set.
	Policy KubeletPolicy
	Look   cluster.Time
}

// DefaultKubelets are as Kubernetes sets them up, with nodes that never fail.
func DefaultKubelets() *Kubelets {
	return &Kubelets{Renew: 10 * cluster.Second, Post: 5 * cluster.Minute, Look: 10 * cluster.Second}
}

// Work says what is left of a pod's work when its containers have died, or when another
// pod goes on with it (PodSpec.Continues). The zero Work begins anew.
type Work struct {
	Kept  bool         // what was done is not lost,
	Every cluster.Time // but for what was done since the last multiple of this; 0 for nothing
}

// left returns how much of a run is left after some of it was done.
func (w Work) left(run, done cluster.Time) cluster.Time {
	switch {
	case run == cluster.Never || !w.Kept:
		return run
	case w.Every > 0:
		done -= done % w.Every
	}
	return max(run-done, 0)
}

// A node is what is going on at a simulated node.
type node struct {
	faults []*faults.Fault // that have begun and not ended, in order
	silent bool            // the API doesn't hear of it, nor it of the API
	down   bool            // no container runs
	hung   bool            // its kubelet does nothing
	off    cluster.Time    // when it goes off, if it is being shut down

	pressure     cluster.Conditions // of which only those of pressure count, as looks have found
	look         uint64             // the seq of the look to come, 0 if there is none
	phase, every cluster.Time       // of looks that find nothing
}

// A turn is when a node's faults may have another effect.
type turn struct {
	at   cluster.Time
	seq  uint64
	node string
	f    *faults.Fault
}

// Before orders turns by time, then by when they were set.
func (a turn) Before(b turn) bool {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) < 0
}

// join gives a new node health and beats: each node's come at moments of their own.
func (c *Cluster) join(e *cluster.Event) {
	k := c.opts.Kubelets
	if k == nil {
		return
	}
	spec := *e.NodeSpec
	first := e.Time - k.Renew + k.phase(&spec, e.Time, c.state.Seed)
	spec.Health = cluster.NodeHealth{
		Conditions: cluster.Healthy,
		Lease:      cluster.Beats{First: first, Every: k.Renew, Until: cluster.Never},
		Posts:      cluster.Beats{First: first, Every: k.Post, Until: cluster.Never},
	}
	e.NodeSpec = &spec
}

// phase returns how long after a time, less than Renew, a node renews its lease.
func (k *Kubelets) phase(spec *cluster.NodeSpec, from cluster.Time, seed int64) cluster.Time {
	if k.Renewed != nil {
		if at, ok := k.Renewed(spec.Name); ok {
			return ((at-from)%k.Renew + k.Renew) % k.Renew
		}
	}
	return cluster.Time(cluster.NewDraw(seed, "kubelet", spec.Name).Below(int(k.Renew)))
}

// pullFault reads the next fault.
func (c *Cluster) pullFault() {
	if k := c.opts.Kubelets; k != nil && k.Faults != nil {
		f, err := k.Faults.Next()
		c.fault, c.moreFaults = f, err == nil
	}
}

// strike has faults begin, go on or end that do so now.
func (c *Cluster) strike() {
	for c.moreFaults && c.fault.At <= c.now {
		f := c.fault
		for _, name := range f.Nodes {
			c.turn(turn{node: name, f: &f})
		}
		c.pullFault()
	}
	for len(c.turns) > 0 && c.turns[0].at <= c.now {
		c.turn(c.turns.Pop())
	}
}

// turn reckons anew what state a node is in.
func (c *Cluster) turn(t turn) {
	row, ok := c.state.Nodes.Named(t.node)
	if !ok {
		return
	}
	n := c.node(row)
	if !slices.Contains(n.faults, t.f) {
		if t.f.Kind == faults.Shutdown && !n.isClosing() {
			c.shutDown(row, n)
		}
		n.faults = append(n.faults, t.f)
	}
	n.faults = slices.DeleteFunc(n.faults, func(f *faults.Fault) bool { return f.Until <= c.now })
	if t.f.Until > c.now {
		_, until := t.f.Silent(c.now)
		if until = min(until, t.f.Until); until < cluster.Never {
			c.seq++
			c.turns.Push(turn{until, c.seq, t.node, t.f})
		}
	}
	c.become(row, n)
}

// become has a node be as its faults say.
func (c *Cluster) become(row cluster.NodeID, n *node) {
	silent, down, hung, late := false, false, false, cluster.Time(0)
	for _, f := range n.faults {
		quiet, _ := f.Silent(c.now)
		off := f.Kind == faults.Crash || f.Kind == faults.Shutdown && c.now >= n.off
		silent = silent || quiet || off
		down = down || off
		hung = hung || off || quiet && f.Kind != faults.Partition
		if f.Kind == faults.Late {
			late = max(late, f.By)
		}
	}
	if down && !n.down {
		c.die(row)
	}
	came := n.silent && !silent
	n.silent, n.down, n.hung = silent, down, hung
	health := c.state.Nodes.Health[row]
	if silent {
		health.Lease.Until, health.Posts.Until = min(health.Lease.Until, c.now), min(health.Posts.Until, c.now)
	} else {
		k := c.opts.Kubelets
		health.Conditions = n.conditions(c.now)
		health.Lease = cluster.Beats{First: c.now + late, Every: k.Renew, Until: cluster.Never}
		health.Posts = cluster.Beats{First: c.now + late, Every: k.Post, Until: cluster.Never}
	}
	c.batch = append(c.batch, cluster.Event{Time: c.now, Kind: cluster.NodeHeard, Pod: cluster.None, Node: row, Health: &health})
	if came {
		c.comeBack(row)
	}
}

// pressure maps what a kubelet may run out of to the condition that says so.
var pressure = map[string]cluster.NodeCondition{
	"memory": cluster.NodeMemoryPressure, "disk": cluster.NodeDiskPressure, "pid": cluster.NodePIDPressure,
}

// silentAt reports whether the API doesn't hear of a node.
func (c *Cluster) silentAt(row cluster.NodeID) bool {
	return int(row) < len(c.nodes) && c.nodes[row].silent
}

// Down reports whether no container runs on a node. It is not for those who decide, but for
// those who judge what was decided.
func (c *Cluster) Down(row cluster.NodeID) bool {
	return int(row) < len(c.nodes) && c.nodes[row].down
}

// die has the containers on a node die.
func (c *Cluster) die(row cluster.NodeID) {
	for p := range c.state.PodsOn(row) {
		c.stop(p)
	}
}

// stop has a pod's containers stop, and reckons what is left of its work.
func (c *Cluster) stop(p cluster.PodID) {
	x := &c.pods[p]
	x.starts = 0
	if x.end == 0 {
		return
	}
	x.run = c.opts.work().left(x.run, c.now-x.began)
	x.end, x.stopped = 0, true
}

// comeBack has a node's kubelet do what it could not do, and tell what it could not tell,
// while it was silent.
func (c *Cluster) comeBack(row cluster.NodeID) {
	for p := range c.state.PodsOn(row) {
		x := &c.pods[p]
		switch {
		case x.evicted && x.over:
			c.endAfter(p, row, 0)
		case x.evicted && !x.stopped: // on its way
		case x.told:
			c.leave(p, row, x.stop)
		case x.over:
			c.endAfter(p, row, 0)
		case x.stopped && x.starts == 0:
			c.begin(p, row)
		}
		if c.state.Pods.Unready[p] && !x.told && !x.stopped {
			c.batch = append(c.batch, cluster.Event{Time: c.now, Kind: cluster.PodReady, Pod: p, Node: row, Ready: true})
		}
		c.watch(row)
	}
}

// start has a pod's containers run, for as long as there is work left.
func (c *Cluster) start(p cluster.PodID, row cluster.NodeID) {
	x := &c.pods[p]
	x.began, x.stopped = c.now, false
	c.endAfter(p, row, x.run)
	c.watch(row)
}
