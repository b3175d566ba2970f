package eviction

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// notice takes in an event: which pods are under which budgets, and which budgets are
// to be looked at again.
func (b *Budgets) notice(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.PodAdded, cluster.PodChanged:
		b.assign(s, e.Pod)
	case cluster.PodEnded:
		b.leave(s.Class(e.Pod).Namespace, e.Pod)
	case cluster.PodBound, cluster.PodReady:
		b.touchOver(s, s.Pods.Class[e.Pod])
	case cluster.ObjectSet:
		switch o := e.Object.(type) {
		case *cluster.DisruptionBudget:
			b.set(s, o)
		case *cluster.Workload:
			b.touchScaled(o.Namespace)
		}
	case cluster.ObjectRemoved:
		switch o := e.Object.(type) {
		case *cluster.DisruptionBudget:
			clear(b.over)
			delete(b.named, [2]string{o.Namespace, o.Name})
			b.of[o.Namespace] = slices.DeleteFunc(b.of[o.Namespace], func(t *tended) bool { return t.last.Name == o.Name })
		case *cluster.Workload:
			b.touchScaled(o.Namespace)
		}
	case cluster.Rejected:
		b.retry(s.Now, e.Decision)
	}
}

// retry has a budget looked at again whose status could not be stored: after 5 ms at
// first, then twice as long each time, up to 1,000 s, as kube-controller-manager does.
func (b *Budgets) retry(now cluster.Time, d cluster.Decision) {
	stored, ok := d.Detail.(cluster.Stored)
	if !ok {
		return
	}
	budget, ok := stored.To.(*cluster.DisruptionBudget)
	if !ok {
		return
	}
	if t := b.find(budget); t != nil {
		b.recheckAt(t, now+min(1000*cluster.Second, 5*cluster.Millisecond<<min(t.tries, 20)))
		t.tries++
	}
}

func (b *Budgets) find(budget *cluster.DisruptionBudget) *tended {
	return b.named[[2]string{budget.Namespace, budget.Name}]
}

// noticeChanges takes in what was decided about pods since the last Step, of which no
// event tells: that they are told to end, say, or not ready.
func (b *Budgets) noticeChanges(s *cluster.State) {
	list, _, ok := s.ChangesSince(b.changes)
	if !ok {
		for budget := range s.Budgets.All() {
			if t := b.find(budget); t != nil {
				b.touch(t)
			}
		}
		return
	}
	for _, c := range list {
		b.touchOver(s, c.Class)
	}
}

// touchOver touches the budgets over pods of a class.
func (b *Budgets) touchOver(s *cluster.State, id cluster.ClassID) {
	over, known := b.over[id]
	if !known {
		class := s.ClassByID(id)
		for _, t := range b.of[class.Namespace] {
			if t.last.Selector.Matches(class.Labels) {
				over = append(over, t)
			}
		}
		b.over[id] = over
	}
	for _, t := range over {
		b.touch(t)
	}
}

// touchScaled touches the budgets of a namespace that count with the scale of workloads.
func (b *Budgets) touchScaled(namespace string) {
	for _, t := range b.of[namespace] {
		if t.last.MaxUnavailable != nil || t.last.MinAvailable != nil && t.last.MinAvailable.Percent {
			b.touch(t)
		}
	}
}

// set takes in a budget that is new, or has changed.
func (b *Budgets) set(s *cluster.State, budget *cluster.DisruptionBudget) {
	t := b.find(budget)
	switch {
	case t == nil:
		t = &tended{recheck: cluster.Never}
		b.of[budget.Namespace] = append(b.of[budget.Namespace], t)
		b.named[[2]string{budget.Namespace, budget.Name}] = t
	case t.last == budget: // an echo of what was stored
		t.tries = 0
		return
	}
	if t.last == nil || t.last.Selector != budget.Selector {
		clear(b.over)
		t.pods, t.at = nil, map[cluster.PodID]int{}
		for p := range cluster.PodID(s.Pods.Rows()) {
			if s.Pods.Phase[p] != cluster.Ended && s.Class(p).Namespace == budget.Namespace && budget.Selector.Matches(s.Pods.Labels[p]) {
				t.join(p)
			}
		}
	}
	t.last = budget
	b.touch(t)
}

// assign puts p under the budgets that it is under from now on.
func (b *Budgets) assign(s *cluster.State, p cluster.PodID) {
	if s.Pods.Phase[p] == cluster.Ended { // in the same batch of events
		return
	}
	for _, t := range b.of[s.Class(p).Namespace] {
		if t.last.Selector.Matches(s.Pods.Labels[p]) {
			t.join(p)
			b.touch(t)
		} else if t.leave(p) {
			b.touch(t)
		}
	}
}

// leave takes p, which has ended, from under all budgets.
func (b *Budgets) leave(namespace string, p cluster.PodID) {
	for _, t := range b.of[namespace] {
		if t.leave(p) {
			b.touch(t)
		}
	}
}

func (t *tended) join(p cluster.PodID) {
	if _, ok := t.at[p]; !ok {
		t.at[p] = len(t.pods)
		t.pods = append(t.pods, p)
	}
}

// leave reports whether p was among t's pods.
func (t *tended) leave(p cluster.PodID) bool {
	i, ok := t.at[p]
	if !ok {
		return false
	}
	last := len(t.pods) - 1
	t.pods[i] = t.pods[last]
	t.at[t.pods[i]] = i
	t.pods = t.pods[:last]
	delete(t.at, p)
	return true
}
