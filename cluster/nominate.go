package cluster

import "slices"

// A nomination is a node kept for a pod, and its place in the order of
// nominations.
type nomination struct {
	node  NodeID // None if none is kept
	place int
}

// nominate keeps n for p, None to keep nothing, and returns what it was before.
func (s *State) nominate(p PodID, n NodeID) nomination {
	was := nomination{node: s.Pods.Nominated[p]}
	if was.node != None {
		was.place = slices.Index(s.nominees, p)
	}
	if was.node != n {
		s.renominate(p, nomination{n, len(s.nominees)})
	}
	return was
}

// renominate makes the node kept for p, and its place in the order, what they
// are in to. If a node is kept already, the place counts without it.
func (s *State) renominate(p PodID, to nomination) {
	if s.Pods.Nominated[p] != None {
		s.nominees = slices.DeleteFunc(s.nominees, func(q PodID) bool { return q == p })
	}
	s.Pods.Nominated[p] = to.node
	if to.node != None {
		s.nominees = slices.Insert(s.nominees, min(to.place, len(s.nominees)), p)
	}
	s.version++
}

// Nominees calls yield for each pod for which n is kept, in the order in which
// they were nominated.
func (s *State) Nominees(n NodeID) func(yield func(PodID) bool) {
	return func(yield func(PodID) bool) {
		for _, p := range s.nominees {
			if s.Pods.Nominated[p] == n && !yield(p) {
				return
			}
		}
	}
}

// NominatedNodes calls yield for each node that is kept for a pod, once.
func (s *State) NominatedNodes() func(yield func(NodeID) bool) {
	return func(yield func(NodeID) bool) {
		for i, p := range s.nominees {
			n := s.Pods.Nominated[p]
			before := slices.ContainsFunc(s.nominees[:i], func(q PodID) bool { return s.Pods.Nominated[q] == n })
			if !before && !yield(n) {
				return
			}
		}
	}
}

// AnyNominee reports whether any node is kept for any pod.
func (s *State) AnyNominee() bool { return len(s.nominees) > 0 }

// A hope is a pod's for a node that is not known, by its name.
type hope struct {
	pod  PodID
	node string
}

// Hope returns the name of the node that is to be kept for p once there is one; ""
// if p hopes for none.
func (s *State) Hope(p PodID) string {
	if i := s.hopeOf(p); i >= 0 {
		return s.hopes[i].node
	}
	return ""
}

// hopeOf returns the place of p's hope among hopes, -1 if it has none.
func (s *State) hopeOf(p PodID) int {
	return slices.IndexFunc(s.hopes, func(h hope) bool { return h.pod == p })
}

// Unknown stands for a node that is not known, as PodState.Nominated.
const Unknown = -2

// PodState returns what is known of p now.
func (s *State) PodState(p PodID) PodState {
	ps := &s.Pods
	is := PodState{Class: ps.Class[p], Account: ps.Account[p], Labels: ps.Labels[p], Node: ps.Node[p], Nominated: ps.Nominated[p]}
	if is.Nominated == None && s.Hope(p) != "" {
		is.Nominated = Unknown
	}
	return is
}

// hope notes that the node called name is to be kept for p once there is one; ""
// for none.
func (s *State) hope(p PodID, name string) {
	s.hopes = slices.DeleteFunc(s.hopes, func(h hope) bool { return h.pod == p })
	if name != "" {
		s.hopes = append(s.hopes, hope{p, name})
	}
}

// grant keeps n for the pods that hope for it.
func (s *State) grant(n NodeID) {
	for _, h := range slices.Clone(s.hopes) {
		if h.node == s.Nodes.Name[n] && s.Pods.Phase[h.pod] == Pending {
			s.hope(h.pod, "")
			s.nominate(h.pod, n)
		}
	}
}

// bereave has the pods for which n was kept hope for another node of its name: n
// is gone.
func (s *State) bereave(n NodeID) {
	for _, p := range slices.Collect(s.Nominees(n)) {
		s.nominate(p, None)
		s.hope(p, s.Nodes.Name[n])
	}
}
