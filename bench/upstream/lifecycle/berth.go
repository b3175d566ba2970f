package lifecycle

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// Berth is the Player of Berth's controllers: package eviction, driven by cluster.Run.
func Berth(t *Timeline) []Observation { return playBerth(t, nil) }

// playBerth has the controllers that make returns live through a timeline; nil stands for the usual.
func playBerth(t *Timeline, make func(eviction.Settings) []cluster.Controller) []Observation {
	if make == nil {
		make = func(st eviction.Settings) []cluster.Controller { return eviction.Controllers(st, nil) }
	}
	w := &world{timeline: t, state: cluster.NewState(), steps: t.Steps(), leases: Leases{}, stop: map[string]cluster.Time{}, kubelets: map[string]cluster.Conditions{}}
	controllers := make(settingsOf(t.Settings))
	for _, c := range controllers {
		if h, ok := c.(*eviction.Health); ok {
			w.health = h
		}
	}
	must(cluster.Run(context.Background(), w, w.state, w, controllers...))
	Sort(w.seen)
	return w.seen
}

func settingsOf(s Settings) eviction.Settings {
	return eviction.Settings{
		Period: cluster.Time(s.Period), Grace: cluster.Time(s.Grace), StartupGrace: cluster.Time(s.Startup),
		Rate: s.Rate, SecondaryRate: s.Secondary, LargeZone: int(s.Large), UnhealthyShare: s.Threshold,
	}
}

// A world is a cluster.Cluster in which a timeline happens, and a Recorder of what is decided.
type world struct {
	timeline *Timeline
	state    *cluster.State
	health   *eviction.Health
	steps    []Step
	leases   Leases
	kubelets map[string]cluster.Conditions // what each would post
	stop     map[string]cluster.Time       // how long pods take
	ends     []podEnd
	phases   []podEnd // when leases of nodes that were added are renewed in phase for the first time
	soon     []cluster.Event
	zones    map[string]eviction.ZoneState
	seen     []Observation
	begun    bool
}

type podEnd struct {
	at   cluster.Time
	name string
}

// Next implements cluster.Cluster.
func (w *world) Next(_ context.Context, deadline cluster.Time) (cluster.Time, []cluster.Event, error) {
	if len(w.soon) > 0 {
		events := w.soon
		w.soon = nil
		return w.state.Now, events, nil
	}
	at := deadline
	if !w.begun {
		at, w.begun = 0, true
	}
	if len(w.steps) > 0 {
		at = min(at, cluster.Time(w.steps[0].At))
	}
	if len(w.ends) > 0 {
		at = min(at, w.ends[0].at)
	}
	if len(w.phases) > 0 {
		at = min(at, w.phases[0].at)
	}
	if at >= cluster.Time(w.timeline.End) {
		return at, nil, io.EOF
	}
	return at, w.happen(at), nil
}

// happen lists what happens at a time. What is about something that is added at the same time comes
// with the next batch.
func (w *world) happen(at cluster.Time) (events []cluster.Event) {
	added := map[string]bool{}
	for len(w.steps) > 0 && cluster.Time(w.steps[0].At) <= at {
		step := w.steps[0]
		if e := step.Event; e != nil && added[e.Name] {
			return events
		}
		w.steps = w.steps[1:]
		w.leases.Happens(step)
		switch {
		case step.Node != nil:
			added[step.Node.Name] = true
			events = append(events, w.addNode(step.Node, at))
		case step.Pod != nil:
			added[step.Pod.Name] = true
			events = append(events, w.addPod(step.Pod, at))
		case verbs[step.Event.Verb]:
			events = w.toNode(step.Event, at, events)
		default:
			events = w.toPod(step.Event, at, events)
		}
	}
	for len(w.phases) > 0 && w.phases[0].at <= at {
		name := w.phases[0].name
		w.phases = w.phases[1:]
		if row, ok := w.state.Nodes.Named(name); ok && w.leases[name].on {
			health := w.state.Nodes.Health[row]
			health.Lease = w.beats(name, at)
			events = append(events, cluster.Event{Time: at, Kind: cluster.NodeHeard, Pod: cluster.None, Node: row, Health: &health})
		}
	}
	for len(w.ends) > 0 && w.ends[0].at <= at {
		if p, ok := w.pod(w.ends[0].name); ok {
			events = append(events, cluster.Event{Time: at, Kind: cluster.PodEnded, Pod: p})
		}
		w.ends = w.ends[1:]
	}
	return events
}

// pod finds a pod by its name.
func (w *world) pod(name string) (cluster.PodID, bool) {
	for p := range cluster.PodID(w.state.Pods.Rows()) {
		if w.state.Pods.Name[p] == name && w.state.Pods.Phase[p] != cluster.Ended {
			return p, true
		}
	}
	return 0, false
}

// beats are those of a node's lease, from a time on.
func (w *world) beats(node string, at cluster.Time) cluster.Beats {
	l := w.leases[node]
	if l == nil {
		return cluster.Beats{}
	}
	b := cluster.Beats{First: cluster.Time(l.beat.last(l.from)), Every: cluster.Time(l.beat.Every), Until: cluster.Never}
	if l.renewed < l.from && at > 0 {
		b.First += b.Every // the one before was missed
	}
	return b
}

func (w *world) addNode(n *Node, at cluster.Time) cluster.Event {
	spec := &cluster.NodeSpec{
		Name: n.Name, Unschedulable: n.Cordoned, Capacity: cluster.Amounts{cluster.PodSlots: 1000},
		Created: (at - cluster.Time(n.Age)) / cluster.Second * cluster.Second,
	}
	labels := map[string]string{}
	for key, value := range map[string]string{"topology.kubernetes.io/zone": n.Zone, "topology.kubernetes.io/region": n.Region} {
		if value != "" {
			labels[key] = value
		}
	}
	if n.Excluded {
		labels["node.kubernetes.io/exclude-disruption"] = ""
	}
	spec.Labels = cluster.MakeLabels(labels)
	for _, t := range n.Taints {
		spec.Taints = append(spec.Taints, t.ours())
	}
	w.kubelets[n.Name] = cluster.Conditions{cluster.ConditionTrue, cluster.ConditionFalse, cluster.ConditionFalse, cluster.ConditionFalse, cluster.ConditionAbsent}
	spec.Health.Lease = w.beats(n.Name, 0)
	if l := w.leases[n.Name]; l != nil && at > 0 {
		spec.Health.Lease = cluster.Beat(at)
		w.phases = append(w.phases, podEnd{cluster.Time(l.beat.last(l.from) + l.beat.Every), n.Name})
		slices.SortStableFunc(w.phases, func(a, b podEnd) int { return int(a.at - b.at) })
	}
	if !n.Silent {
		spec.Health.Conditions, spec.Health.Posts = w.kubelets[n.Name], cluster.Beat(at)
	}
	return cluster.Event{Time: at, Kind: cluster.NodeAdded, Pod: cluster.None, NodeSpec: spec}
}

var effects = map[string]cluster.Effect{"": cluster.NoEffect, "NoSchedule": cluster.NoSchedule, "PreferNoSchedule": cluster.PreferNoSchedule, "NoExecute": cluster.NoExecute}

func (t Taint) ours() cluster.Taint {
	return cluster.Taint{Key: t.Key, Value: t.Value, Effect: effects[t.Effect]}
}

func (t Toleration) ours() cluster.Toleration {
	to := cluster.Toleration{Key: t.Key, Exists: t.Operator == "Exists", Value: t.Value, Effect: effects[t.Effect]}
	if t.Limited {
		to.Seconds = &t.Seconds
	}
	return to
}

// conditionsOf are ours, by upstream's names.
var conditionsOf = map[string]cluster.NodeCondition{
	"Ready": cluster.NodeReady, "MemoryPressure": cluster.NodeMemoryPressure, "DiskPressure": cluster.NodeDiskPressure,
	"PIDPressure": cluster.NodePIDPressure, "NetworkUnavailable": cluster.NodeNetworkUnavailable,
}

func statusOf(holds bool) cluster.ConditionStatus {
	if holds {
		return cluster.ConditionTrue
	}
	return cluster.ConditionFalse
}

// toNode has an event happen to a node.
func (w *world) toNode(e *Event, at cluster.Time, events []cluster.Event) []cluster.Event {
	row, ok := w.state.Nodes.Named(e.Name)
	if !ok {
		return events
	}
	health, spec := w.state.Nodes.Health[row], *w.state.Nodes.Spec[row]
	spec.Taints, spec.Unschedulable = slices.Clone(w.state.Nodes.Taints[row]), w.state.Nodes.Unschedulable[row]
	heard := cluster.Event{Time: at, Kind: cluster.NodeHeard, Pod: cluster.None, Node: row, Health: &health}
	changed := cluster.Event{Time: at, Kind: cluster.NodeChanged, Pod: cluster.None, Node: row, NodeSpec: &spec}
	taint := e.Taint.ours()
	without := slices.DeleteFunc(slices.Clone(spec.Taints), func(t cluster.Taint) bool { return t.Key == taint.Key && t.Effect == taint.Effect })
	switch e.Verb {
	case RemoveNode:
		return append(events, cluster.Event{Time: at, Kind: cluster.NodeRemoved, Pod: cluster.None, Node: row})
	case Fail, StopLease:
		health.Lease.Until = min(health.Lease.Until, at)
		return append(events, heard)
	case Return, RenewLease:
		health.Lease = w.beats(e.Name, at)
		return append(events, heard)
	case Post:
		view := w.kubelets[e.Name]
		for _, c := range e.Conditions {
			view[conditionsOf[c.Type]] = statusOf(c.True)
		}
		w.kubelets[e.Name] = view
		view[cluster.NodeNetworkUnavailable] = health.Conditions[cluster.NodeNetworkUnavailable]
		health.Conditions = view
		if at/cluster.Second != health.Posts.First/cluster.Second { // the API has whole seconds
			health.Posts = cluster.Beat(at)
		}
		return append(events, heard)
	case Network:
		health.Conditions[cluster.NodeNetworkUnavailable] = statusOf(e.Conditions[0].True)
		return append(events, heard)
	case Put:
		spec.Taints = append(without, taint)
	case Take:
		spec.Taints = without
	case Cordon, Uncordon:
		spec.Unschedulable = e.Verb == Cordon
	default: // posts stop and go on: Steps lists them
		return events
	}
	return append(events, changed)
}

func (w *world) addPod(p *Pod, at cluster.Time) cluster.Event {
	class := &cluster.Class{Namespace: namespace}
	for _, t := range p.Tolerations {
		class.Tolerations = append(class.Tolerations, t.ours())
	}
	w.stop[p.Name] = cluster.Time(p.Stop)
	return cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: p.Name, Class: class, On: p.Node, Unready: p.NotReady}}
}

// toPod has an event happen to a pod.
func (w *world) toPod(e *Event, at cluster.Time, events []cluster.Event) []cluster.Event {
	p, ok := w.pod(e.Name)
	if !ok {
		return events
	}
	event := cluster.Event{Time: at, Pod: p}
	switch e.Verb {
	case DeletePod:
		if w.state.Pods.Phase[p] == cluster.Terminating {
			return events
		}
		event.Kind = cluster.PodTold
		w.endAfter(e.Name, at)
	case RemovePod:
		event.Kind = cluster.PodEnded
	case ReadyPod:
		event.Kind, event.Ready = cluster.PodReady, true
	case Tolerate:
		class := *w.state.Class(p)
		class.Tolerations = append(slices.Clone(class.Tolerations), e.Toleration.ours())
		event.Kind = cluster.PodChanged
		event.PodSpec = &cluster.PodSpec{Name: e.Name, Class: &class, Unready: w.state.Pods.Unready[p], Terminating: w.state.Pods.Phase[p] == cluster.Terminating}
	}
	return append(events, event)
}

// endAfter has a pod be gone when it has stopped.
func (w *world) endAfter(name string, at cluster.Time) {
	if w.stop[name] == 0 {
		return
	}
	w.ends = append(w.ends, podEnd{at + w.stop[name], name})
	slices.SortStableFunc(w.ends, func(a, b podEnd) int { return int(a.at - b.at) })
}

// Apply implements cluster.Cluster: everything that is decided is so at once.
func (w *world) Apply(_ context.Context, ds []cluster.Decision) error {
	for i := range ds {
		switch d := &ds[i]; d.Kind {
		case cluster.AddTaint, cluster.RemoveTaint:
			spec := *w.state.Nodes.Spec[d.Node]
			spec.Taints, spec.Unschedulable = w.state.Nodes.Taints[d.Node], w.state.Nodes.Unschedulable[d.Node]
			w.soon = append(w.soon, cluster.Event{Time: w.state.Now, Kind: cluster.NodeChanged, Pod: cluster.None, Node: d.Node, NodeSpec: &spec})
		case cluster.Evict:
			w.endAfter(w.state.Pods.Name[d.Pod], w.state.Now)
		}
	}
	return nil
}

// Record implements cluster.Recorder.
func (w *world) Record(s *cluster.State, _ []cluster.Event, ds []cluster.Decision) error {
	note := func(kind Kind, name, what string) {
		w.seen = append(w.seen, Observation{time.Duration(s.Now), kind, name, what})
	}
	for i := range ds {
		d := &ds[i]
		switch d.Kind {
		case cluster.AddTaint:
			t := d.Detail.(cluster.Taint)
			note(OfNode, s.Nodes.Name[d.Node], Tainted(t.Key, effectNames[t.Effect]))
		case cluster.RemoveTaint:
			t := d.Detail.(cluster.Taint)
			note(OfNode, s.Nodes.Name[d.Node], Untainted(t.Key, effectNames[t.Effect]))
		case cluster.SetConditions:
			c := d.Detail.(cluster.StatusChange)
			for which, from := range c.From {
				reason := "NodeStatusUnknown"
				if from == cluster.ConditionAbsent {
					reason = "NodeStatusNeverUpdated"
				}
				if from != c.To[which] {
					note(OfNode, s.Nodes.Name[d.Node], BecameUnknown(cluster.NodeCondition(which).String(), reason))
				}
			}
		case cluster.MarkUnready:
			note(OfPod, s.Pods.Name[d.Pod], NotReady)
		case cluster.Evict:
			note(OfPod, s.Pods.Name[d.Pod], Deleted)
		}
	}
	w.noteZones(note)
	return nil
}

var effectNames = map[cluster.Effect]string{cluster.NoSchedule: "NoSchedule", cluster.NoExecute: "NoExecute"}

// noteZones notes which zones have changed their state.
func (w *world) noteZones(note func(kind Kind, name, what string)) {
	if w.health == nil {
		return
	}
	states := map[string]eviction.ZoneState{}
	for _, z := range w.health.Picture().Zones {
		states[z.Name] = z.State
		if before := w.zones[z.Name]; before != z.State {
			name := z.Name
			if !strings.Contains(name, "/") {
				name = "/" + name
			}
			note(OfZone, name, Became(before.String(), z.State.String(), z.Size))
		}
	}
	w.zones = states
}
