package traces

import (
	"errors"
	"io"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A MergeInput is a workload that others are merged with.
type MergeInput struct {
	Open func() Stream
	At   cluster.Time // when its time 0 is, not before 0

	// WithoutNodes leaves its nodes out, so that its pods come to the others'.
	WithoutNodes bool
}

// Merge returns several workloads as one, in order of time. Each is read once before,
// for the names of its nodes and namespaces. Where an earlier one has a node or
// namespace of the same name, that of the i-th gets "ti-" in front; what else there is
// has its name within a namespace. Notes come with their workload, but for what befell
// nodes that are left out.
func Merge(inputs ...MergeInput) (Stream, error) {
	m := &merging{}
	nodes, namespaces := map[string]bool{}, map[string]bool{}
	for i, in := range inputs {
		names, err := namesIn(in)
		if err != nil {
			return nil, err
		}
		prefix := "t" + strconv.Itoa(i+1) + "-"
		node, namespace := apart(names.nodes, nodes, prefix), apart(names.namespaces, namespaces, prefix)
		m.sides = append(m.sides, &side{from: in.Open(), in: in, r: prefixing(node, namespace)})
	}
	return &itemStream{next: m.next}, nil
}

// A nameList has the names of nodes and namespaces in a workload, in order of appearance.
type nameList struct {
	nodes, namespaces []string
	seen              map[string]bool // with N or S in front
	classes           map[*cluster.Class]bool
}

func namesIn(in MergeInput) (*nameList, error) {
	ns := &nameList{seen: map[string]bool{}, classes: map[*cluster.Class]bool{}}
	for s := in.Open(); ; {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return ns, nil
		}
		if err != nil {
			return nil, err
		}
		if e.NodeSpec != nil && !in.WithoutNodes {
			ns.add("N", e.NodeSpec.Name, &ns.nodes)
		}
		if e.PodSpec != nil && !ns.classes[e.PodSpec.Class] {
			ns.classes[e.PodSpec.Class] = true
			ns.add("S", e.PodSpec.Class.Namespace, &ns.namespaces)
		}
		if g, ok := objectGroup(e.Object, "namespace"); ok {
			ns.add("S", g.namespace, &ns.namespaces)
		}
	}
}

func (ns *nameList) add(kind, name string, to *[]string) {
	if !ns.seen[kind+name] {
		ns.seen[kind+name] = true
		*to = append(*to, name)
	}
}

// apart returns other names for those that are taken, with a prefix, once or more often,
// and notes all as taken.
func apart(names []string, taken map[string]bool, prefix string) map[string]string {
	others, own := map[string]string{}, map[string]bool{}
	for _, name := range names {
		own[name] = true
	}
	for _, name := range names {
		other := name
		for taken[other] || other != name && own[other] {
			other = prefix + other
		}
		if other != name {
			others[name] = other
		}
	}
	for _, name := range names {
		if other, ok := others[name]; ok {
			name = other
		}
		taken[name] = true
	}
	return others
}

// prefixing is the renaming of nodes and namespaces; nil if there is none.
func prefixing(nodes, namespaces map[string]string) *renaming {
	if len(nodes)+len(namespaces) == 0 {
		return nil
	}
	in := func(others map[string]string) func(string) string {
		return func(name string) string {
			if other, ok := others[name]; ok {
				return other
			}
			return name
		}
	}
	node, namespace := in(nodes), in(namespaces)
	return &renaming{node: node, namespace: namespace, value: func(key, value string) string {
		switch key {
		case hostnameLabel:
			return node(value)
		case namespaceLabel:
			return namespace(value)
		}
		return value
	}}
}

// A side is one of the workloads that are merged.
type side struct {
	from  Stream
	in    MergeInput
	r     *renaming
	pods  []int32 // of the k-th that came, the number now
	nodes []int32
	ahead item
	has   bool // whether ahead is what it has next
	done  bool
}

// A merging yields what Merge makes of workloads.
type merging struct {
	sides    []*side
	podsOut  int32
	nodesOut int32
}

// next returns what comes next.
func (m *merging) next() (item, error) {
	for {
		var first *side
		for _, s := range m.sides {
			if err := s.look(); err != nil {
				return item{}, err
			}
			if s.has && (first == nil || earlier(&s.ahead, &first.ahead)) {
				first = s
			}
		}
		if first == nil {
			return item{}, io.EOF
		}
		i := first.ahead
		first.has = false
		if i.note != nil && first.number(i.note) || i.note == nil && m.number(first, &i.event) {
			return i, nil
		}
	}
}

// earlier reports whether a comes before b: at one time, nodes before pods, and notes
// after events.
func earlier(a, b *item) bool {
	if a.time() != b.time() {
		return a.time() < b.time()
	}
	if a.note != nil || b.note != nil {
		return a.note == nil
	}
	return a.event.Kind < b.event.Kind
}

// look reads what the side has next.
func (s *side) look() error {
	if s.has || s.done {
		return nil
	}
	i, err := nextItem(s.from)
	if errors.Is(err, io.EOF) {
		s.done = true
		return nil
	}
	if err != nil {
		return err
	}
	if i.note != nil {
		i.note.shift(s.in.At)
		if s.r != nil {
			s.r.note(i.note)
		}
	} else {
		shift(&i.event, s.in.At)
		if s.r != nil {
			s.r.event(&i.event)
		}
	}
	s.ahead, s.has = i, true
	return nil
}

// number gives a note of the side its numbers among all. It returns false if it is about
// what was left out.
func (s *side) number(n *Note) bool {
	if n.What == wire.Struck && s.in.WithoutNodes {
		return false
	}
	own := numbering{pods: s.pods, nodes: s.nodes}
	return own.note(n)
}

// number gives an event of a side its numbers among all. It returns false if it is
// about a node that was left out.
func (m *merging) number(s *side, e *cluster.Event) bool {
	switch {
	case e.Kind == cluster.PodAdded:
		number := 2 * m.podsOut
		m.podsOut++
		if e.Pod != cluster.None {
			s.pods = append(s.pods, number)
		}
		e.Pod = cluster.PodID(number)
		return true
	case e.Kind == cluster.NodeAdded && s.in.WithoutNodes:
		if e.Node != cluster.None {
			s.nodes = append(s.nodes, int32(left))
		}
		return false
	case e.Kind == cluster.NodeAdded:
		if e.Node != cluster.None {
			s.nodes = append(s.nodes, m.nodesOut)
		}
		e.Node = cluster.NodeID(m.nodesOut)
		m.nodesOut++
		return true
	}
	own := numbering{pods: s.pods, nodes: s.nodes}
	return own.refer(e)
}
