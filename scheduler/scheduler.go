package scheduler

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// A Scheduler is a cluster.Controller that gives pods nodes, as kube-scheduler does:
// in order of priority and of the time since they came or were last tried; those
// that fit nowhere, when something has happened that may help them.
type Scheduler struct {
	profiles map[string]*Profile // by pods' schedulerName; "" is default-scheduler's

	byDefault *Profile // default-scheduler's, nil if there is none
	service   cluster.Time
	seen      func(Attempt)
	queue     queue
	watch     watch

	// failedAt says, by class, at which version of the State a pod of the class
	// fitted nowhere. Until anything changes, no other does: a class is what
	// decisions can tell apart.
	failedAt []failure

	held         []held       // pods that wait for Gates, in order of their nodes' choice
	flying       flying       // the pod that is being decided about, while that takes time
	changed      cluster.Time // when something happened, or was decided, for the last time
	stepped      cluster.Time // when Step was called for the last time
	reclassified uint64       // of the State, when groups were made
	stats        Stats
}

// Options say how a Scheduler works. The zero Options are kube-scheduler's
// defaults.
type Options struct {
	// Profiles are the profiles by the schedulerName of the pods that they are for.
	// Pods of other schedulers are left alone. "" stands for default-scheduler.
	Profiles map[string]*Profile

	// InitialBackoff is for how long a pod rests after it was tried in vain for the
	// first time, and MaxBackoff at most; 0 stands for 1 and 10 seconds.
	InitialBackoff, MaxBackoff cluster.Time

	// MaxUnschedulable is for how long a pod waits for something to happen that may
	// help it, before it is tried anyway; 0 stands for 5 minutes.
	MaxUnschedulable cluster.Time

	// Service is the time that a decision takes: a slow scheduler's queue can so be
	// studied. A decision is made by what is known when it begins.
	Service cluster.Time

	// Seen, if set, is told of every try when it ends.
	Seen func(Attempt)
}

// The defaults of Options, as of kube-scheduler.
const (
	DefaultInitialBackoff   = cluster.Second
	DefaultMaxBackoff       = 10 * cluster.Second
	DefaultMaxUnschedulable = 5 * cluster.Minute
)

// New returns a Scheduler that decides about all pods of default-scheduler by
// profile.
func New(profile *Profile) *Scheduler {
	return NewScheduler(Options{Profiles: map[string]*Profile{"": profile}})
}

// NewScheduler returns a Scheduler. It panics if profiles sort the queue by different plugins.
func NewScheduler(o Options) *Scheduler {
	or := func(t, otherwise cluster.Time) cluster.Time {
		if t == 0 {
			return otherwise
		}
		return t
	}
	sc := &Scheduler{profiles: o.Profiles, byDefault: o.Profiles[""], service: o.Service, seen: o.Seen, flying: flying{pod: cluster.None}}
	sc.queue = queue{
		backoff: backoff{or(o.InitialBackoff, DefaultInitialBackoff), or(o.MaxBackoff, DefaultMaxBackoff)},
		most:    or(o.MaxUnschedulable, DefaultMaxUnschedulable),
		rules:   sc,
		sorter:  sorterOf(o.Profiles),

		renumberAt: renumberAt,
	}
	sc.queue.single = sc.queue.sorter != nil || o.Service > 0 || o.Seen != nil
	return sc
}

// A failure is what the last pod of a class failed for.
type failure struct {
	version           uint64 // of the State
	rejected, pending uint64
}

// flying is a pod that is being decided about, and what will come of it.
type flying struct {
	pod   cluster.PodID // None if there is none
	order uint64
	until cluster.Time
	result
}

// A result is what a cycle found out about a pod.
type result struct {
	node              cluster.NodeID // where the pod goes, or None
	devices           cluster.Allocation
	rejected, pending uint64
	preemption        Preemption
	preempts          bool
	victims           []found // of the preemption

	name   string           // of the node, or of the preemption's
	joined uint64           // its order of arrival
	was    cluster.PodState // the pod, on the node
}

// found is where a pod was found to be, by its order of arrival.
type found struct {
	order uint64
	node  cluster.NodeID
}

// An Attempt is one try to place a pod.
type Attempt struct {
	Pod      cluster.PodID
	Began    cluster.Time // when the pod was taken from the queue
	Number   int32        // 1 for the first
	Node     cluster.NodeID
	Rejected []string // plugins, if the pod got no node; none if something went wrong
}

// Step implements cluster.Controller. It tries every pod for which trying again
// can make a difference.
func (sc *Scheduler) Step(s *cluster.State, events []cluster.Event) (wake cluster.Time) {
	sc.watch.begin(PhaseQueue, "")
	defer sc.watch.end()
	sc.stats.pass(sc.Lengths(), s.Now-sc.stepped)
	sc.stepped = s.Now
	if len(events) > 0 {
		sc.changed = s.Now
	}
	if r := s.Reclassified(); r != sc.reclassified {
		sc.queue.regroup(s)
		sc.reclassified = r
	}
	sc.queue.renumber()
	for i := range events {
		sc.take(s, &events[i])
	}
	sc.queue.wakeRested(s)
	sc.queue.flush(s, s.Now-s.Now%flushPeriod)
	sc.land(s)
	sc.settleAll(s)
	for sc.flying.pod == cluster.None {
		if c := sc.queue.cohortNext(); c != nil {
			sc.tryCohort(s, c)
			continue
		}
		sc.failStalled(s)
		p, ok := sc.queue.pop(s)
		if !ok {
			break
		}
		sc.try(s, p)
	}
	return sc.wake(s)
}

// flushPeriod is how often kube looks for pods that wait for too long.
const flushPeriod = 30 * cluster.Second

// quiet is for how long a Scheduler goes on trying although nothing happens. A pod
// that fitted nowhere does so still; kube-scheduler tries it forever.
const quiet = 10 * cluster.Minute

// wake returns when something is to be done next.
func (sc *Scheduler) wake(s *cluster.State) cluster.Time {
	next := cluster.Never
	if sc.flying.pod != cluster.None {
		next = sc.flying.until
	}
	next = min(next, sc.nextHeld())
	if s.Now-sc.changed > quiet {
		return next
	}
	next = min(next, sc.queue.nextRested())
	soonest := (s.Now/flushPeriod + 1) * flushPeriod
	if sc.queue.flight.count > 0 && sc.queue.anyGatedFor(soonest) {
		next = min(next, soonest)
	}
	if a, ok := sc.queue.oldest(); ok {
		due := a.since + sc.queue.most + 1
		next = min(next, max((due+flushPeriod-1)/flushPeriod*flushPeriod, soonest))
	}
	return next
}

// profile returns the profile for p, nil if it is another scheduler's.
func (sc *Scheduler) profile(s *cluster.State, p cluster.PodID) *Profile {
	if name := s.Class(p).Scheduler; name != "" {
		return sc.profiles[name]
	}
	return sc.byDefault
}

// try finds out where p goes. If that takes no time, it is done at once.
func (sc *Scheduler) try(s *cluster.State, p cluster.PodID) {
	e := &sc.queue.pods[p]
	if s.Pods.Phase[p] != cluster.Pending || s.Pods.Order[p] != e.order {
		sc.queue.done(p)
		return
	}
	r := result{node: cluster.None}
	sc.cycle(s, p, &r)
	sc.fly(s, p, &r)
}

// fly has come into force what was found out about p, at once or later.
func (sc *Scheduler) fly(s *cluster.State, p cluster.PodID, r *result) {
	f := &sc.flying
	f.pod, f.order, f.until, f.result = p, sc.queue.pods[p].order, s.Now+sc.service, *r
	for _, v := range sc.flying.preemption.Victims {
		if sc.isHeld(s, v) {
			sc.giveWay(s, v)
		}
	}
	sc.land(s)
}

// cycle finds out where p goes, or why it goes nowhere.
func (sc *Scheduler) cycle(s *cluster.State, p cluster.PodID, r *result) {
	pr, c := sc.profile(s, p), s.Pods.Class[p]
	for len(sc.failedAt) <= int(c) {
		sc.failedAt = append(sc.failedAt, failure{})
	}
	f := &sc.failedAt[c]
	if f.version == s.Version() && f.version != 0 && s.PodState(p).Nominated == cluster.None {
		r.rejected, r.pending = f.rejected, f.pending
		return
	}
	if n, a, ok := pr.Select(s, p); ok {
		r.node, r.devices, r.name, r.joined, r.was = n, a, s.Nodes.Name[n], s.Nodes.Order[n], s.PodState(p)
		r.was.Node = n
		return
	}
	sc.watch.begin(PhaseDiagnose, "")
	r.rejected, r.pending = pr.rejectors(s, p)
	sc.watch.end()
	if pr.Err() == nil {
		r.preemption, r.preempts = pr.Preemption(s, p)
	}
	if n := r.preemption.Node; r.preempts && n != cluster.None {
		r.name = s.Nodes.Name[n]
	}
	for _, v := range r.preemption.Victims {
		r.victims = append(r.victims, found{s.Pods.Order[v], s.Pods.Node[v]})
	}
	if !r.preempts && pr.all {
		*f = failure{s.Version(), r.rejected, r.pending}
	}
}

// land does what was found out, when its time has come.
func (sc *Scheduler) land(s *cluster.State) {
	f := &sc.flying
	p := f.pod
	if p == cluster.None || f.until > s.Now {
		return
	}
	f.pod = cluster.None // nothing else begins to fly until Step goes on
	switch gone := s.Pods.Order[p] != f.order || s.Pods.Phase[p] == cluster.Ended; {
	case gone && f.node != cluster.None:
		sc.queue.move(s, Change{What: PodDelete, OldPod: f.was}, everyone) // kube learns it from binding the pod
	case gone || !sc.queue.has(s, p) || s.Pods.Phase[p] != cluster.Pending: // somebody else has bound it
	case f.node != cluster.None:
		sc.bind(s, p, f)
	default:
		sc.fail(s, p, f)
	}
}

// find looks for the node that was chosen: there may be another of its name by now,
// which will do, too, unless there were devices.
func (r *result) find(s *cluster.State) (n cluster.NodeID, ok bool) {
	if n = r.node; n != cluster.None && s.Nodes.IsLive(n) && s.Nodes.Order[n] == r.joined {
		return n, true
	}
	n, ok = s.Nodes.Named(r.name)
	return n, ok && (s.Nodes.Order[n] == r.joined || r.devices == cluster.Allocation{})
}

// bind binds p, unless a Gate keeps it from that, or the node has gone meanwhile.
func (sc *Scheduler) bind(s *cluster.State, p cluster.PodID, f *flying) {
	sc.queue.pods[p].told = f.was.Nominated != cluster.None
	n, ok := f.find(s)
	if !ok {
		sc.bindToGone(s, p, f)
		return
	}
	f.node = n
	sc.changed = s.Now
	if len(sc.profile(s, p).gates) > 0 {
		sc.reserve(s, p, f)
		return
	}
	sc.tell(s, p, n, 0)
	sc.queue.done(p)
	sc.watch.begin(PhaseBind, "")
	s.Bind(p, n, f.devices)
	sc.watch.end()
}

// bindToGone is bind for a node that has gone. Kube-scheduler learns of that only
// from binding the pod, which the Gates come before.
func (sc *Scheduler) bindToGone(s *cluster.State, p cluster.PodID, f *flying) {
	if bit, code, _ := sc.profile(s, p).permit(s, p, f.node); bit != 0 {
		sc.refuse(s, p, f.node, bit, code)
		return
	}
	sc.queue.move(s, Change{What: PodDelete, OldPod: f.was}, everyone)
	sc.fail(s, p, &flying{result: result{node: cluster.None}})
}

// fail takes p back, and has others make room for it.
func (sc *Scheduler) fail(s *cluster.State, p cluster.PodID, f *flying) {
	sc.tell(s, p, cluster.None, f.rejected|f.pending)
	sc.queue.fail(s, p, f.rejected, f.pending)
	switch {
	case f.preempts:
		sc.preempt(s, p, f)
	case f.rejected|f.pending == 0 && s.PodState(p).Nominated != cluster.None:
		sc.carryOut(s, p, Preemption{Node: cluster.None}) // after an error no node is kept
	}
}

// preempt makes the room that was found to be needed, as far as things are still as
// they were.
func (sc *Scheduler) preempt(s *cluster.State, p cluster.PodID, f *flying) {
	pre := f.preemption
	pre.Victims = nil
	for i, v := range f.preemption.Victims {
		if is := (found{s.Pods.Order[v], s.Pods.Node[v]}); is == f.victims[i] && is.node != cluster.None {
			pre.Victims = append(pre.Victims, v)
		}
	}
	if pre.Node != cluster.None {
		n, ok := f.find(s)
		if !ok {
			return
		}
		pre.Node = n
	}
	sc.carryOut(s, p, pre)
}

func (sc *Scheduler) carryOut(s *cluster.State, p cluster.PodID, pre Preemption) {
	sc.changed = s.Now
	if pre.Node != cluster.None && sc.queue.has(s, p) {
		sc.queue.singly(s, p)
	}
	for _, was := range carryOut(s, p, pre) {
		sc.queue.move(s, Change{What: PodDelete, OldPod: was}, s.ClassByID(was.Class).Priority)
	}
}

// tell counts a try, and tells of it.
func (sc *Scheduler) tell(s *cluster.State, p cluster.PodID, n cluster.NodeID, rejected uint64) {
	e := &sc.queue.pods[p]
	sc.stats.count(s, e, n, rejected)
	if sc.seen == nil {
		return
	}
	a := Attempt{Pod: p, Began: e.popped, Number: e.attempts, Node: n}
	for i, m := range sc.profile(s, p).members {
		if rejected>>i&1 == 1 {
			a.Rejected = append(a.Rejected, m.name)
		}
	}
	sc.seen(a)
}

// preEnqueue implements rules.
func (sc *Scheduler) preEnqueue(s *cluster.State, p cluster.PodID, first int8) (plugin int8, ok bool) {
	return sc.profile(s, p).forbids(s, p, first)
}

// listens implements rules.
func (sc *Scheduler) listens(s *cluster.State, p cluster.PodID, plugin int8, c *Change) bool {
	return sc.profile(s, p).listens(plugin, c)
}

// wokenBy implements rules.
func (sc *Scheduler) wokenBy(s *cluster.State, p cluster.PodID, plugins uint64, c *Change) uint64 {
	return sc.profile(s, p).wake(s, p, plugins, c, &sc.stats)
}

// everyone is the highest priority: a change that pods of any priority look at.
const everyone = math.MaxInt32
