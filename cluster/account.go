package cluster

// An Account is what admission and quotas look at of a pod, beside its Class. Pods that were
// made alike share one. It must not be changed once it was given to anybody.
type Account struct {
	Containers, InitContainers []Container

	Whole    *Container    // what the pod asks for as a whole, nil if its spec has no resources
	Overhead []NamedAmount // of running the pod at all, sorted by name

	Deadline      bool   // the pod may run only for so long: activeDeadlineSeconds is set
	PriorityClass string // its name, "" for none
	// OtherNamespaces says that an affinity or anti-affinity term speaks of pods of other
	// namespaces: it lists some, or selects them.
	OtherNamespaces bool

	// ResizeInfeasible says that the pod's kubelet has turned down what its containers ask
	// for: they count with what they have been given alone.
	ResizeInfeasible bool

	// Grace is what the pod is given to end in once it is told to; 0 for kube's default.
	Grace Time
}

// A Container is what a container asks for, sorted by name. That a resource is mentioned
// counts, even with an amount of 0. CPU is in thousandths, everything else in ones, rounded
// up.
type Container struct {
	Name             string
	Requests, Limits []NamedAmount
	// GivenRequests and GivenLimits are what the container has, as its status says: while it
	// is being resized that may differ from what it asks for. Nil if the status says nothing.
	GivenRequests, GivenLimits []NamedAmount
	// Restarts says of an init container that it goes on beside the others (a sidecar).
	Restarts bool
}
