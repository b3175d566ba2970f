package cluster

// An Effect is what a taint does to pods that don't tolerate it.
type Effect uint8

// The effects. NoEffect stands for any in a toleration.
const (
	NoEffect Effect = iota
	NoSchedule
	PreferNoSchedule
	NoExecute
)

// A Taint keeps pods off a node that don't tolerate it.
type Taint struct {
	Key, Value string
	Effect     Effect
}

// The keys of taints that Kubernetes itself puts on nodes.
const (
	TaintNotReady           = "node.kubernetes.io/not-ready"
	TaintUnreachable        = "node.kubernetes.io/unreachable"
	TaintUnschedulable      = "node.kubernetes.io/unschedulable" // cordoned
	TaintMemoryPressure     = "node.kubernetes.io/memory-pressure"
	TaintDiskPressure       = "node.kubernetes.io/disk-pressure"
	TaintPIDPressure        = "node.kubernetes.io/pid-pressure"
	TaintNetworkUnavailable = "node.kubernetes.io/network-unavailable"
	TaintOutOfService       = "node.kubernetes.io/out-of-service" // put by users: the node won't come back as it was
)

// A Toleration lets a pod onto nodes with matching taints.
type Toleration struct {
	Key     string // "" matches any key
	Exists  bool   // any value will do; otherwise it must be Value
	Value   string
	Effect  Effect // NoEffect matches any
	Seconds *int64 // how long a NoExecute taint is tolerated; nil means for ever
}

// Tolerates reports whether the toleration matches a taint, however long.
func (t *Toleration) Tolerates(taint *Taint) bool {
	return (t.Effect == NoEffect || t.Effect == taint.Effect) &&
		(t.Key == "" || t.Key == taint.Key) &&
		(t.Exists || t.Value == taint.Value)
}

// A NodeSelectorTerm matches a node whose labels and fields meet all its
// requirements. A term without any matches nothing.
type NodeSelectorTerm struct {
	Labels []Requirement
	Fields []Requirement // of metadata.name, the one field there is
}

// A NodeSelector matches what any of its terms matches; without terms, nothing.
type NodeSelector struct{ Terms []NodeSelectorTerm }

// Matches reports whether the selector matches a node of that name and labels.
func (ns *NodeSelector) Matches(name string, ls Labels) bool {
	for i := range ns.Terms {
		if ns.Terms[i].Matches(name, ls) {
			return true
		}
	}
	return false
}

// FieldName is the only field by which nodes can be selected.
const FieldName = "metadata.name"

// Matches reports whether the term matches a node of that name and labels.
func (t *NodeSelectorTerm) Matches(name string, ls Labels) bool {
	if len(t.Labels) == 0 && len(t.Fields) == 0 {
		return false
	}
	for i := range t.Labels {
		if !t.Labels[i].Matches(ls) {
			return false
		}
	}
	for i := range t.Fields {
		if !t.Fields[i].Matches(Labels{{FieldName, name}}) {
			return false
		}
	}
	return true
}

// A PreferredTerm adds its weight to the nodes that it matches.
type PreferredTerm struct {
	Weight int32
	NodeSelectorTerm
}

// A PodTerm is about pods that match Selector in some namespaces, and the nodes
// that share a topology domain with them.
type PodTerm struct {
	Selector          *Selector
	Namespaces        []string  // by name, sorted; the pod's own if nothing else was given
	NamespaceSelector *Selector // by their labels
	TopologyKey       string
}

// A WeightedPodTerm adds its weight to the nodes of the domains it is about.
type WeightedPodTerm struct {
	Weight int32
	PodTerm
}

// PodAffinity draws a pod to other pods, or, as anti-affinity, keeps it away.
type PodAffinity struct {
	Required  []PodTerm
	Preferred []WeightedPodTerm
}

// A SpreadConstraint bounds, or tries to, by how much the number of matching
// pods may differ between topology domains.
type SpreadConstraint struct {
	MaxSkew        int32
	TopologyKey    string
	Soft           bool      // ScheduleAnyway; otherwise DoNotSchedule
	Selector       *Selector // of pods in the pod's own namespace
	MinDomains     int32     // 0 stands for 1
	MatchLabelKeys []string  // whose values in the pod's labels are added to Selector
	// IgnoreAffinity and HonorTaints say which nodes count as domains: kube's
	// nodeAffinityPolicy (default Honor) and nodeTaintsPolicy (default Ignore).
	IgnoreAffinity, HonorTaints bool
}

// A HostPort is a port of the node that a container takes.
type HostPort struct {
	IP       string // "0.0.0.0" stands for all; "" doesn't
	Protocol string // TCP, UDP or SCTP
	Port     int32  // above 0
}

// An OwnerRef names the controller that made a pod.
type OwnerRef struct{ Kind, Name string }
