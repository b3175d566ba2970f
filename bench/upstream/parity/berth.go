// Package parity holds Berth's scheduling cycle against upstream's: both are told of the same changes,
// asked about the same pods, and every verdict, score, choice and preemption is compared.
package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"

	"github.com/berthsim/berth/bench/upstream/oracle"
)

// Berth is Berth's side of a comparison. It implements lockstep.Follower.
type Berth struct {
	State *cluster.State
	// Kube decides as upstream at parallelism 1 does, Lowest takes the earliest of equal nodes.
	Kube, Lowest *scheduler.Profile

	convert *manifest.Converter
	pods    map[string]cluster.PodID
}

// epoch is the time of day at which the State's time begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// New returns Berth's side with the profile that the oracle has. If that is the standard one, it is
// the one that Berth ships, plugins.Kube, with upstream's arguments.
func New(o *oracle.Oracle, standard bool) (*Berth, error) {
	b := &Berth{State: cluster.NewState(), convert: &manifest.Converter{Epoch: epoch}, pods: map[string]cluster.PodID{}}
	var err error
	if b.Kube, err = profile(o, standard); err != nil {
		return nil, err
	}
	b.Kube.SetTies(scheduler.TiesKube)
	if b.Lowest, err = profile(o, standard); err != nil {
		return nil, err
	}
	return b, nil
}

// profile makes a profile of Berth's out of what upstream runs.
func profile(o *oracle.Oracle, standard bool) (*scheduler.Profile, error) {
	p, sets := o.Effective()
	args := map[string]scheduler.Args{}
	for _, pc := range p.PluginConfig {
		args[pc.Name] = decoder(pc.Args)
	}
	optional := make([]*scheduler.Plugin, len(plugins.All))
	for i, pl := range plugins.All {
		known := *pl
		known.Required = false
		optional[i] = &known
	}
	policy := slices.Clone(plugins.Kube)
	if !standard {
		var err error
		if policy, err = policyOf(sets, optional); err != nil {
			return nil, err
		}
	}
	for i := range policy {
		policy[i].Args = args[policy[i].Name]
	}
	pr, err := scheduler.NewProfile(optional, policy)
	if err != nil {
		return nil, err
	}
	sampling := scheduler.Sampling{Adaptive: true}
	if p.PercentageOfNodesToScore != nil {
		sampling.Percent = int(*p.PercentageOfNodesToScore)
	}
	pr.SetSampling(sampling)
	return pr, nil
}

// decoder gives upstream's arguments to Berth's plugin. Their names are the same but for case, which
// encoding/json doesn't mind.
func decoder(args runtime.Object) scheduler.Args {
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

// policyOf lists upstream's plugins in the order in which they filter, and says at which extension
// points each is left out.
func policyOf(sets *config.Plugins, known []*scheduler.Plugin) ([]scheduler.Weighted, error) {
	var policy []scheduler.Weighted
	at := map[string]int{}
	add := func(name string) (int, error) {
		if absent[name] {
			return -1, nil
		}
		if _, err := scheduler.Find(known, name); err != nil {
			return -1, err
		}
		if i, ok := at[name]; ok {
			return i, nil
		}
		at[name] = len(policy)
		policy = append(policy, scheduler.Weighted{Name: name, Weight: 1, Except: ^scheduler.Points(0)})
		return at[name], nil
	}
	for _, set := range []struct {
		plugins []config.Plugin
		point   scheduler.Points
	}{
		{sets.Filter.Enabled, scheduler.AtFilter},
		{sets.PreFilter.Enabled, scheduler.AtPreFilter},
		{sets.Score.Enabled, scheduler.AtScore},
		{sets.PostFilter.Enabled, scheduler.AtPostFilter},
		{sets.PreEnqueue.Enabled, scheduler.AtPreEnqueue},
	} {
		for _, pl := range set.plugins {
			i, err := add(pl.Name)
			if err != nil {
				return nil, err
			}
			if i < 0 {
				continue
			}
			policy[i].Except &^= set.point
			if set.point == scheduler.AtScore {
				policy[i].Weight = int64(pl.Weight)
			}
		}
	}
	return policy, nil
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
	var o cluster.Object
	var err error
	switch obj := obj.(type) {
	case *v1.Namespace:
		o = manifest.Namespace(obj)
	case *v1.Service:
		o = manifest.Service(obj)
	case *v1.ReplicationController:
		o = manifest.ReplicationController(obj)
	case *appsv1.ReplicaSet:
		o, err = orNil(manifest.ReplicaSet(obj))
	case *appsv1.StatefulSet:
		o, err = orNil(manifest.StatefulSet(obj))
	case *policyv1.PodDisruptionBudget:
		var budget *cluster.DisruptionBudget
		budget, err = manifest.PodDisruptionBudget(obj)
		o = budget
	default:
		return nil // a PriorityClass, say: pods come with their priority
	}
	if err != nil {
		return err
	}
	b.observe(cluster.Event{Kind: kind, Object: o})
	return nil
}

func orNil(w *cluster.Workload, err error) (cluster.Object, error) { return w, err }
