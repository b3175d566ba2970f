package kubetest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An Object is what the API serves: a pointer to one of k8s.io/api's types.
type Object interface {
	runtime.Object
	metav1.Object
}

// A resource is one kind of objects and what the API server does about it.
type resource struct {
	schema.GroupVersionResource
	kind       string
	short      string // kubectl's short name
	namespaced bool
	status     bool // has the subresource status
	generation bool // metadata.generation counts changes of the specification
	// conditional: an update must name the resourceVersion that it was made from.
	conditional bool
	// createOnUpdate: an update of what doesn't exist creates it.
	createOnUpdate bool
	subresources   []string // beside status
}

// resources are all that is served, in the order in which discovery lists them.
// Events of events.k8s.io are the core ones, as in the real server: see table.
var resources = []*resource{
	{GroupVersionResource: gvr("", "pods"), kind: "Pod", short: "po", namespaced: true, status: true, generation: true, subresources: []string{"binding", "eviction"}},
	{GroupVersionResource: gvr("", "nodes"), kind: "Node", short: "no", status: true},
	{GroupVersionResource: gvr("", "namespaces"), kind: "Namespace", short: "ns", status: true},
	{GroupVersionResource: gvr("", "services"), kind: "Service", short: "svc", namespaced: true, status: true},
	{GroupVersionResource: gvr("", "replicationcontrollers"), kind: "ReplicationController", short: "rc", namespaced: true, status: true, generation: true},
	{GroupVersionResource: gvr("", "resourcequotas"), kind: "ResourceQuota", short: "quota", namespaced: true, status: true},
	{GroupVersionResource: gvr("", "limitranges"), kind: "LimitRange", short: "limits", namespaced: true},
	{GroupVersionResource: gvr("", "configmaps"), kind: "ConfigMap", short: "cm", namespaced: true},
	{GroupVersionResource: gvr("", "secrets"), kind: "Secret", namespaced: true},
	{GroupVersionResource: gvr("", "events"), kind: "Event", short: "ev", namespaced: true},
	{GroupVersionResource: gvr("", "persistentvolumes"), kind: "PersistentVolume", short: "pv", status: true},
	{GroupVersionResource: gvr("", "persistentvolumeclaims"), kind: "PersistentVolumeClaim", short: "pvc", namespaced: true, status: true},
	{GroupVersionResource: gvr("apps", "replicasets"), kind: "ReplicaSet", short: "rs", namespaced: true, status: true, generation: true},
	{GroupVersionResource: gvr("apps", "deployments"), kind: "Deployment", short: "deploy", namespaced: true, status: true, generation: true},
	{GroupVersionResource: gvr("apps", "statefulsets"), kind: "StatefulSet", short: "sts", namespaced: true, status: true, generation: true},
	{GroupVersionResource: gvr("apps", "daemonsets"), kind: "DaemonSet", short: "ds", namespaced: true, status: true, generation: true},
	{GroupVersionResource: gvr("batch", "jobs"), kind: "Job", namespaced: true, status: true, generation: true},
	{GroupVersionResource: gvr("coordination.k8s.io", "leases"), kind: "Lease", namespaced: true, conditional: true, createOnUpdate: true},
	{GroupVersionResource: gvr("policy", "poddisruptionbudgets"), kind: "PodDisruptionBudget", short: "pdb", namespaced: true, status: true, generation: true, conditional: true},
	{GroupVersionResource: gvr("scheduling.k8s.io", "priorityclasses"), kind: "PriorityClass", short: "pc", generation: true},
	{GroupVersionResource: gvr("storage.k8s.io", "storageclasses"), kind: "StorageClass", short: "sc"},
	{GroupVersionResource: gvr("events.k8s.io", "events"), kind: "Event", short: "ev", namespaced: true},
}

// gvr names a resource of version v1, which all that is served has.
func gvr(group, name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: name}
}

// gvk is the kind of the resource's objects.
func (r *resource) gvk() schema.GroupVersionKind { return r.GroupVersion().WithKind(r.kind) }

// empty makes an object of the resource.
func (r *resource) empty() Object { return made(r.gvk()).(Object) }

// emptyList makes a list of the resource's objects.
func (r *resource) emptyList() runtime.Object {
	return made(r.GroupVersion().WithKind(r.kind + "List"))
}

func made(gvk schema.GroupVersionKind) runtime.Object {
	o, err := scheme.Scheme.New(gvk)
	if err != nil {
		panic(fmt.Sprintf("kubetest: client-go doesn't know %v: %v", gvk, err))
	}
	return o
}

// resourceOf finds the resource that o is one of, the core one for events.
func resourceOf(o Object) (*resource, error) {
	kinds, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return nil, err
	}
	for _, r := range resources {
		for _, k := range kinds {
			if r.gvk() == k {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("kubetest doesn't serve %v: add it to resources in resource.go", kinds)
}

// selectable are the fields of o that a field selector may name.
func selectable(o Object) fields.Set {
	set := fields.Set{"metadata.name": o.GetName(), "metadata.namespace": o.GetNamespace()}
	switch o := o.(type) {
	case *corev1.Pod:
		set["spec.nodeName"] = o.Spec.NodeName
		set["spec.restartPolicy"] = string(o.Spec.RestartPolicy)
		set["spec.schedulerName"] = o.Spec.SchedulerName
		set["spec.serviceAccountName"] = o.Spec.ServiceAccountName
		set["spec.hostNetwork"] = fmt.Sprint(o.Spec.HostNetwork)
		set["status.phase"] = string(o.Status.Phase)
		set["status.podIP"] = o.Status.PodIP
		set["status.nominatedNodeName"] = o.Status.NominatedNodeName
	case *corev1.Node:
		set["spec.unschedulable"] = fmt.Sprint(o.Spec.Unschedulable)
	case *corev1.Namespace:
		set["status.phase"] = string(o.Status.Phase)
	case *corev1.Secret:
		set["type"] = string(o.Type)
	case *corev1.Event:
		set["involvedObject.kind"] = o.InvolvedObject.Kind
		set["involvedObject.namespace"] = o.InvolvedObject.Namespace
		set["involvedObject.name"] = o.InvolvedObject.Name
		set["involvedObject.uid"] = string(o.InvolvedObject.UID)
		set["reason"] = o.Reason
		set["reportingComponent"] = o.ReportingController
		set["source"] = o.Source.Component
		set["type"] = o.Type
	}
	return set
}
