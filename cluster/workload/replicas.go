// Package workload stands in for the controllers that make pods, in clusters that have
// none.
package workload

import (
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Replicas is a controller that makes another pod for each one that is told to end or is
// taken off its node before its time, as a ReplicaSet or a Job does. The other goes on with
// the work of the first, as far as a simulator keeps it (PodSpec.Continues). Pods that end
// by themselves have none.
type Replicas struct {
	mark  string
	specs []*cluster.PodSpec // by row, of pods that have not been replaced
	made  map[string]int     // how many pods there have been, by the first one's namespace and name
}

// NewReplicas returns the controller.
func NewReplicas() *Replicas { return NewReplicasMarked(mark) }

// NewReplicasMarked returns the controller for clusters where names have to be Kubernetes':
// between the name of the first pod and the number of the one in its place stands a mark,
// which no first pod's name may have.
func NewReplicasMarked(mark string) *Replicas { return &Replicas{mark: mark, made: map[string]int{}} }

// Step implements cluster.Controller.
func (r *Replicas) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case cluster.PodAdded:
			for len(r.specs) <= int(e.Pod) {
				r.specs = append(r.specs, nil)
			}
			r.specs[e.Pod] = e.PodSpec
		case cluster.PodTold:
			r.replace(s, e.Pod)
		case cluster.PodEnded:
			r.specs[e.Pod] = nil
		}
	}
	return cluster.Never
}

// replace makes a pod in p's place, once.
func (r *Replicas) replace(s *cluster.State, p cluster.PodID) {
	old := r.specs[p]
	if old == nil {
		return
	}
	r.specs[p] = nil
	spec := *old
	first, _, _ := strings.Cut(old.Name, r.mark)
	key := cluster.Key(old.Class.Namespace, first)
	r.made[key]++
	spec.Name, spec.Continues = first+r.mark+strconv.Itoa(r.made[key]), old.Name
	spec.On, spec.Allocation, spec.Nominated, spec.Started = "", cluster.Allocation{}, "", nil
	spec.Terminating, spec.Preempted, spec.Unready = false, false, false
	s.Create(&spec)
}

// NameMark is a mark that names in Kubernetes may have, for NewReplicasMarked.
const NameMark = ".r"

// mark stands between a pod's name and the number of the one that took its place. No name
// in Kubernetes has one.
const mark = "~"
