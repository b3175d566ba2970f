package eviction

import "github.com/berthsim/berth/cluster"

// NodeTaints evicts pods from nodes whose taints would keep them off today: the
// descheduler's RemovePodsViolatingNodeTaints.
var NodeTaints = Strategy{
	Name: "NodeTaints",
	Doc:  "evicts pods that don't tolerate a NoSchedule taint of their node",
	Choose: func(s *cluster.State, e *Evictions) {
		for _, n := range s.Nodes.Live() {
			for _, p := range cheapestFirst(s, n) {
				if !tolerates(s, s.Class(p), n, false) {
					e.Evict(p)
				}
			}
		}
	},
}

// NodeAffinity evicts pods whose node has changed so that it isn't one they ask for: the
// descheduler's RemovePodsViolatingNodeAffinity, of required affinity.
var NodeAffinity = Strategy{
	Name: "NodeAffinity",
	Doc:  "evicts pods with required node affinity that their node doesn't meet, if they fit on another",
	Choose: func(s *cluster.State, e *Evictions) {
		for _, n := range s.Nodes.Live() {
			for _, p := range cheapestFirst(s, n) {
				if c := s.Class(p); c.RequiredNode != nil && !wants(s, c, n) && fitsOn(s, p, s.Nodes.Live()) {
					e.Evict(p)
				}
			}
		}
	},
}

// fitsOn reports whether p would do on any of some nodes.
func fitsOn(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) bool {
	for _, n := range nodes {
		if fits(s, p, n) {
			return true
		}
	}
	return false
}

// AntiAffinity evicts pods that can't bear others near them: the descheduler's
// RemovePodsViolatingInterPodAntiAffinity. Once one has gone, those that are left may be
// at peace.
var AntiAffinity = Strategy{
	Name: "AntiAffinity",
	Doc:  "evicts pods with required anti-affinity to another pod of their topology domain",
	Choose: func(s *cluster.State, e *Evictions) {
		domains := domainsOf{state: s, nodes: map[[2]string][]cluster.NodeID{}, done: map[string]bool{}}
		for _, n := range s.Nodes.Live() {
			for _, p := range cheapestFirst(s, n) {
				if len(s.Class(p).AntiAffinity.Required) > 0 && e.May(p) && domains.repelled(p) {
					e.Evict(p)
				}
			}
		}
	},
}

// domainsOf finds the nodes of topology domains.
type domainsOf struct {
	state *cluster.State
	nodes map[[2]string][]cluster.NodeID // by key and value
	done  map[string]bool                // the keys
}

// of returns the nodes of a domain.
func (d *domainsOf) of(key, value string) []cluster.NodeID {
	if !d.done[key] {
		d.done[key] = true
		for _, n := range d.state.Nodes.Live() {
			if v, ok := d.state.Nodes.Labels[n].Get(key); ok {
				d.nodes[[2]string{key, v}] = append(d.nodes[[2]string{key, v}], n)
			}
		}
	}
	return d.nodes[[2]string{key, value}]
}

// repelled reports whether a pod that stays is where p can't bear it.
func (d *domainsOf) repelled(p cluster.PodID) bool {
	s := d.state
	terms := s.Class(p).AntiAffinity.Required
	for i := range terms {
		t := &terms[i]
		value, ok := s.Nodes.Labels[s.Pods.Node[p]].Get(t.TopologyKey)
		if !ok {
			continue
		}
		for _, n := range d.of(t.TopologyKey, value) {
			for q := range s.PodsOn(n) {
				if c := s.Class(q); q != p && s.Pods.Phase[q] != cluster.Terminating && t.Matches(s, c) {
					return true
				}
			}
		}
	}
	return false
}
