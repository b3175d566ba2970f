package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// TaintEviction is a controller that deletes the pods of nodes with NoExecute taints, once
// they have been tolerated for as long as the pods say: upstream's taint eviction
// controller (pkg/controller/tainteviction).
type TaintEviction struct {
	policy PodPolicy

	tainted [][]cluster.Taint // NoExecute taints, by the node's row
	timers  heap.Heap[timer]
	pods    []deadline // by row
	due     []cluster.PodID
	again   cluster.Time // when to ask the policy about those that are left of due
}

// A deadline is a pod's, while it tolerates its node's taints for a time.
type deadline struct {
	order uint64 // of the pod's arrival: rows are reused
	set   cluster.Time
	at    cluster.Time
	runs  bool // or it was cancelled, or there was none
	due   bool // its time is up, and the policy has kept it so far
}

// A timer is a deadline in the order of time.
type timer struct {
	at    cluster.Time
	order uint64
	pod   cluster.PodID
}

// Before orders timers by time, then by the pods' arrival.
func (a timer) Before(b timer) bool {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order)) < 0
}

// NewTaintEviction returns the controller. A nil policy stands for kube's.
func NewTaintEviction(policy PodPolicy) *TaintEviction {
	if policy == nil {
		policy = NewKubePolicy(Defaults())
	}
	return &TaintEviction{policy: policy, again: cluster.Never}
}

// Step implements cluster.Controller.
func (t *TaintEviction) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for i := range events {
		t.take(s, &events[i])
	}
	for len(t.timers) > 0 && t.timers[0].at <= s.Now {
		if x := t.timers.Pop(); t.holds(s, x) {
			t.expire(x.pod)
		}
	}
	t.evict(s)
	for len(t.timers) > 0 && !t.holds(s, t.timers[0]) {
		t.timers.Pop()
	}
	if len(t.timers) == 0 {
		return t.again
	}
	return min(t.timers[0].at, t.again)
}

// holds reports whether a timer still counts.
func (t *TaintEviction) holds(s *cluster.State, x timer) bool {
	d := &t.pods[x.pod]
	return d.runs && d.order == x.order && d.at == x.at && s.Pods.Order[x.pod] == x.order
}

// take notes what an event says.
func (t *TaintEviction) take(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.NodeAdded, cluster.NodeChanged:
		t.takeNode(s, e)
	case cluster.NodeRemoved: // its pods' deadlines stay
		t.grow(e.Node)
		t.tainted[e.Node] = nil
	case cluster.PodAdded, cluster.PodBound, cluster.PodChanged:
		t.takePod(s, e)
	case cluster.PodEnded:
		t.cancel(e.Pod)
	case cluster.Rejected:
		if e.Decision.Kind == cluster.Evict && e.Decision.Detail == cluster.DeletionByTaint {
			t.takeNodeOf(s, e.Pod)
		}
	}
}

func (t *TaintEviction) grow(row cluster.NodeID) {
	for len(t.tainted) <= int(row) {
		t.tainted = append(t.tainted, nil)
	}
}

// takeNode judges all pods of a node whose NoExecute taints are not what they were.
func (t *TaintEviction) takeNode(s *cluster.State, e *cluster.Event) {
	t.grow(e.Node)
	var taints []cluster.Taint
	for _, taint := range e.NodeSpec.Taints {
		if taint.Effect == cluster.NoExecute {
			taints = append(taints, taint)
		}
	}
	if e.Kind == cluster.NodeChanged && slices.Equal(taints, t.tainted[e.Node]) {
		return
	}
	t.tainted[e.Node] = taints
	for p := range s.PodsOn(e.Node) {
		t.judge(s, p, taints)
	}
}

// takePod judges a pod that has come to a node, or tolerates other taints now.
func (t *TaintEviction) takePod(s *cluster.State, e *cluster.Event) {
	if e.Kind == cluster.PodChanged && e.OldPod.Node == s.Pods.Node[e.Pod] && e.OldPod.Class == s.Pods.Class[e.Pod] {
		return
	}
	t.takeNodeOf(s, e.Pod)
}

// takeNodeOf judges a pod by the taints of its node.
func (t *TaintEviction) takeNodeOf(s *cluster.State, p cluster.PodID) {
	n := s.Pods.Node[p]
	if n == cluster.None || int(n) >= len(t.tainted) || len(t.tainted[n]) == 0 {
		return
	}
	t.judge(s, p, t.tainted[n])
}

// judge finds out until when a pod may stay (Controller.processPodOnNode).
func (t *TaintEviction) judge(s *cluster.State, p cluster.PodID, taints []cluster.Taint) {
	for len(t.pods) <= int(p) {
		t.pods = append(t.pods, deadline{})
	}
	d := &t.pods[p]
	if d.order != s.Pods.Order[p] {
		*d = deadline{order: s.Pods.Order[p]}
	}
	stay, all := tolerated(taints, s.Class(p).Tolerations)
	switch {
	case stay == cluster.Never:
		t.cancel(p)
	case d.due:
	case all && d.runs && d.set < s.Now: // upstream keeps a timer that runs, whatever came since
	default:
		*d = deadline{order: d.order, set: s.Now, at: s.Now + stay, runs: true}
		t.timers.Push(timer{d.at, d.order, p})
	}
}

// tolerated returns for how long taints are tolerated, Never if for ever: the shortest
// time of those tolerations that are the first to match a taint. all is false if there is
// none for some taint.
func tolerated(taints []cluster.Taint, tolerations []cluster.Toleration) (stay cluster.Time, all bool) {
	stay = cluster.Never
	for i := range taints {
		at := slices.IndexFunc(tolerations, func(t cluster.Toleration) bool { return t.Tolerates(&taints[i]) })
		if at < 0 {
			return 0, false
		}
		if seconds := tolerations[at].Seconds; seconds != nil {
			stay = min(stay, max(0, cluster.Time(*seconds))*cluster.Second)
		}
	}
	return stay, true
}

// cancel lets a pod stay.
func (t *TaintEviction) cancel(p cluster.PodID) {
	if int(p) >= len(t.pods) {
		return
	}
	if d := &t.pods[p]; d.due {
		t.due = slices.DeleteFunc(t.due, func(other cluster.PodID) bool { return other == p })
	}
	t.pods[p] = deadline{order: t.pods[p].order}
}

// expire has a pod be among those that are to go.
func (t *TaintEviction) expire(p cluster.PodID) {
	t.pods[p].runs, t.pods[p].due = false, true
	t.due = append(t.due, p)
	t.again = 0
}

// evict deletes the pods that the policy lets go.
func (t *TaintEviction) evict(s *cluster.State) {
	t.letGo(s)
	if len(t.due) == 0 {
		t.again = cluster.Never
	}
	if t.again > s.Now {
		return
	}
	now, again := t.policy.NextPods(s, t.due)
	t.again = again
	for _, p := range now {
		if s.Pods.Node[p] != cluster.None && s.Pods.Phase[p] != cluster.Terminating {
			s.Delete(p, cluster.DeletionByTaint)
		}
	}
	t.letGo(s)
	if len(t.due) == 0 {
		t.again = cluster.Never
	}
}

// letGo takes out of due those pods that have been told to end, by whomever.
func (t *TaintEviction) letGo(s *cluster.State) {
	t.due = slices.DeleteFunc(t.due, func(p cluster.PodID) bool {
		gone := s.Pods.Phase[p] == cluster.Terminating
		if gone {
			t.pods[p].due = false
		}
		return gone
	})
}
