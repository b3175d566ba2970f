package manifest

import (
	"errors"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
	"github.com/berthsim/berth/quota"
	v1 "k8s.io/api/core/v1"
)

// podRest is what of a pod has to wait until all objects are read.
type podRest struct {
	place
	started time.Time   // zero if it did not
	like    *remembered // what its class and account are made of then, nil if it has them
	fresh   bool        // it was never in an API: admission has yet to see it
}

// pod takes in a pod. One that has been in an API gets its class and its account at once, if
// it has a priority; of the others that are alike, only one is kept until then.
func (r *reader) pod(p *v1.Pod, at place) error {
	if Ended(p) {
		return r.ended(p)
	}
	spec := &cluster.PodSpec{}
	identify(spec, p)
	rest := podRest{place: at, fresh: p.UID == "" && p.CreationTimestamp.IsZero()}
	like, err := r.like(p, &rest)
	if err != nil {
		return err
	}
	spec.Class, spec.Account, spec.Labels = like.class, like.account, like.labelsOf(p.Labels)
	if start := p.Status.StartTime; start != nil {
		rest.started = start.Time
	}
	r.later(p.CreationTimestamp.Time)
	r.later(rest.started)
	r.out.Pods = append(r.out.Pods, spec)
	r.pods = append(r.pods, rest)
	return nil
}

// like returns a remembered pod like p, and notes in rest if it isn't complete yet.
func (r *reader) like(p *v1.Pod, rest *podRest) (*remembered, error) {
	var waiting *memory
	switch {
	case rest.fresh:
		waiting = &r.fresh
	case p.Spec.Priority == nil:
		waiting = &r.undecided
	default:
		return r.convert.like(p)
	}
	rest.like = waiting.recall(p)
	if rest.like == nil {
		e := makeExcerpt(p)
		class, _, err := classAndAccount(e.pod) // to fail while it is known where
		if err != nil {
			return nil, err
		}
		rest.like = waiting.remember(e, &cluster.Class{Namespace: class.Namespace}, nil)
	}
	return rest.like, nil
}

// ended counts a pod that has run to its end.
func (r *reader) ended(p *v1.Pod) error {
	r.out.Ended++
	account, err := Account(p)
	if err != nil {
		return err
	}
	r.out.Counted = append(r.out.Counted, quota.Object{
		Resource: quota.Pods, Namespace: p.Namespace, Name: p.Name,
		Pod: &quota.Pod{Account: r.convert.accounts.Share(account), Ended: true},
	})
	return nil
}

// admit completes the pods that had to wait for what admission knows.
func (r *reader) admit() error {
	for i, spec := range r.out.Pods {
		rest := &r.pods[i]
		like := rest.like
		if like == nil {
			continue
		}
		if like.account == nil {
			if err := r.complete(like, spec.Name, rest); err != nil {
				return r.refused(err, spec, rest)
			}
		}
		spec.Class, spec.Account, rest.like = like.class, like.account, nil
	}
	return nil
}

// complete does what admission does to a pod, of which those that are like it have the name of
// the first: all of it if it is fresh, and its priority alone if it isn't.
func (r *reader) complete(like *remembered, name string, rest *podRest) error {
	p := like.pod
	p.Name = name
	priority, ok := r.out.Plugins.Priority(p.Spec.PriorityClassName)
	if p.Spec.Priority == nil && !ok {
		err := wrong("is "+input.Quoted(p.Spec.PriorityClassName)+", which is no PriorityClass that is given", "add the class, or give the pod a spec.priority")
		return in(err, "spec", "priorityClassName")
	}
	var err error
	if rest.fresh {
		err = r.mutate(p, rest)
	} else {
		p.Spec.Priority = &priority.Value
		if never := v1.PreemptNever; p.Spec.PreemptionPolicy == nil && priority.NeverPreempts {
			p.Spec.PreemptionPolicy = &never
		}
	}
	if err != nil {
		return err
	}
	class, account, err := classAndAccount(p)
	if err != nil {
		return err
	}
	like.class, like.account = r.convert.classes.Share(class), r.convert.accounts.Share(account)
	return nil
}

// mutate has the admission plugins see a pod. Here, other than in an API server, a priority or
// a preemption policy that a manifest gives stands, whatever the class says, and a runtime
// class that isn't given changes nothing.
func (r *reader) mutate(p *v1.Pod, rest *podRest) error {
	pod, err := NewPod(p)
	if err != nil {
		return err
	}
	brought := p.Spec.DeepCopy()
	pod.NeverPreempts = nil
	if pod.Priority != nil {
		pod.Priority, pod.Account.PriorityClass = nil, ""
	}
	if name := pod.RuntimeClass; name != "" && r.out.Plugins.Runtime(name) == nil {
		pod.RuntimeClass = ""
		if !r.unknownRuntimes[name] {
			r.unknownRuntimes[name] = true
			r.warn(rest.place, "Pod "+p.Namespace+"/"+p.Name+" names RuntimeClass "+input.Quoted(name)+", which is not given", "add it, or its pods count without overhead and run anywhere")
		}
	}
	if err := r.out.Plugins.Mutate(pod); err != nil {
		return err
	}
	SetAdmitted(p, pod)
	if brought.Priority != nil {
		p.Spec.Priority, p.Spec.PriorityClassName, p.Spec.PreemptionPolicy = brought.Priority, brought.PriorityClassName, nil
	}
	if brought.PreemptionPolicy != nil {
		p.Spec.PreemptionPolicy = brought.PreemptionPolicy
	}
	return nil
}

// refused says where a pod is that can't be completed.
func (r *reader) refused(err error, spec *cluster.PodSpec, rest *podRest) error {
	what := "Pod " + printable(spec.Class.Namespace+"/"+spec.Name)
	var wrong *FieldError
	if errors.As(err, &wrong) {
		return &Error{File: rest.file, Line: rest.line, Problem: what + ": " + wrong.problem(), Remedy: wrong.Remedy}
	}
	return &Error{File: rest.file, Line: rest.line, Problem: what + " is refused: " + oneLine(err), Remedy: "change the pod, or what refuses it"}
}
