package disruption

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/eviction"
)

// A status is what is compared of a budget.
type status struct {
	Allowed, Healthy, Desired, Expected int32
	Observed                            int64
	Disrupted                           []string // names, and since when, sorted
}

func (st *status) add(pod string, since time.Duration) {
	st.Disrupted = append(st.Disrupted, fmt.Sprintf("%s@%v", pod, since))
	slices.Sort(st.Disrupted)
}

func (st status) String() string {
	return fmt.Sprintf("allowed=%d healthy=%d/%d expected=%d observed=%d disrupted=%s", st.Allowed, st.Healthy, st.Desired, st.Expected, st.Observed, strings.Join(st.Disrupted, ","))
}

// berth is Berth's side.
type berth struct {
	state   *cluster.State
	budgets *eviction.Budgets
	conv    manifest.Converter
	pods    map[string]cluster.PodID
	specs   map[string]*cluster.PodSpec // of pods, as they were described last
	wake    cluster.Time
}

func newBerth(epoch time.Time) *berth {
	b := &berth{state: cluster.NewState(), budgets: eviction.NewBudgets(), conv: manifest.Converter{Epoch: epoch}, pods: map[string]cluster.PodID{}, specs: map[string]*cluster.PodSpec{}}
	b.happens(cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: nodeName}})
	return b
}

func (b *berth) observe(events ...cluster.Event) {
	b.state.Observe(b.state.Now, events)
	for _, e := range events {
		if e.Kind == cluster.PodAdded {
			b.pods[b.state.Pods.Name[e.Pod]] = e.Pod
		}
	}
}

// step lets the controller see what State was told.
func (b *berth) step(events []cluster.Event) {
	b.wake = b.budgets.Step(b.state, events)
	b.state.TakeDecisions()
}

func (b *berth) happens(events ...cluster.Event) {
	b.observe(events...)
	b.step(events)
}

// passes lets time pass, and the controller wake when it wants to.
func (b *berth) passes(to cluster.Time) {
	for b.wake <= to {
		b.state.Now = max(b.state.Now, b.wake)
		b.happens()
	}
	b.state.Now = to
}

// setPod tells of a pod. If nothing but its readiness has changed, that is what is told.
func (b *berth) setPod(p *v1.Pod) error {
	spec, err := b.conv.Pod(p)
	if err != nil {
		return err
	}
	row, ok := b.pods[p.Name]
	if !ok {
		b.specs[p.Name] = spec
		b.happens(cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
		return nil
	}
	was := *b.specs[p.Name]
	b.specs[p.Name] = spec
	if was.Unready = spec.Unready; reflect.DeepEqual(&was, spec) && spec.On != "" && !spec.Starting {
		b.happens(cluster.Event{Kind: cluster.PodReady, Pod: row, Ready: !spec.Unready})
		return nil
	}
	b.happens(cluster.Event{Kind: cluster.PodChanged, Pod: row, PodSpec: spec})
	return nil
}

// deletePod decides that a pod ends, which nobody tells the controller.
func (b *berth) deletePod(name string) {
	b.state.Delete(b.pods[name], cluster.DeletionByTaint)
	b.state.TakeDecisions()
	b.happens()
}

func (b *berth) removePod(name string) {
	p := b.pods[name]
	delete(b.pods, name)
	b.happens(cluster.Event{Kind: cluster.PodEnded, Pod: p})
}

// converted returns a budget as Berth has it, with the status that it has here.
func (b *berth) converted(from *policyv1.PodDisruptionBudget) (*cluster.DisruptionBudget, error) {
	to, err := manifest.PodDisruptionBudget(from, b.conv.Epoch)
	if err != nil {
		return nil, err
	}
	if was := b.state.Budgets.Get(namespace, from.Name); was != nil {
		to.Allowed, to.CurrentHealthy, to.DesiredHealthy, to.ExpectedPods = was.Allowed, was.CurrentHealthy, was.DesiredHealthy, was.ExpectedPods
		to.Disrupted, to.DisruptedAt, to.ObservedGeneration = was.Disrupted, was.DisruptedAt, was.ObservedGeneration
	}
	return to, nil
}

// workload returns an object as Berth has it.
func (b *berth) workload(w *Workload) (cluster.Object, error) {
	to := &cluster.Workload{Kind: w.Kind, Namespace: namespace, Name: w.Name, Replicas: w.Replicas}
	if w.Kind == "Rollout" {
		to.Kind = "Rollout.v1alpha1.argoproj.io"
	}
	switch _, o := object(w); o := o.(type) {
	case nil:
		return to, nil
	case *v1.ReplicationController:
		return manifest.ReplicationController(o), nil
	default:
		return convert(o)
	}
}

// evict asks for a pod's eviction. It returns the events that come of it, which the controller has yet to
// see.
func (b *berth) evict(name string) (answer, []cluster.Event) {
	p, s := b.pods[name], b.state
	verdict := eviction.Review(s, eviction.Request{Pod: p, Ending: s.Pods.Phase[p] == cluster.Terminating}, s.Budgets.All())
	a := answer{Code: int32(verdict.Code), Retry: time.Duration(verdict.Retry), Fate: "stays"}
	var events []cluster.Event
	if verdict.Charged != nil {
		events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: verdict.Charged})
	}
	switch {
	case s.Pods.Phase[p] == cluster.Terminating:
		a.Fate = "ending"
	case verdict.Code != eviction.Created:
	case s.Pods.Node[p] == cluster.None:
		a.Fate = "gone"
		events = append(events, cluster.Event{Kind: cluster.PodEnded, Pod: p})
		delete(b.pods, name)
	default:
		a.Fate = "ending"
		s.RequestEviction(p)
		s.TakeDecisions()
	}
	b.observe(events...)
	return a, events
}

func (b *berth) status(name string) status {
	o := b.state.Budgets.Get(namespace, name)
	if o == nil {
		return status{}
	}
	st := status{Allowed: o.Allowed, Healthy: o.CurrentHealthy, Desired: o.DesiredHealthy, Expected: o.ExpectedPods, Observed: o.ObservedGeneration}
	for i, pod := range o.Disrupted {
		st.add(pod, time.Duration(o.DisruptedAt[i]))
	}
	return st
}

// convert converts the workloads that a manifest may be wrong about.
func convert(o any) (w *cluster.Workload, err error) {
	switch o := o.(type) {
	case *appsv1.ReplicaSet:
		w, err = manifest.ReplicaSet(o)
	case *appsv1.Deployment:
		w, err = manifest.Deployment(o)
	case *appsv1.StatefulSet:
		w, err = manifest.StatefulSet(o)
	default:
		err = fmt.Errorf("stories have no %T", o)
	}
	return w, err
}
