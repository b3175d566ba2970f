package sim

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// A GracefulShutdown is a KubeletPolicy that also says how a node ends its pods before it
// goes off, when a fault shuts it down. Without one it goes off at once.
type GracefulShutdown interface {
	// ShutDown returns when the pods of a node, which begins to shut down now, are told to
	// end, and when the node goes off, whether they have ended or not.
	ShutDown(s *cluster.State, n cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) (stops []cluster.PodStop, off cluster.Time)
}

// shutDown has a node begin to shut down. One that is down, or whose kubelet hangs, just goes
// off.
func (c *Cluster) shutDown(row cluster.NodeID, n *node) {
	n.off = c.now
	graceful, ok := c.opts.Kubelets.Policy.(GracefulShutdown)
	if !ok || n.hung {
		return
	}
	c.present = c.appendPresent(c.present[:0], row)
	var stops []cluster.PodStop
	stops, n.off = graceful.ShutDown(c.state, row, c.now, c.present)
	for _, s := range stops {
		c.set(chore{at: s.Begin, kind: stop, row: row, pod: s.Pod, grace: s.Grace})
	}
	if n.off > c.now {
		c.set(chore{at: n.off, kind: turnOff, row: row})
	}
}

// isClosing reports whether a fault is shutting the node down, or has done so.
func (n *node) isClosing() bool {
	for _, f := range n.faults {
		if f.Kind == faults.Shutdown {
			return true
		}
	}
	return false
}

// conditions returns what a node says of itself, if it can.
func (n *node) conditions(now cluster.Time) cluster.Conditions {
	said := cluster.Healthy
	for _, c := range []cluster.NodeCondition{cluster.NodeMemoryPressure, cluster.NodeDiskPressure, cluster.NodePIDPressure} {
		if n.pressure[c] == cluster.ConditionTrue {
			said[c] = cluster.ConditionTrue
		}
	}
	for _, f := range n.faults {
		switch {
		case f.Kind == faults.Pressure:
			said[pressure[f.Signal]] = cluster.ConditionTrue
		case f.Kind == faults.Shutdown && now < f.Until:
			said[cluster.NodeReady] = cluster.ConditionFalse
		}
	}
	return said
}
