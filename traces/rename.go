package traces

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A renaming gives what a workload speaks of other names, the same wherever it speaks
// of it. A function that is nil leaves names as they are; none is asked about "".
type renaming struct {
	node, namespace, pod func(name string) string
	owner                func(name string) string          // of workloads
	other                func(name string) string          // of objects, containers, images, gates and priority classes
	value                func(key, value string) string    // of a label
	bound                func(key, value string) string    // that a label's value is compared with as a number
	classes              map[*cluster.Class]*cluster.Class // what was made of them
	accounts             map[*cluster.Account]*cluster.Account
}

// Labels whose values are names of nodes and namespaces.
const (
	hostnameLabel  = "kubernetes.io/hostname"
	namespaceLabel = "kubernetes.io/metadata.name"
)

func renamed(name string, rename func(string) string) string {
	if rename == nil || name == "" {
		return name
	}
	return rename(name)
}

func renamedAll(names []string, rename func(string) string) []string {
	if rename == nil || len(names) == 0 {
		return names
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = renamed(name, rename)
	}
	return out
}

// event gives all that an event speaks of its names. What it points to is shared, so
// that what changes is a copy.
func (r *renaming) event(e *cluster.Event) {
	if e.NodeSpec != nil {
		e.NodeSpec = r.nodeSpec(e.NodeSpec)
	}
	if e.PodSpec != nil {
		p := *e.PodSpec
		p.Name, p.Continues = renamed(p.Name, r.pod), renamed(p.Continues, r.pod)
		p.On, p.Nominated = renamed(p.On, r.node), renamed(p.Nominated, r.node)
		p.Class, p.Account, p.Labels = r.class(p.Class), r.account(p.Account), r.labels(p.Labels)
		e.PodSpec = &p
	}
	if e.Object != nil {
		e.Object = r.object(e.Object)
	}
}

// note gives the nodes that a note speaks of their names.
func (r *renaming) note(n *Note) {
	if n.Fault == nil || r.node == nil {
		return
	}
	fault := *n.Fault
	fault.Nodes = renamedAll(fault.Nodes, r.node)
	n.Fault = &fault
}

func (r *renaming) nodeSpec(from *cluster.NodeSpec) *cluster.NodeSpec {
	n := *from
	n.Name, n.Labels = renamed(n.Name, r.node), r.labels(n.Labels)
	if len(n.Taints) > 0 && r.value != nil {
		n.Taints = slices.Clone(n.Taints)
		for i := range n.Taints {
			n.Taints[i].Value = r.valueOf(n.Taints[i].Key, n.Taints[i].Value)
		}
	}
	if len(n.Images) > 0 && r.other != nil {
		n.Images = slices.Clone(n.Images)
		for i := range n.Images {
			n.Images[i].Names = renamedAll(n.Images[i].Names, r.other)
		}
	}
	return &n
}

func (r *renaming) valueOf(key, value string) string {
	if r.value == nil || value == "" {
		return value
	}
	return r.value(key, value)
}

func (r *renaming) labels(ls cluster.Labels) cluster.Labels {
	if r.value == nil || len(ls) == 0 {
		return ls
	}
	out := make(cluster.Labels, len(ls))
	for i, l := range ls {
		out[i] = cluster.Label{Key: l.Key, Value: r.valueOf(l.Key, l.Value)}
	}
	return out
}

// class returns what becomes of a class: one for each, as pods share them.
func (r *renaming) class(from *cluster.Class) *cluster.Class {
	if from == nil {
		return nil
	}
	if made, ok := r.classes[from]; ok {
		return made
	}
	c := *from
	c.Namespace, c.NodeName = renamed(c.Namespace, r.namespace), renamed(c.NodeName, r.node)
	c.Owner.Name = renamed(c.Owner.Name, r.owner)
	c.Labels, c.NodeLabels = r.labels(c.Labels), r.labels(c.NodeLabels)
	c.Gates = renamedAll(c.Gates, r.other)
	c.Images, c.ImageVolumes = renamedAll(c.Images, r.other), renamedAll(c.ImageVolumes, r.other)
	c.Tolerations = slices.Clone(c.Tolerations)
	for i := range c.Tolerations {
		c.Tolerations[i].Value = r.valueOf(c.Tolerations[i].Key, c.Tolerations[i].Value)
	}
	c.Ports = slices.Clone(c.Ports)
	for i := range c.Ports {
		if c.Ports[i].IP != "0.0.0.0" {
			c.Ports[i].IP = renamed(c.Ports[i].IP, r.other)
		}
	}
	if c.RequiredNode != nil {
		required := cluster.NodeSelector{Terms: slices.Clone(c.RequiredNode.Terms)}
		for i := range required.Terms {
			required.Terms[i] = r.nodeTerm(required.Terms[i])
		}
		c.RequiredNode = &required
	}
	c.Preferred = slices.Clone(c.Preferred)
	for i := range c.Preferred {
		c.Preferred[i].NodeSelectorTerm = r.nodeTerm(c.Preferred[i].NodeSelectorTerm)
	}
	c.Affinity, c.AntiAffinity = r.affinity(c.Affinity), r.affinity(c.AntiAffinity)
	c.Spread = slices.Clone(c.Spread)
	for i := range c.Spread {
		c.Spread[i].Selector = r.selector(c.Spread[i].Selector)
	}
	if r.classes == nil {
		r.classes = map[*cluster.Class]*cluster.Class{}
	}
	r.classes[from] = &c
	return &c
}

func (r *renaming) nodeTerm(t cluster.NodeSelectorTerm) cluster.NodeSelectorTerm {
	t.Labels = r.requirements(t.Labels)
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		t.Fields[i].Values = renamedAll(t.Fields[i].Values, r.node)
	}
	return t
}

func (r *renaming) affinity(a cluster.PodAffinity) cluster.PodAffinity {
	a.Required, a.Preferred = slices.Clone(a.Required), slices.Clone(a.Preferred)
	for i := range a.Required {
		a.Required[i] = r.podTerm(a.Required[i])
	}
	for i := range a.Preferred {
		a.Preferred[i].PodTerm = r.podTerm(a.Preferred[i].PodTerm)
	}
	return a
}

func (r *renaming) podTerm(t cluster.PodTerm) cluster.PodTerm {
	t.Selector, t.NamespaceSelector = r.selector(t.Selector), r.selector(t.NamespaceSelector)
	if r.namespace != nil && len(t.Namespaces) > 0 {
		t.Namespaces = renamedAll(t.Namespaces, r.namespace)
		slices.Sort(t.Namespaces)
	}
	return t
}

func (r *renaming) selector(sel *cluster.Selector) *cluster.Selector {
	if sel == nil {
		return nil
	}
	return &cluster.Selector{Requirements: r.requirements(sel.Requirements)}
}

func (r *renaming) requirements(list []cluster.Requirement) []cluster.Requirement {
	list = slices.Clone(list)
	for i := range list {
		q := &list[i]
		rename := r.valueOf
		if q.Op == cluster.Gt || q.Op == cluster.Lt {
			if rename = r.bound; rename == nil {
				continue
			}
		}
		q.Values = renamedAll(q.Values, func(value string) string { return rename(q.Key, value) })
	}
	return list
}

func (r *renaming) account(from *cluster.Account) *cluster.Account {
	if from == nil || r.other == nil {
		return from
	}
	if made, ok := r.accounts[from]; ok {
		return made
	}
	a := *from
	a.PriorityClass = renamed(a.PriorityClass, r.other)
	a.Containers, a.InitContainers = slices.Clone(a.Containers), slices.Clone(a.InitContainers)
	for _, list := range [][]cluster.Container{a.Containers, a.InitContainers} {
		for i := range list {
			list[i].Name = renamed(list[i].Name, r.other)
		}
	}
	if a.Whole != nil {
		whole := *a.Whole
		whole.Name = renamed(whole.Name, r.other)
		a.Whole = &whole
	}
	if r.accounts == nil {
		r.accounts = map[*cluster.Account]*cluster.Account{}
	}
	r.accounts[from] = &a
	return &a
}

func (r *renaming) object(from cluster.Object) cluster.Object {
	switch from := from.(type) {
	case *cluster.Namespace:
		return &cluster.Namespace{Name: renamed(from.Name, r.namespace), Labels: r.labels(from.Labels)}
	case *cluster.Service:
		o := *from
		o.Namespace, o.Name, o.Selector = renamed(o.Namespace, r.namespace), renamed(o.Name, r.other), r.labels(o.Selector)
		return &o
	case *cluster.Workload:
		o := *from
		o.Namespace, o.Name, o.Selector = renamed(o.Namespace, r.namespace), renamed(o.Name, r.owner), r.selector(o.Selector)
		o.Owner.Name = renamed(o.Owner.Name, r.owner)
		return &o
	case *cluster.DisruptionBudget:
		return r.budget(from)
	case *cluster.ResourceQuota:
		o := *from
		o.Namespace, o.Name = renamed(o.Namespace, r.namespace), renamed(o.Name, r.other)
		o.Scopes = slices.Clone(o.Scopes)
		for i := range o.Scopes {
			o.Scopes[i].Values = renamedAll(o.Scopes[i].Values, r.other)
		}
		return &o
	}
	return from
}

// budget keeps the names of disrupted pods sorted, each with its time.
func (r *renaming) budget(from *cluster.DisruptionBudget) *cluster.DisruptionBudget {
	o := *from
	o.Namespace, o.Name, o.Selector = renamed(o.Namespace, r.namespace), renamed(o.Name, r.other), r.selector(o.Selector)
	if r.pod == nil || len(o.Disrupted) == 0 {
		return &o
	}
	type disrupted struct {
		name string
		at   cluster.Time
	}
	list := make([]disrupted, len(o.Disrupted))
	for i, name := range o.Disrupted {
		list[i].name = renamed(name, r.pod)
		if i < len(o.DisruptedAt) {
			list[i].at = o.DisruptedAt[i]
		}
	}
	slices.SortFunc(list, func(a, b disrupted) int { return cmp.Compare(a.name, b.name) })
	o.Disrupted, o.DisruptedAt = make([]string, len(list)), slices.Clone(o.DisruptedAt)
	for i := range list {
		o.Disrupted[i] = list[i].name
		if i < len(o.DisruptedAt) {
			o.DisruptedAt[i] = list[i].at
		}
	}
	return &o
}
