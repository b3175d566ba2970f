package replay

import (
	"reflect"

	"github.com/berthsim/berth/cluster"
)

// origin tells events that come from outside from those that follow from decisions.
type origin struct {
	created map[string]int               // pods that were decided and have not come, by namespace and name
	tainted map[cluster.NodeID]bool      // nodes whose taints were decided, and that haven't been described since
	stored  map[objectKey]cluster.Object // objects that were decided and haven't been set
	objects map[objectKey]cluster.Object // those that there are
}

func newOrigin() origin {
	return origin{created: map[string]int{}, tainted: map[cluster.NodeID]bool{}, stored: map[objectKey]cluster.Object{}, objects: map[objectKey]cluster.Object{}}
}

// objectKey names an object.
type objectKey struct{ kind, namespace, name string }

// keyOf names an object.
func keyOf(o cluster.Object) objectKey {
	switch o := o.(type) {
	case *cluster.Namespace:
		return objectKey{"Namespace", "", o.Name}
	case *cluster.Service:
		return objectKey{"Service", o.Namespace, o.Name}
	case *cluster.Workload:
		return objectKey{"Workload/" + o.Kind, o.Namespace, o.Name}
	case *cluster.DisruptionBudget:
		return objectKey{"DisruptionBudget", o.Namespace, o.Name}
	case *cluster.ResourceQuota:
		return objectKey{"ResourceQuota", o.Namespace, o.Name}
	}
	return objectKey{}
}

// decided takes in what was decided.
func (o *origin) decided(d *cluster.Decision) {
	switch of := d.Detail.(type) {
	case *cluster.PodSpec:
		o.created[nameOf(of)]++
	case cluster.Taint:
		o.tainted[d.Node] = true
	case cluster.Stored:
		o.stored[keyOf(of.To)] = of.To
	}
}

func nameOf(spec *cluster.PodSpec) string { return cluster.Key(spec.Class.Namespace, spec.Name) }

// either reports whether events of a kind can come from outside or be outcomes.
func either(kind cluster.Kind) bool {
	switch kind {
	case cluster.NodeAdded, cluster.PodBound, cluster.PodReady, cluster.Rejected:
		return false
	}
	return true
}

// outside reports whether an event comes from outside, and takes it in.
func (o *origin) outside(e *cluster.Event) bool {
	switch e.Kind {
	case cluster.NodeHeard:
		return true
	case cluster.NodeAdded, cluster.NodeRemoved:
		delete(o.tainted, e.Node)
		return true
	case cluster.NodeChanged:
		decided := o.tainted[e.Node]
		delete(o.tainted, e.Node)
		return !decided
	case cluster.ObjectRemoved:
		delete(o.objects, keyOf(e.Object))
		return true
	case cluster.ObjectSet:
		key := keyOf(e.Object)
		was, stored := o.objects[key], o.stored[key]
		o.objects[key] = e.Object
		if stored != nil && reflect.DeepEqual(stored, e.Object) {
			delete(o.stored, key)
			return false
		}
		return !sameButStatus(was, e.Object)
	case cluster.PodAdded, cluster.PodRefused:
		name := nameOf(e.PodSpec)
		if o.created[name] == 0 {
			return true
		}
		if o.created[name]--; o.created[name] == 0 {
			delete(o.created, name)
		}
	case cluster.Rejected:
		o.rejected(&e.Decision)
	}
	return false
}

// rejected takes in that a decision was not carried out.
func (o *origin) rejected(d *cluster.Decision) {
	switch of := d.Detail.(type) {
	case *cluster.PodSpec:
		delete(o.created, nameOf(of))
	case cluster.Stored:
		delete(o.stored, keyOf(of.To))
	case cluster.Taint:
		delete(o.tainted, d.Node)
	}
}

// sameButStatus reports whether two budgets or quotas differ in nothing but what a controller
// or an API server has counted.
func sameButStatus(was, is cluster.Object) bool {
	switch is := is.(type) {
	case *cluster.DisruptionBudget:
		old, ok := was.(*cluster.DisruptionBudget)
		return ok && reflect.DeepEqual(budgetSpec(old), budgetSpec(is))
	case *cluster.ResourceQuota:
		old, ok := was.(*cluster.ResourceQuota)
		return ok && reflect.DeepEqual(quotaSpec(old), quotaSpec(is))
	}
	return false
}

// budgetSpec returns a budget without its status.
func budgetSpec(b *cluster.DisruptionBudget) cluster.DisruptionBudget {
	return cluster.DisruptionBudget{
		Namespace: b.Namespace, Name: b.Name, Selector: b.Selector, MinAvailable: b.MinAvailable,
		MaxUnavailable: b.MaxUnavailable, AlwaysAllow: b.AlwaysAllow, Generation: b.Generation,
	}
}

// quotaSpec returns a quota without its status.
func quotaSpec(q *cluster.ResourceQuota) cluster.ResourceQuota {
	return cluster.ResourceQuota{Namespace: q.Namespace, Name: q.Name, Scopes: q.Scopes, Hard: q.Hard}
}
