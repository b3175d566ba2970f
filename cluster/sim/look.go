package sim

import (
	"cmp"

	"github.com/berthsim/berth/cluster"
)

// A KubeletPolicy decides for the kubelets of nodes that may run short of what pods use:
// whom they let in, and what follows from a look at a node. It may remember what it likes
// of each node; rows of nodes are not reused.
type KubeletPolicy interface {
	// Admit says why the kubelet of a node doesn't let in a pod that is bound to it; "" if it
	// does. The binding comes back as a Rejected event, so that whoever decided on it tries
	// again, as the pod's owner would have another one tried.
	Admit(s *cluster.State, n cluster.NodeID, p cluster.PodID) (reason string)

	// Look is a look at a node, at a time that State may not have arrived at yet. Pods are
	// those on it that have not ended, in State's order. After Next was Never, it is called
	// again when a pod has come, and times of Kubelets.Look have passed since.
	Look(s *cluster.State, n cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) cluster.KubeletActs
}

// A chore is what a node's kubelet will do at a time.
type chore struct {
	at    cluster.Time
	seq   uint64
	kind  choreKind
	row   cluster.NodeID
	pod   cluster.PodID // of restart, stop and startUp
	order uint64        // the pod's, lest the row is another's by then
	grace cluster.Time  // of stop
}

type choreKind uint8

const (
	look    choreKind = iota // at the node
	restart                  // a pod's containers
	stop                     // a pod
	turnOff                  // the node
	startUp                  // a pod's containers, for the first time or after their node was off
)

// ofPod reports whether such a chore is about a pod.
func (k choreKind) ofPod() bool { return k == restart || k == stop || k == startUp }

// Before orders chores by time, then by when they were set.
func (a chore) Before(b chore) bool {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) < 0
}

// set has a chore be done at its time, and returns its number.
func (c *Cluster) set(x chore) uint64 {
	c.seq++
	x.seq = c.seq
	if x.kind.ofPod() {
		x.order = c.state.Pods.Order[x.pod]
	}
	c.chores.Push(x)
	return x.seq
}

// doChores does what kubelets do now, and reports whether there was any of it.
func (c *Cluster) doChores() (any bool) {
	for len(c.chores) > 0 && c.chores[0].at <= c.now {
		x := c.chores.Pop()
		any = true
		n := c.node(x.row)
		theSame := !x.kind.ofPod() || c.state.Pods.Order[x.pod] == x.order && !c.pods[x.pod].gone
		switch {
		case !theSame:
		case x.kind == look && n.look == x.seq:
			n.look = 0
			c.lookAt(x.row, n)
		case x.kind == restart && c.pods[x.pod].stopped && !n.hung:
			c.start(x.pod, x.row)
			c.sayReady(x.pod, x.row, true)
		case x.kind == stop && !n.hung:
			c.evict(x.pod, x.row, x.grace)
		case x.kind == startUp:
			c.startedUp(x, n)
		case x.kind == turnOff && n.isClosing():
			c.become(x.row, n)
		}
	}
	return any
}

// watch has a node be looked at that a pod has come to, at the next moment at which its
// kubelet looks in any case.
func (c *Cluster) watch(row cluster.NodeID) {
	k := c.opts.Kubelets
	if k == nil || k.Policy == nil {
		return
	}
	if n := c.node(row); n.look == 0 {
		if n.every == 0 {
			n.every = k.Look
			n.phase = cluster.Time(cluster.NewDraw(c.state.Seed, "kubelet: look", c.state.Nodes.Name[row]).Below(int(k.Look)))
		}
		since := c.now - n.phase
		if since < 0 {
			since -= n.every - 1
		}
		n.look = c.set(chore{at: n.phase + (since/n.every+1)*n.every, kind: look, row: row})
	}
}

// node returns what is going on at a node.
func (c *Cluster) node(row cluster.NodeID) *node {
	for len(c.nodes) <= int(row) {
		c.nodes = append(c.nodes, node{})
	}
	return &c.nodes[row]
}

// lookAt has a kubelet look at its node, and do what follows. A kubelet that hangs will look
// when it is back.
func (c *Cluster) lookAt(row cluster.NodeID, n *node) {
	if n.hung {
		return
	}
	c.present = c.appendPresent(c.present[:0], row)
	acts := c.opts.Kubelets.Policy.Look(c.state, row, c.now, c.present)
	for _, p := range acts.Killed {
		c.kill(p, row)
	}
	for _, e := range acts.Evicted {
		c.evict(e.Pod, row, e.Grace)
	}
	if n.pressure != acts.Conditions {
		n.pressure = acts.Conditions
		c.post(row, n)
	}
	if acts.Next == cluster.Never {
		n.phase = c.now // its kubelet goes on looking from here on, and finds nothing
		return
	}
	n.look = c.set(chore{at: max(acts.Next, c.now+1), kind: look, row: row})
}

// appendPresent appends the pods on a node that have not ended.
func (c *Cluster) appendPresent(pods []cluster.RunningPod, row cluster.NodeID) []cluster.RunningPod {
	for p := range c.state.PodsOn(row) {
		x := &c.pods[p]
		if x.gone || x.over {
			continue
		}
		r := cluster.RunningPod{Pod: p, Began: x.began, Stop: x.stop, Ends: cluster.Never}
		if x.stopped {
			r.Began = cluster.Never
		}
		if x.told {
			r.Ends = x.leaves
		}
		pods = append(pods, r)
	}
	return pods
}

// post has a node say at once that its conditions are others.
func (c *Cluster) post(row cluster.NodeID, n *node) {
	if n.silent {
		return
	}
	health := c.state.Nodes.Health[row]
	health.Conditions = n.conditions(c.now)
	health.Posts = cluster.Beats{First: c.now, Every: c.opts.Kubelets.Post, Until: cluster.Never}
	c.batch = append(c.batch, cluster.Event{Time: c.now, Kind: cluster.NodeHeard, Pod: cluster.None, Node: row, Health: &health})
}

// evict has a kubelet end a pod, within a grace that may be shorter than the pod's own. If
// the API can't be told, it will hear of it when it can.
func (c *Cluster) evict(p cluster.PodID, row cluster.NodeID, grace cluster.Time) {
	x := &c.pods[p]
	if x.told && x.leaves <= c.now+min(x.stop, grace) {
		return
	}
	if !x.told && !c.silentAt(row) {
		c.keepWork(p)
		c.batch = append(c.batch, cluster.Event{Time: c.now, Kind: cluster.PodTold, Pod: p, Node: row})
	}
	x.told, x.evicted = true, true
	c.leave(p, row, min(x.stop, grace))
}

// leave has a pod end that was told to.
func (c *Cluster) leave(p cluster.PodID, row cluster.NodeID, after cluster.Time) {
	c.pods[p].leaves = cluster.Never
	if after < cluster.Never-c.now {
		c.pods[p].leaves = c.now + after
	}
	c.endAfter(p, row, after)
}

// The back-off of containers that die: none the first time, then from first to most, each
// twice the last; forgotten if they ran for more than twice the most
// (kuberuntime's doBackOff, with client-go's flowcontrol.Backoff).
const (
	firstBackoff = 10 * cluster.Second
	mostBackoff  = 5 * cluster.Minute
)

// kill has the kernel kill a pod's containers, which start again after a back-off.
func (c *Cluster) kill(p cluster.PodID, row cluster.NodeID) {
	x := &c.pods[p]
	if x.told {
		c.leave(p, row, 0)
		return
	}
	if x.end != 0 {
		x.run = c.opts.work().left(x.run, c.now-x.began)
	}
	x.end, x.stopped = 0, true
	switch {
	case !x.died || c.now-x.began > 2*mostBackoff:
		x.backoff = 0
	case x.backoff == 0:
		x.backoff = firstBackoff
	default:
		x.backoff = min(2*x.backoff, mostBackoff)
	}
	x.died = true
	if x.backoff == 0 {
		c.start(p, row)
		return
	}
	c.sayReady(p, row, false)
	c.set(chore{at: c.now + x.backoff, kind: restart, row: row, pod: p})
}

// sayReady has a node say whether a pod is ready, if the API hears of it.
func (c *Cluster) sayReady(p cluster.PodID, row cluster.NodeID, ready bool) {
	if !c.silentAt(row) {
		c.batch = append(c.batch, cluster.Event{Time: c.now, Kind: cluster.PodReady, Pod: p, Node: row, Ready: ready})
	}
}
