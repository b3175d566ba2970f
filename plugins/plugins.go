// Package plugins holds the scheduler's plugins, a file each: those of Kubernetes,
// and policies from the literature. All lists them; a program may give the
// framework this list, a part of it, or its own.
package plugins

import "github.com/berthsim/berth/scheduler"

// All lists the plugins of this package. The required ones filter in this order.
var All = []*scheduler.Plugin{
	SchedulingGates,
	NodeUnschedulable,
	NodeName,
	TaintToleration,
	NodeAffinity,
	NodePorts,
	NodeResourcesFit,
	PodTopologySpread,
	InterPodAffinity,
	NodeDeclaredFeatures,
	GPUDevices,
	DefaultPreemption,
	NodeResourcesBalancedAllocation,
	ImageLocality,
	KubeDefaults,
	LeastAllocated,
	MostAllocated,
	Random,
	DotProd,
	GPUClustering,
	GPUPacking,
	BestFit,
	FGD,
	ElasticQuota,
}

// The size of the largest node in the cluster of Weng et al. (ATC'23), by which
// their scores are scaled on every cluster.
const (
	paperCPU = 128000 // milli-CPUs
	paperGPU = 8000   // shares
)

// bounded brings a score of the paper's, which its own cluster keeps in bounds,
// into bounds on larger nodes too.
func bounded(score int64) int64 { return max(0, min(score, scheduler.MaxScore)) }
