package scheduler

import "github.com/berthsim/berth/cluster"

// take tells the queue what an event means for the pods in it, as
// kube-scheduler's event handlers do (pkg/scheduler/eventhandlers.go).
func (sc *Scheduler) take(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.NodeAdded:
		sc.queue.move(s, Change{What: NodeAdd, Node: e.NodeSpec}, everyone)
	case cluster.NodeRemoved:
		sc.queue.move(s, Change{What: NodeDelete, OldNode: e.OldNode}, everyone)
	case cluster.NodeChanged:
		c := Change{Node: e.NodeSpec, OldNode: e.OldNode}
		for _, c.What = range each(ChangesOfNode(e.OldNode, e.NodeSpec)) {
			sc.queue.move(s, c, everyone)
		}
	case cluster.ObjectSet, cluster.ObjectRemoved:
		sc.queue.move(s, Change{What: ObjectChange}, everyone)
	case cluster.PodAdded:
		sc.takeAdded(s, e.Pod)
	case cluster.PodChanged:
		sc.takeChanged(s, e)
	case cluster.PodBound:
		sc.queue.move(s, Change{What: PodAdd, Pod: s.PodState(e.Pod)}, everyone)
	case cluster.PodEnded:
		sc.takeEnded(s, e)
	case cluster.Rejected:
		sc.takeRejected(s, e)
	}
}

// each returns the actions in a set, in kube's order.
func each(set Action) (list []Action) {
	for a := NodeAdd; a != 0 && a <= set; a <<= 1 {
		if set&a != 0 {
			list = append(list, a)
		}
	}
	return list
}

func (sc *Scheduler) takeAdded(s *cluster.State, p cluster.PodID) {
	switch {
	case s.Pods.Phase[p] != cluster.Pending:
		sc.queue.move(s, Change{What: PodAdd, Pod: s.PodState(p)}, everyone)
	case sc.profile(s, p) != nil:
		sc.queue.add(s, p)
	}
}

// takeChanged is about a pod that wants a node, has got one from somebody else, or
// has had one.
func (sc *Scheduler) takeChanged(s *cluster.State, e *cluster.Event) {
	p := e.Pod
	c := Change{Pod: s.PodState(p), OldPod: e.OldPod}
	switch {
	case sc.isHeld(s, p):
		if s.Pods.Phase[p] != cluster.Assumed {
			sc.drop(p)
			sc.queue.remove(p)
		}
	case s.Pods.Phase[p] == cluster.Pending:
		sc.takeUpdate(s, p, c)
	case e.OldPod.Node == cluster.None:
		if sc.queue.has(s, p) {
			sc.queue.remove(p)
		}
		if c.Pod.Node != cluster.None {
			c.What = PodAdd
			sc.queue.move(s, c, everyone)
		}
	default:
		for _, c.What = range each(ChangesOfPod(s, c.OldPod, c.Pod)) {
			sc.queue.move(s, c, everyone)
		}
	}
}

// takeUpdate is about a pod that wants a node.
func (sc *Scheduler) takeUpdate(s *cluster.State, p cluster.PodID, c Change) {
	if sc.profile(s, p) == nil {
		return
	}
	if sc.queue.has(s, p) {
		sc.queue.update(s, p, c, each(ChangesOfPod(s, c.OldPod, c.Pod)))
	} else {
		sc.queue.add(s, p)
	}
	if was := c.OldPod.Nominated; was != cluster.None && was != c.Pod.Nominated {
		sc.queue.move(s, Change{What: PodDelete, OldPod: c.OldPod}, s.ClassByID(c.OldPod.Class).Priority)
	}
}

func (sc *Scheduler) takeEnded(s *cluster.State, e *cluster.Event) {
	if sc.queue.has(s, e.Pod) {
		sc.queue.remove(e.Pod)
		sc.drop(e.Pod)
	}
	atMost := int32(everyone)
	switch {
	case e.OldPod.Node != cluster.None:
	case e.OldPod.Nominated != cluster.None:
		atMost = s.ClassByID(e.OldPod.Class).Priority
	default:
		return
	}
	sc.queue.move(s, Change{What: PodDelete, OldPod: e.OldPod}, atMost)
}

// takeRejected is about a decision that was not carried out. The room of a pod that
// was not bound is free again, and the pod backs off. If a victim stays, the pods
// that the node is kept for are tried again at once.
func (sc *Scheduler) takeRejected(s *cluster.State, e *cluster.Event) {
	p, d := e.Pod, e.Decision
	switch d.Kind {
	case cluster.Bind:
		was := s.PodState(p)
		was.Node = d.Node
		sc.queue.move(s, Change{What: PodDelete, OldPod: was}, everyone)
		if s.Pods.Phase[p] == cluster.Pending && sc.profile(s, p) != nil {
			sc.queue.fail(s, p, 0, 0)
			sc.disappoint(s, p, d.Node)
		}
	case cluster.Preempt:
		for q := range s.Nominees(d.Node) {
			if sc.queue.has(s, q) {
				sc.queue.push(s, q)
			}
		}
	}
}
