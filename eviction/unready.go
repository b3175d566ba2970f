package eviction

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// takePod marks a pod that has come to an unready node (Controller.processPod).
func (h *Health) takePod(s *cluster.State, e *cluster.Event) {
	row := s.Pods.Node[e.Pod]
	switch {
	case e.Kind == cluster.PodChanged && e.OldPod.Node == row:
	case row != cluster.None && s.Nodes.IsLive(row):
		h.mark(s, e.Pod, h.nodes[row])
	case e.Kind == cluster.PodAdded && h.byName[e.PodSpec.On] != nil && h.byName[e.PodSpec.On].posted:
		h.early = append(h.early, early{e.Pod, s.Pods.Order[e.Pod], e.PodSpec.On, s.Now, cluster.Never})
	}
}

// mark has a pod not be ready if its node wasn't when it was last looked at.
func (h *Health) mark(s *cluster.State, p cluster.PodID, n *nodeHealth) {
	if n.posted && n.ready != cluster.ConditionTrue && s.IsReady(p) {
		s.MarkUnready(p)
	}
}

// An early pod is on a node that isn't there. If it is one that is known, upstream tries
// again and again, after times that double, until the node is back.
type early struct {
	pod   cluster.PodID
	order uint64 // of the pod's arrival
	node  string
	first cluster.Time // that it was tried
	next  cluster.Time // that it will be, and the node will be there; or Never
}

// firstRetry is after how long something is tried again for the first time
// (workqueue.DefaultTypedControllerRateLimiter).
const firstRetry = 5 * cluster.Millisecond

// expect has those pods tried again whose node is there now.
func (h *Health) expect(node string, now cluster.Time) {
	for i := range h.early {
		if e := &h.early[i]; e.node == node {
			e.next = e.first
			for wait := firstRetry; e.next < now; wait *= 2 {
				e.next += wait
			}
		}
	}
}

// retry marks those pods whose turn it is.
func (h *Health) retry(s *cluster.State) {
	h.early = slices.DeleteFunc(h.early, func(e early) bool {
		gone := s.Pods.Order[e.pod] != e.order || s.Pods.Phase[e.pod] == cluster.Ended
		if row, ok := s.Nodes.Named(e.node); ok && !gone && e.next <= s.Now {
			h.mark(s, e.pod, h.nodes[row])
			return true
		}
		return gone
	})
}

// nextTry returns when to call retry.
func (h *Health) nextTry() cluster.Time {
	next := cluster.Never
	for i := range h.early {
		next = min(next, h.early[i].next)
	}
	return next
}
