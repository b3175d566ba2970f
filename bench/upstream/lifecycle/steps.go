package lifecycle

import (
	"cmp"
	"slices"
	"time"
)

// A Step is one thing that happens to the cluster: a node or a pod is added, or an Event.
type Step struct {
	At    time.Duration
	Node  *Node
	Pod   *Pod
	Event *Event
	renew string // of a node's lease, for those who have it written
}

// Steps lists what happens in order of time; at one time, nodes are added before pods, and pods before
// events. Posts of the status that come anyway are among them as Post events. What can't happen is left
// out: events of nodes that aren't there, nodes added when there is one of that name.
func (t *Timeline) Steps() []Step {
	var all []Step
	for i := range t.Nodes {
		all = append(all, Step{At: t.Nodes[i].At, Node: &t.Nodes[i]})
	}
	for i := range t.Pods {
		all = append(all, Step{At: t.Pods[i].At, Pod: &t.Pods[i]})
	}
	for i := range t.Events {
		all = append(all, Step{At: t.Events[i].At, Event: &t.Events[i]})
	}
	slices.SortStableFunc(all, byTime)
	posting := map[string]*posts{}
	var kept []Step
	for _, s := range all {
		if s.At >= t.End {
			break
		}
		if s.Node != nil {
			if posting[s.Node.Name] != nil {
				continue
			}
			posting[s.Node.Name] = &posts{node: s.Node, from: s.At, on: true, silent: s.Node.Silent}
		}
		if e := s.Event; e != nil && verbs[e.Verb] {
			p := posting[e.Name]
			if p == nil {
				continue
			}
			kept = p.happens(e, kept)
			if e.Verb == RemoveNode {
				delete(posting, e.Name)
			}
		}
		kept = append(kept, s)
	}
	for _, n := range t.Nodes {
		if p := posting[n.Name]; p != nil && p.node.At == n.At {
			kept = p.until(t.End, kept)
		}
	}
	slices.SortStableFunc(kept, byTime)
	return kept
}

func byTime(a, b Step) int { return cmp.Compare(a.At, b.At) }

// posts are those of a node's status that come anyway.
type posts struct {
	node   *Node
	from   time.Duration // up to there they are listed
	on     bool
	silent bool
}

// happens lists posts up to an event, and changes whether there are more.
func (p *posts) happens(e *Event, into []Step) []Step {
	into = p.until(e.At, into)
	switch e.Verb {
	case Fail, StopStatus:
		p.on = false
	case Return, ResumeStatus:
		p.on = true
	case Post:
		p.silent = false
	}
	return into
}

// until lists the posts from where they are listed to a time.
func (p *posts) until(at time.Duration, into []Step) []Step {
	if beat := p.node.Status; p.on && !p.silent && beat.Every > 0 {
		for next := beat.last(p.from) + beat.Every; next < at; next += beat.Every {
			into = append(into, Step{At: next, Event: &Event{At: next, Verb: Post, Name: p.node.Name}})
		}
	}
	p.from = at
	return into
}

// Leases know when each node's lease was last renewed. They are told of steps as those happen.
type Leases map[string]*lease

type lease struct {
	beat    Beat
	on      bool
	from    time.Duration // since then it is on, or off
	renewed time.Duration // up to then
}

// Happens takes in a step.
func (l Leases) Happens(s Step) {
	switch {
	case s.Node != nil && s.Node.Lease.Every > 0:
		// A lease is made with its node; those of nodes that were there before have been renewed in phase.
		renewed := s.At
		if s.At == 0 {
			renewed = s.Node.Lease.last(0)
		}
		l[s.Node.Name] = &lease{beat: s.Node.Lease, on: true, from: s.At, renewed: renewed}
	case s.Event == nil || l[s.Event.Name] == nil:
	case s.Event.Verb == RemoveNode:
		delete(l, s.Event.Name)
	case s.Event.Verb == Fail || s.Event.Verb == StopLease:
		l[s.Event.Name].turn(false, s.At)
	case s.Event.Verb == Return || s.Event.Verb == RenewLease:
		l[s.Event.Name].turn(true, s.At)
	}
}

// Renewed returns when a node's lease was last renewed, up to a time that isn't before the last step;
// false if the node has no lease. Leases of nodes that are there from the start have been renewed
// before 0.
func (l Leases) Renewed(node string, at time.Duration) (time.Duration, bool) {
	if l[node] == nil {
		return 0, false
	}
	return l[node].at(at), true
}

func (l *lease) at(at time.Duration) time.Duration {
	if last := l.beat.last(at); l.on && last > l.from {
		return last
	}
	return l.renewed
}

func (l *lease) turn(on bool, at time.Duration) { l.renewed, l.on, l.from = l.at(at), on, at }
