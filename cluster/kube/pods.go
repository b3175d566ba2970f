package kube

import (
	"net/http"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A pod is what is known of one that has not ended.
type pod struct {
	uid             types.UID
	namespace, name string
	row             cluster.PodID
	fresh           bool   // the row isn't known yet
	over            bool   // it has ended, and nothing else is in its row yet
	node            string // that the server has put it on; "" for none

	seen *cluster.PodSpec // as the server describes it
	spec *cluster.PodSpec // as State knows it: what it was told, and what was decided

	bind    *flight   // a Bind that is under way
	flights []*flight // all others that may not show in seen yet
	ending  bool      // a decision to end it was taken by the server
	preempt bool      // and it was a Preempt
}

// podSeen translates an observation of a pod.
func (t *translator) podSeen(o *v1.Pod) {
	p := t.pods[o.UID]
	if manifest.Ended(o) {
		if p != nil {
			t.end(p, o)
		}
		return
	}
	spec, err := t.conv.Pod(o)
	if err != nil {
		t.misread("Pod", cluster.Key(o.Namespace, o.Name), err)
		return
	}
	if p == nil {
		t.podAdded(o, spec)
		return
	}
	if o.Spec.NodeName == "" && p.node != "" {
		return // it is from before it was bound
	}
	p.flights = slices.DeleteFunc(p.flights, func(f *flight) bool { return f.shownBy(o.ResourceVersion) })
	told := spec.Terminating && !p.seen.Terminating
	p.seen = spec
	if t.dry {
		t.saidByOthers(p)
	}
	t.whereabouts(p, o)
	t.restate(p)
	if told && p.node != "" {
		t.emit(cluster.Event{Kind: cluster.PodTold, Pod: p.row, Node: t.rowOf(p.node)})
	}
}

// podAdded takes in a pod that wasn't known.
func (t *translator) podAdded(o *v1.Pod, spec *cluster.PodSpec) {
	name := cluster.Key(o.Namespace, o.Name)
	if old := t.named[name]; old != nil {
		t.end(old, nil)
	}
	p := &pod{uid: o.UID, namespace: o.Namespace, name: o.Name, row: cluster.None, fresh: true, node: o.Spec.NodeName, seen: spec, spec: spec}
	t.pods[p.uid], t.named[name] = p, p
	t.fresh++
	t.emit(cluster.Event{Kind: cluster.PodAdded, Pod: cluster.None, Node: cluster.None, PodSpec: spec})
}

// podGone translates that a pod was deleted; o is the last that was seen of it.
func (t *translator) podGone(o *v1.Pod) {
	if p := t.pods[o.UID]; p != nil {
		t.end(p, o)
	}
}

// whereabouts answers a Bind that is under way by where a pod is now.
func (t *translator) whereabouts(p *pod, o *v1.Pod) {
	p.node = o.Spec.NodeName
	if p.bind == nil {
		return
	}
	switch {
	case p.node == p.bind.target:
		t.bound(p)
	case p.node != "":
		t.reject(p.bind, http.StatusConflict, "the pod is on "+p.node+" already: somebody else has bound it")
	case o.DeletionTimestamp != nil:
		t.reject(p.bind, http.StatusConflict, "the pod has been told to end")
	}
}

// bound answers the Bind under way: the pod is where it was to be. If that node went and came
// back meanwhile, State has the pod on the row of the one that went; then the decision comes
// back, and the pod is on the node as if by somebody else.
func (t *translator) bound(p *pod) {
	f := p.bind
	p.node = f.target
	if p.seen.On == "" {
		// The server's answer came before the watch: until that has caught up, what else it says
		// of the pod is old, and none of its containers has been started.
		p.seen = withChange(p.seen, func(spec *cluster.PodSpec) {
			spec.On, spec.Allocation, spec.Nominated, spec.Unready, spec.Starting = p.node, f.d.Allocation, "", true, true
		})
	}
	if n := t.nodes[p.node]; n != nil && n.row != f.d.Node {
		t.reject(f, http.StatusConflict, "the node has been removed and added again meanwhile")
		return
	}
	p.bind = nil
	delete(t.flights, f.seq)
	p.spec = withChange(p.spec, func(spec *cluster.PodSpec) { spec.On, spec.Allocation = p.node, f.d.Allocation })
	t.emit(cluster.Event{Kind: cluster.PodBound, Pod: p.row, Node: f.d.Node})
}

// withChange returns a copy of a description with something changed.
func withChange(spec *cluster.PodSpec, change func(*cluster.PodSpec)) *cluster.PodSpec {
	to := *spec
	change(&to)
	return &to
}

// end says that a pod is gone, once its Bind has been answered; o is the last that was seen of
// it, if anything was. Whoever wanted it to end has what they wanted, and other decisions about
// it have no object.
func (t *translator) end(p *pod, o *v1.Pod) {
	if p.bind != nil {
		if o != nil && o.Spec.NodeName == p.bind.target {
			t.bound(p)
		}
		if p.bind != nil {
			t.reject(p.bind, http.StatusNotFound, "the pod is gone")
		}
	}
	for _, f := range p.flights {
		delete(t.flights, f.seq)
	}
	p.flights = nil
	delete(t.pods, p.uid)
	delete(t.named, cluster.Key(p.namespace, p.name))
	p.over = true
	t.emit(cluster.Event{Kind: cluster.PodEnded, Pod: p.row, Node: t.rowOf(p.node)})
}

// rowOf returns the row of a node that is there, None if there is none.
func (t *translator) rowOf(name string) cluster.NodeID {
	if n := t.nodes[name]; n != nil && !n.fresh {
		return n.row
	}
	return cluster.None
}

// restate tells State of a pod what it doesn't know: what was seen, with what was decided since.
func (t *translator) restate(p *pod) {
	spec := p.wanted()
	was := p.spec
	p.spec = spec
	if podDiffers(was, spec) {
		t.emit(cluster.Event{Kind: cluster.PodChanged, Pod: p.row, Node: cluster.None, PodSpec: spec})
	}
	if was.Unready != spec.Unready && spec.On != "" {
		t.emit(cluster.Event{Kind: cluster.PodReady, Pod: p.row, Node: t.rowOf(p.node), Ready: !spec.Unready})
	}
}

// wanted returns what the server says of a pod with our decisions over it.
func (p *pod) wanted() *cluster.PodSpec {
	if p.bind == nil && len(p.flights) == 0 && !p.ending {
		return p.seen
	}
	spec := *p.seen
	if p.bind != nil {
		spec.Nominated = ""
	}
	if p.ending {
		spec.Terminating, spec.Preempted = true, spec.Preempted || p.preempt
	}
	for _, f := range p.flights {
		switch f.d.Kind {
		case cluster.Evict, cluster.RequestEviction, cluster.Finalise:
			spec.Terminating = true
		case cluster.Preempt:
			spec.Terminating, spec.Preempted = true, true
		case cluster.MarkUnready:
			spec.Unready = true
		case cluster.Nominate:
			if spec.On == "" {
				spec.Nominated = f.target
			}
		}
	}
	return &spec
}

// podDiffers reports whether two descriptions of a pod differ in anything but whether it is
// ready.
func podDiffers(a, b *cluster.PodSpec) bool {
	if a == b {
		return false
	}
	started := (a.Started == nil) == (b.Started == nil) && (a.Started == nil || *a.Started == *b.Started)
	return !started || a.Class != b.Class || a.Account != b.Account || a.On != b.On || a.Allocation != b.Allocation || a.Nominated != b.Nominated ||
		a.Terminating != b.Terminating || a.Preempted != b.Preempted || a.Starting != b.Starting || !slices.Equal(a.Labels, b.Labels)
}
