package cluster

// A PodSpec describes a pod that comes to a cluster: an identity and a class.
type PodSpec struct {
	Name   string // unique within Class.Namespace while the pod lives
	Class  *Class
	Labels Labels // all of them

	// Account is what quotas look at, nil if nothing is known beside the Class.
	Account *Account

	// On names the node that the pod is on already; "" if it wants one.
	On string
	// Allocation are the devices that the pod has there, as far as they are known.
	Allocation Allocation
	// Nominated names the node that is kept for a pending pod; "" for none.
	Nominated string
	// Terminating says that the pod has been told to end.
	Terminating bool
	// Preempted says that it was told so to make room for another.
	Preempted bool
	// Unready says that the pod runs, and its containers don't say that they are ready.
	Unready bool
	// Starting says that the pod is on a node, and its containers have not all been started
	// yet: its phase is Pending.
	Starting bool
	// Started is when the pod began to run, nil if it did not.
	Started *Time

	// Run is how long the pod runs once it is bound, Never if it does not end
	// by itself. A simulator obeys it; State doesn't hold it, so that no
	// decision can depend on it.
	Run Time
	// Continues names a pod of the same namespace whose work this one goes on with. A
	// simulator obeys it.
	Continues string
	// Stop is how long the pod takes to end once it is told to; Grace is how long it is
	// given. A simulator obeys them.
	Stop, Grace Time
}

// A Phase says where in its life a pod is.
type Phase uint8

// The phases of a pod.
const (
	Pending     Phase = iota // wants a node
	Assumed                  // bound by a decision that is not confirmed yet
	Bound                    // bound, and the cluster has said so
	Terminating              // on its node still, but told to end
	Ended                    // gone; the row is reused after this Step
)

var phaseNames = [...]string{"Pending", "Assumed", "Bound", "Terminating", "Ended"}

// String returns the constant's name.
func (ph Phase) String() string { return phaseNames[ph] }

// Pods has one row for each pod, in each of its columns. Everything outside this
// package only reads them.
type Pods struct {
	Name       []string
	Class      []ClassID
	Account    []*Account // nil where none was given
	Phase      []Phase
	Node       []NodeID // None if it is on no node
	Allocation []Allocation
	Arrived    []Time
	Order      []uint64 // order of arrival; never reused
	Labels     []Labels // all of them; Class has those that matter
	Nominated  []NodeID // the node kept for it while it is pending, or None
	Started    []Time   // when it began to run, Never if it did not
	Preempted  []bool   // whether it is Terminating to make room for another
	Unready    []bool   // whether its containers don't say that they are ready
	Starting   []bool   // whether they have yet to be started, though it is on a node

	next, prev []PodID // neighbours in the node's list
	spare      []PodID
	ended      []PodID // to become spare at the next Observe
}

// Rows returns the number of rows, those of no present pod included.
func (ps *Pods) Rows() int { return len(ps.Name) }

// PodName returns p's namespace and name, "namespace/name".
func (s *State) PodName(p PodID) string {
	return s.Class(p).Namespace + "/" + s.Pods.Name[p]
}

func (s *State) addPod(spec *PodSpec, at Time) PodID {
	ps := &s.Pods
	p := ps.row()
	ps.Name[p] = spec.Name
	ps.Labels[p] = spec.Labels
	ps.Account[p] = spec.Account
	ps.Class[p] = s.Intern(spec.Class, spec.Labels)
	ps.Phase[p] = Pending
	ps.Arrived[p] = at
	s.arrivals++
	ps.Order[p] = s.arrivals
	ps.Nominated[p] = None
	s.pending++
	s.describePod(p, spec)
	if spec.On != "" {
		s.settle(p, spec.On, spec.Allocation)
	}
	return p
}

// describePod writes what of spec may change while p lives.
func (s *State) describePod(p PodID, spec *PodSpec) {
	ps := &s.Pods
	ps.Started[p], ps.Preempted[p], ps.Unready[p], ps.Starting[p] = Never, spec.Preempted, spec.Unready, spec.Starting
	if spec.Started != nil {
		ps.Started[p] = *spec.Started
	}
	nominated, unknown := NodeID(None), spec.Nominated
	if unknown != "" {
		if n, ok := s.Nodes.Named(unknown); ok {
			nominated, unknown = n, ""
		}
	}
	if ps.Phase[p] != Pending {
		nominated, unknown = None, ""
	}
	s.nominate(p, nominated)
	s.hope(p, unknown)
	if !spec.Terminating || ps.Phase[p] == Terminating {
		return
	}
	if ps.Phase[p] == Pending {
		s.pending--
	}
	ps.Phase[p] = Terminating
	if n := ps.Node[p]; n != None {
		s.noteStaying(p, n, -1)
		s.touch(n)
	}
}

// changePod brings p up to date with another description of it.
func (s *State) changePod(p PodID, spec *PodSpec) {
	n := s.Pods.Node[p]
	a := s.Pods.Allocation[p]
	if n != None {
		s.charge(p, n, a, -1)
	}
	s.Pods.Labels[p] = spec.Labels
	s.Pods.Account[p] = spec.Account
	s.Pods.Class[p] = s.Intern(spec.Class, spec.Labels)
	if n != None {
		if spec.Allocation != (Allocation{}) {
			a = s.sound(p, n, spec.Allocation)
			s.Pods.Allocation[p] = a
		}
		s.charge(p, n, a, +1)
	}
	s.describePod(p, spec)
	if n == None && spec.On != "" {
		s.settle(p, spec.On, spec.Allocation)
	}
}

// settle puts p on the node called name, where the cluster says it is, and with a. If that
// node is not known yet, p waits for it.
func (s *State) settle(p PodID, name string, a Allocation) {
	if s.Pods.Phase[p] == Pending {
		s.pending--
		s.Pods.Phase[p] = Bound
	}
	s.nominate(p, None)
	s.hope(p, "")
	if n, ok := s.Nodes.Named(name); ok {
		s.place(p, n, a)
	} else if s.strays[p] != name { // it may be waiting already
		s.orphans[name] = append(s.orphans[name], orphan{p, s.Pods.Order[p], a})
		s.strays[p] = name
	}
}

// Stray returns the name of the node that p is on, if State knows no such node; "" if p is
// on a node that it knows, or on none. A node that was removed is known for as long as pods
// are on it.
func (s *State) Stray(p PodID) string { return s.strays[p] }

// An orphan is a pod on a node that is not known.
type orphan struct {
	pod   PodID
	order uint64
	has   Allocation
}

// adopt puts the pods on n that waited for it.
func (s *State) adopt(n NodeID) {
	waiting := s.orphans[s.Nodes.Name[n]]
	delete(s.orphans, s.Nodes.Name[n])
	for _, o := range waiting {
		if s.Pods.Order[o.pod] == o.order && s.Pods.Phase[o.pod] != Ended {
			s.place(o.pod, n, o.has)
			delete(s.strays, o.pod)
		}
	}
}

// row returns an empty row, a spare one if there is any.
func (ps *Pods) row() PodID {
	if k := len(ps.spare); k > 0 {
		p := ps.spare[k-1]
		ps.spare = ps.spare[:k-1]
		return p
	}
	ps.Name = append(ps.Name, "")
	ps.Class = append(ps.Class, 0)
	ps.Account = append(ps.Account, nil)
	ps.Phase = append(ps.Phase, Ended)
	ps.Node = append(ps.Node, None)
	ps.Allocation = append(ps.Allocation, Allocation{})
	ps.Arrived = append(ps.Arrived, 0)
	ps.Order = append(ps.Order, 0)
	ps.Labels = append(ps.Labels, nil)
	ps.Nominated = append(ps.Nominated, None)
	ps.Started = append(ps.Started, Never)
	ps.Preempted = append(ps.Preempted, false)
	ps.Unready = append(ps.Unready, false)
	ps.Starting = append(ps.Starting, false)
	ps.next = append(ps.next, None)
	ps.prev = append(ps.prev, None)
	return PodID(len(ps.Name) - 1)
}

// reuse makes the rows of pods that ended before this Step spare.
func (ps *Pods) reuse() {
	ps.spare = append(ps.spare, ps.ended...)
	ps.ended = ps.ended[:0]
}

// link appends p to n's list of pods.
func (s *State) link(p PodID, n NodeID) {
	ns, ps := &s.Nodes, &s.Pods
	ps.prev[p], ps.next[p] = ns.last[n], None
	if ns.last[n] == None {
		ns.first[n] = p
	} else {
		ps.next[ns.last[n]] = p
	}
	ns.last[n] = p
}

// unlink takes p out of n's list.
func (s *State) unlink(p PodID, n NodeID) {
	ns, ps := &s.Nodes, &s.Pods
	if prev := ps.prev[p]; prev == None {
		ns.first[n] = ps.next[p]
	} else {
		ps.next[prev] = ps.next[p]
	}
	if next := ps.next[p]; next == None {
		ns.last[n] = ps.prev[p]
	} else {
		ps.prev[next] = ps.prev[p]
	}
}

// relink puts p back into n's list between the neighbours it had before an
// unlink, provided that all changes of the list since have been taken back
// (Knuth's dancing links).
func (s *State) relink(p PodID, n NodeID, prev, next PodID) {
	ns, ps := &s.Nodes, &s.Pods
	ps.prev[p], ps.next[p] = prev, next
	if prev == None {
		ns.first[n] = p
	} else {
		ps.next[prev] = p
	}
	if next == None {
		ns.last[n] = p
	} else {
		ps.prev[next] = p
	}
}
