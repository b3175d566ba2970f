package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func parse(text string) resource.Quantity { return resource.MustParse(text) }

const quotaText = `
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: ns}
spec:
  hard: {requests.cpu: "2", cpu: 100m, limits.memory: 2Gi, pods: "5", count/jobs.batch: 1k, requests.nvidia.com/gpu: 4}
  scopes: [NotTerminating]
  scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [b, a]}]}
status:
  hard: {pods: "5"}
  used: {pods: "0"}
`

func TestResourceQuota(t *testing.T) {
	c := readOne(t, quotaText)
	want := &cluster.ResourceQuota{
		Namespace: "ns", Name: "q",
		Scopes: []cluster.ScopeRequirement{{Scope: "NotTerminating", Operator: "Exists"}, {Scope: "PriorityClass", Operator: "In", Values: []string{"b", "a"}}},
		Hard: []cluster.NamedAmount{{Name: "count/jobs.batch", Amount: 1000}, {Name: "cpu", Amount: 100}, {Name: "limits.memory", Amount: 2 << 30},
			{Name: "pods", Amount: 5}, {Name: "requests.cpu", Amount: 2000}, {Name: "requests.nvidia.com/gpu", Amount: 4}},
		Enforced: []cluster.NamedAmount{{Name: "pods", Amount: 5}}, Used: []cluster.NamedAmount{{Name: "pods", Amount: 0}},
	}
	if len(c.Objects) != 1 || !reflect.DeepEqual(c.Objects[0], want) {
		t.Fatalf("got  %s\nwant %s", asJSON(c.Objects), asJSON(want))
	}
	for _, q := range []*cluster.ResourceQuota{want, {Namespace: "ns", Name: "none"}} {
		if again, err := ResourceQuota(ResourceQuotaObject(q)); err != nil || !reflect.DeepEqual(again, q) {
			t.Errorf("%s becomes %s, %v", asJSON(q), asJSON(again), err)
		}
	}
	hard := ResourceQuotaObject(want).Spec.Hard
	for name, text := range map[string]string{"cpu": "100m", "requests.cpu": "2", "limits.memory": "2Gi", "count/jobs.batch": "1k"} {
		if q := hard[v1.ResourceName(name)]; q.String() != text {
			t.Errorf("%s is written %s, want %s", name, q.String(), text)
		}
	}
}

const limitText = `
apiVersion: v1
kind: LimitRange
metadata: {name: l, namespace: ns}
spec:
  limits:
  - {type: Container, max: {cpu: 2}, min: {memory: 1Ki}, default: {memory: 1Mi}, maxLimitRequestRatio: {cpu: 1500m}}
  - {type: PersistentVolumeClaim, max: {storage: 1Gi}}
`

func TestLimitRange(t *testing.T) {
	c := readOne(t, limitText+"---\n"+podYAML("p, namespace: ns")+"spec: {containers: [{name: c, image: i}]}\n")
	want := &cluster.Account{Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(2000, mi), Limits: cpuMemory(2000, mi)}}}
	if got := c.Pods[0].Account; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", asJSON(got), asJSON(want))
	}
	if c.Pods[0].Class.Requests.Get(cluster.CPU) != 2000 || c.Pods[0].Class.BestEffortCPU != 0 {
		t.Errorf("the class doesn't know: %+v", c.Pods[0].Class)
	}
	for _, tt := range []struct {
		account cluster.Account
		want    string
	}{
		{cluster.Account{Containers: []cluster.Container{{Requests: cpuMemory(1000, 1024), Limits: cpuMemory(1500, 1024)}}}, ""},
		{cluster.Account{Containers: []cluster.Container{{Requests: cpuMemory(1000, 1023), Limits: cpuMemory(1501, 1024)}}},
			`pods "p" is forbidden: [minimum memory usage per Container is 1Ki, but request is 1023, cpu max limit to request ratio per Container is 1500m, but provided ratio is 1.501000]`},
	} {
		err := c.Plugins.Validate(&quota.NewPod{Namespace: "ns", Name: "p", Account: tt.account})
		if fmt.Sprint(err) != tt.want && (err != nil || tt.want != "") {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	if err := c.Plugins.ValidateClaim("ns", "c", &quota.Claim{Requested: 2 << 30}); err == nil {
		t.Error("a claim for too much is taken")
	}
}

// countedText are objects of which quotas count more than that they are there.
const countedText = `---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, ports: [{port: 1, nodePort: 30000}, {port: 2}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: c}
spec: {storageClassName: fast, volumeAttributesClassName: b, resources: {requests: {storage: 1Gi}}}
status: {allocatedResources: {storage: 2Gi}, currentVolumeAttributesClassName: a, modifyVolumeStatus: {status: Pending, targetVolumeAttributesClassName: b}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: d}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: r}
spec: {devices: {requests: [{name: x, exactly: {deviceClassName: gpu}}, {name: z, firstAvailable: [{name: a, deviceClassName: gpu, count: 2}, {name: b, deviceClassName: nic, allocationMode: All}]}]}}
---
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu}
spec: {extendedResourceName: example.com/gpu}
---
apiVersion: v1
kind: Pod
metadata: {name: done}
spec: {containers: [{name: c, image: i}]}
status: {phase: Failed}
`

// TestCounted reads what quotas count, in one namespace and another.
func TestCounted(t *testing.T) {
	text := quotaText + "---" + limitText
	for _, o := range []string{
		"v1 ConfigMap {name: a}", "v1 ConfigMap {name: a}", "v1 Secret {name: a, namespace: x}", "v1 Endpoints {name: a}", "networking.k8s.io/v1 Ingress {name: a}",
		"rbac.authorization.k8s.io/v1 ClusterRole {name: a}", "storage.k8s.io/v1 StorageClass {name: a, namespace: odd}",
		"example.com/v1 Policy {name: a, namespace: x}", "example.com/v1 Global {name: a}", "example.com/v1 Gateway {namespace: x, name: a}", "example.com/v1 Box {namespace: x}",
		"batch/v1 Job {name: a}", "apps/v1 DaemonSet {name: a}", "v1 Namespace {name: ns}", "v1 Node {name: n1}",
	} {
		fields := strings.SplitN(o, " ", 3)
		text += fmt.Sprintf("---\napiVersion: %s\nkind: %s\nmetadata: %s\n", fields[0], fields[1], fields[2])
	}
	text += countedText
	c := readOne(t, text)
	var got []string
	byName := map[string]quota.Object{}
	for _, o := range c.Counted {
		got = append(got, o.Resource+" "+o.Namespace+"/"+o.Name)
		byName[o.Name] = o
	}
	want := "resourcequotas ns/q, limitranges ns/l, configmaps default/a, secrets x/a, endpoints default/a, ingresses.networking.k8s.io default/a, " +
		"policies.example.com x/a, gateways.example.com x/a, jobs.batch default/a, daemonsets.apps default/a, " +
		"services default/s, persistentvolumeclaims default/c, persistentvolumeclaims default/d, resourceclaims.resource.k8s.io default/r, pods default/done"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for _, want := range []quota.Object{
		{Resource: "services", Namespace: "default", Name: "s", Service: &quota.Service{Type: "LoadBalancer", Ports: 2, NodePorts: 1, NoNodePorts: true}},
		{Resource: "persistentvolumeclaims", Namespace: "default", Name: "c", Claim: &quota.Claim{StorageClass: "fast", Requested: 1 << 30, Allocated: 2 << 30, VolumeAttributes: []string{"a", "b"}}},
		{Resource: "persistentvolumeclaims", Namespace: "default", Name: "d", Claim: &quota.Claim{Requested: -1, Allocated: -1}},
		{Resource: "resourceclaims.resource.k8s.io", Namespace: "default", Name: "r", Devices: []quota.DeviceDemand{
			{Alternatives: []quota.DeviceAlternative{{Class: "gpu", Extended: "example.com/gpu", Count: 1}}},
			{Alternatives: []quota.DeviceAlternative{{Class: "gpu", Extended: "example.com/gpu", Count: 2}, {Class: "nic", All: true}}},
		}},
		{Resource: "pods", Namespace: "default", Name: "done", Pod: &quota.Pod{Ended: true, Account: &cluster.Account{Containers: []cluster.Container{{Name: "c"}}}}},
	} {
		if got := byName[want.Name]; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %s\nwant %s", asJSON(got), asJSON(want))
		}
	}
}

func TestPluralOf(t *testing.T) {
	for kind, want := range map[string]string{
		"Policy": "policies", "Gateway": "gateways", "Class": "classes", "Box": "boxes", "Batch": "batches", "Mesh": "meshes", "Queue": "queues", "Y": "ies",
	} {
		if got := pluralOf(kind); got != want {
			t.Errorf("%s are %s, want %s", kind, got, want)
		}
	}
}

func TestQuotaErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{strings.Replace(quotaText, "operator: In", "operator: Is", 1), `spec.scopeSelector.matchExpressions[0].operator is "Is"; write In, NotIn, Exists, DoesNotExist`},
		{strings.Replace(quotaText, "limits.memory: 2Gi", "limits.memory: -1", 1), `spec.hard["limits.memory"] is negative`},
		{strings.Replace(quotaText, `{pods: "0"}`, `{pods: "-1"}`, 1), `status.used.pods is negative`},
		{strings.Replace(quotaText, `  hard: {pods: "5"}`, `  hard: {pods: "-1"}`, 1), `status.hard.pods is negative`},
		{strings.Replace(limitText, "type: Container, ", "", 1), `spec.limits[0].type is missing`},
		{strings.Replace(limitText, "cpu: 1500m", "cpu: -1", 1), `spec.limits[0].maxLimitRequestRatio.cpu is negative`},
		{strings.Replace(limitText, "memory: 1Mi", "memory: -1", 1), `spec.limits[0].default.memory is negative`},
		{"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {resources: {requests: {storage: -1}}}\n", "spec.resources.requests.storage is negative"},
		{"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nstatus: {allocatedResources: {storage: -1}}\n", "status.allocatedResources.storage is negative"},
		{"apiVersion: resource.k8s.io/v1\nkind: ResourceClaim\nmetadata: {name: c}\nspec: {devices: {requests: [{name: r, exactly: {deviceClassName: x, allocationMode: Some}}]}}\n",
			`spec.devices.requests[0].exactly.allocationMode is "Some"; write ExactCount, All`},
		{"apiVersion: resource.k8s.io/v1\nkind: ResourceClaim\nmetadata: {name: c}\nspec: {devices: {requests: [{name: r, firstAvailable: [{name: s, deviceClassName: x, allocationMode: Some}]}]}}\n",
			`spec.devices.requests[0].firstAvailable[0].allocationMode is "Some"`},
		{class + "metadata: {name: c}\nvalue: 1\npreemptionPolicy: Maybe\n", `preemptionPolicy is "Maybe"; write PreemptLowerPriority, Never`},
		{runtimeText + "overhead: {podFixed: {cpu: -1}}\n", "overhead.podFixed.cpu is negative"},
		{runtimeText + "scheduling: {tolerations: [{operator: Some}]}\n", `scheduling.tolerations[0].operator is "Some"`},
	} {
		_, err := Read("x", []byte(tt.text))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Error(), tt.want) {
			t.Errorf("got  %v\nwant %s in\n%s", err, tt.want, tt.text)
		}
	}
}
