package generate

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

// Upstream samples nodes from 100 on; large clusters are those above.
const samplingFrom = 100

// large is the share of large clusters: every third.
const large = 3

// shape is what nodes of a kind have in common.
type shape struct {
	labels      map[string]string
	taints      []v1.Taint
	cordoned    bool
	allocatable v1.ResourceList
	images      []v1.ContainerImage
	declared    []string
}

// size draws the number of nodes.
func (g *generator) drawSize() int {
	switch {
	case g.options.Nodes > 0:
		return g.options.Nodes
	case g.index%large == large-1 && g.chance(0.3):
		return pick(g, samplingFrom+1, 2*samplingFrom, 125, 250, 300)
	case g.index%large == large-1:
		return g.between(samplingFrom+1, 300)
	case g.chance(0.2):
		return pick(g, 5, samplingFrom-1, samplingFrom)
	}
	return g.between(5, 60)
}

func (g *generator) addNodes() {
	kinds := g.between(2, 8)
	if g.dials.uniform {
		kinds = 1
	}
	for range kinds {
		g.shapes = append(g.shapes, g.shape())
	}
	g.latest = map[string]*v1.Node{}
	for range g.size {
		g.addNode()
	}
}

func (g *generator) addNode() {
	n := g.node(fmt.Sprintf("node-%03d", g.nodeSerial))
	g.nodeSerial++
	g.nodes = append(g.nodes, n.Name)
	g.latest[n.Name] = n
	g.step(scenario.Step{Verb: scenario.Add, Object: n})
}

// shape draws a kind of node.
func (g *generator) shape() shape {
	s := shape{labels: map[string]string{}, allocatable: g.allocatable(), cordoned: g.uses(cordons) && g.chance(0.3)}
	if g.chance(0.8) {
		s.labels[diskLabel] = pick(g, disks...)
	}
	if g.chance(0.8) {
		s.labels[genLabel] = pick(g, gens...)
	}
	s.taints = g.taints()
	if g.dials.use[declared] == turnedUp || g.chance(0.5) {
		s.declared = pickSome(g, 0.5, declaredFeatures...)
		slices.Sort(s.declared)
	}
	for _, im := range imagePool {
		p := 0.4
		if g.dials.use[images] == turnedUp {
			p = 0.8
		}
		if len(im.names) > 0 && g.chance(p) {
			s.images = append(s.images, v1.ContainerImage{Names: im.names, SizeBytes: im.size})
		}
	}
	return s
}

// taints draws a node's taints; key and effect together are unique.
func (g *generator) taints() []v1.Taint {
	var list []v1.Taint
	if g.chance(0.3) {
		return nil
	}
	for range pick(g, 1, 2, 3) {
		if !g.uses(taints) {
			continue
		}
		t := v1.Taint{Key: pick(g, taintKeys...), Value: pick(g, taintValues...), Effect: pick(g, taintEffects...)}
		same := func(o v1.Taint) bool { return o.Key == t.Key && o.Effect == t.Effect }
		if !slices.ContainsFunc(list, same) {
			list = append(list, t)
		}
	}
	return list
}

// node draws a node of one of the shapes, in one of the zones.
func (g *generator) node(name string) *v1.Node {
	s := pick(g, g.shapes...)
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: uid(name), Labels: g.topology(name)}}
	for k, v := range s.labels {
		n.Labels[k] = v
	}
	n.Spec.Taints = slices.Clone(s.taints)
	n.Status.Allocatable = s.allocatable.DeepCopy()
	n.Status.Capacity = s.allocatable.DeepCopy()
	n.Status.DeclaredFeatures = slices.Clone(s.declared)
	for _, im := range s.images {
		if g.dials.imageSizesDiffer && g.chance(0.3) {
			im.SizeBytes += g.Int64N(100 * mebi)
		}
		if g.dials.uniform || g.chance(0.8) {
			n.Status.Images = append(n.Status.Images, im)
		}
	}
	if !g.dials.uniform && g.chance(0.3) {
		n.Spec.Taints = g.taints()
	}
	if s.cordoned || g.uses(cordons) && g.chance(0.3) {
		cordon(n, g.chance(0.7))
	}
	return n
}

// topology draws the labels that say where a node is.
func (g *generator) topology(name string) map[string]string {
	labels := map[string]string{v1.LabelHostname: name}
	if g.uses(missingLabels) {
		delete(labels, v1.LabelHostname)
	} else if g.uses(missingLabels) && g.chance(0.2) {
		labels[v1.LabelHostname] = "shared-host" // a mistake that upstream lives with
	}
	zone := g.IntN(g.dials.zones)
	set := func(key, value string) {
		if !g.uses(missingLabels) {
			labels[key] = value
		}
	}
	if g.dials.zones > 1 || g.chance(0.5) {
		set(v1.LabelTopologyZone, zoneNames[zone])
		set(v1.LabelTopologyRegion, regionNames[zone/2])
	}
	if g.uses(missingLabels) {
		labels[betaZone] = pick(g, zoneNames...) // may contradict the other one
		labels[betaRegion] = pick(g, regionNames...)
	}
	if g.uses(missingLabels) && g.chance(0.2) {
		labels[v1.LabelTopologyZone] = ""
	}
	if !g.dials.uniform {
		set(rackLabel, pick(g, racks...))
	}
	return labels
}

// cordon makes a node unschedulable, with or without the taint that the node lifecycle controller
// adds a moment later.
func cordon(n *v1.Node, taint bool) {
	n.Spec.Unschedulable = true
	key := v1.TaintNodeUnschedulable
	has := slices.ContainsFunc(n.Spec.Taints, func(t v1.Taint) bool { return t.Key == key })
	if taint && !has {
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: key, Effect: v1.TaintEffectNoSchedule})
	}
}
