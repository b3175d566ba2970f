package manifest

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// rewritten returns what a pod becomes that a Writer makes of spec.
func rewritten(t *testing.T, spec *cluster.PodSpec) *cluster.PodSpec {
	t.Helper()
	s := cluster.NewState()
	events := []cluster.Event{}
	for _, name := range []string{spec.On, spec.Nominated} {
		if _, ok := s.Nodes.Named(name); !ok && name != "" {
			s.Observe(0, []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name}}})
		}
	}
	events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	s.Observe(0, events)
	var w Writer
	conv := Converter{Epoch: w.time(0).Time}
	got, err := conv.Pod(w.Pod(s, events[0].Pod))
	if err != nil {
		t.Fatalf("a pod that a Writer made can't be read: %v", err)
	}
	return got
}

// sameClass compares all that a class of a Converter holds.
func sameClass(a, b *cluster.Class) bool {
	var classes cluster.Classes
	return classes.Share(a) == classes.Share(b)
}

// TestWriterClasses writes and reads all that the tests of reading have.
func TestWriterClasses(t *testing.T) {
	for _, tt := range classTests {
		t.Run(tt.name, func(t *testing.T) {
			want := readOne(t, podText(tt.spec, "")).Pods[0]
			got := rewritten(t, want)
			if !sameClass(want.Class, got.Class) {
				t.Errorf("a class becomes another:\n%+v\n%+v", *want.Class, *got.Class)
			}
			if !reflect.DeepEqual(got.Account, want.Account) {
				t.Errorf("an account becomes another:\n%s\n%s", asJSON(want.Account), asJSON(got.Account))
			}
			if got.Name != want.Name || !reflect.DeepEqual(got.Labels, want.Labels) || got.On != want.On || got.Nominated != want.Nominated {
				t.Errorf("%+v becomes %+v", want, got)
			}
		})
	}
}

// randomAmounts asks for CPU and memory, or doesn't mention them.
func randomAmounts(r *rand.Rand) v1.ResourceList {
	list := v1.ResourceList{}
	if r.IntN(3) > 0 {
		list[v1.ResourceCPU] = milli(50 * int64(r.IntN(12)))
	}
	if r.IntN(3) > 0 {
		list[v1.ResourceMemory] = inBytes(100 << 20 * int64(r.IntN(8)))
	}
	if r.IntN(4) == 0 {
		list["example.com/device"] = whole(int64(r.IntN(3)))
	}
	return list
}

// randomPod makes a pod with containers of all kinds, overhead, and requests of its
// own.
func randomPod(r *rand.Rand) *v1.Pod {
	p := &v1.Pod{}
	p.Name, p.Namespace = "p", "ns"
	always := v1.ContainerRestartPolicyAlways
	for range r.IntN(3) {
		c := v1.Container{Image: "init", Resources: v1.ResourceRequirements{Requests: randomAmounts(r)}}
		if r.IntN(2) == 0 {
			c.RestartPolicy = &always
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
	for range 1 + r.IntN(3) {
		p.Spec.Containers = append(p.Spec.Containers, v1.Container{Resources: v1.ResourceRequirements{Requests: randomAmounts(r)}})
	}
	if r.IntN(4) == 0 {
		p.Spec.Overhead = randomAmounts(r)
	}
	if r.IntN(3) == 0 {
		p.Spec.Resources = &v1.ResourceRequirements{Requests: randomAmounts(r)}
		delete(p.Spec.Resources.Requests, "example.com/device")
		if r.IntN(3) == 0 {
			p.Spec.Resources.Requests["hugepages-2Mi"] = inBytes(2 << 20)
		}
	}
	return p
}

// TestWriterRequests writes and reads pods with all manners of asking.
func TestWriterRequests(t *testing.T) {
	estimates := 0
	for seed := range uint64(3000) {
		p := randomPod(rand.New(rand.NewPCG(1, seed)))
		want, err := (&Converter{}).Pod(p)
		if err != nil {
			t.Fatal(err)
		}
		if want.Class.Estimates != nil {
			estimates++
		}
		if got := rewritten(t, want); !sameClass(want.Class, got.Class) {
			t.Errorf("seed %d: a class becomes another:\n%+v %+v\n%+v %+v", seed, *want.Class, want.Class.Estimates, *got.Class, got.Class.Estimates)
			if seed > 100 {
				t.FailNow()
			}
		}
	}
	t.Logf("%d of the pods have estimates of their own", estimates)
}

// TestWriterPods tells where a pod is in its life.
func TestWriterPods(t *testing.T) {
	started := 5 * cluster.Second
	class := &cluster.Class{Namespace: "ns", Images: []string{"i:latest"}, Owner: cluster.OwnerRef{Kind: "Set.v1.example.org", Name: "o"}}
	for _, spec := range []*cluster.PodSpec{
		{Name: "a", Class: class, Nominated: "n1"},
		{Name: "a", Class: class, On: "n1", Started: &started, Labels: cluster.Labels{{Key: "k", Value: "v"}}},
		{Name: "a", Class: class, On: "n1", Terminating: true},
		{Name: "a", Class: class, On: "n1", Terminating: true, Preempted: true},
	} {
		spec.Run = cluster.Never
		got := rewritten(t, spec)
		if !sameClass(got.Class, spec.Class) {
			t.Errorf("class %+v becomes %+v", spec.Class, got.Class)
		}
		got.Class, got.Account = spec.Class, nil
		if !reflect.DeepEqual(got, spec) {
			t.Errorf("%+v becomes %+v", spec, got)
		}
	}
}

// TestNodeObject writes and reads nodes.
func TestNodeObject(t *testing.T) {
	for _, text := range []string{
		"metadata: {name: n1}",
		"metadata: {name: n1, labels: {a: b, c: ''}}\nspec: {unschedulable: true, taints: [{key: k, value: v, effect: NoSchedule}, {key: l, effect: NoExecute}]}",
		"metadata: {name: n1}\nstatus: {allocatable: {cpu: 1500m, memory: 7Gi, pods: 110, ephemeral-storage: 1Gi, example.com/x: 4, hugepages-2Mi: 4Mi}}",
		"metadata: {name: n1}\nstatus: {declaredFeatures: [B, A], images: [{names: [i:1, 'i@sha'], sizeBytes: 77}, {names: [j], sizeBytes: 1}]}",
	} {
		want := readOne(t, "apiVersion: v1\nkind: Node\n"+text).Nodes[0]
		got, err := Node(NodeObject(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v becomes %+v, %v", want, got, err)
		}
	}
}
