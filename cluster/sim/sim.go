// Package sim is a cluster that exists only in memory and in virtual time: pods
// and nodes come as a source says, pods run for as long as their specs say, and
// every decision takes effect at the instant it is made.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/internal/heap"
)

// A Source yields what comes to a cluster from outside: NodeAdded, PodAdded, ObjectSet
// and ObjectRemoved events, in order of time. It returns io.EOF after the last.
type Source interface {
	Next() (cluster.Event, error)
}

// Options change how a Cluster behaves. The zero Options are the usual case.
type Options struct {
	// Refuse, if set, is asked about every decision. If it returns a reason,
	// the decision comes back as a Rejected event: how tests and studies make
	// an API server that says no.
	Refuse func(cluster.Decision) (reason string)

	// Kubelets, if set, is how nodes behave. Without, they have no health and never fail,
	// and nobody is told that a pod has been told to end.
	Kubelets *Kubelets

	// Evictions, if set, is asked about every RequestEviction. If it isn't, all are
	// allowed, as if there were no disruption budgets.
	Evictions EvictionCheck

	// Admission, if set, is asked about every pod that comes and is on no node yet. If it
	// isn't, all are admitted.
	Admission Admission

	// Until, if above 0, is when the simulation ends.
	Until cluster.Time
}

// work returns what is left of pods' work.
func (o *Options) work() Work {
	if o.Kubelets == nil {
		return Work{}
	}
	return o.Kubelets.Work
}

// Cluster is a simulated cluster. It implements cluster.Cluster.
type Cluster struct {
	state  *cluster.State
	source Source
	opts   Options

	ahead cluster.Event // the source's next event, if more
	more  bool

	now   cluster.Time
	ends  heap.Heap[end]
	seq   uint64          // the last one given to an end
	soon  []cluster.Event // outcomes of what was decided now
	batch []cluster.Event
	pods  []pod // by row
	calls int

	nodes      []node       // by row; those that nothing has befallen yet may have none
	fault      faults.Fault // the next, if moreFaults
	moreFaults bool
	turns      heap.Heap[turn]
	chores     heap.Heap[chore]
	present    []cluster.RunningPod    // reused
	unfinished map[string]cluster.Time // what is left of the work of pods that were told to end, by name

	quotas  []cluster.Object                                        // reused
	charged map[*cluster.DisruptionBudget]*cluster.DisruptionBudget // by what is being carried out, by what State has
}

// A pod is what a simulated kubelet knows of the pod in a row.
type pod struct {
	run   cluster.Time // its work, or what is left of it
	stop  cluster.Time // how long it takes to end once it is told
	began cluster.Time // when its containers did, to do run
	end   uint64       // the seq of the end that holds, 0 if there is none

	starts uint64 // the seq of the chore that starts it up, 0 if there is none

	stopped bool // it is on a node, and no container runs
	told    bool // to end
	over    bool // it has ended, and the node can't tell
	gone    bool // it has ended

	leaves  cluster.Time // when it will have ended, having been told to
	evicted bool         // told by its kubelet, whether the API knows or not
	died    bool         // its containers have, for want of memory,
	backoff cluster.Time // and waited so long to be started again
}

// New returns a cluster to which things come from source. It reads s, which must
// be the State that its events are observed by.
func New(s *cluster.State, source Source, opts Options) (*Cluster, error) {
	if k := opts.Kubelets; k != nil && k.Policy != nil && (opts.Until <= 0 || k.Look <= 0) {
		return nil, errors.New("kubelets that look at their nodes need to know how often, and until when: set Kubelets.Look and Options.Until")
	}
	c := &Cluster{state: s, source: source, opts: opts, unfinished: map[string]cluster.Time{}}
	c.pullFault()
	return c, c.pull()
}

// pull reads the source's next event.
func (c *Cluster) pull() error {
	e, err := c.source.Next()
	if errors.Is(err, io.EOF) {
		c.more = false
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the workload: %w", err)
	}
	if e.Time < c.now {
		return fmt.Errorf("the workload goes back in time, from %d to %d ns", c.now, e.Time)
	}
	switch e.Kind {
	case cluster.NodeAdded, cluster.PodAdded, cluster.ObjectSet, cluster.ObjectRemoved:
	default:
		return fmt.Errorf("a workload can't contain the event %v", e.Kind)
	}
	c.ahead, c.more = e, true
	return nil
}

// Next returns the events of the next instant at which there are any, in order
// of kind, then of sequence; or none, at the deadline, if that comes first. The
// outcomes of decisions are a batch of their own, at the time they were made.
func (c *Cluster) Next(ctx context.Context, deadline cluster.Time) (cluster.Time, []cluster.Event, error) {
	// Asking ctx costs as much as a decision; now and then is often enough.
	if c.calls++; c.calls%1024 == 0 && ctx.Err() != nil {
		return c.now, nil, ctx.Err()
	}
	if len(c.soon) > 0 {
		c.batch, c.soon = c.soon, c.batch[:0]
		sortByKind(c.batch)
		return c.now, c.batch, nil
	}
	for {
		t := c.nextTime(deadline)
		if t == cluster.Never || c.opts.Until > 0 && t > c.opts.Until {
			return c.now, nil, io.EOF
		}
		heard, err := c.arrive(t)
		if err != nil {
			return c.now, nil, err
		}
		if heard || t == deadline {
			sortByKind(c.batch)
			return t, c.batch, nil
		}
		if c.calls++; c.calls%1024 == 0 && ctx.Err() != nil {
			return c.now, nil, ctx.Err()
		}
	}
}

// arrive has happen what does at a time, and collects the events. It reports whether anybody
// needs to know: kubelets look at their nodes much more often than they find anything.
func (c *Cluster) arrive(t cluster.Time) (heard bool, err error) {
	c.now = t
	c.batch = c.batch[:0]
	c.strike()
	heard = true
	for len(c.ends) > 0 && c.ends[0].at == t {
		c.finish(c.ends.Pop())
	}
	if c.doChores() {
		heard = len(c.batch) > 0
	}
	for c.more && c.ahead.Time == t && !c.mustBeKnown() {
		heard = true
		switch c.ahead.Kind {
		case cluster.NodeAdded:
			c.join(&c.ahead)
			fallthrough
		default:
			c.batch = append(c.batch, c.ahead)
		case cluster.PodAdded:
			c.batch = c.admit(c.batch, c.ahead.PodSpec)
		}
		if err := c.pull(); err != nil {
			return true, err
		}
	}
	c.batch = c.charge(c.batch)
	return heard, nil
}

// mustBeKnown reports whether what has happened so far must be known before the source's next
// event is: admission goes by objects that State has, and charges them as they are there.
func (c *Cluster) mustBeKnown() bool {
	if c.opts.Admission == nil {
		return false
	}
	switch c.ahead.Kind {
	case cluster.PodAdded:
		return slices.ContainsFunc(c.batch, func(e cluster.Event) bool { return e.Object != nil })
	case cluster.ObjectSet, cluster.ObjectRemoved:
		return slices.ContainsFunc(c.batch, func(e cluster.Event) bool { return e.Kind == cluster.PodAdded })
	}
	return false
}

// finish has a pod end, unless it was evicted before.
func (c *Cluster) finish(e end) {
	x := &c.pods[e.pod]
	if x.end != e.seq {
		return
	}
	x.end = 0
	if c.silentAt(e.node) {
		x.over = true
		return
	}
	x.gone = true
	c.batch = append(c.batch, cluster.Event{Time: c.now, Kind: cluster.PodEnded, Pod: e.pod, Node: e.node})
}

// sortByKind brings the events of one instant into the order that they are taken
// in.
func sortByKind(batch []cluster.Event) {
	if len(batch) > 1 {
		slices.SortStableFunc(batch, func(a, b cluster.Event) int { return int(a.Kind) - int(b.Kind) })
	}
}

// nextTime returns the next instant at which anything happens, or the deadline.
func (c *Cluster) nextTime(deadline cluster.Time) cluster.Time {
	t := max(deadline, c.now)
	if c.more {
		t = min(t, c.ahead.Time)
	}
	if len(c.ends) > 0 {
		t = min(t, c.ends[0].at)
	}
	if c.moreFaults {
		t = min(t, max(c.fault.At, c.now))
	}
	if len(c.turns) > 0 {
		t = min(t, c.turns[0].at)
	}
	if len(c.chores) > 0 {
		t = min(t, c.chores[0].at)
	}
	return t
}

// Apply carries out decisions at once. Their outcomes come with the next batch,
// at this same time.
func (c *Cluster) Apply(_ context.Context, ds []cluster.Decision) error {
	c.learn()
	for _, d := range ds {
		reason, code := c.refuse(d), int16(0)
		if reason == "" && d.Kind == cluster.RequestEviction {
			code, reason = c.review(d)
		}
		if reason != "" {
			c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.Rejected, Pod: d.Pod, Node: d.Node, Decision: d, Reason: reason, Code: code})
			continue
		}
		if err := c.carryOut(&d); err != nil {
			return err
		}
	}
	c.announce()
	c.soon = c.charge(c.soon)
	c.retaint(ds)
	return nil
}

// carryOut does what was decided.
func (c *Cluster) carryOut(d *cluster.Decision) error {
	switch d.Kind {
	case cluster.Bind:
		c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.PodBound, Pod: d.Pod, Node: d.Node})
		if c.silentAt(d.Node) {
			c.pods[d.Pod].stopped = true
		} else {
			c.begin(d.Pod, d.Node)
		}
		if c.pods[d.Pod].stopped {
			c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.PodReady, Pod: d.Pod, Node: d.Node})
		}
	case cluster.Evict, cluster.Preempt, cluster.RequestEviction:
		c.tell(d.Pod, d.Node)
	case cluster.Finalise:
		c.keepWork(d.Pod)
		c.pods[d.Pod].end, c.pods[d.Pod].gone = 0, true
		c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.PodEnded, Pod: d.Pod, Node: d.Node})
	case cluster.Create:
		c.create(d.Detail.(*cluster.PodSpec))
	case cluster.Store:
		c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.ObjectSet, Pod: d.Pod, Node: d.Node, Object: d.Detail.(cluster.Stored).To})
	case cluster.Nominate, cluster.SetConditions, cluster.MarkUnready: // State has it, and nobody else asks
	case cluster.AddTaint, cluster.RemoveTaint: // see retaint
	default:
		return fmt.Errorf("the simulated cluster does not know the decision %v", d.Kind)
	}
	return nil
}

// tell tells a pod to end, if its node can be told.
func (c *Cluster) tell(p cluster.PodID, row cluster.NodeID) {
	x := &c.pods[p]
	if c.opts.Kubelets != nil && !x.told {
		c.keepWork(p)
		c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.PodTold, Pod: p, Node: row})
	}
	x.told = true
	if !c.silentAt(row) {
		c.leave(p, row, x.stop)
	}
}

// keepWork notes what is left of a pod's work, for one that goes on with it.
func (c *Cluster) keepWork(p cluster.PodID) {
	x := &c.pods[p]
	left := x.run
	if x.end != 0 || x.run == cluster.Never {
		left = c.opts.work().left(x.run, c.now-x.began)
	}
	if c.opts.Kubelets != nil && !x.told {
		c.unfinished[c.state.PodName(p)] = left
	}
}

// create has a new pod come.
func (c *Cluster) create(spec *cluster.PodSpec) {
	if left, ok := c.unfinished[cluster.Key(spec.Class.Namespace, spec.Continues)]; ok && spec.Continues != "" {
		changed := *spec
		changed.Run = left
		spec = &changed
		delete(c.unfinished, cluster.Key(spec.Class.Namespace, spec.Continues))
	}
	c.soon = c.admit(c.soon, spec)
}

// retaint has it be known which taints nodes have now that some were added or removed.
func (c *Cluster) retaint(ds []cluster.Decision) {
	var done []cluster.NodeID
	for i := range ds {
		d := &ds[i]
		if d.Kind != cluster.AddTaint && d.Kind != cluster.RemoveTaint || slices.Contains(done, d.Node) {
			continue
		}
		done = append(done, d.Node)
		spec := *c.state.Nodes.Spec[d.Node]
		spec.Taints = c.state.Nodes.Taints[d.Node]
		spec.Unschedulable = cordoned(ds, d.Node, spec.Unschedulable)
		c.soon = append(c.soon, cluster.Event{Time: c.now, Kind: cluster.NodeChanged, Pod: cluster.None, Node: d.Node, NodeSpec: &spec})
	}
}

// cordoned reports whether a node is cordoned after some decisions, given whether it was
// before. Controllers cordon by a taint; an API server has a field for that, from which the
// taint follows, so the field has to say the same, or whoever sees to the taint takes it
// off.
func cordoned(ds []cluster.Decision, row cluster.NodeID, was bool) bool {
	for i := range ds {
		d := &ds[i]
		if t, ok := d.Detail.(cluster.Taint); ok && d.Node == row && t.Key == cluster.TaintUnschedulable && t.Effect == cluster.NoSchedule {
			was = d.Kind == cluster.AddTaint
		}
	}
	return was
}

// learn takes from the last batch, whose rows State has filled in by now, what
// the kubelets must know of new pods.
func (c *Cluster) learn() {
	for i := range c.batch {
		e := &c.batch[i]
		if e.Kind != cluster.PodAdded {
			continue
		}
		for len(c.pods) <= int(e.Pod) {
			c.pods = append(c.pods, pod{})
		}
		c.pods[e.Pod] = pod{run: e.PodSpec.Run, stop: min(e.PodSpec.Stop, e.PodSpec.Grace), told: e.PodSpec.Terminating, leaves: cluster.Never}
		if row := c.state.Pods.Node[e.Pod]; row != cluster.None {
			c.pods[e.Pod].began = c.now
			c.watch(row)
		}
	}
	c.batch = c.batch[:0]
}

// refuse returns why d can't be carried out, "" if it can. A binding is refused,
// as a kubelet does, if the node has not the room: a policy without the usual
// filters may ask for that.
func (c *Cluster) refuse(d cluster.Decision) string {
	if c.opts.Refuse != nil {
		if reason := c.opts.Refuse(d); reason != "" {
			return reason
		}
	}
	if d.Kind != cluster.Bind {
		return ""
	}
	if k := c.opts.Kubelets; k != nil && k.Policy != nil && !c.silentAt(d.Node) {
		if c.node(d.Node).isClosing() {
			return "NodeShutdown"
		}
		if reason := k.Policy.Admit(c.state, d.Node, d.Pod); reason != "" {
			return reason
		}
	}
	for r := range c.state.Nodes.Cap {
		r := cluster.Resource(r)
		if c.state.Class(d.Pod).Requests.Get(r) > 0 && c.state.Free(d.Node, r) < 0 {
			return "Node didn't have enough resource: " + c.state.ResourceName(r)
		}
	}
	return ""
}

// endAfter makes a pod end when so much time has passed, unless it ends before.
func (c *Cluster) endAfter(p cluster.PodID, row cluster.NodeID, after cluster.Time) {
	if after >= cluster.Never-c.now {
		c.pods[p].end = 0
		return
	}
	c.seq++
	c.pods[p].end = c.seq
	c.ends.Push(end{at: c.now + after, seq: c.seq, pod: p, node: row})
}
