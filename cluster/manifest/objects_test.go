package manifest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
)

func TestNode(t *testing.T) {
	got := readOne(t, `
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {b: "2", a: "1"}}
spec:
  unschedulable: true
  taints:
  - {key: k, value: v, effect: NoSchedule}
  - {key: k, effect: PreferNoSchedule}
  - {key: k, effect: NoExecute, timeAdded: "2024-01-01T00:00:00Z"}
status:
  capacity: {cpu: 64}
  allocatable: {cpu: 63770m, memory: 1Ki, ephemeral-storage: 10, pods: "110", hugepages-1Gi: 0, hugepages-2Mi: 4Mi, nvidia.com/gpu: 8, a.b/c: 1500m, storage: 5}
  images:
  - {names: [a:1, "a@sha256:0"], sizeBytes: 5}
  - {names: [a:1], sizeBytes: 6}
  - {names: [b, a:1], sizeBytes: 7}
  - {sizeBytes: 7}
  declaredFeatures: [Z, A, Z]
`)
	want := &cluster.NodeSpec{
		Name: "n1", Capacity: cluster.Amounts{63770, 1024, 10, 110},
		Extended:      []cluster.NamedAmount{{Name: "a.b/c", Amount: 2}, {Name: "hugepages-2Mi", Amount: 4 << 20}, {Name: "nvidia.com/gpu", Amount: 8}},
		Labels:        cluster.Labels{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}},
		Taints:        []cluster.Taint{{Key: "k", Value: "v", Effect: cluster.NoSchedule}, {Key: "k", Effect: cluster.PreferNoSchedule}, {Key: "k", Effect: cluster.NoExecute}},
		Unschedulable: true,
		Images:        []cluster.Image{{Names: []string{"a:1", "a@sha256:0"}, Bytes: 5}, {Names: []string{"b"}, Bytes: 7}},
		Features:      []string{"A", "Z"},
	}
	if len(got.Nodes) != 1 || !reflect.DeepEqual(got.Nodes[0], want) || len(got.Warnings) != 0 {
		t.Errorf("got  %s\nwant %s", asJSON(got), asJSON(want))
	}
}

func TestNodeWithoutAllocatable(t *testing.T) {
	got := readOne(t, "apiVersion: v1\nkind: Node\nmetadata: {name: n1, namespace: x}\nstatus: {capacity: {cpu: 4}}\n")
	if n := got.Nodes[0]; n.Capacity.Get(cluster.CPU) != 4000 {
		t.Errorf("capacity does not stand in for allocatable: %s", asJSON(n))
	}
	want := "test.yaml:1: Node n1 has room for no pods; add pods to its status.allocatable, for example pods: 110"
	if len(got.Warnings) != 1 || got.Warnings[0].Error() != want {
		t.Errorf("warnings %v, want %s", got.Warnings, want)
	}
}

func TestObjects(t *testing.T) {
	for _, tt := range []struct {
		text string
		want cluster.Object
	}{
		{"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {team: x}}",
			&cluster.Namespace{Name: "a", Labels: cluster.Labels{{Key: "kubernetes.io/metadata.name", Value: "a"}, {Key: "team", Value: "x"}}}},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {b: '2', a: '1'}, ports: [{port: 80, targetPort: http}]}",
			&cluster.Service{Namespace: "default", Name: "a", Selector: cluster.Labels{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}}},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: x}\nspec: {type: ExternalName}", &cluster.Service{Namespace: "x", Name: "a"}},
		{"apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\nspec: {selector: {a: '1'}}",
			&cluster.Workload{Kind: "ReplicationController", Namespace: "default", Name: "a", Selector: selector(is("a", "1")), Replicas: 1}},
		{"apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {a: '1'}}}}",
			&cluster.Workload{Kind: "ReplicationController", Namespace: "default", Name: "a", Selector: selector(is("a", "1")), Replicas: 1}},
		{"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: '1'}}, template: {spec: {containers: []}}}",
			&cluster.Workload{Kind: "ReplicaSet", Namespace: "default", Name: "a", Selector: selector(is("a", "1")), Replicas: 1}},
		{"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {replicas: 0}", &cluster.Workload{Kind: "StatefulSet", Namespace: "default", Name: "a"}},
		{"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 7, selector: {matchLabels: {a: '1'}}}",
			&cluster.Workload{Kind: "Deployment", Namespace: "default", Name: "a", Selector: selector(is("a", "1")), Replicas: 7}},
		{"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: d, controller: true}]}\nspec: {replicas: 3}",
			&cluster.Workload{Kind: "ReplicaSet", Namespace: "default", Name: "a", Replicas: 3, Owner: cluster.OwnerRef{Kind: "Deployment", Name: "d"}}},
		{"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a, generation: 3}\nspec: {minAvailable: 50%, selector: {}, unhealthyPodEvictionPolicy: AlwaysAllow}\n" +
			"status: {disruptionsAllowed: 2, currentHealthy: 5, desiredHealthy: 3, expectedPods: 6, observedGeneration: 2, disruptedPods: {p2: '2024-01-01T00:00:00Z', p1: '2023-12-31T23:59:00Z'}}",
			&cluster.DisruptionBudget{
				Namespace: "default", Name: "a", Selector: selector(), MinAvailable: &cluster.IntOrPercent{Value: 50, Percent: true}, AlwaysAllow: true, Generation: 3,
				Allowed: 2, CurrentHealthy: 5, DesiredHealthy: 3, ExpectedPods: 6, ObservedGeneration: 2,
				Disrupted: []string{"p1", "p2"}, DisruptedAt: []cluster.Time{-cluster.Minute, 0},
			}},
		{"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {maxUnavailable: 1, unhealthyPodEvictionPolicy: IfHealthyBudget}",
			&cluster.DisruptionBudget{Namespace: "default", Name: "a", MaxUnavailable: &cluster.IntOrPercent{Value: 1}}},
	} {
		got := readOne(t, tt.text)
		if len(got.Objects) != 1 || !reflect.DeepEqual(got.Objects[0], tt.want) {
			t.Errorf("%s\ngot  %s\nwant %s", tt.text, asJSON(got.Objects), asJSON(tt.want))
		}
	}
}

const class = "---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\n"

func TestPriorities(t *testing.T) {
	classes := class + "metadata: {name: high}\nvalue: 1000\npreemptionPolicy: Never\n" +
		class + "metadata: {name: low}\nvalue: -5\npreemptionPolicy: PreemptLowerPriority\n"
	normal := class + "metadata: {name: normal}\nvalue: 7\nglobalDefault: true\n" +
		class + "metadata: {name: normal2}\nvalue: 6\nglobalDefault: true\n"
	for _, tt := range []struct {
		spec, more string
		priority   int32
		never      bool
	}{
		{"", classes, 0, false},
		{"", normal, 6, false},
		{"priorityClassName: high", classes, 1000, true},
		{"priorityClassName: high\npreemptionPolicy: PreemptLowerPriority", classes, 1000, false},
		{"priorityClassName: low", classes + normal, -5, false},
		{"priorityClassName: gone\npriority: 3", "", 3, false},
		{"priorityClassName: high\npriority: 3", classes, 3, false},
		{"priorityClassName: system-node-critical", "", 2000001000, false},
		{"priorityClassName: system-cluster-critical", "", 2000000000, false},
	} {
		c := readOne(t, podText(tt.spec, tt.more)).Pods[0].Class
		if c.Priority != tt.priority || c.NeverPreempts != tt.never {
			t.Errorf("%s: priority %d, never preempts %v; want %d, %v", tt.spec, c.Priority, c.NeverPreempts, tt.priority, tt.never)
		}
	}
	_, err := Read("test.yaml", []byte("\n"+podText("priorityClassName: gone", classes)))
	want := `test.yaml:2: Pod ns/p: spec.priorityClassName is "gone", which is no PriorityClass that is given; add the class, or give the pod a spec.priority`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEpochIsTheLatestTime(t *testing.T) {
	at := func(name, created, started string) string {
		return strings.Replace(podText("nodeName: node", "status: {startTime: "+started+"}\n---\n"), "name: p,", "name: "+name+", creationTimestamp: "+created+",", 1)
	}
	c := readOne(t, at("a", "2024-01-01T00:00:00Z", "2024-01-01T00:00:10Z")+at("b", "2024-01-01T00:01:00Z", "null")+
		at("c", "null", "2024-01-01T02:00:30+02:00"))
	if want := time.Date(2024, 1, 1, 0, 1, 0, 0, time.UTC); !c.Epoch.Equal(want) {
		t.Errorf("epoch %v, want %v", c.Epoch, want)
	}
	if got := *c.Pods[0].Started; got != -50*cluster.Second {
		t.Errorf("a started at %v", got)
	}
	if c.Pods[1].Started != nil || *c.Pods[2].Started != -30*cluster.Second {
		t.Errorf("b and c started at %v, %v", c.Pods[1].Started, *c.Pods[2].Started)
	}
}

func TestEvents(t *testing.T) {
	pod := func(name, node string) string {
		return strings.Replace(podText("nodeName: "+node, "---\n"), "name: p,", "name: "+name+",", 1)
	}
	c := readOne(t, pod("a", "null")+pod("b", "n1")+"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: ns}\n---\n"+
		pod("c", "null")+"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {capacity: {cpu: 9, memory: 9Gi, pods: 9}}\n---\n"+pod("d", "n1"))
	var got []string
	for _, e := range c.Events() {
		switch {
		case e.NodeSpec != nil:
			got = append(got, e.NodeSpec.Name)
		case e.PodSpec != nil:
			got = append(got, e.PodSpec.Name)
		default:
			got = append(got, strings.TrimPrefix(reflect.TypeOf(e.Object).String(), "*cluster."))
		}
	}
	if want := "n1 Service Namespace b d a c"; strings.Join(got, " ") != want {
		t.Errorf("events %v, want %s", got, want)
	}
	s := cluster.NewState()
	s.Observe(0, c.Events())
	n, _ := s.Nodes.Named("n1")
	if s.Pending() != 2 || s.Nodes.Used[cluster.CPU][n] != 2000 || s.Namespaces.Get("", "ns") == nil {
		t.Errorf("a State of the events has %d pending pods and %d milli-CPUs used", s.Pending(), s.Nodes.Used[cluster.CPU][n])
	}
}
