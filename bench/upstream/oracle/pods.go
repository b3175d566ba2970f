package oracle

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
)

// key names a pod as results and listers do.
func key(p *v1.Pod) string { return p.Namespace + "/" + p.Name }

// gone tells whether the scheduler's informer doesn't show the pod any more: it selects by phase.
func gone(p *v1.Pod) bool {
	return p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed
}

func (o *Oracle) addPod(p *v1.Pod) error {
	if o.pods[key(p)] != nil {
		return fmt.Errorf("it is already there")
	}
	if gone(p) {
		return nil
	}
	if err := o.store(p); err != nil {
		return err
	}
	if p.Spec.NodeName != "" {
		return o.scheduler.Cache.AddPod(o.logger, p)
	}
	o.enqueue(nil, p)
	return nil
}

func (o *Oracle) updatePod(p *v1.Pod) error {
	old := o.pods[key(p)]
	if old == nil {
		return o.addPod(p) // perhaps it was added after it had ended
	}
	if gone(p) {
		return o.removePod(key(p))
	}
	if err := o.store(p); err != nil {
		return err
	}
	switch {
	case old.Spec.NodeName == "" && p.Spec.NodeName == "":
		o.enqueue(old, p)
		return nil
	case old.Spec.NodeName == "":
		return o.bind(old, p)
	case old.Spec.NodeName != p.Spec.NodeName:
		return fmt.Errorf("it can't move from node %q to %q", old.Spec.NodeName, p.Spec.NodeName)
	}
	return o.scheduler.Cache.UpdatePod(o.logger, old, p)
}

// bind assumes the pod on its node, takes it from the queue, which ends its nomination, and confirms it.
func (o *Oracle) bind(old, p *v1.Pod) error {
	assumed := old.DeepCopy()
	assumed.Spec.NodeName = p.Spec.NodeName
	if err := o.scheduler.Cache.AssumePod(o.logger, assumed); err != nil {
		return err
	}
	o.scheduler.SchedulingQueue.Delete(old)
	return o.scheduler.Cache.AddPod(o.logger, p)
}

// enqueue puts a pending pod into upstream's queue, or updates it there. Nothing is ever popped: the
// queue is there because nominated pods are looked up in it, and because it keeps the nominator in step
// with the pods' status.
func (o *Oracle) enqueue(old, p *v1.Pod) {
	switch {
	case o.scheduler.Profiles[p.Spec.SchedulerName] == nil: // another scheduler's
	case old == nil:
		o.scheduler.SchedulingQueue.Add(o.ctx, p)
	default:
		o.scheduler.SchedulingQueue.Update(o.ctx, old, p)
	}
}

func (o *Oracle) removePod(name string) error {
	p := o.pods[name]
	if p == nil {
		return nil // it may have ended before it was deleted
	}
	delete(o.pods, name)
	indexer, err := o.indexer(p)
	if err != nil {
		return err
	}
	if err := indexer.Delete(p); err != nil {
		return err
	}
	if p.Spec.NodeName != "" {
		return o.scheduler.Cache.RemovePod(o.logger, p)
	}
	o.scheduler.SchedulingQueue.Delete(p)
	return nil
}

func (o *Oracle) store(p *v1.Pod) error {
	indexer, err := o.indexer(p)
	if err != nil {
		return err
	}
	o.pods[key(p)] = p
	return indexer.Update(p)
}
