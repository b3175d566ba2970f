package manifest

import (
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
)

// A Cluster is what manifests say of one.
type Cluster struct {
	// In the order of the files.
	Nodes   []*cluster.NodeSpec
	Pods    []*cluster.PodSpec // equal ones share a class
	Objects []cluster.Object

	// Plugins are the admission plugins of the cluster, as its LimitRanges, PriorityClasses
	// and RuntimeClasses have them.
	Plugins *quota.Plugins
	// Counted are the objects in namespaces that quotas may count, in the order of the
	// files, but for the Pods above: of pods, only those that have run to their end.
	Counted []quota.Object

	// Epoch is the time of day at which cluster.Time is 0: the latest of the
	// times at which a pod or a node was created, started or disrupted.
	Epoch time.Time

	// Ended counts the pods that have run to their end, and are left out.
	Ended int
	// Skipped counts objects of kinds that are not converted, sorted by kind.
	Skipped []Skipped
	// Warnings tell what is odd, but may be meant.
	Warnings []*Error
}

// Skipped is a kind of objects that is not converted.
type Skipped struct {
	Kind  string // with version and group if it is not of a common one
	Count int
}

// Events returns what brings an empty State to what the manifests say: nodes,
// objects, pods on nodes, then pods that want one; all at time 0, and in the order
// in which events of one instant come.
func (c *Cluster) Events() []cluster.Event {
	events := make([]cluster.Event, 0, len(c.Nodes)+len(c.Objects)+len(c.Pods))
	for _, n := range c.Nodes {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: n})
	}
	for _, o := range c.Objects {
		events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: o})
	}
	for _, onNode := range []bool{true, false} {
		for _, p := range c.Pods {
			if onNode == (p.On != "") {
				events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: p})
			}
		}
	}
	return events
}
