package eviction_test

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// users have acts happen.
type users struct{ acts []act }

// Step implements cluster.Controller.
func (u *users) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	for len(u.acts) > 0 && u.acts[0].at <= s.Now {
		u.acts[0].do(s)
		u.acts = u.acts[1:]
	}
	if len(u.acts) == 0 {
		return cluster.Never
	}
	return u.acts[0].at
}

// owners are workload controllers as far as they matter here: for each pod of theirs that
// is told to end they make another one, or, as a StatefulSet, once it has ended. A
// DaemonSet's would go to the same node, and is left out.
type owners struct{ replaced map[string]bool }

// Step implements cluster.Controller.
func (o *owners) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	if o.replaced == nil {
		o.replaced = map[string]bool{}
	}
	for i := range events {
		p := events[i].Pod
		replacing := map[cluster.Kind][]string{
			cluster.PodTold:  {"ReplicaSet", "Job", "PyTorchJob"},
			cluster.PodEnded: {"StatefulSet"},
		}[events[i].Kind]
		if replacing == nil || !slices.Contains(replacing, s.Class(p).Owner.Kind) || o.replaced[s.Pods.Name[p]] {
			continue
		}
		o.replaced[s.Pods.Name[p]] = true
		s.Create(&cluster.PodSpec{
			Name: s.Pods.Name[p] + "'", Class: s.Class(p), Labels: s.Pods.Labels[p],
			Run: cluster.Never, Stop: cluster.Second, Grace: 30 * cluster.Second,
		})
	}
	return cluster.Never
}

// binder binds pods, the first first, to the first node that has no taint and room.
type binder struct{}

// Step implements cluster.Controller.
func (binder) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	var pending []cluster.PodID
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Pending {
			pending = append(pending, p)
		}
	}
	slices.SortFunc(pending, func(a, b cluster.PodID) int { return cmp.Compare(s.Pods.Order[a], s.Pods.Order[b]) })
	for _, p := range pending {
		for _, n := range s.Nodes.Live() {
			if len(s.Nodes.Taints[n]) == 0 && s.Free(n, cluster.PodSlots) > 0 {
				s.Bind(p, n, cluster.Allocation{})
				break
			}
		}
	}
	return cluster.Never
}
