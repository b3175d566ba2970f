package generate

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// fields is a part of a configuration file.
type fields = map[string]any

// config draws a scheduler configuration; others use the defaults.
func (g *generator) config() {
	if g.chance(0.4) {
		return
	}
	profile := fields{"schedulerName": defaultSched}
	if g.chance(0.3) {
		profile["percentageOfNodesToScore"] = pick(g, 1, 5, 50, 70, 99, 100)
	}
	if p := g.pluginSet(); len(p) > 0 {
		profile["plugins"] = p
	}
	if args := g.pluginArgs(); len(args) > 0 {
		profile["pluginConfig"] = args
	}
	text, err := yaml.Marshal(fields{
		"apiVersion": "kubescheduler.config.k8s.io/v1",
		"kind":       "KubeSchedulerConfiguration",
		"profiles":   []any{profile},
	})
	if err != nil {
		panic(err) // maps, lists, strings and numbers only
	}
	g.scenario.Config = text
}

// pluginSet draws other weights and leaves plugins out.
func (g *generator) pluginSet() fields {
	set := fields{}
	var weights []any
	for _, name := range []string{
		"TaintToleration", "NodeAffinity", "NodeResourcesFit", "PodTopologySpread", "InterPodAffinity",
		"NodeResourcesBalancedAllocation", "ImageLocality",
	} {
		if g.chance(0.15) {
			weights = append(weights, fields{"name": name, "weight": pick(g, 1, 2, 7, 100)})
		}
	}
	if len(weights) > 0 {
		set["multiPoint"] = fields{"enabled": weights}
	}
	var off []any
	for _, name := range []string{"ImageLocality", "NodeResourcesBalancedAllocation", "PodTopologySpread", "TaintToleration"} {
		if g.chance(0.05) {
			off = append(off, fields{"name": name})
		}
	}
	if g.chance(0.02) {
		off = []any{fields{"name": "*"}} // no scores at all: the first feasible node is taken
		g.dials.unscored = true
	}
	if len(off) > 0 {
		set["score"] = fields{"disabled": off}
	}
	if g.chance(0.05) {
		name := pick(g, "NodePorts", "TaintToleration", "InterPodAffinity", "NodeResourcesFit", "NodeUnschedulable")
		set["filter"] = fields{"disabled": []any{fields{"name": name}}}
	}
	if g.chance(0.03) {
		set["postFilter"] = fields{"disabled": []any{fields{"name": "DefaultPreemption"}}}
	}
	return set
}

func (g *generator) pluginArgs() []any {
	var list []any
	args := func(name string, args fields) {
		list = append(list, fields{"name": name, "args": args})
	}
	if g.uses(selectors) || g.uses(preferences) || g.chance(0.1) {
		args("NodeAffinity", fields{"addedAffinity": g.addedAffinity()})
	}
	if g.uses(resources) || g.chance(0.4) {
		args("NodeResourcesFit", g.fitArgs())
	}
	if g.uses(podAffinity) || g.chance(0.1) {
		args("InterPodAffinity", fields{
			"hardPodAffinityWeight":              pick(g, 0, 1, 10, 100),
			"ignorePreferredTermsOfExistingPods": g.chance(0.5),
		})
	}
	if g.uses(defaultSpread) {
		args("PodTopologySpread", g.spreadArgs())
	}
	if g.uses(resources) || g.chance(0.3) {
		args("NodeResourcesBalancedAllocation", fields{"resources": g.weighedResources(1)})
	}
	return list
}

func (g *generator) addedAffinity() *v1.NodeAffinity {
	a := &v1.NodeAffinity{}
	if g.chance(0.5) {
		// Loose, since it holds for every pod.
		a.RequiredDuringSchedulingIgnoredDuringExecution = &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{
			{MatchExpressions: []v1.NodeSelectorRequirement{{
				Key: diskLabel, Operator: v1.NodeSelectorOpNotIn, Values: []string{pick(g, disks...)},
			}}},
			{MatchExpressions: []v1.NodeSelectorRequirement{g.nodeRequirement(true)}},
		}}
	}
	if g.chance(0.7) {
		a.PreferredDuringSchedulingIgnoredDuringExecution = []v1.PreferredSchedulingTerm{{
			Weight: g.weight(), Preference: v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{g.nodeRequirement(true)}},
		}}
	}
	return a
}

// fitArgs draws the arguments of NodeResourcesFit: what to ignore, and how to score.
func (g *generator) fitArgs() fields {
	args := fields{}
	if g.chance(0.4) {
		args["ignoredResources"] = []any{string(pick(g, extended...))}
	}
	if g.chance(0.3) {
		args["ignoredResourceGroups"] = []any{pick(g, "example.com", "other.io")}
	}
	strategy := fields{
		"type":      pick(g, "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio", "RequestedToCapacityRatio"),
		"resources": g.weighedResources(5),
	}
	if strategy["type"] == "RequestedToCapacityRatio" {
		strategy["requestedToCapacityRatio"] = fields{"shape": pick(g,
			[]any{point(0, 0), point(100, 10)},
			[]any{point(0, 10), point(100, 0)},
			[]any{point(0, 0), point(33, 7), point(77, 2), point(100, 9)},
			[]any{point(20, 3), point(50, 10), point(80, 1)},
			[]any{point(50, 4)},
		)}
	}
	args["scoringStrategy"] = strategy
	return args
}

func point(utilization, score int) fields {
	return fields{"utilization": utilization, "score": score}
}

// weighedResources draws resources with weights from 1 to the highest.
func (g *generator) weighedResources(highest int) []any {
	var list []any
	for _, name := range append([]v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, hugepage[0]}, extended[:2]...) {
		p := 0.4
		if name == v1.ResourceCPU || name == v1.ResourceMemory {
			p = 0.8
		}
		if g.chance(p) {
			list = append(list, fields{"name": string(name), "weight": g.between(1, highest)})
		}
	}
	if len(list) == 0 {
		list = append(list, fields{"name": "cpu", "weight": 1})
	}
	return list
}

// spreadArgs draws the default constraints of PodTopologySpread: none, one's own, or the system's.
func (g *generator) spreadArgs() fields {
	if g.chance(0.3) {
		return fields{"defaultingType": "System"}
	}
	var list []any
	for i, key := range []string{v1.LabelTopologyZone, v1.LabelHostname, rackLabel} {
		if g.chance(0.5) {
			list = append(list, fields{
				"maxSkew": g.between(1, 3), "topologyKey": key,
				"whenUnsatisfiable": fmt.Sprint(pick(g, v1.DoNotSchedule, v1.ScheduleAnyway)),
			})
		}
		if i == 0 && g.chance(0.2) {
			break
		}
	}
	args := fields{"defaultingType": "List"}
	if len(list) > 0 {
		args["defaultConstraints"] = list
	}
	return args
}
