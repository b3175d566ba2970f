package perf

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// epoch is the time of day at which scripts begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A berth is Berth's side: the loop of cluster.Run, a round for every step, with a cluster that carries
// out decisions at once.
type berth struct {
	script  *Script
	state   *cluster.State
	sched   *scheduler.Scheduler
	convert manifest.Converter
	digest  *cluster.Digest

	ids     []cluster.PodID // of pods, by number
	numbers []int           // of pods, by row
	nodes   []string        // that pods got, by number
	gone    []bool          // pods, by number

	events, coming []cluster.Event // of this round and of the next
	arriving       int             // number of the pod that is to come
	preempted      bool            // a pod has preempted others in this step
	wake           cluster.Time
}

func newBerth(s *Script) (*berth, error) {
	profile, err := kubeProfile()
	if err != nil {
		return nil, err
	}
	return &berth{
		script: s, state: cluster.NewState(), sched: scheduler.New(profile), digest: cluster.NewDigest(),
		convert: manifest.Converter{Epoch: epoch},
		ids:     make([]cluster.PodID, len(s.pods)), nodes: make([]string, len(s.pods)), gone: make([]bool, len(s.pods)),
	}, nil
}

// kubeProfile has kube's plugins and no others, looks at all nodes and takes the lowest of the best.
func kubeProfile() (*scheduler.Profile, error) {
	optional := make([]*scheduler.Plugin, len(plugins.All))
	for i, pl := range plugins.All {
		known := *pl
		known.Required = false
		optional[i] = &known
	}
	return scheduler.NewProfile(optional, plugins.Kube)
}

func (b *berth) prepare(*step) error { return nil }

func (b *berth) ready() error { return nil }

func (b *berth) node(pod int) string { return b.nodes[pod] }

func (b *berth) evaluated() int { return 0 }

func (b *berth) close() {}

// do has Berth see a step and decide. If the pod has preempted others, it is tried again, now that they
// are gone: at once, or after its backoff.
func (b *berth) do(st *step) error {
	e, err := b.event(st)
	if err != nil || e.Kind == 0 {
		return err
	}
	b.preempted = false
	b.coming = append(b.coming, e)
	b.round(max(cluster.Time(st.at), b.state.Now))
	if !b.preempted || e.Kind != cluster.PodAdded {
		return nil
	}
	for at := b.state.Now; b.nodes[st.pod] == "" && at < cluster.Never; at = b.wake {
		b.round(at)
		if at == b.wake {
			return fmt.Errorf("%s has preempted others in vain", b.script.pods[st.pod].Name)
		}
	}
	return nil
}

// round is one of cluster.Run's.
func (b *berth) round(now cluster.Time) {
	b.events, b.coming = b.coming, b.events[:0]
	for i := range b.events {
		b.events[i].Time = now
	}
	b.state.Observe(now, b.events)
	b.number()
	b.wake = b.sched.Step(b.state, b.events)
	decisions := b.state.TakeDecisions()
	b.digest.Record(b.state, b.events, decisions)
	for i := range decisions {
		b.carryOut(&decisions[i])
	}
}

// number notes which row the pod has that came last in a round.
func (b *berth) number() {
	e := &b.events[len(b.events)-1]
	if e.Kind != cluster.PodAdded {
		return
	}
	for len(b.numbers) <= int(e.Pod) {
		b.numbers = append(b.numbers, 0)
	}
	b.numbers[e.Pod], b.ids[b.arriving] = b.arriving, e.Pod
}

// carryOut does at once what Berth has decided. That it is done is among the next events.
func (b *berth) carryOut(d *cluster.Decision) {
	switch d.Kind {
	case cluster.Bind:
		b.nodes[b.numbers[d.Pod]] = b.state.Nodes.Name[d.Node]
		b.coming = append(b.coming, cluster.Event{Kind: cluster.PodBound, Pod: d.Pod, Node: d.Node})
	case cluster.Preempt:
		b.gone[b.numbers[d.Pod]], b.preempted = true, true
		b.coming = append(b.coming, cluster.Event{Kind: cluster.PodEnded, Pod: d.Pod, Node: d.Node})
	}
}

// event makes a step an event, of no kind if it is about a pod that is gone.
func (b *berth) event(st *step) (e cluster.Event, err error) {
	switch obj := st.object.(type) {
	case *v1.Pod:
		return b.podEvent(st, obj)
	case *v1.Node:
		if st.kind == added {
			e.Kind = cluster.NodeAdded
			e.NodeSpec, err = manifest.Node(obj)
			return e, err
		}
		e.Kind = cluster.NodeRemoved
		e.Node, _ = b.state.Nodes.Named(obj.Name)
		return e, nil
	case *v1.Namespace:
		e.Object = manifest.Namespace(obj)
	case *v1.Service:
		e.Object = manifest.Service(obj)
	default:
		return e, fmt.Errorf("no event tells of a %T", obj)
	}
	e.Kind = cluster.ObjectSet
	if st.kind == removed {
		e.Kind = cluster.ObjectRemoved
	}
	return e, nil
}

func (b *berth) podEvent(st *step, p *v1.Pod) (e cluster.Event, err error) {
	if st.kind == added {
		b.arriving, b.nodes[st.pod] = st.pod, p.Spec.NodeName
		e.Kind = cluster.PodAdded
		e.PodSpec, err = b.convert.Pod(p)
		return e, err
	}
	if b.gone[st.pod] {
		return e, nil
	}
	b.gone[st.pod] = true
	id := b.ids[st.pod]
	return cluster.Event{Kind: cluster.PodEnded, Pod: id, Node: b.state.Pods.Node[id]}, nil
}
