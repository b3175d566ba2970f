package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// An Observation is something that controllers wrote, or found.
type Observation struct {
	At   time.Duration
	Kind Kind
	Name string // of a node or a pod; of a zone, its region and its name, as in "r/z"
	What string
}

// A Kind says what an Observation is of.
type Kind string

// The kinds of observations. Those of zones show why nodes are tainted at some rate; a Player may leave
// them out.
const (
	OfNode Kind = "node"
	OfPod  Kind = "pod"
	OfZone Kind = "zone"
)

// What is observed of pods.
const (
	NotReady = "not ready" // the pod's Ready condition was set to False
	Deleted  = "deleted"   // the pod was deleted that wasn't being deleted
)

// BecameUnknown is a node's condition set to Unknown; reason is "NodeStatusUnknown", or
// "NodeStatusNeverUpdated" if the node had no such condition.
func BecameUnknown(condition, reason string) string { return condition + " Unknown " + reason }

// Tainted and Untainted are of a node.
func Tainted(key, effect string) string { return "+" + key + ":" + effect }

// Untainted is the counterpart of Tainted.
func Untainted(key, effect string) string { return "-" + key + ":" + effect }

// Became is of a zone, with the number of nodes that count when it changes its state.
func Became(before, after string, nodes int) string {
	return fmt.Sprintf("%s to %s of %d", before, after, nodes)
}

// String writes an observation on a line.
func (o Observation) String() string {
	return fmt.Sprintf("%10.3f %s %s %s", o.At.Seconds(), o.Kind, o.Name, o.What)
}

// A Player lives through a timeline and says what controllers did, in order as Sort puts it.
type Player func(*Timeline) []Observation

// Sort puts observations in order of time, then kind, name and what. Upstream has no order among what
// happens at one instant: eight workers taint, four mark pods, and each deletion has a goroutine.
func Sort(list []Observation) {
	slices.SortStableFunc(list, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.What, b.What))
	})
}
