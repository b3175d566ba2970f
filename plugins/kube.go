package plugins

import "github.com/berthsim/berth/scheduler"

// Kube lists the plugins of kube-scheduler 1.36's default profile in its order,
// with its weights, or 1 where it gives none, which only plugins have that don't
// score (pkg/scheduler/apis/config/v1/default_plugins.go).
//
// Of upstream's list these are missing: PrioritySort, which is the order of the
// Scheduler's queue; DefaultBinder, since binding is the Cluster's; and, as long
// as State knows no volumes and claims, VolumeRestrictions, NodeVolumeLimits,
// VolumeBinding, VolumeZone and DynamicResources.
var Kube = []scheduler.Weighted{
	{Name: "SchedulingGates", Weight: 1},
	{Name: "NodeUnschedulable", Weight: 1},
	{Name: "NodeName", Weight: 1},
	{Name: "TaintToleration", Weight: 3},
	{Name: "NodeAffinity", Weight: 2},
	{Name: "NodePorts", Weight: 1},
	{Name: "NodeResourcesFit", Weight: 1},
	{Name: "PodTopologySpread", Weight: 2},
	{Name: "InterPodAffinity", Weight: 2},
	{Name: "DefaultPreemption", Weight: 1},
	{Name: "NodeResourcesBalancedAllocation", Weight: 1},
	{Name: "ImageLocality", Weight: 1},
	{Name: "NodeDeclaredFeatures", Weight: 1},
}

// KubeDefaults is Kube as a policy, by the name of kube.
var KubeDefaults = &scheduler.Plugin{
	Name: "Kube",
	Doc:  "Kube scores as kube-scheduler's default profile does: all its plugins that Berth has, with their weights.",

	Members: Kube,
}
