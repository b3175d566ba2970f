// Package parity holds Berth's scheduling cycle against upstream's: both are told of the same changes,
// asked about the same pods, and every verdict, score, choice and preemption is compared.
package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// Berth is Berth's side of a comparison. It implements lockstep.Follower.
type Berth struct {
	State *cluster.State
	// Kube decides as upstream at parallelism 1 does, Lowest takes the earliest of equal nodes.
	Kube, Lowest *scheduler.Profile
	// Ranked decides as Lowest does, looks at all nodes, and keeps what plugins say.
	Ranked   *scheduler.Profile
	extended bool

	convert *manifest.Converter
	pods    map[string]cluster.PodID
}

// epoch is the time of day at which the State's time begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Configured returns Berth's side with the first profile of a KubeSchedulerConfiguration as Berth reads
// it: what the text leaves out is left to the defaults of Berth's plugins. If there is no text, the
// profile is the one that Berth ships, plugins.Kube, and more.
func Configured(text []byte, more ...*scheduler.Plugin) (*Berth, error) {
	b := &Berth{State: cluster.NewState(), convert: &manifest.Converter{Epoch: epoch}, pods: map[string]cluster.PodID{}}
	var err error
	if b.Kube, err = profileOf(text, more); err != nil {
		return nil, err
	}
	b.Kube.SetTies(scheduler.TiesKube)
	if b.Lowest, err = profileOf(text, more); err != nil {
		return nil, err
	}
	if b.Ranked, err = profileOf(text, more); err != nil {
		return nil, err
	}
	b.Ranked.SetSampling(scheduler.Sampling{})
	b.Ranked.RankAlways()
	return b, nil
}

// SetExtenders sets whom both profiles ask.
func (b *Berth) SetExtenders(extenders []scheduler.Extender) {
	b.Kube.SetExtenders(extenders)
	b.Lowest.SetExtenders(extenders)
	b.Ranked.SetExtenders(extenders)
	b.extended = true
}

// profileOf makes the first profile of a configuration, or the standard one.
func profileOf(text []byte, more []*scheduler.Plugin) (*scheduler.Profile, error) {
	p := manifest.SchedulerProfile{Policy: slices.Clone(plugins.Kube), Sampling: scheduler.Sampling{Adaptive: true}}
	optional := append(optionalPlugins(), more...)
	for _, pl := range more {
		p.Policy = append(p.Policy, scheduler.Weighted{Name: pl.Name, Weight: 1})
	}
	if len(text) > 0 {
		cfg, err := manifest.ReadSchedulerConfig(bytes.NewReader(text), "scenario", optional)
		if err != nil {
			return nil, err
		}
		p = cfg.Profiles[0]
	}
	for i := range p.Policy {
		if w := &p.Policy[i]; w.Name == "DefaultPreemption" {
			w.Args = exhaustive(w.Args)
		}
	}
	return p.New(optional)
}

// exhaustive has DefaultPreemption look at every node, as the oracle does.
func exhaustive(args scheduler.Args) scheduler.Args {
	return func(into any) error {
		if args != nil {
			if err := args(into); err != nil {
				return err
			}
		}
		return json.Unmarshal([]byte(`{"minCandidateNodesPercentage": 100}`), into)
	}
}

// optionalPlugins are Berth's plugins, none of which a profile must have.
func optionalPlugins() []*scheduler.Plugin {
	optional := make([]*scheduler.Plugin, len(plugins.All))
	for i, pl := range plugins.All {
		known := *pl
		known.Required = false
		optional[i] = &known
	}
	return optional
}

// Args gives upstream's arguments to Berth's plugin. Their names are the same but for case, which
// encoding/json doesn't mind.
func Args(args runtime.Object) scheduler.Args {
	return func(into any) error {
		text, err := json.Marshal(args)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, into)
	}
}

// absent are upstream's default plugins that Berth has no plugin for; the generator makes nothing that
// they have a say about.
var absent = map[string]bool{
	"PrioritySort": true, "DefaultBinder": true, "VolumeRestrictions": true, "NodeVolumeLimits": true,
	"VolumeBinding": true, "VolumeZone": true, "DynamicResources": true,
}

// Add implements lockstep.Follower.
func (b *Berth) Add(obj runtime.Object) error {
	switch obj := obj.(type) {
	case *v1.Node:
		return b.node(cluster.NodeAdded, obj)
	case *v1.Pod:
		return b.addPod(obj)
	}
	return b.object(cluster.ObjectSet, obj)
}

// Update implements lockstep.Follower.
func (b *Berth) Update(obj runtime.Object) error {
	switch obj := obj.(type) {
	case *v1.Node:
		return b.node(cluster.NodeChanged, obj)
	case *v1.Pod:
		return b.updatePod(obj)
	}
	return b.object(cluster.ObjectSet, obj)
}

// Delete implements lockstep.Follower.
func (b *Berth) Delete(obj runtime.Object) error {
	switch obj := obj.(type) {
	case *v1.Node:
		return b.node(cluster.NodeRemoved, obj)
	case *v1.Pod:
		b.endPod(podKey(obj))
		return nil
	}
	return b.object(cluster.ObjectRemoved, obj)
}

func podKey(p *v1.Pod) string { return p.Namespace + "/" + p.Name }

// observe lets the State take in one event, a nanosecond after the last.
func (b *Berth) observe(e cluster.Event) cluster.Event {
	e.Time = b.State.Now + 1
	events := []cluster.Event{e}
	b.State.Observe(e.Time, events)
	return events[0]
}

func (b *Berth) node(kind cluster.Kind, n *v1.Node) error {
	spec, err := manifest.Node(n)
	if err != nil {
		return err
	}
	e := cluster.Event{Kind: kind, NodeSpec: spec}
	if kind != cluster.NodeAdded {
		var ok bool
		if e.Node, ok = b.State.Nodes.Named(n.Name); !ok {
			return fmt.Errorf("there is no node %s", n.Name)
		}
	}
	b.observe(e)
	return nil
}

// addDry adds a pod that is asked about as if it had no node, even if it names one.
func (b *Berth) addDry(p *v1.Pod) error {
	spec, err := b.convert.Pod(p)
	if err != nil {
		return err
	}
	if spec.On != "" {
		class := *spec.Class
		class.NodeName = spec.On
		spec.Class, spec.On = &class, ""
	}
	b.pods[podKey(p)] = b.observe(cluster.Event{Kind: cluster.PodAdded, PodSpec: spec}).Pod
	return nil
}

func (b *Berth) addPod(p *v1.Pod) error {
	if manifest.Ended(p) {
		return nil
	}
	spec, err := b.convert.Pod(p)
	if err != nil {
		return err
	}
	b.pods[podKey(p)] = b.observe(cluster.Event{Kind: cluster.PodAdded, PodSpec: spec}).Pod
	return nil
}

func (b *Berth) updatePod(p *v1.Pod) error {
	id, ok := b.pods[podKey(p)]
	if !ok {
		return b.addPod(p)
	}
	if manifest.Ended(p) {
		b.endPod(podKey(p))
		return nil
	}
	spec, err := b.convert.Pod(p)
	if err != nil {
		return err
	}
	b.observe(cluster.Event{Kind: cluster.PodChanged, Pod: id, PodSpec: spec})
	return nil
}

func (b *Berth) endPod(key string) {
	id, ok := b.pods[key]
	if !ok {
		return
	}
	delete(b.pods, key)
	b.observe(cluster.Event{Kind: cluster.PodEnded, Pod: id, Node: b.State.Pods.Node[id]})
}

func (b *Berth) object(kind cluster.Kind, obj runtime.Object) error {
	o, err := Object(obj)
	if err != nil || o == nil {
		return err
	}
	b.observe(cluster.Event{Kind: kind, Object: o})
	return nil
}

// Object converts what is neither a node nor a pod. It returns nil for what the State doesn't hold: a
// PriorityClass, say, since pods come with their priority. An error is a *manifest.FieldError.
func Object(obj runtime.Object) (cluster.Object, error) {
	switch obj := obj.(type) {
	case *v1.Namespace:
		return manifest.Namespace(obj), nil
	case *v1.Service:
		return manifest.Service(obj), nil
	case *v1.ReplicationController:
		return manifest.ReplicationController(obj), nil
	case *appsv1.ReplicaSet:
		return orNil(manifest.ReplicaSet(obj))
	case *appsv1.StatefulSet:
		return orNil(manifest.StatefulSet(obj))
	case *policyv1.PodDisruptionBudget:
		return orNil(manifest.PodDisruptionBudget(obj, time.Time{}))
	}
	return nil, nil
}

// orNil returns a nil Object with an error, where o alone would be an Object that holds a nil pointer.
func orNil[T cluster.Object](o T, err error) (cluster.Object, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}
