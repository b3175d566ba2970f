package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// How often pods are collected, and for how long a node must be missing before its pods are.
const (
	collectEvery = 20 * cluster.Second
	quarantine   = 40 * cluster.Second
)

// GC is Kubernetes' pod garbage collector. Every 20 s it takes away for good, whatever
// budgets say,
//
//   - pods that were told to end on a node that isn't ready and has the taint
//     node.kubernetes.io/out-of-service, the oldest first;
//   - pods on nodes that aren't there, if they weren't 40 s before either;
//   - pods that were told to end and are on no node.
//
// Kubernetes' collector also deletes pods that have run to their end, if there are more
// than 12,500 of them. State has no such pods: as for the scheduler, they are gone.
//
// GC wakes only if there is something that it may have to collect.
type GC struct {
	begun   bool
	next    cluster.Time // when pods are collected next, if there is anything to collect
	epoch   uint64       // of nodes, when down was made
	down    []cluster.NodeID
	removed []cluster.NodeID // rows of nodes that are gone, with pods on them
	loose   []cluster.PodID  // on no node that is known, and not just waiting for one
	missing []missingNode
}

// A missingNode is a node that pods are on and that isn't there.
type missingNode struct {
	name  string
	until cluster.Time // it is in quarantine
}

// Step implements cluster.Controller.
func (g *GC) Step(s *cluster.State, events []cluster.Event) (wake cluster.Time) {
	idle := !g.any()
	if !g.begun {
		g.begun = true
		g.find(s)
	} else {
		for i := range events {
			switch e := &events[i]; e.Kind {
			case cluster.NodeRemoved:
				g.noteRemoved(e.Node)
			case cluster.PodAdded, cluster.PodChanged:
				g.noteLoose(s, e.Pod)
			}
		}
	}
	g.forget(s)
	if !g.any() {
		return cluster.Never
	}
	if idle {
		g.next = (s.Now + collectEvery - 1) / collectEvery * collectEvery
	}
	if s.Now >= g.next {
		g.collect(s)
		g.next = (s.Now/collectEvery + 1) * collectEvery
	}
	return g.next
}

// any reports whether there is anything that may have to be collected.
func (g *GC) any() bool { return len(g.down)+len(g.removed)+len(g.loose)+len(g.missing) > 0 }

// find notes all there is, whatever has happened before.
func (g *GC) find(s *cluster.State) {
	for p := range cluster.PodID(s.Pods.Rows()) {
		if n := s.Pods.Node[p]; n != cluster.None && !s.Nodes.IsLive(n) {
			g.noteRemoved(n)
		}
		g.noteLoose(s, p)
	}
}

func (g *GC) noteRemoved(n cluster.NodeID) {
	if !slices.Contains(g.removed, n) {
		g.removed = append(g.removed, n)
	}
}

func (g *GC) noteLoose(s *cluster.State, p cluster.PodID) {
	if isLoose(s, p) && !slices.Contains(g.loose, p) {
		g.loose = append(g.loose, p)
	}
}

func isLoose(s *cluster.State, p cluster.PodID) bool {
	return s.Pods.Node[p] == cluster.None && (s.Pods.Phase[p] == cluster.Terminating || s.Stray(p) != "")
}

// forget drops what isn't to be collected any more, lest a row is somebody else's later.
func (g *GC) forget(s *cluster.State) {
	g.loose = slices.DeleteFunc(g.loose, func(p cluster.PodID) bool { return !isLoose(s, p) })
	g.removed = slices.DeleteFunc(g.removed, func(n cluster.NodeID) bool { return s.Nodes.IsLive(n) || !hasPods(s, n) })
	if g.epoch == s.Nodes.Epoch {
		return
	}
	g.epoch, g.down = s.Nodes.Epoch, g.down[:0]
	for _, n := range s.Nodes.Live() {
		if slices.ContainsFunc(s.Nodes.Taints[n], func(t cluster.Taint) bool { return t.Key == cluster.TaintOutOfService }) {
			g.down = append(g.down, n)
		}
	}
}

func hasPods(s *cluster.State, n cluster.NodeID) bool {
	for range s.PodsOn(n) {
		return true
	}
	return false
}

// collect finalises what there is to collect now.
func (g *GC) collect(s *cluster.State) {
	var ending []cluster.PodID
	for _, n := range g.down {
		if s.Nodes.Health[n].Conditions[cluster.NodeReady] == cluster.ConditionTrue {
			continue
		}
		for p := range s.PodsOn(n) {
			if s.Pods.Phase[p] == cluster.Terminating {
				ending = append(ending, p)
			}
		}
	}
	slices.SortFunc(ending, func(a, b cluster.PodID) int {
		return cmp.Or(cmp.Compare(s.Pods.Arrived[a], s.Pods.Arrived[b]), cmp.Compare(s.Pods.Name[a], s.Pods.Name[b]))
	})
	for _, p := range ending {
		s.Finalise(p, "")
	}
	g.collectOrphans(s)
	for _, p := range g.loose {
		if s.Stray(p) == "" {
			s.Finalise(p, "")
		}
	}
}

// collectOrphans finalises pods on nodes that have been missing for long enough, in order
// of arrival. All nodes that are missing now go into quarantine: those that come out of it,
// too, so that a pod that turns up on one later may go sooner than 40 s after.
func (g *GC) collectOrphans(s *cluster.State) {
	var due []string
	g.missing = slices.DeleteFunc(g.missing, func(m missingNode) bool {
		if m.until <= s.Now {
			due = append(due, m.name)
		}
		return m.until <= s.Now
	})
	for _, n := range g.removed {
		g.isolate(s, s.Nodes.Name[n])
	}
	for _, p := range g.loose {
		if name := s.Stray(p); name != "" {
			g.isolate(s, name)
		}
	}
	var orphans []cluster.PodID
	for _, name := range due {
		if _, back := s.Nodes.Named(name); !back {
			orphans = g.appendPodsOn(s, name, orphans)
		}
	}
	slices.SortFunc(orphans, func(a, b cluster.PodID) int { return cmp.Compare(s.Pods.Order[a], s.Pods.Order[b]) })
	for _, p := range orphans {
		s.Finalise(p, cluster.DeletionByPodGC)
	}
}

// isolate puts a node into quarantine, if it is missing and isn't there yet.
func (g *GC) isolate(s *cluster.State, name string) {
	_, back := s.Nodes.Named(name)
	if !back && !slices.ContainsFunc(g.missing, func(m missingNode) bool { return m.name == name }) {
		g.missing = append(g.missing, missingNode{name, s.Now + quarantine})
	}
}

// appendPodsOn appends the pods on nodes of a name that aren't there.
func (g *GC) appendPodsOn(s *cluster.State, name string, pods []cluster.PodID) []cluster.PodID {
	for _, n := range g.removed {
		if s.Nodes.Name[n] == name {
			pods = slices.AppendSeq(pods, s.PodsOn(n))
		}
	}
	for _, p := range g.loose {
		if s.Stray(p) == name {
			pods = append(pods, p)
		}
	}
	return pods
}
