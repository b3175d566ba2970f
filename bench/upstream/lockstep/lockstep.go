// Package lockstep plays a scenario: it tells the oracle, and whoever else follows, of every change
// in the same order, asks the oracle for its decisions and applies them for all. So both sides of a
// comparison always decide about the same cluster, even where upstream's choice is one of several.
package lockstep

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

// Follower is told of changes as an informer tells them. A decision comes as the change it makes: a
// bound pod as an update that sets its node, a victim as one that sets its deletion timestamp, a
// nomination as one of the pod's status. Objects belong to the caller and must not be changed.
type Follower interface {
	Add(obj runtime.Object) error
	Update(obj runtime.Object) error
	Delete(obj runtime.Object) error
}

// Attempt is one try to place a pod.
type Attempt struct {
	// Step is the index of the step that led to the attempt.
	Step int
	// Pod is the pod as both sides know it.
	Pod *v1.Pod
	// Dry tells that nothing will be applied and that the pod is not part of the cluster.
	Dry bool
	// Result is what upstream decides.
	Result *oracle.Result
}

// Visitor sees each attempt before its result is applied. An error ends the play.
type Visitor func(Attempt) error

// Play plays a scenario on an oracle that New has just made, and for the followers. See is called for
// each attempt; nil is allowed.
func Play(s *scenario.Scenario, o *oracle.Oracle, see Visitor, followers ...Follower) error {
	p := player{oracle: o, see: see, cluster: newCluster(append([]Follower{o}, followers...))}
	for i, step := range s.Steps {
		p.step = i
		p.cluster.tick()
		if err := p.play(step); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, step, err)
		}
	}
	return nil
}

// Run makes an oracle for the scenario's configuration, plays the scenario and closes the oracle.
func Run(s *scenario.Scenario, see Visitor, followers ...Follower) error {
	o, err := oracle.New(oracle.Config{Profile: s.Config})
	if err != nil {
		return err
	}
	defer o.Close()
	return Play(s, o, see, followers...)
}

type player struct {
	oracle  *oracle.Oracle
	see     Visitor
	cluster *cluster
	step    int
}

func (p *player) play(step scenario.Step) error {
	switch step.Verb {
	case scenario.Add:
		return p.cluster.set(step.Object)
	case scenario.Update:
		return p.cluster.update(step.Object)
	case scenario.Delete:
		return p.cluster.delete(step.Ref)
	case scenario.Terminate:
		return p.cluster.terminate(step.Ref)
	case scenario.Finish:
		return p.cluster.finish()
	case scenario.Retry:
		for i, ref := range p.cluster.queue() {
			if step.Limit > 0 && i == step.Limit {
				break
			}
			// Looked up now, since an earlier attempt may have cleared its nomination.
			if err := p.attempt(p.cluster.pod(ref)); err != nil {
				return err
			}
		}
		return nil
	}
	pod, ok := step.Object.(*v1.Pod)
	if !ok {
		return fmt.Errorf("only pods can be placed, not %T", step.Object)
	}
	if step.Verb == scenario.Try {
		return p.try(pod)
	}
	if err := p.cluster.set(pod); err != nil {
		return err
	}
	return p.attempt(pod)
}

func (p *player) try(pod *v1.Pod) error {
	r, err := p.oracle.Evaluate(pod)
	if err != nil {
		return err
	}
	return p.show(Attempt{Step: p.step, Pod: pod, Dry: true, Result: r})
}

func (p *player) attempt(pod *v1.Pod) error {
	if pod.Spec.NodeName != "" {
		return fmt.Errorf("pod %s/%s has a node already", pod.Namespace, pod.Name)
	}
	r, err := p.oracle.Evaluate(pod)
	if err != nil {
		return err
	}
	if err := p.show(Attempt{Step: p.step, Pod: pod, Result: r}); err != nil {
		return err
	}
	return p.apply(pod, r)
}

func (p *player) show(a Attempt) error {
	if p.see == nil {
		return nil
	}
	return p.see(a)
}

// apply carries out a decision as the API server and the scheduler's failure handler would. Where
// upstream's choice is that of a Go map, or drawn, the first of the equals by name is taken instead, so that a
// scenario always takes the same course.
func (p *player) apply(pod *v1.Pod, r *oracle.Result) error {
	if r.Chosen != "" {
		node := r.Chosen
		if r.Unordered || r.Drawn {
			node = slices.Min(r.Best)
		}
		return p.cluster.bind(pod, node)
	}
	e := r.Preemption
	if e == nil || !e.Nominates {
		return nil
	}
	node := e.Node
	if node != "" {
		i := slices.IndexFunc(e.Candidates, func(c oracle.Candidate) bool { return c.Best })
		node = e.Candidates[i].Node
		if err := p.cluster.makeWay(pod, node, e.Candidates[i].Victims); err != nil {
			return err
		}
	}
	return p.cluster.nominate(podKey(pod), node)
}
