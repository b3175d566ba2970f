package manifest

import (
	"reflect"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
)

// storage is why fields of claims are ignored.
const storage = "where and how what is claimed is kept, not how much it is"

// quotaFieldsOf is the table of fields for what admission and quotas look at.
var quotaFieldsOf = map[reflect.Type]fields{
	reflect.TypeFor[v1.ResourceQuota]():                     {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": converted},
	reflect.TypeFor[v1.ResourceQuotaSpec]():                 all("hard", "scopes", "scopeSelector"),
	reflect.TypeFor[v1.ScopeSelector]():                     all("matchExpressions"),
	reflect.TypeFor[v1.ScopedResourceSelectorRequirement](): all("scopeName", "operator", "values"),
	reflect.TypeFor[v1.ResourceQuotaStatus]():               all("hard", "used"),

	reflect.TypeFor[v1.LimitRange]():     {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted},
	reflect.TypeFor[v1.LimitRangeSpec](): all("limits"),
	reflect.TypeFor[v1.LimitRangeItem](): all("type", "max", "min", "default", "defaultRequest", "maxLimitRequestRatio"),

	reflect.TypeFor[schedulingv1.PriorityClass](): {
		"kind": kind, "apiVersion": kind, "metadata": converted,
		"value": converted, "globalDefault": converted, "preemptionPolicy": converted, "description": people,
	},
	reflect.TypeFor[nodev1.RuntimeClass](): {
		"kind": kind, "apiVersion": kind, "metadata": converted,
		"overhead": converted, "scheduling": converted, "handler": running,
	},
	reflect.TypeFor[nodev1.Overhead]():   all("podFixed"),
	reflect.TypeFor[nodev1.Scheduling](): all("nodeSelector", "tolerations"),

	reflect.TypeFor[v1.PersistentVolumeClaim](): {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": converted},
	reflect.TypeFor[v1.PersistentVolumeClaimSpec](): {
		"resources": converted, "storageClassName": converted, "volumeAttributesClassName": converted,
		"accessModes": storage, "selector": storage, "volumeName": storage, "volumeMode": storage, "dataSource": storage, "dataSourceRef": storage,
	},
	reflect.TypeFor[v1.VolumeResourceRequirements](): {"requests": converted, "limits": "quotas count requests alone"},
	reflect.TypeFor[v1.PersistentVolumeClaimStatus](): {
		"allocatedResources": converted, "currentVolumeAttributesClassName": converted, "modifyVolumeStatus": converted,
		"phase": storage, "accessModes": storage, "capacity": "quotas count what is asked for", "conditions": people,
		"allocatedResourceStatuses": storage,
	},
	reflect.TypeFor[v1.ModifyVolumeStatus](): {"targetVolumeAttributesClassName": converted, "status": storage},

	reflect.TypeFor[resourcev1.ResourceClaim]():     {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted, "status": devices},
	reflect.TypeFor[resourcev1.ResourceClaimSpec](): all("devices"),
	reflect.TypeFor[resourcev1.DeviceClaim]():       {"requests": converted, "constraints": devices, "config": devices},
	reflect.TypeFor[resourcev1.DeviceRequest]():     {"exactly": converted, "firstAvailable": converted, "name": devices},
	reflect.TypeFor[resourcev1.ExactDeviceRequest](): {
		"deviceClassName": converted, "allocationMode": converted, "count": converted,
		"selectors": devices, "adminAccess": devices, "tolerations": devices, "capacity": devices,
	},
	reflect.TypeFor[resourcev1.DeviceSubRequest](): {
		"deviceClassName": converted, "allocationMode": converted, "count": converted,
		"name": devices, "selectors": devices, "tolerations": devices, "capacity": devices,
	},
	reflect.TypeFor[resourcev1.DeviceClass]():     {"kind": kind, "apiVersion": kind, "metadata": converted, "spec": converted},
	reflect.TypeFor[resourcev1.DeviceClassSpec](): {"extendedResourceName": converted, "selectors": devices, "config": devices},
}
