// Package quota says who may create what: ResourceQuota, LimitRange and what else the
// admission plugins of an API server see to, and the controller that counts what is there.
package quota

import "github.com/berthsim/berth/cluster"

// An Object is anything in a namespace that quotas may count.
type Object struct {
	Resource        string // its plural, with the group: pods, services, deployments.apps
	Namespace, Name string

	Pod     *Pod           // of pods, and of a claim the pod for whose extended resources it was made, which pays for them
	Claim   *Claim         // of persistentvolumeclaims
	Service *Service       // of services
	Devices []DeviceDemand // of resourceclaims.resource.k8s.io
}

// A Pod is a pod as quotas see it.
type Pod struct {
	Account *cluster.Account // never nil
	Ended   bool             // it has run to its end: its phase is Succeeded or Failed
	Overdue bool             // it was told to end, and twice its grace has passed since
}

// A Claim is a PersistentVolumeClaim.
type Claim struct {
	StorageClass         string   // "" for none
	Requested, Allocated int64    // bytes, asked for and as its status says; -1 for nothing
	VolumeAttributes     []string // the VolumeAttributesClasses that it uses, by its spec and status
}

// A Service is what quotas look at of one.
type Service struct {
	Type      string // ClusterIP, NodePort, LoadBalancer or ExternalName
	Ports     int    // that it has
	NodePorts int    // those of them for which a port of nodes is set
	// NoNodePorts says that a load balancer does without ports of nodes:
	// allocateLoadBalancerNodePorts is false.
	NoNodePorts bool
}

// A DeviceDemand is what one request of a ResourceClaim asks for: one of several
// alternatives, of which there is one if the request has no firstAvailable.
type DeviceDemand struct {
	Alternatives []DeviceAlternative
}

// A DeviceAlternative is a number of devices of a class; All stands for as many as there are.
type DeviceAlternative struct {
	Class    string
	Extended string // the extended resource that the class stands for, "" for none
	Count    int64
	All      bool
}
