package cluster

import "slices"

// The labels that say in which zone and region a node is. As in Kubernetes, the
// deprecated ones count first where they are present.
const (
	labelZone             = "topology.kubernetes.io/zone"
	labelRegion           = "topology.kubernetes.io/region"
	labelZoneDeprecated   = "failure-domain.beta.kubernetes.io/zone"
	labelRegionDeprecated = "failure-domain.beta.kubernetes.io/region"
)

// A zoneKey names a zone. Nodes with neither label are in the zone "".
type zoneKey struct{ region, zone string }

func zoneOf(ls Labels) zoneKey {
	first := func(deprecated, key string) string {
		if value, ok := ls.Get(deprecated); ok {
			return value
		}
		value, _ := ls.Get(key)
		return value
	}
	return zoneKey{first(labelRegionDeprecated, labelRegion), first(labelZoneDeprecated, labelZone)}
}

// ZoneOf names the zone of a node with such labels, with the region before it if there is
// one: "west/a". Nodes with neither label are in the zone "".
func ZoneOf(ls Labels) string {
	key := zoneOf(ls)
	if key.region == "" {
		return key.zone
	}
	return key.region + "/" + key.zone
}

// zones is kube's node tree (pkg/scheduler/backend/cache/node_tree.go): zones in
// order of first appearance, and in each its nodes in order of arrival.
type zones struct {
	order []zoneKey
	nodes map[zoneKey][]NodeID
	flat  []NodeID
	stale bool // flat must be made anew
}

func (z *zones) add(key zoneKey, n NodeID) {
	if z.nodes == nil {
		z.nodes = map[zoneKey][]NodeID{}
	}
	if _, ok := z.nodes[key]; !ok {
		z.order = append(z.order, key)
	}
	z.nodes[key] = append(z.nodes[key], n)
	z.stale = true
}

func (z *zones) remove(key zoneKey, n NodeID) {
	left := slices.DeleteFunc(z.nodes[key], func(other NodeID) bool { return other == n })
	if len(left) == 0 {
		delete(z.nodes, key)
		z.order = slices.DeleteFunc(z.order, func(other zoneKey) bool { return other == key })
	} else {
		z.nodes[key] = left
	}
	z.stale = true
}

// move puts n into another zone. As in kube-scheduler, whose list is made anew
// only when nodes come or go, the order of nodes stays as it is until then.
func (z *zones) move(from, to zoneKey, n NodeID) {
	stale := z.stale
	z.remove(from, n)
	z.add(to, n)
	z.stale = stale
}

// ByZone returns the live nodes in the order in which kube-scheduler looks at
// them: one of each zone in turn. The caller must not change the slice, which is
// valid until the next Observe.
func (ns *Nodes) ByZone() []NodeID {
	z := &ns.zones
	if !z.stale {
		return z.flat
	}
	z.flat, z.stale = z.flat[:0], false
	for i := 0; len(z.flat) < len(ns.live); i++ {
		for _, key := range z.order {
			if nodes := z.nodes[key]; i < len(nodes) {
				z.flat = append(z.flat, nodes[i])
			}
		}
	}
	return z.flat
}
