package kube

import (
	"net/http"
	"slices"

	"github.com/berthsim/berth/cluster"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// A flight is a decision that is not known to have been carried out, or was, and a watch may
// still show what was before.
type flight struct {
	seq    uint64
	d      cluster.Decision
	target string // of Bind and Nominate: the node's name
	pod    *pod
	node   *node
	object *object

	settled  bool   // it was carried out
	version  string // resourceVersion of the object since then; "" if the server didn't say
	outdated bool   // of SetConditions: the node has been heard of since it was decided
}

// An answer is what became of a decision.
type answer struct {
	seq     uint64
	ok      bool
	version string // resourceVersion of the object afterwards, if known
	code    int16  // of a refusal: the HTTP status, 0 if there was none
	reason  string // of a refusal
}

// shownBy reports whether an object of a version is what a flight made of it, or later.
func (f *flight) shownBy(version string) bool {
	if !f.settled {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(version, f.version)
	return err != nil || order >= 0
}

// decide notes a decision, and returns the request that it takes; nil if it takes none.
func (t *translator) decide(d *cluster.Decision) *job {
	t.seq++
	f := &flight{seq: t.seq, d: *d}
	j := &job{seq: t.seq, kind: d.Kind, allocation: d.Allocation, detail: d.Detail}
	switch d.Kind {
	case cluster.AddTaint, cluster.RemoveTaint, cluster.SetConditions:
		return t.decideOnNode(f, j)
	case cluster.Create:
		t.flights[f.seq] = f
		j.namespace, j.name = d.Detail.(*cluster.PodSpec).Class.Namespace, d.Detail.(*cluster.PodSpec).Name
		j.lane = "pod " + cluster.Key(j.namespace, j.name)
		return j
	case cluster.Store:
		return t.decideOnObject(f, j)
	}
	return t.decideOnPod(f, j)
}

func (t *translator) decideOnPod(f *flight, j *job) *job {
	p := t.podRow[f.d.Pod]
	f.pod = p
	t.flights[f.seq] = f
	j.namespace, j.name, j.uid, j.lane = p.namespace, p.name, p.uid, "pod "+cluster.Key(p.namespace, p.name)
	if n := f.d.Node; n != cluster.None && (f.d.Kind == cluster.Bind || f.d.Kind == cluster.Nominate) {
		if at := t.nodeAt(n); at != nil {
			f.target = at.name
		}
		j.node = f.target
	}
	switch f.d.Kind {
	case cluster.Bind:
		p.bind = f
		p.spec = withChange(p.spec, func(spec *cluster.PodSpec) { spec.On, spec.Allocation, spec.Nominated = "", cluster.Allocation{}, "" })
		if p.node != "" { // its place was reserved, and meanwhile somebody else has bound it
			t.soon = append(t.soon, answer{seq: f.seq, ok: p.node == f.target, code: http.StatusConflict, reason: "the pod is on " + p.node + " already: somebody else has bound it"})
			return nil
		}
		return j
	case cluster.Nominate:
		p.spec = withChange(p.spec, func(spec *cluster.PodSpec) { spec.Nominated = f.target })
	case cluster.MarkUnready:
		p.spec = withChange(p.spec, func(spec *cluster.PodSpec) { spec.Unready = true })
	default:
		p.spec = withChange(p.spec, func(spec *cluster.PodSpec) {
			spec.Terminating, spec.Preempted = true, spec.Preempted || f.d.Kind == cluster.Preempt
		})
	}
	if t.dry {
		p.flights = t.outdo(p.flights, f)
	}
	p.flights = append(p.flights, f)
	return j
}

func (t *translator) decideOnNode(f *flight, j *job) *job {
	n := t.nodeRow[f.d.Node]
	f.node = n
	if t.dry {
		n.flights = t.outdo(n.flights, f)
	}
	n.flights = append(n.flights, f)
	t.flights[f.seq] = f
	j.node, j.uid, j.lane, j.posted, j.unschedulable = n.name, n.uid, "node "+n.name, n.posted, n.seen.Unschedulable
	if c, ok := f.d.Detail.(cluster.StatusChange); ok {
		n.conditions = c.To
	}
	return j
}

func (t *translator) decideOnObject(f *flight, j *job) *job {
	of := f.d.Detail.(cluster.Stored).To
	key := keyOfOurs(of)
	o := t.objects[key]
	t.flights[f.seq] = f
	if o == nil || o.raw == nil {
		t.soon = append(t.soon, answer{seq: f.seq, code: http.StatusNotFound, reason: "there is no such object"})
		return nil
	}
	if o.flight != nil { // the one before is outdone; its answer doesn't matter any more
		delete(t.flights, o.flight.seq)
	}
	f.object, o.flight = o, f
	o.spec = of
	j.namespace, j.name, j.lane, j.base = key.namespace, key.name, key.kind+" "+cluster.Key(key.namespace, key.name), o.raw
	return j
}

// owes reports whether there are outcomes that were known at once.
func (t *translator) owes() bool { return len(t.soon) > 0 }

// settle takes in what became of a decision, unless that is known already.
func (t *translator) settle(a answer) {
	f := t.flights[a.seq]
	switch {
	case f == nil:
	case a.ok:
		t.confirm(f, a.version)
	default:
		t.reject(f, a.code, a.reason)
	}
}

// confirm takes in that a decision was carried out.
func (t *translator) confirm(f *flight, version string) {
	if f.d.Kind == cluster.Bind {
		t.bound(f.pod)
		t.restate(f.pod)
		return
	}
	f.settled, f.version = true, version
	delete(t.flights, f.seq)
	switch f.d.Kind {
	case cluster.Evict, cluster.Preempt, cluster.RequestEviction, cluster.Finalise:
		f.pod.ending, f.pod.preempt = true, f.pod.preempt || f.d.Kind == cluster.Preempt
		f.pod.drop(f)
	case cluster.Store:
		if f.object.flight == f {
			f.object.flight = nil
		}
	}
}

// drop forgets a flight.
func (p *pod) drop(f *flight) {
	p.flights = slices.DeleteFunc(p.flights, func(o *flight) bool { return o == f })
}

// reject takes in that a decision was not carried out, and tells State what is so instead.
func (t *translator) reject(f *flight, code int16, reason string) {
	delete(t.flights, f.seq)
	t.metrics.rejections.WithLabelValues(f.d.Kind.String()).Inc()
	t.emit(cluster.Event{Kind: cluster.Rejected, Pod: f.d.Pod, Node: f.d.Node, Decision: f.d, Code: code, Reason: reason})
	switch {
	case f.pod != nil:
		t.rejectedOnPod(f)
	case f.node != nil:
		t.rejectedOnNode(f)
	case f.object != nil && f.object.flight == f:
		f.object.flight = nil
		// State takes it back only if it still has what was decided.
		if from := f.d.Detail.(cluster.Stored); f.object.spec == from.To && from.From != nil {
			f.object.spec = from.From
		}
	}
}

// rejectedOnPod brings what is known of a pod up to date with what State makes of a rejection.
func (t *translator) rejectedOnPod(f *flight) {
	p := f.pod
	p.drop(f)
	switch f.d.Kind {
	case cluster.Bind:
		p.bind = nil
	case cluster.MarkUnready:
		p.spec = withChange(p.spec, func(spec *cluster.PodSpec) { spec.Unready = false })
	case cluster.Evict, cluster.Preempt, cluster.RequestEviction, cluster.Finalise:
		p.spec = withChange(p.spec, func(spec *cluster.PodSpec) { spec.Terminating, spec.Preempted = false, false })
	}
	t.restate(p)
}

// rejectedOnNode is the same for a node.
func (t *translator) rejectedOnNode(f *flight) {
	n := f.node
	n.flights = slices.DeleteFunc(n.flights, func(o *flight) bool { return o == f })
	if c, ok := f.d.Detail.(cluster.StatusChange); ok {
		if n.conditions == c.To {
			n.conditions = c.From
		}
		t.repost(n, false)
		return
	}
	t.redescribe(n, true) // State doesn't know which taint an added one took the place of
}
