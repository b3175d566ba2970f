package cluster

// A NodeCondition is something that a node's status says, of what controllers act on.
type NodeCondition uint8

// The conditions of a node, as Kubernetes calls them.
const (
	NodeReady NodeCondition = iota
	NodeMemoryPressure
	NodeDiskPressure
	NodePIDPressure
	NodeNetworkUnavailable

	nodeConditions // how many there are
)

var nodeConditionNames = [nodeConditions]string{"Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}

// String returns the condition's type, as Kubernetes writes it.
func (c NodeCondition) String() string { return nodeConditionNames[c] }

// A ConditionStatus says whether a condition holds.
type ConditionStatus uint8

// The statuses of a condition.
const (
	ConditionAbsent ConditionStatus = iota // the node's status doesn't have the condition
	ConditionTrue
	ConditionFalse
	ConditionUnknown
)

var conditionStatusNames = [...]string{"", "True", "False", "Unknown"}

// String returns the status as Kubernetes writes it, "" for ConditionAbsent.
func (st ConditionStatus) String() string { return conditionStatusNames[st] }

// Conditions has the status of each NodeCondition.
type Conditions [nodeConditions]ConditionStatus

// Healthy are the conditions of a node that is ready and wants for nothing.
var Healthy = Conditions{ConditionTrue, ConditionFalse, ConditionFalse, ConditionFalse, ConditionFalse}

// Beats are points in time at which a node is heard of: First, and again each time
// Every has passed, as long as it is before Until. With Every 0 there is one at most.
// The zero Beats have none.
//
// So what a healthy node does, which is a matter of millions of renewals in a
// simulated week, is arithmetic: only when it begins and ends is an event.
type Beats struct{ First, Every, Until Time }

// Beat returns Beats of one point in time.
func Beat(at Time) Beats { return Beats{First: at, Until: at + 1} }

// Latest returns the last beat up to now; ok is false if there was none.
func (b Beats) Latest(now Time) (at Time, ok bool) {
	last := min(now, b.Until-1)
	if last < b.First {
		return 0, false
	}
	if b.Every == 0 {
		return b.First, true
	}
	return last - (last-b.First)%b.Every, true
}

// NodeHealth is what a node lets others know of its state.
type NodeHealth struct {
	Conditions Conditions
	Lease      Beats // renewals of the node's lease
	Posts      Beats // of its status, whether anything in it has changed or not
}

// hear takes in what is heard of n.
func (s *State) hear(n NodeID, h *NodeHealth) {
	s.Nodes.Health[n] = *h
}

// IsReady reports whether p runs and its containers say that they are ready, as far as
// anybody has heard.
func (s *State) IsReady(p PodID) bool {
	return s.Pods.Node[p] != None && s.Pods.Phase[p] != Assumed && !s.Pods.Unready[p]
}
