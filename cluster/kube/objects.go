package kube

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// objectKey names an object that is neither node nor pod.
type objectKey struct{ kind, namespace, name string }

// An object is what is known of one.
type object struct {
	spec   cluster.Object // as State knows it
	raw    runtime.Object // of budgets and quotas, whose status may be decided: as it was seen last
	flight *flight        // a Store under way
}

// objectSeen translates an observation of an object, or that it is gone.
func (t *translator) objectSeen(o runtime.Object, gone bool) {
	key, ok := keyOf(o)
	if !ok {
		t.misread("object", fmt.Sprintf("%T", o), fmt.Errorf("nobody asked for it"))
		return
	}
	known := t.objects[key]
	if gone {
		if known != nil {
			t.objectGone(key)
		}
		return
	}
	spec, err := t.convert(o)
	if err != nil {
		t.misread(key.kind, cluster.Key(key.namespace, key.name), err)
		return
	}
	if known == nil {
		known = &object{}
		t.objects[key] = known
	}
	switch o.(type) {
	case *policyv1.PodDisruptionBudget, *v1.ResourceQuota:
		known.raw = o
	}
	if reflect.DeepEqual(known.spec, spec) {
		return
	}
	known.spec = spec
	t.emit(cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: spec})
}

// objectGone takes in that an object was deleted.
func (t *translator) objectGone(key objectKey) {
	known := t.objects[key]
	if known.flight != nil {
		delete(t.flights, known.flight.seq)
	}
	delete(t.objects, key)
	t.emit(cluster.Event{Kind: cluster.ObjectRemoved, Pod: cluster.None, Node: cluster.None, Object: known.spec})
}

// convert makes our vocabulary of an object.
func (t *translator) convert(o runtime.Object) (cluster.Object, error) {
	switch o := o.(type) {
	case *v1.Namespace:
		return manifest.Namespace(o), nil
	case *v1.Service:
		return manifest.Service(o), nil
	case *v1.ReplicationController:
		return manifest.ReplicationController(o), nil
	case *appsv1.ReplicaSet:
		return manifest.ReplicaSet(o)
	case *appsv1.Deployment:
		return manifest.Deployment(o)
	case *appsv1.StatefulSet:
		return manifest.StatefulSet(o)
	case *policyv1.PodDisruptionBudget:
		return manifest.PodDisruptionBudget(o, t.epoch)
	case *v1.ResourceQuota:
		return manifest.ResourceQuota(o)
	}
	return nil, fmt.Errorf("a %T is no object that decisions depend on", o)
}

// keyOf names an object; ok is false if nobody asks for objects of its type.
func keyOf(o runtime.Object) (key objectKey, ok bool) {
	meta, ok := o.(metav1.Object)
	if !ok {
		return objectKey{}, false
	}
	key = objectKey{namespace: meta.GetNamespace(), name: meta.GetName()}
	switch o.(type) {
	case *v1.Namespace:
		key.kind, key.namespace = "Namespace", ""
	case *v1.Service:
		key.kind = "Service"
	case *v1.ReplicationController:
		key.kind = "ReplicationController"
	case *appsv1.ReplicaSet:
		key.kind = "ReplicaSet"
	case *appsv1.Deployment:
		key.kind = "Deployment"
	case *appsv1.StatefulSet:
		key.kind = "StatefulSet"
	case *policyv1.PodDisruptionBudget:
		key.kind = "PodDisruptionBudget"
	case *v1.ResourceQuota:
		key.kind = "ResourceQuota"
	default:
		return objectKey{}, false
	}
	return key, true
}

// keyOfOurs names an object in the same way.
func keyOfOurs(o cluster.Object) objectKey {
	switch o := o.(type) {
	case *cluster.DisruptionBudget:
		return objectKey{"PodDisruptionBudget", o.Namespace, o.Name}
	case *cluster.ResourceQuota:
		return objectKey{"ResourceQuota", o.Namespace, o.Name}
	}
	return objectKey{}
}

// relist compares all objects of a resource with what is known: what isn't in the list has
// gone. What is there is taken in order of creation, in which watches would have shown it: a
// reflector hands it over in none.
func (t *translator) relist(c *change) {
	if c.gap != nil {
		t.gaps = append(t.gaps, *c.gap)
	}
	switch c.of.of.(type) {
	case *v1.Pod:
		t.podsGone(c.list)
	case *v1.Node:
		there := names(c.list)
		for _, name := range slices.Sorted(maps.Keys(t.nodes)) {
			if !there[name] {
				t.nodeGone(name)
			}
		}
	case *coordinationv1.Lease:
		there := names(c.list)
		maps.DeleteFunc(t.leases, func(name string, _ *lease) bool { return !there[name] })
	default:
		t.objectsGone(c.of.kind, c.list)
	}
	slices.SortFunc(c.list, byCreation)
	for _, o := range c.list {
		t.one(o, false, c.at)
	}
}

func byCreation(a, b runtime.Object) int {
	x, ok := a.(metav1.Object)
	y, too := b.(metav1.Object)
	if !ok || !too {
		return 0
	}
	return cmp.Or(x.GetCreationTimestamp().Compare(y.GetCreationTimestamp().Time),
		cmp.Compare(x.GetNamespace(), y.GetNamespace()), cmp.Compare(x.GetName(), y.GetName()))
}

// names returns the names of objects that have no namespace, or share one.
func names(list []runtime.Object) map[string]bool {
	there := make(map[string]bool, len(list))
	for _, o := range list {
		if meta, ok := o.(metav1.Object); ok {
			there[meta.GetName()] = true
		}
	}
	return there
}

// podsGone ends the pods that aren't in a list, in order of their rows.
func (t *translator) podsGone(list []runtime.Object) {
	there := make(map[types.UID]bool, len(list))
	for _, o := range list {
		there[o.(*v1.Pod).UID] = true
	}
	for _, p := range t.podRow {
		if p != nil && !p.over && !there[p.uid] {
			t.end(p, nil)
		}
	}
}

// objectsGone removes the objects of a kind that aren't in a list, in order of their names.
func (t *translator) objectsGone(kind string, list []runtime.Object) {
	there := make(map[objectKey]bool, len(list))
	for _, o := range list {
		if key, ok := keyOf(o); ok {
			there[key] = true
		}
	}
	var gone []objectKey
	for key := range t.objects {
		if key.kind == kind && !there[key] {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, func(a, b objectKey) int { return cmp.Compare(a.namespace+"/"+a.name, b.namespace+"/"+b.name) })
	for _, key := range gone {
		t.objectGone(key)
	}
}
