package scheduler

import "github.com/berthsim/berth/cluster"

// An Action is one kind of change that may let a pod be placed that was rejected.
// Several may be or-ed together. The names are those of kube's ClusterEvents.
type Action uint16

// The actions. A pod that is bound is added to its node; one that ends, or whose
// binding fails, is deleted from it. Pods that want a node count as added or
// deleted only if a node is kept for them.
const (
	NodeAdd Action = 1 << iota
	NodeDelete
	UpdateNodeAllocatable
	UpdateNodeLabel
	UpdateNodeTaint // taints, or the node is not unschedulable any more
	UpdateNodeDeclaredFeature

	PodAdd
	PodDelete
	UpdatePodLabel
	UpdatePodScaleDown // a request is less than it was
	UpdatePodToleration
	UpdatePodSchedulingGatesEliminated
	UpdatePodOther // none of the above

	// ObjectChange is of a namespace, a Service, a workload or a disruption budget,
	// which no plugin of kube's listens to.
	ObjectChange

	// UpdatePod is any update of a pod.
	UpdatePod = UpdatePodLabel | UpdatePodScaleDown | UpdatePodToleration | UpdatePodSchedulingGatesEliminated | UpdatePodOther
)

// A Change is something that happened to a cluster, as far as it may let pods be
// placed.
type Change struct {
	What Action // one of them

	// Node is of NodeAdd and updates of nodes, OldNode of NodeDelete and updates.
	Node, OldNode *cluster.NodeSpec

	// Pod is of PodAdd and updates of pods, OldPod of PodDelete and updates.
	Pod, OldPod cluster.PodState

	// Own says that the pod that is asked about is the one that was updated.
	Own bool
}

// A Waker is a plugin that rejects pods and can tell what may change its mind:
// kube's EnqueueExtensions and queueing hints. Pods that a plugin rejected that is
// no Waker are tried again at any change.
type Waker interface {
	// Wakes returns the actions that may change the plugin's mind.
	Wakes() Action

	// Wake reports whether c, whose What is among Wakes, may change the plugin's
	// mind about pods of a class that it rejected. It is asked once for all pods
	// of the class. It must not write to s, whose content is as of now.
	Wake(s *cluster.State, class *cluster.Class, c *Change) bool
}
