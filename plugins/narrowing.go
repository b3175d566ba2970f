package plugins

import "github.com/berthsim/berth/cluster"

// What follows implements scheduler.Narrowing: of these filters, a binding only
// ever rules out more nodes. They look at the node itself, or at room and ports,
// which other pods only take.

func (gpuDevices) Narrowing(*cluster.State, cluster.PodID) bool           { return true }
func (*nodeAffinity) Narrowing(*cluster.State, cluster.PodID) bool        { return true }
func (nodeDeclaredFeatures) Narrowing(*cluster.State, cluster.PodID) bool { return true }
func (nodeName) Narrowing(*cluster.State, cluster.PodID) bool             { return true }
func (nodePorts) Narrowing(*cluster.State, cluster.PodID) bool            { return true }
func (*fit) Narrowing(*cluster.State, cluster.PodID) bool                 { return true }
func (nodeUnschedulable) Narrowing(*cluster.State, cluster.PodID) bool    { return true }
func (taintToleration) Narrowing(*cluster.State, cluster.PodID) bool      { return true }

// Narrowing implements scheduler.Narrowing: with required affinity, a pod may be
// waiting for company.
func (pl *interPodAffinity) Narrowing(s *cluster.State, p cluster.PodID) bool {
	return len(s.Class(p).Affinity.Required) == 0
}

// Narrowing implements scheduler.Narrowing: a binding may fill the least domain,
// from which the others are measured.
func (pl *podTopologySpread) Narrowing(s *cluster.State, p cluster.PodID) bool {
	return len(pl.constraints(s, s.Class(p), false)) == 0
}
