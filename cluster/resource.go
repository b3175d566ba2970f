package cluster

import "slices"

// A Resource is a column of Nodes.Cap and Nodes.Used. The ones below exist in
// every cluster; State.Resource makes columns for extended resources.
type Resource int32

// The resources that every cluster has, with their units.
const (
	CPU              Resource = iota // milli-CPUs
	Memory                           // bytes
	EphemeralStorage                 // bytes
	PodSlots                         // pods
	GPU                              // shares: thousandths of a GPU
	firstExtended
)

// WholeGPU is the shares that one GPU has.
const WholeGPU = 1000

// Kube's estimate for a container that asks for no CPU or memory, which its
// scores count and its filters don't (pkg/scheduler/util, GetNonzeroRequests).
const (
	DefaultCPURequest    = 100               // milli-CPUs
	DefaultMemoryRequest = 200 * 1024 * 1024 // bytes
)

// GPUShares is the name of GPU. It is Berth's own: nvidia.com/gpu is an extended
// resource, which kube-scheduler counts in whole GPUs.
const GPUShares = "berth.dev/gpu-shares"

var resourceNames = []string{"cpu", "memory", "ephemeral-storage", "pods", GPUShares}

// Amounts holds an amount of each resource, in the resource's unit. Resources
// past its end have the amount 0.
type Amounts []int64

// Get returns the amount of r.
func (a Amounts) Get(r Resource) int64 {
	if int(r) < len(a) {
		return a[r]
	}
	return 0
}

// A NamedAmount is an amount of an extended resource, by its name.
type NamedAmount struct {
	Name   string
	Amount int64
}

// Resource returns the column of the resource called name, and makes one if
// there is none.
func (s *State) Resource(name string) Resource {
	if r, ok := s.Column(name); ok {
		return r
	}
	s.resources = append(s.resources, name)
	s.Nodes.Cap = append(s.Nodes.Cap, make([]int64, len(s.Nodes.Name)))
	s.Nodes.Used = append(s.Nodes.Used, make([]int64, len(s.Nodes.Name)))
	return Resource(len(s.resources) - 1)
}

// Column returns the column of the resource called name, if there is one.
func (s *State) Column(name string) (r Resource, ok bool) {
	i := slices.Index(s.resources, name)
	return Resource(i), i >= 0
}

// ResourceName returns the name of r, as Kubernetes writes it.
func (s *State) ResourceName(r Resource) string { return s.resources[r] }
