package manifest

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

const runtimeText = "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: heavy}\nhandler: h\n"

// admitting are objects that admission knows.
const admitting = runtimeText + `overhead: {podFixed: {cpu: 250m}}
scheduling: {nodeSelector: {b: c}, tolerations: [{key: k, operator: Exists}]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: l, namespace: ns}
spec: {limits: [{type: Container, default: {cpu: 2}, defaultRequest: {cpu: 1, memory: 1Gi}}]}
` + class + `metadata: {name: high}
value: 7
preemptionPolicy: Never
` + class + `metadata: {name: usual}
value: 3
globalDefault: true
`

// fresh makes of podText a pod that was never in an API.
func fresh(spec string) string { return strings.Replace(podText(spec, ""), "uid: u, ", "", 1) }

func TestAdmitted(t *testing.T) {
	secs := func(n int64) *int64 { return &n }
	defaults := []cluster.Toleration{
		{Key: cluster.TaintNotReady, Exists: true, Effect: cluster.NoExecute, Seconds: secs(300)},
		{Key: cluster.TaintUnreachable, Exists: true, Effect: cluster.NoExecute, Seconds: secs(300)},
	}
	container := "containers: [{name: c, image: i}]\n"
	for _, tt := range []struct {
		name, pod   string
		class       cluster.Class // of which only what is below counts
		account     cluster.Account
		withNothing bool
	}{
		{"filled in", fresh(container), cluster.Class{Priority: 3, Requests: cluster.Amounts{1000, 1 << 30, 0}, Tolerations: defaults},
			cluster.Account{PriorityClass: "usual", Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(1000, 1<<30), Limits: cpuMemory(2000, -1)}}}, false},
		{"limits come first", fresh("containers: [{name: c, image: i, resources: {limits: {cpu: 3}}}]"), cluster.Class{Priority: 3, Requests: cluster.Amounts{3000, 1 << 30, 0}, Tolerations: defaults},
			cluster.Account{PriorityClass: "usual", Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(3000, 1<<30), Limits: cpuMemory(3000, -1)}}}, false},
		{"by class", fresh(container + "runtimeClassName: heavy\npriorityClassName: high\nnodeSelector: {a: b}\ntolerations: [{operator: Exists}]"),
			cluster.Class{Priority: 7, NeverPreempts: true, Requests: cluster.Amounts{1250, 1 << 30, 0}, NodeLabels: cluster.Labels{{Key: "a", Value: "b"}, {Key: "b", Value: "c"}}, Tolerations: []cluster.Toleration{{Exists: true}}},
			cluster.Account{PriorityClass: "high", Overhead: cpuMemory(250, -1), Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(1000, 1<<30), Limits: cpuMemory(2000, -1)}}}, false},
		{"with nothing given", fresh(container), cluster.Class{Requests: cluster.Amounts{0, 0, 0}, BestEffortCPU: 1, BestEffortMemory: 1, Tolerations: defaults},
			cluster.Account{Containers: []cluster.Container{{Name: "c"}}}, true},
		{"its own priority", fresh(container + "priority: 9\npreemptionPolicy: Never\npriorityClassName: unknown"), cluster.Class{Priority: 9, NeverPreempts: true, Requests: cluster.Amounts{0, 0, 0}, Tolerations: defaults, BestEffortCPU: 1, BestEffortMemory: 1},
			cluster.Account{PriorityClass: "unknown", Containers: []cluster.Container{{Name: "c"}}}, true},
		{"its own policy", fresh(container + "preemptionPolicy: PreemptLowerPriority\npriorityClassName: high"), cluster.Class{Priority: 7, Requests: cluster.Amounts{1000, 1 << 30, 0}, Tolerations: defaults},
			cluster.Account{PriorityClass: "high", Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(1000, 1<<30), Limits: cpuMemory(2000, -1)}}}, false},
		{"has been in an API", podText(container+"runtimeClassName: heavy", ""), cluster.Class{Priority: 3, Requests: cluster.Amounts{0, 0, 0}, BestEffortCPU: 1, BestEffortMemory: 1},
			cluster.Account{Containers: []cluster.Container{{Name: "c"}}}, false},
		{"has been created", strings.Replace(fresh(container), "name: p,", "name: p, creationTimestamp: '2024-01-01T00:00:00Z',", 1), cluster.Class{Priority: 3, Requests: cluster.Amounts{0, 0, 0}, BestEffortCPU: 1, BestEffortMemory: 1},
			cluster.Account{Containers: []cluster.Container{{Name: "c"}}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.pod + "---\n" + admitting // what is known of comes behind
			if tt.withNothing {
				text = tt.pod
			}
			p := readOne(t, text).Pods[0]
			want := tt.class
			want.Namespace, want.Images = "ns", p.Class.Images
			if !sameClass(p.Class, &want) {
				t.Errorf("class\ngot  %s\nwant %s", asJSON(p.Class), asJSON(want))
			}
			if !reflect.DeepEqual(p.Account, &tt.account) {
				t.Errorf("account\ngot  %s\nwant %s", asJSON(p.Account), asJSON(tt.account))
			}
		})
	}
}

// TestFreshPodsAlike reads pods alike, some of which have been in an API.
func TestFreshPodsAlike(t *testing.T) {
	var text strings.Builder
	for _, name := range []string{"a", "b", "c", "d"} {
		pod := fresh("priorityClassName: high")
		if name > "b" {
			pod = podText("priorityClassName: high", "")
		}
		text.WriteString(strings.Replace(pod, "name: p,", "name: "+name+",", 1) + "---\n")
	}
	c := readOne(t, text.String()+admitting)
	p := c.Pods
	if p[0].Class != p[1].Class || p[0].Account != p[1].Account || p[2].Class != p[3].Class || p[2].Account != p[3].Account {
		t.Error("pods alike don't share")
	}
	if p[0].Class == p[2].Class || p[0].Account == p[2].Account || p[2].Class.Priority != 7 || len(p[2].Class.Tolerations) != 0 {
		t.Errorf("a pod that has been in an API is %+v", p[2].Class)
	}
	for i, name := range []string{"a", "b", "c", "d"} {
		if p[i].Name != name || len(p[i].Labels) != 2 {
			t.Errorf("pod %s is %+v", name, p[i])
		}
	}
}

func TestAdmissionErrors(t *testing.T) {
	for _, tt := range []struct{ pod, want string }{
		{fresh("runtimeClassName: heavy\noverhead: {cpu: 1}"), `test.yaml:1: Pod ns/p is refused: pods "p" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead; change the pod, or what refuses it`},
		{fresh("runtimeClassName: heavy\nnodeSelector: {b: d}"), `test.yaml:1: Pod ns/p is refused: pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[b] = c; pod.spec.nodeSelector[b] = d; change the pod, or what refuses it`},
		{fresh("priorityClassName: gone"), `test.yaml:1: Pod ns/p: spec.priorityClassName is "gone", which is no PriorityClass that is given; add the class, or give the pod a spec.priority`},
		{fresh("nodeSelector: {a: b}\ntolerations: [{operator: Some}]"), `test.yaml:6: Pod ns/p: spec.tolerations[0].operator is "Some"; write Equal, Exists`},
	} {
		_, err := Read("test.yaml", []byte(tt.pod+"---\n"+admitting))
		var wrong *Error
		if !errors.As(err, &wrong) || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	c := readOne(t, strings.Repeat(fresh("runtimeClassName: gone")+"---\n", 1)+strings.Replace(fresh("runtimeClassName: gone\nnodeName: ''\npriority: 1"), "name: p,", "name: q,", 1))
	want := `test.yaml:1: Pod ns/p names RuntimeClass "gone", which is not given; add it, or its pods count without overhead and run anywhere`
	if len(c.Warnings) != 1 || c.Warnings[0].Error() != want {
		t.Errorf("warnings %v, want %s", c.Warnings, want)
	}
}

// TestSetAdmitted writes back what NewPod takes, and no more.
func TestSetAdmitted(t *testing.T) {
	for _, p := range fullPods(t)[:3] {
		p.Spec.Tolerations[0].Operator = v1.TolerationOpEqual
		pod, err := NewPod(p)
		if err != nil {
			t.Fatal(err)
		}
		got := p.DeepCopy()
		SetAdmitted(got, pod)
		if !reflect.DeepEqual(got.Spec, p.Spec) {
			t.Errorf("got  %s\nwant %s", asJSON(got.Spec), asJSON(p.Spec))
		}
	}
}
