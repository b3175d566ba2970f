package manifest

import (
	configv1 "k8s.io/kube-scheduler/config/v1"

	"github.com/berthsim/berth/scheduler"
)

// A point is an extension point of kube-scheduler.
type point uint8

const (
	atPreEnqueue point = iota
	atQueueSort
	atPreFilter
	atFilter
	atPostFilter
	atPreScore
	atScore
	atReserve
	atPermit
	atPreBind
	atBind
	atPostBind
	atPlacementGenerate
	atPlacementScore
	pointCount
)

// pointNames are what the points are called in a configuration.
var pointNames = [pointCount]string{
	"preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve",
	"permit", "preBind", "bind", "postBind", "placementGenerate", "placementScore",
}

// pluginSets returns what a profile says of each point.
func pluginSets(p *configv1.Plugins) [pointCount]*configv1.PluginSet {
	return [pointCount]*configv1.PluginSet{
		&p.PreEnqueue, &p.QueueSort, &p.PreFilter, &p.Filter, &p.PostFilter, &p.PreScore, &p.Score, &p.Reserve,
		&p.Permit, &p.PreBind, &p.Bind, &p.PostBind, &p.PlacementGenerate, &p.PlacementScore,
	}
}

// A pointSet is a set of points.
type pointSet uint16

func pointsOf(points ...point) (s pointSet) {
	for _, pt := range points {
		s |= 1 << pt
	}
	return s
}

func (s pointSet) has(pt point) bool { return s&(1<<pt) != 0 }

// berthPoints are the points that Berth has too.
var berthPoints = []struct {
	point
	is scheduler.Points
}{
	{atPreEnqueue, scheduler.AtPreEnqueue},
	{atPreFilter, scheduler.AtPreFilter},
	{atFilter, scheduler.AtFilter},
	{atPostFilter, scheduler.AtPostFilter},
	{atScore, scheduler.AtScore},
	{atReserve, scheduler.AtReserve},
	{atPermit, scheduler.AtPermit},
	{atQueueSort, scheduler.AtQueueSort},
}

// A kubePlugin is a plugin that is compiled into kube-scheduler.
type kubePlugin struct {
	name   string
	points pointSet
	weight int32 // in the default profile; 0 if that gives none, noDefault if it lacks the plugin
	absent bool  // from Berth: it decides nothing here
	args   any   // a pointer to the type of its arguments; nil if it looks at none
}

const noDefault = -1

var (
	filterPoints = pointsOf(atPreFilter, atFilter)
	scorePoints  = pointsOf(atPreScore, atScore)
)

// kubePlugins are kube-scheduler's plugins, in the order of its default profile
// (pkg/scheduler/apis/config/v1/default_plugins.go, with the feature gates that are
// on by default), and behind them those that are off by default.
var kubePlugins = []kubePlugin{
	{name: "SchedulingGates", points: pointsOf(atPreEnqueue)},
	{name: "PrioritySort", points: pointsOf(atQueueSort), absent: true},
	{name: "NodeUnschedulable", points: pointsOf(atFilter)},
	{name: "NodeName", points: pointsOf(atFilter)},
	{name: "TaintToleration", points: pointsOf(atFilter) | scorePoints, weight: 3},
	{name: "NodeAffinity", points: filterPoints | scorePoints, weight: 2, args: (*configv1.NodeAffinityArgs)(nil)},
	{name: "NodePorts", points: filterPoints},
	{name: "NodeResourcesFit", points: filterPoints | scorePoints | pointsOf(atPlacementScore), weight: 1, args: (*configv1.NodeResourcesFitArgs)(nil)},
	{name: "VolumeRestrictions", points: filterPoints, absent: true},
	{name: "NodeVolumeLimits", points: filterPoints, absent: true},
	{
		name: "VolumeBinding", points: filterPoints | scorePoints | pointsOf(atReserve, atPreBind),
		absent: true, args: (*configv1.VolumeBindingArgs)(nil),
	},
	{name: "VolumeZone", points: filterPoints, absent: true},
	{name: "PodTopologySpread", points: filterPoints | scorePoints, weight: 2, args: (*configv1.PodTopologySpreadArgs)(nil)},
	{name: "InterPodAffinity", points: filterPoints | scorePoints, weight: 2, args: (*configv1.InterPodAffinityArgs)(nil)},
	{
		name: "DynamicResources", points: filterPoints | pointsOf(atPreEnqueue, atPostFilter, atScore, atReserve, atPreBind),
		weight: 2, absent: true, args: (*configv1.DynamicResourcesArgs)(nil),
	},
	{name: "DefaultPreemption", points: pointsOf(atPreEnqueue, atPostFilter), args: (*configv1.DefaultPreemptionArgs)(nil)},
	{name: "NodeResourcesBalancedAllocation", points: scorePoints, weight: 1, args: (*configv1.NodeResourcesBalancedAllocationArgs)(nil)},
	{name: "ImageLocality", points: pointsOf(atScore), weight: 1},
	{name: "DefaultBinder", points: pointsOf(atBind), absent: true},
	{name: "NodeDeclaredFeatures", points: filterPoints},

	{name: "GangScheduling", points: pointsOf(atPreEnqueue, atPermit), weight: noDefault, absent: true},
	{name: "TopologyPlacementGenerator", points: pointsOf(atPlacementGenerate), weight: noDefault, absent: true},
	{name: "PodGroupPodsCount", points: pointsOf(atPlacementScore), weight: noDefault, absent: true},
}

// kubePluginNamed returns the plugin of a name, nil if there is none.
func kubePluginNamed(name string) *kubePlugin {
	for i := range kubePlugins {
		if kubePlugins[i].name == name {
			return &kubePlugins[i]
		}
	}
	return nil
}

// A prerequisite says that kube-scheduler's plugins fail for every pod at one
// point if they are left out at another, where they would prepare for it. The
// plugins that are not named prepare then and there.
type prerequisite struct {
	at, without point
	plugins     []string
}

var prerequisites = []prerequisite{
	{atFilter, atPreFilter, []string{"NodePorts", "NodeResourcesFit", "PodTopologySpread", "InterPodAffinity", "NodeDeclaredFeatures"}},
	{atScore, atPreScore, []string{"TaintToleration", "PodTopologySpread", "InterPodAffinity"}},
}
