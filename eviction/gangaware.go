package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// GangAware deletes gangs as a whole.
var GangAware = &Policy{
	Name: "gangaware",
	Doc: "gangaware deletes all pods of a gang, on whatever nodes, when one of them must go. " +
		"A gang is the pods of one owner that isn't of a kind whose pods work alone: of a Job or a PyTorchJob, " +
		"and not of a ReplicaSet. What is left of one that has lost a pod holds room and gets nothing done. " +
		"So the shortest toleration among the pods on tainted nodes counts for all. Nodes are tainted as kube does.",
	New: func(st Settings) any { return &gangAware{NewKubePolicy(st)} },
}

type gangAware struct{ *KubePolicy }

// A gang is what its pods have in common.
type gang struct {
	namespace string
	owner     cluster.OwnerRef
}

// alone are the kinds of owners whose pods work without each other. Node owns the mirrors
// of static pods.
var alone = []string{"", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Node"}

// gangOf returns the gang of a pod; ok is false if it is in none.
func gangOf(s *cluster.State, p cluster.PodID) (g gang, ok bool) {
	class := s.Class(p)
	return gang{class.Namespace, class.Owner}, !slices.Contains(alone, class.Owner.Kind)
}

// NextPods implements PodPolicy: those that are due, then the others of their gangs, in
// order of arrival.
func (*gangAware) NextPods(s *cluster.State, due []cluster.PodID) (now []cluster.PodID, again cluster.Time) {
	going := map[gang]bool{}
	gone := map[cluster.PodID]bool{}
	for _, p := range due {
		gone[p] = true
		if g, ok := gangOf(s, p); ok {
			going[g] = true
		}
	}
	if len(going) == 0 {
		return due, cluster.Never
	}
	now = slices.Clone(due)
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Node[p] == cluster.None || s.Pods.Phase[p] == cluster.Terminating || gone[p] {
			continue
		}
		if g, ok := gangOf(s, p); ok && going[g] {
			now = append(now, p)
		}
	}
	slices.SortFunc(now[len(due):], func(a, b cluster.PodID) int { return cmp.Compare(s.Pods.Order[a], s.Pods.Order[b]) })
	return now, cluster.Never
}
