package cluster

// What a simulated kubelet and the policy that decides for it tell each other. They are
// here since neither may know the other: a simulated cluster knows nothing of who decides.

// A RunningPod is a pod on a node, as the node's kubelet knows it.
type RunningPod struct {
	Pod   PodID
	Began Time // when its containers were started, the last time; Never while none runs
	Stop  Time // how long it takes to end once it is told to
	Ends  Time // when it will have ended, having been told to; Never if it wasn't
}

// A PodStop has a kubelet end a pod.
type PodStop struct {
	Pod   PodID
	Begin Time // when it is told to end, now or later
	Grace Time // after which it is killed, if its own way to end takes longer
}

// KubeletActs is what follows from a kubelet's look at its node.
type KubeletActs struct {
	// Killed are those of whose containers the kernel has killed one, since memory had run
	// out. The pod stays on its node, and its containers start again after a back-off.
	Killed []PodID
	// Evicted are those that the kubelet evicts.
	Evicted []PodStop
	// Conditions are what the node posts from now on. Only those of pressure count.
	Conditions Conditions
	// Next is when the node is looked at again, later than now; Never if that isn't needed
	// unless another pod comes.
	Next Time
}
