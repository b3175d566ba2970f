package certify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
)

// A Simulation says how a run is played again in the simulator.
type Simulation struct {
	// Faults are what befell nodes, at the times at which it did.
	Faults []faults.Fault
	// Until is when the run ended.
	Until cluster.Time
	// StartUp is how long containers take to start.
	StartUp sim.StartUp
	// Seed is of the moments at which nodes renew their leases, and of start-up times.
	Seed int64
	// Alike has nodes renew their leases when those of the run did, and not when Seed says.
	Alike bool
	// Controllers returns those that decide, anew for each run.
	Controllers func() ([]cluster.Controller, error)
}

// settle is how long before its first pod a simulated run begins at least, so that nodes have
// been heard of by then as they have in a cluster that is up.
const settle = cluster.Minute

// shift returns how much later a time is in a simulated run, which begins at 0. Controllers look
// at nodes at regular times from when they began; they are the same in both runs if what is
// between the beginnings is whole minutes.
func (t *Timeline) shift() cluster.Time {
	before := t.began - t.origin
	return (settle-before+cluster.Minute-1)/cluster.Minute*cluster.Minute - t.origin
}

// Simulate plays what came from outside in t's run, in the simulator. The times of the
// Timeline that it returns are those of t.
func (t *Timeline) Simulate(ctx context.Context, how Simulation) (*Timeline, error) {
	if t.began == cluster.Never {
		return nil, errors.New("simulating a run: no pod came in it; give a workload that has pods")
	}
	shift := t.shift()
	kubelets := sim.DefaultKubelets()
	kubelets.StartUp = how.StartUp
	kubelets.Faults = shifted(how.Faults, shift)
	if how.Alike {
		kubelets.Renewed = func(node string) (cluster.Time, bool) {
			at, ok := t.renewed(node, how.Faults)
			return at + shift, ok
		}
	}
	s := cluster.NewState()
	s.Seed = how.Seed
	c, err := sim.New(s, t.workload(shift), sim.Options{Kubelets: kubelets, Until: how.Until + shift})
	if err != nil {
		return nil, fmt.Errorf("simulating a run: %w", err)
	}
	controllers, err := how.Controllers()
	if err != nil {
		return nil, err
	}
	again := NewTimeline()
	if err := cluster.Run(ctx, c, s, again, controllers...); err != nil {
		return nil, fmt.Errorf("simulating a run: %w", err)
	}
	again.move(-shift)
	return again, nil
}

// workload returns the nodes and objects that the first pod came to, and all pods from
// outside.
func (t *Timeline) workload(shift cluster.Time) *sim.List {
	var list sim.List
	for _, n := range t.nodes {
		spec := *n
		spec.Health = cluster.NodeHealth{}
		list = append(list, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &spec})
	}
	for _, o := range t.objects {
		list = append(list, cluster.Event{Kind: cluster.ObjectSet, Object: o})
	}
	for i := range t.arrivals {
		e := t.arrivals[i]
		spec := *e.PodSpec
		spec.Run = t.runOf(e.PodSpec)
		list = append(list, cluster.Event{Time: e.Time + shift, Kind: cluster.PodAdded, PodSpec: &spec})
	}
	return &list
}

// runOf returns how long a pod ran that ended by itself, Never if it didn't.
func (t *Timeline) runOf(spec *cluster.PodSpec) cluster.Time {
	name := cluster.Key(spec.Class.Namespace, spec.Name)
	i := slices.IndexFunc(t.Pods, func(p *Pod) bool { return p.Name == name })
	if p := t.Pods[i]; p.Ended != cluster.Never && p.Told == cluster.Never && p.Running != cluster.Never {
		return p.Ended - p.Running
	}
	return cluster.Never
}

// shifted returns faults at other times, in order.
func shifted(from []faults.Fault, by cluster.Time) *faults.List {
	list := faults.List(slices.Clone(from))
	for i := range list {
		list[i].At += by
		if list[i].Until != cluster.Never {
			list[i].Until += by
		}
	}
	slices.SortStableFunc(list, func(a, b faults.Fault) int { return int(min(max(a.At-b.At, -1), 1)) })
	return &list
}

// move adds to all times.
func (t *Timeline) move(by cluster.Time) {
	for _, p := range t.Pods {
		for _, at := range []*cluster.Time{&p.Arrived, &p.Bound, &p.Running, &p.Told, &p.Ended} {
			if *at != cluster.Never {
				*at += by
			}
		}
	}
	for i := range t.News {
		t.News[i].At += by
	}
	t.began += by
}

// StartUps returns how long the pods of a run took from their binding until they ran, as
// quantiles from the shortest time to the longest: at most as many as are asked for, and none
// if no pod has run.
func (t *Timeline) StartUps(quantiles int) sim.StartUp {
	var all []cluster.Time
	for _, p := range t.Pods {
		if p.Bound != cluster.Never && p.Running != cluster.Never {
			all = append(all, p.Running-p.Bound)
		}
	}
	slices.Sort(all)
	if len(all) <= quantiles {
		return all
	}
	u := make(sim.StartUp, quantiles)
	for i := range u {
		u[i] = all[i*(len(all)-1)/(quantiles-1)]
	}
	return u
}

// chain returns the name of the pod at the beginning of a chain. Pods in the place of others
// are made by workload.NewReplicasMarked with workload.NameMark, in both runs.
func chain(name string) (first string) {
	first, _, _ = strings.Cut(name, workload.NameMark)
	return first
}
