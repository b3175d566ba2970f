package manifest

import (
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fields says of each field of a type, by its name in JSON, that it is converted,
// or else why it is ignored.
type fields map[string]string

const converted = ""

// Reasons that many fields have in common.
const (
	kind       = "says which type this is"
	running    = "how a pod runs on its node, which is the kubelet's"
	networking = "how pods are reached, not where they are"
	volumes    = "volumes are not read yet"
	devices    = "dynamic resource allocation is not read yet"
	gangs      = "pod groups are not read yet, and are off by default in Kubernetes"
	history    = "how the object came to be, or was last seen"
	people     = "for people and tools"
	ours       = "for people and tools, but for those of Berth's own, which are converted"
	template   = "pods are read, not what they are made from"
	rollout    = "how a controller makes pods; those that are there are given"
	reported   = "tells what has been observed; scheduling doesn't depend on it"
)

// tables are all tables of fields, each about other types.
var tables = []map[reflect.Type]fields{fieldsOf, podFieldsOf, quotaFieldsOf}

// fieldsOf is the table for the types of which a conversion reads anything. Types
// that only occur in ignored fields are not in it.
var fieldsOf = map[reflect.Type]fields{
	reflect.TypeFor[metav1.ObjectMeta](): {
		"name": converted, "namespace": converted, "labels": converted, "ownerReferences": converted,
		"creationTimestamp": converted, "deletionTimestamp": converted,
		"generateName": "the API server has made a name of it", "selfLink": history, "uid": converted,
		"generation": converted, "resourceVersion": history, "deletionGracePeriodSeconds": running,
		"annotations": ours, "finalizers": "who must see the object go before it is gone", "managedFields": history,
	},
	reflect.TypeFor[metav1.OwnerReference](): {
		"apiVersion": converted, "kind": converted, "name": converted, "controller": converted,
		"uid": "names tell objects apart", "blockOwnerDeletion": "the garbage collector's",
	},
	reflect.TypeFor[metav1.LabelSelector]():            all("matchLabels", "matchExpressions"),
	reflect.TypeFor[metav1.LabelSelectorRequirement](): all("key", "operator", "values"),

	reflect.TypeFor[v1.Node](): {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": converted},
	reflect.TypeFor[v1.NodeSpec](): {
		"unschedulable": converted, "taints": converted,
		"podCIDR": networking, "podCIDRs": networking, "providerID": people,
		"configSource": running, "externalID": people,
	},
	reflect.TypeFor[v1.Taint](): {
		"key": converted, "value": converted, "effect": converted,
		"timeAdded": "evictions count from when the taint is seen",
	},
	reflect.TypeFor[v1.NodeStatus](): {
		"allocatable": converted, "capacity": converted, "images": converted, "declaredFeatures": converted,
		"phase": history, "conditions": "the node lifecycle controller makes taints of them", "addresses": networking,
		"daemonEndpoints": networking, "nodeInfo": reported, "volumesInUse": volumes, "volumesAttached": volumes,
		"config": running, "runtimeHandlers": running, "features": running,
	},
	reflect.TypeFor[v1.ContainerImage](): all("names", "sizeBytes"),

	reflect.TypeFor[v1.Namespace](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": "finalizers", "status": reported,
	},
	reflect.TypeFor[v1.Service](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": networking,
	},
	reflect.TypeFor[v1.ServiceSpec](): {
		"selector": converted, "type": converted, "ports": converted, "allocateLoadBalancerNodePorts": converted,
		"clusterIP": networking, "clusterIPs": networking,
		"externalIPs": networking, "sessionAffinity": networking, "loadBalancerIP": networking,
		"loadBalancerSourceRanges": networking, "externalName": networking, "externalTrafficPolicy": networking,
		"healthCheckNodePort": networking, "publishNotReadyAddresses": networking, "sessionAffinityConfig": networking,
		"ipFamilies": networking, "ipFamilyPolicy": networking,
		"loadBalancerClass": networking, "internalTrafficPolicy": networking, "trafficDistribution": networking,
	},
	reflect.TypeFor[v1.ServicePort](): {
		"nodePort": converted,
		"name":     networking, "protocol": networking, "appProtocol": networking, "port": networking, "targetPort": networking,
	},
	reflect.TypeFor[v1.ReplicationController](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": reported,
	},
	reflect.TypeFor[v1.ReplicationControllerSpec](): {
		"selector": converted, "template": converted, "replicas": converted, "minReadySeconds": rollout,
	},
	reflect.TypeFor[v1.PodTemplateSpec](): {"metadata": converted, "spec": template},
	reflect.TypeFor[appsv1.Deployment](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": reported,
	},
	reflect.TypeFor[appsv1.DeploymentSpec](): {
		"selector": converted, "replicas": converted, "template": template, "minReadySeconds": rollout,
		"strategy": rollout, "revisionHistoryLimit": history, "paused": rollout, "progressDeadlineSeconds": rollout,
	},
	reflect.TypeFor[appsv1.ReplicaSet](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": reported,
	},
	reflect.TypeFor[appsv1.ReplicaSetSpec](): {
		"selector": converted, "replicas": converted, "template": template, "minReadySeconds": rollout,
	},
	reflect.TypeFor[appsv1.StatefulSet](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": reported,
	},
	reflect.TypeFor[appsv1.StatefulSetSpec](): {
		"selector": converted, "replicas": converted, "template": template, "minReadySeconds": rollout, "ordinals": rollout,
		"podManagementPolicy": rollout, "updateStrategy": rollout, "revisionHistoryLimit": history,
		"serviceName": networking, "volumeClaimTemplates": volumes, "persistentVolumeClaimRetentionPolicy": volumes,
	},
	reflect.TypeFor[policyv1.PodDisruptionBudget](): {
		"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": converted,
	},
	reflect.TypeFor[policyv1.PodDisruptionBudgetSpec](): {
		"selector": converted, "minAvailable": converted, "maxUnavailable": converted, "unhealthyPodEvictionPolicy": converted,
	},
	reflect.TypeFor[policyv1.PodDisruptionBudgetStatus](): {
		"disruptionsAllowed": converted, "disruptedPods": converted,
		"observedGeneration": converted, "currentHealthy": converted, "desiredHealthy": converted,
		"expectedPods": converted, "conditions": "they say the same in words",
	},
}

// all says that a type's fields are all converted.
func all(names ...string) fields {
	fs := fields{}
	for _, name := range names {
		fs[name] = converted
	}
	return fs
}

// reasons says which fields of a type the readers drop, and why. Of a type that is not in
// the table they keep all.
func reasons(t reflect.Type) (fs fields) {
	for _, table := range tables {
		if table[t] != nil {
			fs = table[t]
		}
	}
	return fs
}
