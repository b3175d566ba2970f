// Package certify holds a run on real kubelets against the same run in the simulator: which
// pods went where, and how long everything took.
package certify

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// A Pod is what became of a pod in a run. Times are Never for what didn't happen.
type Pod struct {
	Name    string // "namespace/name"
	Node    string // where it was bound, "" if it wasn't
	Arrived cluster.Time
	Bound   cluster.Time // decided
	Running cluster.Time // and ready, as the cluster has said
	Told    cluster.Time // to end, by us or others
	Ended   cluster.Time
	Created bool // by one of our controllers, not from outside

	seen int // changes of the scene before it was bound
}

// News is what was decided about a node.
type News struct {
	At   cluster.Time
	Node string
	What string // one of the constants below
}

// What is decided about nodes.
const (
	Unknown   = "unknown"   // its condition Ready is Unknown: it hasn't been heard of for long
	Tainted   = "tainted"   // with unreachable or not-ready and NoExecute, so that pods go
	Untainted = "untainted" // and no longer
)

// A Timeline is a cluster.Recorder that keeps what became of pods and nodes. It also keeps
// what came from outside, from which the run can be simulated.
type Timeline struct {
	Pods []*Pod // in order of arrival
	News []News // in order of time

	began    cluster.Time              // when the first pod came, Never before
	origin   cluster.Time              // of the first round, Never before
	renewals map[string][]cluster.Time // of nodes' leases, as they were heard of
	nodes    []*cluster.NodeSpec
	objects  []cluster.Object
	arrivals []cluster.Event
	scene    scene

	rows    []*Pod          // by row
	created map[string]bool // pods that we decided to create, by name
}

// NewTimeline returns an empty Timeline.
func NewTimeline() *Timeline {
	return &Timeline{began: cluster.Never, origin: cluster.Never, renewals: map[string][]cluster.Time{}, created: map[string]bool{}}
}

// Began returns when the first pod came, Never if none has.
func (t *Timeline) Began() cluster.Time { return t.began }

// Record implements cluster.Recorder. It returns no error.
func (t *Timeline) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	t.origin = min(t.origin, s.Now)
	for i := range events {
		t.event(s, &events[i])
	}
	for i := range ds {
		t.decision(s, &ds[i])
	}
	return nil
}

func (t *Timeline) event(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.PodAdded:
		t.arrive(s, e)
	case cluster.ObjectSet:
		if t.began == cluster.Never {
			t.objects = append(t.objects, e.Object)
		}
	case cluster.Rejected:
		if p := t.rows[e.Decision.Pod]; e.Decision.Kind == cluster.Bind {
			t.scene.pod(p, true)
			p.Bound, p.Node, p.seen = cluster.Never, "", 0
		}
	case cluster.PodBound, cluster.PodReady, cluster.PodChanged:
		if p := t.rows[e.Pod]; p.Running == cluster.Never && s.IsReady(e.Pod) && !s.Pods.Starting[e.Pod] {
			p.Running = e.Time
		}
	case cluster.PodTold:
		t.told(e.Pod, e.Time)
	case cluster.NodeHeard:
		t.heard(s.Nodes.Name[e.Node], e.Health.Lease)
	case cluster.PodEnded:
		p := t.rows[e.Pod]
		if p.Ended = e.Time; p.Bound != cluster.Never {
			t.scene.pod(p, true)
		}
	}
}

// arrive notes a pod, and at the first one the cluster that it came to.
func (t *Timeline) arrive(s *cluster.State, e *cluster.Event) {
	if t.began == cluster.Never {
		t.began = e.Time
		for _, n := range s.Nodes.Live() {
			spec := *s.Nodes.Spec[n]
			spec.Taints = s.Nodes.Taints[n]
			t.nodes = append(t.nodes, &spec)
		}
	}
	p := &Pod{
		Name: s.PodName(e.Pod), Arrived: e.Time,
		Bound: cluster.Never, Running: cluster.Never, Told: cluster.Never, Ended: cluster.Never,
	}
	p.Created = t.created[p.Name]
	for len(t.rows) <= int(e.Pod) {
		t.rows = append(t.rows, nil)
	}
	t.rows[e.Pod] = p
	t.Pods = append(t.Pods, p)
	if !p.Created {
		t.arrivals = append(t.arrivals, *e)
	}
}

// heard notes a renewal of a node's lease.
func (t *Timeline) heard(node string, lease cluster.Beats) {
	if known := t.renewals[node]; lease != (cluster.Beats{}) && (len(known) == 0 || known[len(known)-1] != lease.First) {
		t.renewals[node] = append(known, lease.First)
	}
}

// renewed returns the last time before its first fault at which a node renewed its lease.
func (t *Timeline) renewed(node string, struck []faults.Fault) (at cluster.Time, ok bool) {
	before := cluster.Never
	for i := range struck {
		if slices.Contains(struck[i].Nodes, node) {
			before = min(before, struck[i].At)
		}
	}
	for _, r := range t.renewals[node] {
		if r < before {
			at, ok = r, true
		}
	}
	return at, ok
}

func (t *Timeline) told(row cluster.PodID, at cluster.Time) {
	if p := t.rows[row]; p.Told == cluster.Never {
		p.Told = at
	}
}

func (t *Timeline) decision(s *cluster.State, d *cluster.Decision) {
	switch of := d.Detail.(type) {
	case cluster.StatusChange:
		if of.To[cluster.NodeReady] == cluster.ConditionUnknown && of.From[cluster.NodeReady] != cluster.ConditionUnknown {
			t.News = append(t.News, News{s.Now, s.Nodes.Name[d.Node], Unknown})
		}
	case cluster.Taint:
		t.taint(s, d, of)
	case *cluster.PodSpec:
		t.created[cluster.Key(of.Class.Namespace, of.Name)] = true
	}
	switch d.Kind {
	case cluster.Bind:
		p := t.rows[d.Pod]
		t.scene.look(s)
		p.Bound, p.Node, p.seen = s.Now, s.Nodes.Name[d.Node], len(t.scene.changes)
		t.scene.pod(p, false)
	case cluster.Evict, cluster.RequestEviction, cluster.Preempt, cluster.Finalise:
		t.told(d.Pod, s.Now)
	}
}

// taint notes taints that take pods off nodes, and that they are gone: one may take another's
// place.
func (t *Timeline) taint(s *cluster.State, d *cluster.Decision, of cluster.Taint) {
	if !chasesPods(of) {
		return
	}
	what, node := Tainted, s.Nodes.Name[d.Node]
	if d.Kind == cluster.RemoveTaint {
		if slices.ContainsFunc(s.Nodes.Taints[d.Node], chasesPods) {
			return
		}
		what = Untainted
	}
	t.News = append(t.News, News{s.Now, node, what})
}

// chasesPods reports whether a taint is one that node health puts to take pods off.
func chasesPods(t cluster.Taint) bool {
	return t.Effect == cluster.NoExecute && (t.Key == cluster.TaintUnreachable || t.Key == cluster.TaintNotReady)
}
