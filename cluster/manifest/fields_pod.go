package manifest

import (
	"reflect"

	v1 "k8s.io/api/core/v1"
)

// podFieldsOf is the table of fields for pods and what is in them.
var podFieldsOf = map[reflect.Type]fields{
	reflect.TypeFor[v1.Pod](): {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": converted},
	reflect.TypeFor[v1.PodSpec](): {
		"volumes": converted, "initContainers": converted, "containers": converted, "nodeSelector": converted,
		"nodeName": converted, "hostNetwork": converted, "hostUsers": converted, "affinity": converted,
		"schedulerName": converted, "tolerations": converted, "priorityClassName": converted, "priority": converted,
		"preemptionPolicy": converted, "overhead": converted, "topologySpreadConstraints": converted,
		"schedulingGates": converted, "resources": converted, "runtimeClassName": converted,
		"terminationGracePeriodSeconds": converted, "activeDeadlineSeconds": converted,

		"ephemeralContainers": "they can't ask for resources or ports",
		"os":                  "kube-scheduler doesn't ask it; labels and taints keep systems apart",
		"resourceClaims":      devices,
		"schedulingGroup":     gangs,

		"restartPolicy": running,
		"dnsPolicy":     networking, "dnsConfig": networking, "hostname": networking, "subdomain": networking,
		"hostnameOverride": networking, "setHostnameAsFQDN": networking, "hostAliases": networking,
		"serviceAccountName": running, "serviceAccount": running, "automountServiceAccountToken": running,
		"hostPID": running, "hostIPC": running, "shareProcessNamespace": running, "securityContext": running,
		"imagePullSecrets": running, "readinessGates": running, "enableServiceLinks": running,
	},
	reflect.TypeFor[v1.PodStatus](): {
		"phase": converted, "conditions": converted, "nominatedNodeName": converted, "startTime": converted,
		"initContainerStatuses": converted, "containerStatuses": converted,
		"allocatedResources": converted, "resources": converted,

		"ephemeralContainerStatuses": "they can't ask for resources or ports",
		"resize":                     "the condition PodResizePending has taken its place",
		"resourceClaimStatuses":      devices, "extendedResourceClaimStatus": devices,
		"nodeAllocatableResourceClaimStatuses": "counts with the feature gate DRANodeAllocatableResources, which is off by default",

		"observedGeneration": history, "message": people, "reason": people, "qosClass": running,
		"hostIP": networking, "hostIPs": networking, "podIP": networking, "podIPs": networking,
	},
	reflect.TypeFor[v1.PodCondition](): {
		"type": converted, "status": converted, "reason": converted,
		"observedGeneration": history, "lastProbeTime": history, "lastTransitionTime": history, "message": people,
	},
	reflect.TypeFor[v1.ContainerStatus](): {
		"name": converted, "allocatedResources": converted, "resources": converted,
		"state": running, "lastState": running, "ready": running, "restartCount": running, "image": running,
		"imageID": running, "containerID": running, "started": running, "volumeMounts": running, "user": running,
		"allocatedResourcesStatus": running, "stopSignal": running,
	},
	reflect.TypeFor[v1.Container](): {
		"name": converted, "image": converted, "ports": converted, "resources": converted,
		"restartPolicy": converted, "restartPolicyRules": converted,

		"resizePolicy": running, "command": running, "args": running, "workingDir": running, "envFrom": running,
		"env": running, "volumeMounts": running, "volumeDevices": running, "livenessProbe": running,
		"readinessProbe": running, "startupProbe": running, "lifecycle": running, "terminationMessagePath": running,
		"terminationMessagePolicy": running, "imagePullPolicy": running, "securityContext": running,
		"stdin": running, "stdinOnce": running, "tty": running,
	},
	reflect.TypeFor[v1.ContainerPort](): {
		"hostPort": converted, "containerPort": converted, "protocol": converted, "hostIP": converted, "name": networking,
	},
	reflect.TypeFor[v1.ContainerRestartRule](): {"action": converted, "exitCodes": running},
	reflect.TypeFor[v1.ResourceRequirements](): {"limits": converted, "requests": converted, "claims": devices},
	reflect.TypeFor[v1.Volume](): {
		"image": converted, "name": running,
		"hostPath": running, "emptyDir": running, "gitRepo": running, "secret": running, "downwardAPI": running,
		"configMap": running, "projected": running,
		"gcePersistentDisk": volumes, "awsElasticBlockStore": volumes, "nfs": volumes, "iscsi": volumes,
		"glusterfs": volumes, "persistentVolumeClaim": volumes, "rbd": volumes, "flexVolume": volumes,
		"cinder": volumes, "cephfs": volumes, "flocker": volumes, "fc": volumes, "azureFile": volumes,
		"vsphereVolume": volumes, "quobyte": volumes, "azureDisk": volumes, "photonPersistentDisk": volumes,
		"portworxVolume": volumes, "scaleIO": volumes, "storageos": volumes, "csi": volumes, "ephemeral": volumes,
	},
	reflect.TypeFor[v1.ImageVolumeSource](): {"reference": converted, "pullPolicy": running},

	reflect.TypeFor[v1.Affinity]():                all("nodeAffinity", "podAffinity", "podAntiAffinity"),
	reflect.TypeFor[v1.NodeAffinity]():            all(required, preferred),
	reflect.TypeFor[v1.NodeSelector]():            all("nodeSelectorTerms"),
	reflect.TypeFor[v1.PreferredSchedulingTerm](): all("weight", "preference"),
	reflect.TypeFor[v1.NodeSelectorTerm]():        all("matchExpressions", "matchFields"),
	reflect.TypeFor[v1.NodeSelectorRequirement](): all("key", "operator", "values"),
	reflect.TypeFor[v1.PodAffinity]():             all(required, preferred),
	reflect.TypeFor[v1.PodAntiAffinity]():         all(required, preferred),
	reflect.TypeFor[v1.WeightedPodAffinityTerm](): all("weight", "podAffinityTerm"),
	reflect.TypeFor[v1.PodAffinityTerm](): all("labelSelector", "namespaces", "topologyKey", "namespaceSelector",
		"matchLabelKeys", "mismatchLabelKeys"),
	reflect.TypeFor[v1.TopologySpreadConstraint](): all("maxSkew", "topologyKey", "whenUnsatisfiable", "labelSelector",
		"minDomains", "nodeAffinityPolicy", "nodeTaintsPolicy", "matchLabelKeys"),
	reflect.TypeFor[v1.Toleration]():        all("key", "operator", "value", "effect", "tolerationSeconds"),
	reflect.TypeFor[v1.PodSchedulingGate](): all("name"),
}
