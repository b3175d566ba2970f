package kube

import (
	"reflect"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A node is what is known of one that is there.
type node struct {
	name  string
	uid   types.UID
	row   cluster.NodeID
	fresh bool // the row isn't known yet

	seen *cluster.NodeSpec // as the server describes it
	spec *cluster.NodeSpec // as State was told, with our decisions over it

	said       cluster.Conditions // by the server
	conditions cluster.Conditions // as State knows them
	posted     time.Time          // when its kubelet last posted whether it is ready, by its own clock
	posts      cluster.Beats      // the same, when we saw it
	flights    []*flight
}

// A lease is what is known of one, be its node known or not.
type lease struct {
	renewed time.Time // by the kubelet's clock
	beat    cluster.Beats
}

// nodeSeen translates an observation of a node, which came at a time.
func (t *translator) nodeSeen(o *v1.Node, at cluster.Time) {
	spec, err := manifest.Node(o)
	if err != nil {
		t.misread("Node", o.Name, err)
		return
	}
	spec.Created = cluster.Time(o.CreationTimestamp.Sub(t.epoch))
	n := t.nodes[o.Name]
	if n != nil && n.uid != o.UID {
		t.nodeGone(o.Name)
		n = nil
	}
	if n == nil {
		t.nodeAdded(o, spec, at)
		return
	}
	n.flights = slices.DeleteFunc(n.flights, func(f *flight) bool { return f.shownBy(o.ResourceVersion) })
	n.seen = spec
	said, posted := manifest.Conditions(o)
	// Conditions of a node that never posted any are as old as itself, whoever has added them.
	heard := !posted.Equal(n.posted) && !posted.Equal(o.CreationTimestamp.Time)
	n.said, n.posted = said, posted
	if heard {
		// It is news from the node: what was decided about its conditions is of before.
		n.posts = cluster.Beat(at)
		for _, f := range n.flights {
			f.outdated = f.outdated || f.d.Kind == cluster.SetConditions
		}
	}
	if t.dry {
		t.doneByOthers(n)
	}
	t.redescribe(n, false)
	t.repost(n, heard)
}

// nodeAdded takes in a node that wasn't known.
func (t *translator) nodeAdded(o *v1.Node, spec *cluster.NodeSpec, at cluster.Time) {
	n := &node{name: o.Name, uid: o.UID, row: cluster.None, fresh: true, seen: spec}
	n.said, n.posted = manifest.Conditions(o)
	n.conditions = n.said
	if !n.posted.IsZero() {
		n.posts = cluster.Beat(at)
	}
	spec.Health = t.health(n)
	n.spec = spec
	t.nodes[n.name] = n
	t.fresh++
	t.emit(cluster.Event{Kind: cluster.NodeAdded, Pod: cluster.None, Node: cluster.None, NodeSpec: spec})
}

// nodeGone takes in that a node was deleted. Decisions about it have no object any more.
func (t *translator) nodeGone(name string) {
	n := t.nodes[name]
	if n == nil {
		return
	}
	for _, f := range n.flights {
		delete(t.flights, f.seq)
	}
	delete(t.nodes, name)
	t.nodeRow[n.row] = nil
	t.emit(cluster.Event{Kind: cluster.NodeRemoved, Pod: cluster.None, Node: n.row})
}

// redescribe tells State of a node what it doesn't know: what was seen, with the taints that
// were decided since; all of it anew if that is asked for.
func (t *translator) redescribe(n *node, anew bool) {
	spec := *n.seen
	spec.Health = n.spec.Health // of when it joined; since then, NodeHeard tells
	for _, f := range n.flights {
		if taint, ok := f.d.Detail.(cluster.Taint); ok {
			spec.Taints = retainted(spec.Taints, taint, f.d.Kind == cluster.AddTaint)
		}
	}
	if anew || !reflect.DeepEqual(&spec, n.spec) {
		n.spec = &spec
		t.emit(cluster.Event{Kind: cluster.NodeChanged, Pod: cluster.None, Node: n.row, NodeSpec: &spec})
	}
}

// retainted returns taints with one added, in place of any of its key and effect, or without
// it. If it is there already, they stay as they are.
func retainted(taints []cluster.Taint, taint cluster.Taint, add bool) []cluster.Taint {
	if add && slices.Contains(taints, taint) {
		return taints
	}
	same := func(o cluster.Taint) bool { return o.Key == taint.Key && o.Effect == taint.Effect }
	taints = slices.DeleteFunc(slices.Clone(taints), same)
	if add {
		return append(taints, taint)
	}
	if len(taints) == 0 {
		return nil
	}
	return taints
}

// repost tells State of a node's health what it doesn't know.
func (t *translator) repost(n *node, heard bool) {
	conditions := n.said
	for _, f := range n.flights {
		if c, ok := f.d.Detail.(cluster.StatusChange); ok && !f.outdated {
			conditions = c.To
		}
	}
	if !heard && conditions == n.conditions {
		return
	}
	n.conditions = conditions
	t.sayHeard(n)
}

func (t *translator) sayHeard(n *node) {
	health := t.health(n)
	t.emit(cluster.Event{Kind: cluster.NodeHeard, Pod: cluster.None, Node: n.row, Health: &health})
}

// health is what is heard of a node.
func (t *translator) health(n *node) cluster.NodeHealth {
	h := cluster.NodeHealth{Conditions: n.conditions, Posts: n.posts}
	if l := t.leases[n.name]; l != nil {
		h.Lease = l.beat
	}
	return h
}

// leaseSeen translates an observation of a node's lease, which came at a time.
func (t *translator) leaseSeen(o *coordinationv1.Lease, at cluster.Time) {
	l := t.leases[o.Name]
	if l == nil {
		l = &lease{}
		t.leases[o.Name] = l
	}
	if o.Spec.RenewTime == nil || o.Spec.RenewTime.Time.Equal(l.renewed) {
		return
	}
	l.renewed, l.beat = o.Spec.RenewTime.Time, cluster.Beat(at)
	if n := t.nodes[o.Name]; n != nil {
		t.sayHeard(n)
	}
}
