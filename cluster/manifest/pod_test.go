package manifest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readOne reads a manifest that must be right.
func readOne(t *testing.T, text string) *Cluster {
	t.Helper()
	c, err := Read("test.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return c
}

const oneContainer = "containers: [{name: c, image: i, resources: {requests: {cpu: 1, memory: 1Gi}}}]\n"

// podText returns the manifest of a pod that has been in an API, with a spec, one container
// besides, and more.
func podText(spec, more string) string {
	if !strings.Contains(spec, "containers:") {
		spec += "\n" + oneContainer
	}
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns, uid: u, labels: {app: x, hash: h1}}\nspec:\n  " +
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n" + more
}

// is returns a requirement that a key has a value.
func is(key, value string) cluster.Requirement {
	return cluster.Requirement{Key: key, Op: cluster.In, Values: []string{value}}
}

func selector(rs ...cluster.Requirement) *cluster.Selector {
	return &cluster.Selector{Requirements: rs}
}

// classTests say what becomes of a pod's spec, beside one container.
var classTests = []struct {
	name, spec string
	want       func(c *cluster.Class)
}{
	{"nothing", "", func(*cluster.Class) {}},
	{"scheduler", "schedulerName: mine", func(c *cluster.Class) { c.Scheduler = "mine" }},
	{"default scheduler", "schedulerName: default-scheduler", func(*cluster.Class) {}},
	{"priority", "priority: -7", func(c *cluster.Class) { c.Priority = -7 }},
	{"preempts", "preemptionPolicy: PreemptLowerPriority", func(*cluster.Class) {}},
	{"never preempts", "preemptionPolicy: Never", func(c *cluster.Class) { c.NeverPreempts = true }},
	{"gates", "schedulingGates: [{name: a/b}, {name: c}]", func(c *cluster.Class) { c.Gates = []string{"a/b", "c"} }},
	{"node selector", "nodeSelector: {b: '2', a: '1'}", func(c *cluster.Class) {
		c.NodeLabels = cluster.Labels{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}
	}},
	{"tolerations", `tolerations:
- {operator: Exists}
- {key: k, value: v, effect: NoSchedule}
- {key: k, operator: Equal, effect: PreferNoSchedule}
- {key: k, operator: Exists, effect: NoExecute, tolerationSeconds: 30}
- {key: k, operator: Gt, value: "5"}
- {key: k, operator: Lt, value: "5"}`, func(c *cluster.Class) {
		seconds := int64(30)
		c.Tolerations = []cluster.Toleration{
			{Exists: true}, {Key: "k", Value: "v", Effect: cluster.NoSchedule}, {Key: "k", Effect: cluster.PreferNoSchedule},
			{Key: "k", Exists: true, Effect: cluster.NoExecute, Seconds: &seconds},
		}
	}},
	{"node affinity", `affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
      - matchExpressions:
        - {key: a, operator: In, values: [x, "y"]}
        - {key: a, operator: NotIn, values: [z]}
        - {key: b, operator: Exists}
        - {key: c, operator: DoesNotExist}
        - {key: d, operator: Gt, values: ["5"]}
        - {key: d, operator: Lt, values: ["7"]}
      - matchFields: [{key: metadata.name, operator: In, values: [n1]}]
      - matchFields: [{key: metadata.name, operator: NotIn, values: [n2]}]
      - {}
    preferredDuringSchedulingIgnoredDuringExecution:
    - {weight: 5, preference: {matchExpressions: [{key: a, operator: Exists}]}}
    - {weight: 0, preference: {}}`, func(c *cluster.Class) {
		c.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{
			{Labels: []cluster.Requirement{
				{Key: "a", Op: cluster.In, Values: []string{"x", "y"}}, {Key: "a", Op: cluster.NotIn, Values: []string{"z"}},
				{Key: "b", Op: cluster.Exists}, {Key: "c", Op: cluster.DoesNotExist},
				{Key: "d", Op: cluster.Gt, Values: []string{"5"}}, {Key: "d", Op: cluster.Lt, Values: []string{"7"}},
			}},
			{Fields: []cluster.Requirement{is(cluster.FieldName, "n1")}},
			{Fields: []cluster.Requirement{{Key: cluster.FieldName, Op: cluster.NotIn, Values: []string{"n2"}}}},
			{},
		}}
		c.Preferred = []cluster.PreferredTerm{
			{Weight: 5, NodeSelectorTerm: cluster.NodeSelectorTerm{Labels: []cluster.Requirement{{Key: "a", Op: cluster.Exists}}}}, {},
		}
	}},
	{"node affinity to nothing", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
		func(c *cluster.Class) { c.RequiredNode = &cluster.NodeSelector{} }},
	{"node affinity that can't be parsed", `affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
      - matchExpressions:
        - {key: d, operator: Gt, values: [many]}
        - {key: d, operator: Lt, values: ["+4"]}
        - {key: d, operator: Gt, values: ["-1"]}
        - {key: d, operator: Gt, values: ["1", "2"]}
        - {key: a, operator: In, values: [no label]}
        - {key: a, operator: NotIn, values: []}
        - {key: a, operator: Exists, values: [x]}
        - {key: "no key", operator: Exists}`, func(c *cluster.Class) {
		term := cluster.NodeSelectorTerm{}
		for _, r := range []cluster.Requirement{
			{Key: "d", Values: []string{"many"}}, {Key: "d", Values: []string{"+4"}}, {Key: "d", Values: []string{"-1"}},
			{Key: "d", Values: []string{"1", "2"}}, {Key: "a", Values: []string{"no label"}}, {Key: "a", Values: []string{}},
			{Key: "a", Values: []string{"x"}}, {Key: "no key"},
		} {
			r.Op = cluster.Unparsable
			term.Labels = append(term.Labels, r)
		}
		c.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{term}}
	}},
	{"pod affinity", `affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
    - {topologyKey: zone, labelSelector: {matchLabels: {b: "2", a: "1"}, matchExpressions: [{key: c, operator: NotIn, values: ["3"]}]}}
    - {topologyKey: zone, labelSelector: {}, namespaces: [z, a, z]}
    - {topologyKey: zone, namespaceSelector: {}}
    - {topologyKey: zone, namespaces: [a], namespaceSelector: {matchLabels: {team: x}}}
    preferredDuringSchedulingIgnoredDuringExecution:
    - {weight: 3, podAffinityTerm: {topologyKey: host, labelSelector: {matchLabels: {a: "1"}}}}
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
    - {topologyKey: host, labelSelector: {matchExpressions: [{key: a, operator: Exists}, {key: b, operator: DoesNotExist}]}}
    preferredDuringSchedulingIgnoredDuringExecution:
    - {weight: 9, podAffinityTerm: {topologyKey: host}}`, func(c *cluster.Class) {
		own := []string{"ns"}
		c.Affinity = cluster.PodAffinity{
			Required: []cluster.PodTerm{
				{TopologyKey: "zone", Namespaces: own, Selector: selector(is("a", "1"), is("b", "2"), cluster.Requirement{Key: "c", Op: cluster.NotIn, Values: []string{"3"}})},
				{TopologyKey: "zone", Namespaces: []string{"a", "z"}, Selector: selector()},
				{TopologyKey: "zone", NamespaceSelector: selector()},
				{TopologyKey: "zone", Namespaces: []string{"a"}, NamespaceSelector: selector(is("team", "x"))},
			},
			Preferred: []cluster.WeightedPodTerm{{Weight: 3, PodTerm: cluster.PodTerm{TopologyKey: "host", Namespaces: own, Selector: selector(is("a", "1"))}}},
		}
		c.AntiAffinity = cluster.PodAffinity{
			Required: []cluster.PodTerm{{TopologyKey: "host", Namespaces: own, Selector: selector(
				cluster.Requirement{Key: "a", Op: cluster.Exists}, cluster.Requirement{Key: "b", Op: cluster.DoesNotExist})}},
			Preferred: []cluster.WeightedPodTerm{{Weight: 9, PodTerm: cluster.PodTerm{TopologyKey: "host", Namespaces: own}}},
		}
	}},
	{"label keys", `affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
    - {topologyKey: zone, labelSelector: {}, matchLabelKeys: [hash, missing], mismatchLabelKeys: [app]}
    - {topologyKey: zone, matchLabelKeys: [hash]}
    - topologyKey: zone
      labelSelector: {matchExpressions: [{key: hash, operator: In, values: [before]}]}
      matchLabelKeys: [hash]`, func(c *cluster.Class) {
		c.Affinity.Required = []cluster.PodTerm{
			{TopologyKey: "zone", Namespaces: []string{"ns"}, Selector: selector(is("hash", "h1"), cluster.Requirement{Key: "app", Op: cluster.NotIn, Values: []string{"x"}})},
			{TopologyKey: "zone", Namespaces: []string{"ns"}},
			{TopologyKey: "zone", Namespaces: []string{"ns"}, Selector: selector(is("hash", "before"))},
		}
	}},
	{"spread", `topologySpreadConstraints:
- {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: x}}, matchLabelKeys: [hash], minDomains: 3}
- {maxSkew: 2, topologyKey: host, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}, nodeAffinityPolicy: Ignore, nodeTaintsPolicy: Honor}
- {maxSkew: 2, topologyKey: host, whenUnsatisfiable: ScheduleAnyway, nodeAffinityPolicy: Honor, nodeTaintsPolicy: Ignore}`, func(c *cluster.Class) {
		c.Spread = []cluster.SpreadConstraint{
			{MaxSkew: 1, TopologyKey: "zone", Selector: selector(is("app", "x")), MatchLabelKeys: []string{"hash"}, MinDomains: 3},
			{MaxSkew: 2, TopologyKey: "host", Soft: true, Selector: selector(), IgnoreAffinity: true, HonorTaints: true},
			{MaxSkew: 2, TopologyKey: "host", Soft: true},
		}
	}},
	{"ports and images", `initContainers:
- {name: a, image: "r:5000/a", ports: [{containerPort: 1, hostPort: 1}]}
- {name: b, image: "b@sha256:0", restartPolicy: Always, ports: [{containerPort: 2, hostPort: 2, protocol: UDP}]}
containers:
- {name: c, image: "c:1", ports: [{containerPort: 3, hostPort: 3, hostIP: 10.0.0.1}, {containerPort: 4}], resources: {requests: {cpu: 1, memory: 1Gi}}}
- {name: d, image: r/c, ports: [{containerPort: 5, hostPort: -1}], resources: {requests: {cpu: 0, memory: 0}}}
volumes:
- {name: v, image: {reference: model}}
- {name: w, emptyDir: {}}`, func(c *cluster.Class) {
		c.Ports = []cluster.HostPort{{IP: "0.0.0.0", Protocol: "UDP", Port: 2}, {IP: "10.0.0.1", Protocol: "TCP", Port: 3}}
		c.Images = []string{"r:5000/a:latest", "b@sha256:0", "c:1", "r/c:latest"}
		c.ImageVolumes = []string{"model:latest"}
		c.Estimates = &cluster.Estimates{
			CPU: 1100, Memory: 1<<30 + cluster.DefaultMemoryRequest, // b runs on beside the others
			IncomingCPU: 1100, IncomingMemory: 1<<30 + cluster.DefaultMemoryRequest,
		}
	}},
	{"host network", "hostNetwork: true\ncontainers: [{name: c, image: i, ports: [{containerPort: 80}], resources: {requests: {cpu: 1, memory: 1Gi}}}]", func(c *cluster.Class) {
		c.Ports = []cluster.HostPort{{IP: "0.0.0.0", Protocol: "TCP", Port: 80}}
	}},
	{"features", `hostNetwork: true
hostUsers: false
containers: [{name: c, image: i, restartPolicyRules: [{action: RestartAllContainers}], resources: {requests: {cpu: 1, memory: 1Gi}}}]`, func(c *cluster.Class) {
		c.Features = []string{"RestartAllContainersOnContainerExits", "UserNamespacesHostNetworkSupport"}
	}},
}

func TestPodClass(t *testing.T) {
	for _, tt := range classTests {
		t.Run(tt.name, func(t *testing.T) {
			got := readOne(t, podText(tt.spec, "")).Pods[0]
			want := &cluster.Class{Namespace: "ns", Requests: cluster.Amounts{1000, 1 << 30, 0}, Images: []string{"i:latest"}}
			tt.want(want)
			if !reflect.DeepEqual(got.Class, want) {
				t.Errorf("got  %s\nwant %s", asJSON(got.Class), asJSON(want))
			}
		})
	}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestPodIdentity(t *testing.T) {
	now := func(s int64) *cluster.Time { at := cluster.Time(s) * cluster.Second; return &at }
	for _, tt := range []struct {
		name, spec, more string
		want             cluster.PodSpec
	}{
		{"pending", "", "", cluster.PodSpec{}},
		{"nominated", "", "status: {nominatedNodeName: n1}", cluster.PodSpec{Nominated: "n1"}},
		{"on a node", "nodeName: n1", "status: {nominatedNodeName: n1, startTime: '2024-01-01T00:00:00Z'}", cluster.PodSpec{On: "n1", Started: now(0)}},
		{"terminating", "nodeName: n1", "", cluster.PodSpec{On: "n1", Terminating: true}},
		{"preempted", "nodeName: n1", "status: {conditions: [{type: Ready, status: 'True'}, {type: DisruptionTarget, status: 'True', reason: PreemptionByScheduler}]}",
			cluster.PodSpec{On: "n1", Terminating: true, Preempted: true}},
		{"evicted", "nodeName: n1", "status: {conditions: [{type: DisruptionTarget, status: 'True', reason: EvictionByEvictionAPI}]}",
			cluster.PodSpec{On: "n1", Terminating: true}},
		{"to be preempted", "nodeName: n1", "status: {conditions: [{type: DisruptionTarget, status: 'True', reason: PreemptionByScheduler}]}",
			cluster.PodSpec{On: "n1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			manifest := podText(tt.spec, tt.more)
			if tt.want.Terminating {
				manifest = strings.Replace(manifest, "name: p,", "name: p, deletionTimestamp: '2024-01-01T00:00:00Z',", 1)
			}
			got := readOne(t, manifest).Pods[0]
			tt.want.Name, tt.want.Class, tt.want.Account, tt.want.Run = "p", got.Class, got.Account, cluster.Never
			tt.want.Labels = cluster.Labels{{Key: "app", Value: "x"}, {Key: "hash", Value: "h1"}}
			if !reflect.DeepEqual(got, &tt.want) {
				t.Errorf("got  %s\nwant %s", asJSON(got), asJSON(tt.want))
			}
		})
	}
}

func TestOwner(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		refs []metav1.OwnerReference
		want cluster.OwnerRef
	}{
		{nil, cluster.OwnerRef{}},
		{[]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "a"}, {APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "a", Controller: &no}}, cluster.OwnerRef{}},
		{[]metav1.OwnerReference{{APIVersion: "v1", Kind: "X", Name: "x"}, {APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "a", Controller: &yes}}, cluster.OwnerRef{Kind: "ReplicaSet", Name: "a"}},
		{[]metav1.OwnerReference{{APIVersion: "v1", Kind: "ReplicationController", Name: "a", Controller: &yes}}, cluster.OwnerRef{Kind: "ReplicationController", Name: "a"}},
		{[]metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "a", Controller: &yes}}, cluster.OwnerRef{Kind: "Job", Name: "a"}},
		{[]metav1.OwnerReference{{APIVersion: "apps.kruise.io/v1beta1", Kind: "StatefulSet", Name: "a", Controller: &yes}}, cluster.OwnerRef{Kind: "StatefulSet.v1beta1.apps.kruise.io", Name: "a"}},
		{[]metav1.OwnerReference{{APIVersion: "v2", Kind: "X", Name: "a", Controller: &yes}}, cluster.OwnerRef{Kind: "X.v2", Name: "a"}},
	} {
		if got := owner(&v1.Pod{ObjectMeta: metav1.ObjectMeta{OwnerReferences: tt.refs}}); got != tt.want {
			t.Errorf("owner of %+v = %v, want %v", tt.refs, got, tt.want)
		}
	}
}

func TestConverterKeepsTimeAndSharesClasses(t *testing.T) {
	epoch := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	conv := Converter{Epoch: epoch}
	started := metav1.NewTime(epoch.Add(-90 * time.Second))
	var specs []*cluster.PodSpec
	for _, name := range []string{"a", "b"} {
		spec, err := conv.Pod(&v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}, Status: v1.PodStatus{StartTime: &started}})
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, spec)
	}
	if specs[0].Class != specs[1].Class {
		t.Error("equal pods have two classes")
	}
	if got := specs[0].Started; got == nil || *got != -90*cluster.Second {
		t.Errorf("started at %v, want 90 s before the epoch", got)
	}
	if _, err := conv.Pod(&v1.Pod{Spec: v1.PodSpec{Tolerations: []v1.Toleration{{Operator: "x"}}}}); err == nil {
		t.Error("a wrong operator is converted")
	}
}

// TestUnready reads pods whose status says that they are ready, or not, or nothing.
func TestUnready(t *testing.T) {
	for _, tt := range []struct {
		why, rest string
		want      bool
	}{
		{"no status", "spec: {nodeName: node}", false},
		{"runs, and no more is said", "spec: {nodeName: node}\nstatus: {phase: Running}", false},
		{"has yet to start", "spec: {nodeName: node}\nstatus: {phase: Pending}", true},
		{"ready", "spec: {nodeName: node}\nstatus: {phase: Running, conditions: [{type: Initialized, status: 'False'}, {type: Ready, status: 'True'}]}", false},
		{"not ready", "spec: {nodeName: node}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'False'}]}", true},
		{"nobody knows", "spec: {nodeName: node}\nstatus: {phase: Running, conditions: [{type: Ready, status: Unknown}]}", true},
		{"on no node", "status: {phase: Pending}", false},
	} {
		spec := readOne(t, podYAML("a")+tt.rest).Pods[0]
		if spec.Unready != tt.want {
			t.Errorf("%s: Unready is %t", tt.why, spec.Unready)
		}
		if starting := tt.why == "has yet to start"; spec.Starting != starting {
			t.Errorf("%s: Starting is %t", tt.why, spec.Starting)
		}
		if again := rewritten(t, spec); again.Unready != spec.Unready || again.Starting != spec.Starting {
			t.Errorf("%s: a Writer makes it another", tt.why)
		}
	}
}
