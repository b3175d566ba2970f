package timeline

import (
	"maps"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/bench/upstream/parity"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/scheduler"
)

// A berth is Berth's scheduler, and the cluster that it decides about.
type berth struct {
	story   *Story
	world   *world
	state   *cluster.State
	sched   *scheduler.Scheduler
	convert *manifest.Converter
	pods    map[string]cluster.PodID
	trace   Trace
	coming  []outcome

	allowed map[uint64]time.Duration // when a pod is let pass that waits, by order of arrival
	nudges  []time.Duration          // when that is so for any
}

// An outcome is what comes of a decision: a change of the world, and the event that tells of it.
type outcome struct {
	due   time.Duration
	name  string
	event func() (cluster.Event, bool)
}

// runBerth has Berth live through a story.
func runBerth(story *Story) (Trace, error) {
	b := &berth{
		allowed: map[uint64]time.Duration{},
		story:   story, world: newWorld(), state: cluster.NewState(),
		convert: &manifest.Converter{Epoch: epoch}, pods: map[string]cluster.PodID{},
	}
	base, err := parity.Configured(nil, turnstileGate{b}.plugin())
	if err != nil {
		return nil, err
	}
	b.sched = scheduler.NewScheduler(scheduler.Options{
		Profiles:       map[string]*scheduler.Profile{"": base.Kube},
		InitialBackoff: on(story.Initial), MaxBackoff: on(story.Max), MaxUnschedulable: on(story.Most),
		Service: on(story.Service), Seen: b.seen,
	})
	err = b.live()
	return b.trace, err
}

// seen notes a try.
func (b *berth) seen(a scheduler.Attempt) {
	node := ""
	if a.Node != cluster.None {
		node = b.state.Nodes.Name[a.Node]
	}
	b.trace.try(time.Duration(b.state.Now), time.Duration(a.Began), b.state.Pods.Name[a.Pod], int(a.Number), node, a.Rejected)
}

// live goes through the story.
func (b *berth) live() error {
	steps, sample, wake := b.story.Steps, samples/2, cluster.Never
	for {
		at := min(b.story.End, sample, b.due(), time.Duration(wake))
		if len(steps) > 0 {
			at = min(at, steps[0].At)
		}
		events := b.outcomes(at)
		stepped := len(steps) > 0 && steps[0].At == at
		if stepped {
			more, err := b.do(steps[0], at)
			if err != nil {
				return err
			}
			events, steps = append(events, more...), steps[1:]
		}
		nudged := len(b.nudges) > 0 && b.nudges[0] <= at
		for len(b.nudges) > 0 && b.nudges[0] <= at {
			b.nudges = b.nudges[1:]
		}
		if len(events) > 0 || nudged || cluster.Time(at) >= wake {
			wake = b.step(at, events)
		}
		if stepped || at == sample {
			b.trace.where(at, b.places())
		}
		if at == sample {
			sample += samples
		}
		if at >= b.story.End {
			return nil
		}
	}
}

// due returns when the next outcome is.
func (b *berth) due() time.Duration {
	next := b.story.End
	if len(b.nudges) > 0 {
		next = min(next, b.nudges[0])
	}
	for _, o := range b.coming {
		next = min(next, o.due)
	}
	return next
}

// outcomes returns the events of the outcomes that are due.
func (b *berth) outcomes(at time.Duration) (events []cluster.Event) {
	slices.SortStableFunc(b.coming, func(x, y outcome) int { return strings.Compare(x.name, y.name) })
	left := b.coming[:0:0]
	for _, o := range b.coming {
		if o.due > at {
			left = append(left, o)
		} else if e, ok := o.event(); ok {
			events = append(events, e)
		}
	}
	b.coming = left
	return events
}

// do takes a step, and returns the events that tell of it.
func (b *berth) do(s Step, at time.Duration) ([]cluster.Event, error) {
	c := b.world.do(s, at, b.places())
	if c == nil {
		return nil, nil
	}
	e, err := b.tell(c)
	if c.node == nil && c.oldNode != nil {
		for _, name := range b.world.stranded(c.oldNode.Name) {
			b.later(at+lag, name, func() (cluster.Event, bool) { return b.end(name, b.world.pods[name]) })
		}
	}
	return []cluster.Event{e}, err
}

func (b *berth) later(due time.Duration, name string, event func() (cluster.Event, bool)) {
	b.coming = append(b.coming, outcome{due, name, event})
}

// end ends a pod, if it is still the one.
func (b *berth) end(name string, p *v1.Pod) (cluster.Event, bool) {
	is := b.world.pods[name]
	if is == nil || p == nil || is.UID != p.UID {
		return cluster.Event{}, false
	}
	e, err := b.tell(b.world.removePod(name))
	return e, err == nil
}

// tell makes a change of the world an event.
func (b *berth) tell(c *change) (e cluster.Event, err error) {
	if c.pod != nil {
		e.PodSpec, err = b.convert.Pod(c.pod)
	}
	if c.node != nil {
		e.NodeSpec, err = manifest.Node(c.node)
	}
	switch {
	case c.node != nil && c.oldNode == nil:
		e.Kind = cluster.NodeAdded
	case c.node != nil:
		e.Kind = cluster.NodeChanged
	case c.oldNode != nil:
		e.Kind = cluster.NodeRemoved
	case c.pod != nil && c.oldPod == nil:
		e.Kind = cluster.PodAdded
	case c.pod != nil:
		e.Kind, e.Pod = cluster.PodChanged, b.pods[c.pod.Name]
	default:
		e.Kind, e.Pod = cluster.PodEnded, b.pods[c.oldPod.Name]
		e.Node = b.state.Pods.Node[e.Pod]
	}
	if c.oldNode != nil {
		e.Node, _ = b.state.Nodes.Named(c.oldNode.Name)
	}
	return e, err
}

// step lets the scheduler see events, and carries out what it decides.
func (b *berth) step(at time.Duration, events []cluster.Event) (wake cluster.Time) {
	for i := range events {
		events[i].Time = on(at)
	}
	b.state.Observe(on(at), events)
	for i := range events {
		if events[i].Kind == cluster.PodAdded {
			b.pods[events[i].PodSpec.Name] = events[i].Pod
		}
	}
	wake = b.sched.Step(b.state, events)
	for _, d := range b.state.TakeDecisions() {
		b.carryOut(d, at)
	}
	return wake
}

func (b *berth) carryOut(d cluster.Decision, at time.Duration) {
	name := b.state.Pods.Name[d.Pod]
	p := b.world.pods[name]
	switch d.Kind {
	case cluster.Bind:
		if b.world.refuse[name] > 0 {
			b.world.refuse[name]--
			b.world.keep(name, "")
			b.later(at+lag, name, func() (cluster.Event, bool) {
				return cluster.Event{Kind: cluster.Rejected, Pod: d.Pod, Node: d.Node, Decision: d}, true
			})
			return
		}
		node := b.state.Nodes.Name[d.Node]
		b.later(at+lag, name, func() (cluster.Event, bool) {
			return cluster.Event{Kind: cluster.PodBound, Pod: d.Pod, Node: d.Node}, b.world.bind(p.UID, name, node, at+lag) != nil
		})
	case cluster.Preempt:
		b.world.terminate(name, at)
		b.later(at+lag, name, func() (cluster.Event, bool) { return b.end(name, p) })
	case cluster.Nominate:
		node := ""
		if d.Node != cluster.None {
			node = b.state.Nodes.Name[d.Node]
		}
		b.world.keep(name, node)
	}
}

// places says where every pending pod is.
func (b *berth) places() map[string]string {
	places := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(b.world.pods)) {
		if place := b.sched.Where(b.state, b.pods[name]); place != "" {
			places[name] = place
		}
	}
	return places
}
