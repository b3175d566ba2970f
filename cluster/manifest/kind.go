package manifest

import (
	"slices"
	"strings"
)

// namespaced are Kubernetes' own kinds of objects in namespaces that are kept, by group, and
// the resources that they are.
var namespaced = map[string]map[string]string{
	"": {
		"ConfigMap": "configmaps", "Endpoints": "endpoints", "Event": "events", "LimitRange": "limitranges",
		"PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods", "PodTemplate": "podtemplates",
		"ReplicationController": "replicationcontrollers", "ResourceQuota": "resourcequotas", "Secret": "secrets",
		"Service": "services", "ServiceAccount": "serviceaccounts",
	},
	"apps": {
		"ControllerRevision": "controllerrevisions", "DaemonSet": "daemonsets", "Deployment": "deployments",
		"ReplicaSet": "replicasets", "StatefulSet": "statefulsets",
	},
	"autoscaling":                  {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
	"batch":                        {"CronJob": "cronjobs", "Job": "jobs"},
	"certificates.k8s.io":          {"PodCertificateRequest": "podcertificaterequests"},
	"coordination.k8s.io":          {"Lease": "leases", "LeaseCandidate": "leasecandidates"},
	"discovery.k8s.io":             {"EndpointSlice": "endpointslices"},
	"events.k8s.io":                {"Event": "events"},
	"networking.k8s.io":            {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
	"policy":                       {"PodDisruptionBudget": "poddisruptionbudgets"},
	"rbac.authorization.k8s.io":    {"Role": "roles", "RoleBinding": "rolebindings"},
	"resource.k8s.io":              {"ResourceClaim": "resourceclaims", "ResourceClaimTemplate": "resourceclaimtemplates"},
	"scheduling.k8s.io":            {"PodGroup": "podgroups", "Workload": "workloads"},
	"storage.k8s.io":               {"CSIStorageCapacity": "csistoragecapacities"},
	"admissionregistration.k8s.io": {}, "apiextensions.k8s.io": {}, "apiregistration.k8s.io": {},
	"flowcontrol.apiserver.k8s.io": {}, "internal.apiserver.k8s.io": {}, "node.k8s.io": {}, "storagemigration.k8s.io": {},
}

// resourceOf returns the resource that objects of a kind are, as quotas name it, and "" if
// they are in no namespace: of Kubernetes' own kinds that is known; an object of another
// is in a namespace if it says so.
func resourceOf(apiVersion, kind, namespace string) string {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group = ""
	}
	plural, known := "", false
	if kinds, own := namespaced[group]; own {
		plural, known = kinds[kind], true
	}
	switch {
	case known && plural == "", !known && namespace == "":
		return ""
	case !known:
		plural = pluralOf(kind)
	}
	if group == "" {
		return plural
	}
	return plural + "." + group
}

// pluralOf guesses the plural under which a kind is known to the API: in small letters, with an
// ending as in English.
func pluralOf(kind string) string {
	name := strings.ToLower(kind)
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) })
	}
	switch {
	case ends("s", "x", "z", "ch", "sh"):
		return name + "es"
	case ends("y") && !ends("ay", "ey", "iy", "oy", "uy"):
		return strings.TrimSuffix(name, "y") + "ies"
	}
	return name + "s"
}

// identityOf reads the namespace and the name of the object at an offset, whatever kind it is,
// and returns where it ends.
func identityOf(data []byte, start int) (namespace, name string, end int, err error) {
	s := &scanner{data: data, at: start}
	s.space()
	err = s.object(func(key []byte) error {
		if string(key) != "metadata" || s.space() != '{' {
			return s.skip()
		}
		return s.object(func(key []byte) error {
			into := map[string]*string{"namespace": &namespace, "name": &name}[string(key)]
			if into == nil || s.space() != '"' {
				return s.skip()
			}
			text, err := s.key()
			*into = string(text)
			return err
		})
	})
	return namespace, name, s.at, err
}
