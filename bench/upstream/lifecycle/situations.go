package lifecycle

import (
	"strings"
	"time"
)

// situations counts what follows from what happened and what was observed, told in order of time.
func (y *Tally) situations(t *Timeline, seen []Observation) {
	s := &storyteller{tally: y, nodes: map[string]*nodeStory{}, pods: map[string]*Pod{}, zones: map[string]string{}}
	steps := t.Steps()
	for _, o := range seen {
		for len(steps) > 0 && (steps[0].At < o.At || steps[0].At == 0) {
			s.happens(steps[0])
			steps = steps[1:]
		}
		switch o.Kind {
		case OfNode:
			s.ofNode(o)
		case OfPod:
			s.ofPod(o)
		case OfZone:
			s.ofZone(o)
		}
	}
}

type storyteller struct {
	tally     *Tally
	nodes     map[string]*nodeStory
	pods      map[string]*Pod // that weren't deleted
	zones     map[string]string
	untainted time.Duration // when a NoExecute taint was last taken
}

func (s *storyteller) count(situation string) { s.tally.Counts["situation: "+situation]++ }

func (s *storyteller) happens(step Step) {
	switch {
	case step.Node != nil:
		n := &nodeStory{there: true, excluded: step.Node.Excluded, executes: map[string]time.Duration{}}
		for _, t := range step.Node.Taints {
			if t.Effect == noExecute {
				n.executes[t.Key] = step.At
			}
		}
		s.nodes[step.Node.Name] = n
	case step.Pod != nil:
		s.pods[step.Pod.Name] = step.Pod
	case verbs[step.Event.Verb]:
		s.toNode(step.Event)
	}
}

func (s *storyteller) toNode(e *Event) {
	n := s.nodes[e.Name]
	switch {
	case e.Verb == RemoveNode:
		if n.since > 0 {
			s.count(goneQueued)
		}
		n.there = false
	case e.Verb == Put && e.Taint.Effect == noExecute:
		s.taint(e.Name, e.Taint.Key, e.At)
	case e.Verb == Take && e.Taint.Effect == noExecute:
		delete(n.executes, e.Taint.Key)
	}
}

// taint has a node get a NoExecute taint.
func (s *storyteller) taint(node, key string, at time.Duration) {
	n := s.nodes[node]
	if len(n.executes) > 0 && n.executes[key] == 0 {
		for _, p := range s.podsOf(node) {
			if p.limited() {
				s.count(secondTaint)
			}
		}
	}
	n.executes[key] = at
}

// podsOf lists the pods of a node that weren't deleted, in no order.
func (s *storyteller) podsOf(node string) (list []*Pod) {
	for _, p := range s.pods {
		if p.Node == node {
			list = append(list, p)
		}
	}
	return list
}

// limited reports whether a pod tolerates something for some time.
func (p *Pod) limited() bool {
	for _, t := range p.Tolerations {
		if t.Limited && t.Seconds > 0 {
			return true
		}
	}
	return false
}

func (s *storyteller) ofNode(o Observation) {
	n := s.nodes[o.Name]
	key, effect, _ := strings.Cut(o.What[1:], ":")
	switch {
	case strings.HasPrefix(o.What, "Ready Unknown"):
		if n.unknown++; n.unknown > 1 {
			s.count(bounced)
		}
		if n.since = o.At; n.excluded {
			s.count(anExcluded)
		}
	case o.What == Tainted(key, noExecute):
		if n.since > 0 && o.At-n.since > time.Second {
			s.count(waited)
		}
		n.since = 0
		s.taint(o.Name, key, o.At)
	case o.What == Untainted(key, noExecute):
		if s.untainted = o.At; len(n.executes) > 1 {
			s.count(swapped)
		}
		delete(n.executes, key)
		for _, p := range s.podsOf(o.Name) {
			if p.limited() && len(n.executes) == 0 {
				s.count(spared)
			}
		}
	case effect == noSchedule && o.What == Untainted(unreachableKey, noSchedule):
		if n.since > 0 {
			s.count(backEarly)
		}
		n.since = 0
	}
}

func (s *storyteller) ofPod(o Observation) {
	p := s.pods[o.Name]
	if o.What != Deleted || p == nil {
		return
	}
	delete(s.pods, o.Name)
	n := s.nodes[p.Node]
	switch {
	case n == nil || !n.there:
		s.count(orphan)
	default:
		what := inTime
		for _, at := range n.executes {
			if at == o.At {
				what = atOnce
			}
		}
		s.count(what)
	}
}

func (s *storyteller) ofZone(o Observation) {
	what, _, _ := strings.Cut(o.What, " of ")
	_, s.zones[o.Name], _ = strings.Cut(what, " to ")
	for _, state := range s.zones {
		if state != "FullDisruption" {
			return
		}
	}
	if s.untainted == o.At && o.At > 0 {
		s.count(darkUntaint)
	}
}
