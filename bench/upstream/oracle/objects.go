package oracle

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
)

// Add tells of a new object. Pods with a node count on it at once, others are pending.
func (o *Oracle) Add(obj runtime.Object) error { return o.change("adding", obj, o.add) }

// Update tells of the new state of an object that was added before. A pending pod that now has a
// node is bound, as after upstream's own assume and confirmation.
func (o *Oracle) Update(obj runtime.Object) error { return o.change("updating", obj, o.update) }

// Delete tells that an object is gone. Only its kind, namespace and name matter.
func (o *Oracle) Delete(obj runtime.Object) error { return o.change("deleting", obj, o.remove) }

func (o *Oracle) change(doing string, obj runtime.Object, how func(runtime.Object) error) error {
	name, err := toolscache.MetaNamespaceKeyFunc(obj)
	if err != nil {
		return fmt.Errorf("%s an object: %w", doing, err)
	}
	// Upstream keeps pointers into what it is given.
	if err := how(obj.DeepCopyObject()); err != nil {
		return fmt.Errorf("%s %T %s: %w", doing, obj, name, err)
	}
	return nil
}

func (o *Oracle) add(obj runtime.Object) error {
	switch obj := obj.(type) {
	case *v1.Node:
		return o.addNode(obj)
	case *v1.Pod:
		return o.addPod(obj)
	}
	indexer, err := o.indexer(obj)
	if err != nil {
		return err
	}
	return indexer.Add(obj)
}

func (o *Oracle) update(obj runtime.Object) error {
	switch obj := obj.(type) {
	case *v1.Node:
		return o.updateNode(obj)
	case *v1.Pod:
		return o.updatePod(obj)
	}
	indexer, err := o.indexer(obj)
	if err != nil {
		return err
	}
	return indexer.Update(obj)
}

func (o *Oracle) remove(obj runtime.Object) error {
	switch obj := obj.(type) {
	case *v1.Node:
		return o.removeNode(obj.Name)
	case *v1.Pod:
		return o.removePod(key(obj))
	}
	indexer, err := o.indexer(obj)
	if err != nil {
		return err
	}
	return indexer.Delete(obj)
}

// indexer gives the store behind the lister that plugins read for the object's kind.
func (o *Oracle) indexer(obj runtime.Object) (toolscache.Indexer, error) {
	core, apps := o.informers.Core().V1(), o.informers.Apps().V1()
	switch obj.(type) {
	case *v1.Node:
		return core.Nodes().Informer().GetIndexer(), nil
	case *v1.Pod:
		return core.Pods().Informer().GetIndexer(), nil
	case *v1.Namespace:
		return core.Namespaces().Informer().GetIndexer(), nil
	case *v1.Service:
		return core.Services().Informer().GetIndexer(), nil
	case *v1.ReplicationController:
		return core.ReplicationControllers().Informer().GetIndexer(), nil
	case *appsv1.ReplicaSet:
		return apps.ReplicaSets().Informer().GetIndexer(), nil
	case *appsv1.StatefulSet:
		return apps.StatefulSets().Informer().GetIndexer(), nil
	case *policyv1.PodDisruptionBudget:
		return o.informers.Policy().V1().PodDisruptionBudgets().Informer().GetIndexer(), nil
	case *schedulingv1.PriorityClass:
		// Read by admission, which has already written the priority into the pods, not by the
		// scheduler.
		return o.informers.Scheduling().V1().PriorityClasses().Informer().GetIndexer(), nil
	}
	return nil, fmt.Errorf("the scheduler doesn't read objects of this kind")
}

func (o *Oracle) addNode(n *v1.Node) error {
	if o.nodes[n.Name] != nil {
		return fmt.Errorf("it is already there")
	}
	indexer, err := o.indexer(n)
	if err != nil {
		return err
	}
	o.nodes[n.Name] = n
	o.scheduler.Cache.AddNode(o.logger, n)
	o.nodesChanged = true
	return indexer.Add(n)
}

func (o *Oracle) updateNode(n *v1.Node) error {
	old := o.nodes[n.Name]
	if old == nil {
		return fmt.Errorf("it isn't there")
	}
	indexer, err := o.indexer(n)
	if err != nil {
		return err
	}
	o.nodes[n.Name] = n
	o.scheduler.Cache.UpdateNode(o.logger, old, n)
	o.nodesChanged = true
	return indexer.Update(n)
}

func (o *Oracle) removeNode(name string) error {
	old := o.nodes[name]
	if old == nil {
		return fmt.Errorf("it isn't there")
	}
	indexer, err := o.indexer(old)
	if err != nil {
		return err
	}
	delete(o.nodes, name)
	if err := o.scheduler.Cache.RemoveNode(o.logger, old); err != nil {
		return err
	}
	o.nodesChanged = true
	return indexer.Delete(old)
}
