package cluster

// A PodSpec describes a pod that comes to a cluster: an identity and a class.
type PodSpec struct {
	Name  string // unique within Class.Namespace while the pod lives
	Class *Class

	// Run is how long the pod runs once it is bound, Never if it does not end
	// by itself. A simulator obeys it; State doesn't hold it, so that no
	// decision can depend on it.
	Run Time
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
	Phase      []Phase
	Node       []NodeID // None if it is on no node
	Allocation []Allocation
	Arrived    []Time
	Order      []uint64 // order of arrival; never reused

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
	ps.Class[p] = s.Intern(spec.Class)
	ps.Phase[p] = Pending
	ps.Arrived[p] = at
	s.arrivals++
	ps.Order[p] = s.arrivals
	return p
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
	ps.Phase = append(ps.Phase, Ended)
	ps.Node = append(ps.Node, None)
	ps.Allocation = append(ps.Allocation, Allocation{})
	ps.Arrived = append(ps.Arrived, 0)
	ps.Order = append(ps.Order, 0)
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

// unlink takes p out of n's list. It leaves p's own links alone, so that relink
// can put it back where it was (Knuth's dancing links).
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

// relink puts p back into n's list after an unlink, provided that all changes of
// the list since have been taken back.
func (s *State) relink(p PodID, n NodeID) {
	ns, ps := &s.Nodes, &s.Pods
	if prev := ps.prev[p]; prev == None {
		ns.first[n] = p
	} else {
		ps.next[prev] = p
	}
	if next := ps.next[p]; next == None {
		ns.last[n] = p
	} else {
		ps.prev[next] = p
	}
}
