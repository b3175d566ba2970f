package cluster

// A Kind says what an Event or a Decision is about. Events of one instant are
// ordered by Kind: what frees room or adds nodes comes before what wants room.
type Kind uint8

// The kinds of events and decisions. Their numbers are part of the decision
// digest, so they never change.
const (
	PodEnded      Kind = 1  // event: the pod is gone, and its room is free
	Rejected      Kind = 2  // event: a decision could not be carried out
	PodBound      Kind = 3  // event: a Bind was carried out
	NodeAdded     Kind = 4  // event
	NodeRemoved   Kind = 5  // event; pods still on the node keep its row until they end or it comes back
	NodeChanged   Kind = 6  // event: labels, taints, capacity or the like
	ObjectSet     Kind = 7  // event: an Object is new, or has changed
	ObjectRemoved Kind = 8  // event: an Object is gone
	PodChanged    Kind = 9  // event: labels, nomination or the like, or it is on a node now
	PodAdded      Kind = 10 // event: the pod wants a node, or is on one already
	NodeHeard     Kind = 11 // event: what is heard of the node, or when, is not as it was
	PodReady      Kind = 12 // event: the pod's containers say that they are ready, or no longer
	PodTold       Kind = 13 // event: the pod is on its node still, and has been told to end

	PodRefused Kind = 14 // event: a pod was not admitted, so it isn't there

	Bind     Kind = 65 // decision: run the pod on the node
	Evict    Kind = 66 // decision: end the pod
	Preempt  Kind = 67 // decision: end the pod, to make room for another
	Nominate Kind = 68 // decision: keep the node for the pod; None to keep none

	AddTaint        Kind = 69 // decision
	RemoveTaint     Kind = 70 // decision
	SetConditions   Kind = 71 // decision: of a node
	MarkUnready     Kind = 72 // decision: the pod no longer says that it is ready
	RequestEviction Kind = 73 // decision: end the pod, if budgets allow it
	Finalise        Kind = 74 // decision: the pod is gone, without waiting for its node
	Create          Kind = 75 // decision: of a pod
	Store           Kind = 76 // decision: of an Object
)

var kindNames = map[Kind]string{
	PodEnded: "PodEnded", Rejected: "Rejected", PodBound: "PodBound",
	NodeAdded: "NodeAdded", NodeRemoved: "NodeRemoved", NodeChanged: "NodeChanged",
	ObjectSet: "ObjectSet", ObjectRemoved: "ObjectRemoved",
	PodChanged: "PodChanged", PodAdded: "PodAdded",
	NodeHeard: "NodeHeard", PodReady: "PodReady", PodTold: "PodTold", PodRefused: "PodRefused",
	Bind: "Bind", Evict: "Evict", Preempt: "Preempt", Nominate: "Nominate",
	AddTaint: "AddTaint", RemoveTaint: "RemoveTaint", SetConditions: "SetConditions", MarkUnready: "MarkUnready",
	RequestEviction: "RequestEviction", Finalise: "Finalise", Create: "Create", Store: "Store",
}

// String returns the constant's name.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "Kind(?)"
}

// An Event is something that happened in a cluster.
type Event struct {
	Time Time
	Kind Kind

	// Pod and Node are the rows it is about. For PodAdded and NodeAdded,
	// State.Observe fills them in; events that a trace yields before a State
	// exists name pods and nodes by their specs.
	Pod  PodID
	Node NodeID

	NodeSpec *NodeSpec   // of NodeAdded and NodeChanged
	PodSpec  *PodSpec    // of PodAdded, PodChanged and PodRefused
	Object   Object      // of ObjectSet and ObjectRemoved
	Health   *NodeHealth // of NodeHeard
	Ready    bool        // of PodReady
	Code     int16       // of Rejected and PodRefused: the HTTP status of an API server that said no, 0 for any other reason

	// OldNode and OldPod say what was before, for those who must tell what has
	// changed. State.Observe fills them in.
	OldNode *NodeSpec // of NodeChanged and NodeRemoved
	OldPod  PodState  // of PodChanged and PodEnded

	Decision Decision // of Rejected: what could not be carried out
	Reason   string   // of Rejected and PodRefused: why, for people
}

// A PodState is what a State knew of a pod at some time.
type PodState struct {
	Class     ClassID
	Account   *Account // nil if none was given
	Labels    Labels   // all of them
	Node      NodeID   // None if it was on no node
	Nominated NodeID   // the node that was kept for it, None or Unknown
}

// A Decision is something a controller wants the cluster to do.
type Decision struct {
	Kind Kind
	Pod  PodID
	Node NodeID // where the pod goes, or where it is, or what it is about
	Allocation
	Detail Detail // nil for Bind, Preempt and Nominate
}

// An Allocation says which devices of a node a pod gets. The zero Allocation is
// that of a pod that needs none.
type Allocation struct {
	GPUs GPUSet
}

// A GPUSet is a set of a node's GPUs: bit i stands for the i-th.
type GPUSet uint64

// MaxGPUs is the highest number of GPUs that a node may have.
const MaxGPUs = 64

// Has reports whether the i-th GPU is in the set.
func (g GPUSet) Has(i int) bool { return g>>i&1 == 1 }

// With returns the set with the i-th GPU added.
func (g GPUSet) With(i int) GPUSet { return g | 1<<i }
