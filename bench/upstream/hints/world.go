package hints

import (
	"fmt"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	kube "github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"

	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/parity"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

type hint = oracle.Hint

// world is a scenario's cluster as it is at the end, on both sides: nodes, namespaces, Services,
// workloads and budgets. Pods are not in it, since no hint asks for any but those of the change.
type world struct {
	oracle *oracle.Oracle
	hints  map[string][]hint
	state  *cluster.State
	wakers map[string]scheduler.Waker

	// nodes and pods are all of the scenario, in each of their versions.
	nodes []*v1.Node
	pods  []*v1.Pod

	converter manifest.Converter
}

func newWorld(s *scenario.Scenario) (*world, error) {
	o, err := oracle.New(oracle.Config{Profile: s.Config})
	if err != nil {
		return nil, err
	}
	w := &world{oracle: o, state: cluster.NewState(), wakers: map[string]scheduler.Waker{}}
	if err := w.fill(s); err != nil {
		o.Close()
		return nil, err
	}
	return w, nil
}

func (w *world) fill(s *scenario.Scenario) (err error) {
	profile, _ := w.oracle.Effective()
	if w.hints, err = w.oracle.Hints(profile.SchedulerName); err != nil {
		return err
	}
	args := map[string]scheduler.Args{}
	for _, pc := range profile.PluginConfig {
		args[pc.Name] = parity.Args(pc.Args)
	}
	for _, name := range plugins {
		pl, err := scheduler.Find(kube.All, name)
		if err != nil {
			return err
		}
		inst, err := pl.New(args[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		waker, ok := inst.(scheduler.Waker)
		if !ok {
			return fmt.Errorf("%s is no Waker", name)
		}
		w.wakers[name] = waker
	}
	for _, step := range s.Steps {
		if err := w.take(step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// take has both sides take in a step's object, unless it is a pod. Nodes stay to the end.
func (w *world) take(step scenario.Step) error {
	switch obj := step.Object.(type) {
	case nil:
		return nil
	case *v1.Pod:
		w.pods = append(w.pods, obj)
		return nil
	case *v1.Node:
		w.nodes = append(w.nodes, obj)
		return w.takeNode(obj)
	}
	o, err := parity.Object(step.Object)
	if err != nil || o == nil {
		return err
	}
	w.state.Observe(w.state.Now+1, []cluster.Event{{Kind: cluster.ObjectSet, Object: o}})
	if step.Verb == scenario.Update {
		return w.oracle.Update(step.Object)
	}
	return w.oracle.Add(step.Object)
}

func (w *world) takeNode(n *v1.Node) error {
	spec, err := manifest.Node(n)
	if err != nil {
		return err
	}
	e := cluster.Event{Kind: cluster.NodeAdded, NodeSpec: spec}
	if row, ok := w.state.Nodes.Named(n.Name); ok {
		e.Kind, e.Node = cluster.NodeChanged, row
	}
	w.state.Observe(w.state.Now+1, []cluster.Event{e})
	return nil
}

// convert puts a change into Berth's vocabulary.
func (w *world) convert(c *change) (*berthChange, error) {
	b := &berthChange{}
	b.change.OldPod.Node, b.change.Pod.Node = cluster.None, cluster.None
	b.change.OldPod.Nominated, b.change.Pod.Nominated = cluster.None, cluster.None
	var target cluster.PodState
	var err error
	// Twice, since a pod may mention labels that make another class of one before it.
	for range 2 {
		if target, err = w.pod(c.target); err != nil {
			return nil, err
		}
		if c.oldPod != nil {
			if b.change.OldPod, err = w.pod(c.oldPod); err != nil {
				return nil, err
			}
			b.change.Own = c.oldPod.UID == c.target.UID
		}
		if c.pod != nil {
			if b.change.Pod, err = w.pod(c.pod); err != nil {
				return nil, err
			}
			b.change.Own = c.pod.UID == c.target.UID
		}
	}
	b.class = w.state.ClassByID(target.Class)
	if c.oldNode != nil {
		if b.change.OldNode, err = manifest.Node(c.oldNode); err != nil {
			return nil, err
		}
	}
	if c.node != nil {
		b.change.Node, err = manifest.Node(c.node)
	}
	return b, err
}

// pod gives what the State would know of a pod.
func (w *world) pod(p *v1.Pod) (cluster.PodState, error) {
	ps := cluster.PodState{Node: cluster.None, Nominated: cluster.None}
	spec, err := w.converter.Pod(p)
	if err != nil {
		return ps, err
	}
	ps.Class, ps.Labels = w.state.Intern(spec.Class, spec.Labels), spec.Labels
	for _, on := range []struct {
		name string
		row  *cluster.NodeID
	}{{spec.On, &ps.Node}, {spec.Nominated, &ps.Nominated}} {
		if on.name == "" {
			continue
		}
		row, ok := w.state.Nodes.Named(on.name)
		if !ok {
			return ps, fmt.Errorf("there is no node %s", on.name)
		}
		*on.row = row
	}
	return ps, nil
}
