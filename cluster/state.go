package cluster

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// State is all that is known about a cluster: what was observed, and over it
// what Berth decided and the cluster has not confirmed yet. It has one owner,
// the loop in Run; nothing in it is locked or copied.
//
// Row numbers are State's own affair. Logs, digests, randomness and the order
// among equals use names or order of arrival, so that they don't depend on which
// rows happened to be free.
type State struct {
	Now   Time
	Seed  int64 // of every random draw in the run
	Mix   Mix   // what pods to expect; may be nil
	Nodes Nodes
	Pods  Pods

	Namespaces Table[Namespace]
	Services   Table[Service]
	Workloads  Table[Workload]
	Budgets    Table[DisruptionBudget]
	Quotas     Table[ResourceQuota]

	resources  []string // names of the columns
	models     []string // names of GPU models by modelID; the first is ""
	classes    []*class
	classByKey map[classKey]ClassID
	templates  interner
	templateOf map[*Class]int32 // of at most mostNumbered Classes that were given
	lastClass  numbered         // the last of them
	lastOf     []interned       // by template
	labelSets  interner
	sites      interner
	key        []byte              // scratch of Intern
	orphans    map[string][]orphan // by name of the node they are on
	strays     map[PodID]string    // the same, by pod
	hopes      []hope              // in order of nomination
	nominees   []PodID             // with a node kept for them, in order of nomination

	// selectorKeys are the keys under which labels count.
	selectorKeys map[string]struct{}

	placed   []atPriority // pods on nodes, by priority, the lowest first
	version  uint64       // the last stamp given
	arrivals uint64       // the last Pods.Order given
	joined   uint64       // the last Nodes.Order given

	reclassified uint64
	pending      int
	drew         bool

	antiAffinity bool
	affine       []ClassID // classes with affinity or anti-affinity terms
	changes      changes
	journal      []entry
	decisions    []Decision
}

// NewState returns the State of an empty cluster.
func NewState() *State {
	s := &State{
		classByKey: map[classKey]ClassID{}, templates: interner{}, templateOf: map[*Class]int32{}, labelSets: interner{}, sites: interner{},
		selectorKeys: map[string]struct{}{}, orphans: map[string][]orphan{}, strays: map[PodID]string{}, models: []string{""},
	}
	s.Nodes.byName, s.Nodes.left = map[string]NodeID{}, map[string]NodeID{}
	s.Nodes.images = map[string]*ImageSpread{}
	for _, name := range resourceNames {
		s.Resource(name)
	}
	return s
}

// Pending returns the number of pods that want a node.
func (s *State) Pending() int { return s.pending }

// Version returns a number that differs whenever anything about a node or an
// object differs.
func (s *State) Version() uint64 { return s.version }

// Observe takes in what happened up to now. It sets the rows of what was added
// in events.
func (s *State) Observe(now Time, events []Event) {
	if len(s.journal) > 0 {
		panic("cluster: Observe before TakeDecisions")
	}
	s.Now = now
	s.Pods.reuse()
	s.changes.trim(s.Nodes.Rows())
	for i := range events {
		s.observe(&events[i])
	}
}

func (s *State) observe(e *Event) {
	switch e.Kind {
	case NodeAdded:
		e.Node = s.addNode(e.NodeSpec)
	case NodeRemoved:
		e.OldNode = s.Nodes.Spec[e.Node]
		s.removeNode(e.Node)
	case NodeChanged:
		e.OldNode = s.Nodes.Spec[e.Node]
		s.changeNode(e.Node, e.NodeSpec)
	case ObjectSet:
		s.setObject(e.Object)
	case ObjectRemoved:
		s.removeObject(e.Object)
	case PodAdded:
		e.Pod = s.addPod(e.PodSpec, e.Time)
		e.Node = s.Pods.Node[e.Pod]
	case PodChanged:
		e.OldPod = s.PodState(e.Pod)
		s.changePod(e.Pod, e.PodSpec)
		e.Node = s.Pods.Node[e.Pod]
	case PodBound:
		if s.Pods.Phase[e.Pod] == Assumed {
			s.Pods.Phase[e.Pod], s.Pods.Started[e.Pod] = Bound, e.Time
			s.touch(s.Pods.Node[e.Pod])
		}
	case PodEnded:
		e.OldPod = s.PodState(e.Pod)
		s.end(e.Pod)
	case NodeHeard:
		s.hear(e.Node, e.Health)
	case PodTold:
		s.tell(e.Pod)
	case PodReady:
		s.Pods.Unready[e.Pod] = !e.Ready
		s.Pods.Starting[e.Pod] = s.Pods.Starting[e.Pod] && !e.Ready
	case PodRefused: // it isn't there
	case Rejected:
		s.reject(e.Decision)
	default:
		panic(fmt.Sprintf("cluster: %v is not an event", e.Kind))
	}
}

// tell has p be told to end, by whomever.
func (s *State) tell(p PodID) {
	n := s.Pods.Node[p]
	if s.Pods.Phase[p] == Terminating || n == None {
		return
	}
	s.Pods.Phase[p] = Terminating
	s.noteStaying(p, n, -1)
	s.touch(n)
}

// end takes p off its node, if it is on one, and gives up its row.
func (s *State) end(p PodID) {
	if n := s.Pods.Node[p]; n != None {
		s.displace(p)
		s.spareIfEmpty(n)
	}
	if s.Pods.Phase[p] == Pending {
		s.pending--
	}
	s.nominate(p, None)
	s.hope(p, "")
	delete(s.strays, p)
	s.Pods.Phase[p] = Ended
	s.Pods.ended = append(s.Pods.ended, p)
}

// reject applies the inverse of d, unless something else has changed the pod
// since.
func (s *State) reject(d Decision) {
	switch {
	case d.Kind == Bind && (s.Pods.Phase[d.Pod] == Assumed || s.Pods.Phase[d.Pod] == Terminating) && s.Pods.Node[d.Pod] == d.Node:
		s.displace(d.Pod)
		s.spareIfEmpty(d.Node)
		if s.Pods.Phase[d.Pod] == Assumed { // otherwise it has been told to end since
			s.Pods.Phase[d.Pod] = Pending
			s.pending++
		}
	case d.Kind >= AddTaint && d.Kind != RequestEviction && d.Kind != Finalise:
		s.rejectDetail(d)
	case d.Kind == Finalise && d.Node == None:
		if s.Stray(d.Pod) != "" { // otherwise it was Terminating before
			s.Pods.Phase[d.Pod] = Bound
		}
	case ends(d.Kind) && s.Pods.Phase[d.Pod] == Terminating && s.Pods.Node[d.Pod] == None && s.Stray(d.Pod) == "":
		s.Pods.Phase[d.Pod], s.Pods.Preempted[d.Pod] = Pending, false // its Bind was rejected before
		s.pending++
	case ends(d.Kind) && s.Pods.Phase[d.Pod] == Terminating:
		s.Pods.Phase[d.Pod], s.Pods.Preempted[d.Pod] = Bound, false
		s.noteStaying(d.Pod, s.Pods.Node[d.Pod], +1)
		s.touch(s.Pods.Node[d.Pod])
	}
}

// ends reports whether decisions of a kind end pods.
func ends(k Kind) bool {
	return k == Evict || k == Preempt || k == RequestEviction || k == Finalise
}

// sound returns a if p can have that on n, and otherwise that nothing is known: others may tell
// of devices that n hasn't, or that p doesn't ask for.
func (s *State) sound(p PodID, n NodeID, a Allocation) Allocation {
	many, beyond := bits.OnesCount64(uint64(a.GPUs)), bits.Len64(uint64(a.GPUs)) > len(s.Nodes.GPUFree[n])
	if beyond || many != int(s.Class(p).GPUs.Count) {
		return Allocation{}
	}
	return a
}

// place puts p on n with a, at the end of n's list.
func (s *State) place(p PodID, n NodeID, a Allocation) {
	a = s.sound(p, n, a)
	s.Pods.Node[p] = n
	s.Pods.Allocation[p] = a
	s.link(p, n)
	s.charge(p, n, a, +1)
}

// displace takes p off its node.
func (s *State) displace(p PodID) {
	n, a := s.Pods.Node[p], s.Pods.Allocation[p]
	s.unlink(p, n)
	s.charge(p, n, a, -1)
	s.Pods.Node[p] = None
	s.Pods.Allocation[p] = Allocation{}
}

// charge adds p's demand to n's columns, or takes it off. Every change of what a
// node has free goes through it.
func (s *State) charge(p PodID, n NodeID, a Allocation, sign int64) {
	ns, c := &s.Nodes, s.classes[s.Pods.Class[p]]
	for _, d := range c.demand {
		ns.Used[d.resource][n] += sign * d.amount
	}
	ns.EstimatedCPU[n] += sign * c.estimate[0]
	ns.EstimatedMemory[n] += sign * c.estimate[1]
	if a.GPUs != 0 {
		free := ns.GPUFree[n]
		for i := range free {
			if a.GPUs.Has(i) {
				free[i] -= int32(sign) * c.GPUs.Shares
			}
		}
	}
	s.countPriority(c.Priority, int(sign))
	s.note(p, n, sign)
	s.touch(n)
}

// An atPriority counts pods of one priority.
type atPriority struct {
	priority int32
	pods     int
}

func (s *State) countPriority(priority int32, delta int) {
	i, ok := slices.BinarySearchFunc(s.placed, priority, func(a atPriority, p int32) int { return cmp.Compare(a.priority, p) })
	if !ok {
		s.placed = slices.Insert(s.placed, i, atPriority{priority: priority})
	}
	s.placed[i].pods += delta
}

// AnyBelow reports whether any pod on a node has a lower priority.
func (s *State) AnyBelow(priority int32) bool {
	for _, a := range s.placed {
		if a.priority >= priority {
			return false
		}
		if a.pods > 0 {
			return true
		}
	}
	return false
}
