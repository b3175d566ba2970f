package manifest

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// gpuCrowd is a State with two nodes that have GPUs and one that has none, and pods: two share
// a GPU, one has two others, one waits for a model.
func gpuCrowd() *cluster.State {
	s := cluster.NewState()
	events := []cluster.Event{
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "a", GPUs: 4, GPUModel: "A100"}},
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "b", GPUs: 1}},
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "c"}},
	}
	for _, p := range []struct {
		name string
		gpus cluster.GPURequest
	}{
		{"part", cluster.GPURequest{Count: 1, Shares: 300}}, {"other", cluster.GPURequest{Count: 1, Shares: 500}},
		{"two", cluster.GPURequest{Count: 2, Shares: cluster.WholeGPU, Models: []string{"A100", "V100"}}},
		{"waits", cluster.GPURequest{Count: 1, Shares: cluster.WholeGPU, Models: []string{"H100"}}}, {"none", cluster.GPURequest{}},
	} {
		class := &cluster.Class{Namespace: "default", GPUs: p.gpus}
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: p.name, Class: class, Run: cluster.Never}})
	}
	s.Observe(0, events)
	for i, gpus := range []cluster.GPUSet{0b0100, 0b0100, 0b1010} {
		s.Bind(events[3+i].Pod, events[0].Node, cluster.Allocation{GPUs: gpus})
	}
	return s
}

// TestGPUsAreReadBack writes a State as objects, and has another State of what is read.
func TestGPUsAreReadBack(t *testing.T) {
	was := gpuCrowd()
	var w Writer
	list := &v1.List{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}}
	add := func(o any) {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		list.Items = append(list.Items, runtime.RawExtension{Raw: text})
	}
	for n := range cluster.NodeID(3) {
		add(w.Node(was, n))
	}
	for p := range cluster.PodID(5) {
		add(w.Pod(was, p))
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Read("state.json", text)
	if err != nil {
		t.Fatal(err)
	}
	is := cluster.NewState()
	var events []cluster.Event
	for _, n := range read.Nodes {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: n})
	}
	for _, p := range read.Pods {
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: p})
	}
	is.Observe(0, events)
	for n := range cluster.NodeID(3) {
		if !reflect.DeepEqual(is.Nodes.GPUFree[n], was.Nodes.GPUFree[n]) || is.GPUModel(n) != was.GPUModel(n) {
			t.Errorf("node %s: %v of %q are free, and were %v of %q", is.Nodes.Name[n], is.Nodes.GPUFree[n], is.GPUModel(n), was.Nodes.GPUFree[n], was.GPUModel(n))
		}
	}
	for p := range cluster.PodID(5) {
		if !reflect.DeepEqual(is.Class(p).GPUs, was.Class(p).GPUs) || is.Pods.Allocation[p] != was.Pods.Allocation[p] {
			t.Errorf("pod %s asks for %+v and has %v, and was %+v and %v", is.Pods.Name[p], is.Class(p).GPUs, is.Pods.Allocation[p], was.Class(p).GPUs, was.Pods.Allocation[p])
		}
	}
}

const gpuPod = `apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {a: b, berth.dev/gpu-model: "V100, A100,V100", berth.dev/gpu-places: 'PLACES'}}
spec: {NODE containers: [{name: c, resources: {requests: {berth.dev/gpu-shares: SHARES}}}]}
`

// TestGPUsOfManifests reads what people write.
func TestGPUsOfManifests(t *testing.T) {
	models := []string{"A100", "V100"}
	for _, tt := range []struct {
		shares, node, places string
		want                 cluster.GPURequest
		has                  cluster.GPUSet
	}{
		{"0", "", "", cluster.GPURequest{}, 0},
		{"1", "", "", cluster.GPURequest{Count: 1, Shares: 1, Models: models}, 0},
		{"1k", "nodeName: n1,", "3", cluster.GPURequest{Count: 1, Shares: 1000, Models: models}, 0b1000},
		{"3000", "nodeName: n1,", "0,2,1", cluster.GPURequest{Count: 3, Shares: 1000, Models: models}, 0b111},
		{"3000", "nodeName: n1,", "0,2,64", cluster.GPURequest{Count: 3, Shares: 1000, Models: models}, 0},
		{"3000", "nodeName: n1,", "here", cluster.GPURequest{Count: 3, Shares: 1000, Models: models}, 0},
		{"1000", "", "3", cluster.GPURequest{Count: 1, Shares: 1000, Models: models}, 0},
	} {
		text := strings.NewReplacer("SHARES", tt.shares, "NODE", tt.node, "PLACES", tt.places).Replace(gpuPod)
		p := readOne(t, text).Pods[0]
		if !reflect.DeepEqual(p.Class.GPUs, tt.want) || p.Allocation.GPUs != tt.has {
			t.Errorf("%s shares, %s: %+v, %b", tt.shares, tt.places, p.Class.GPUs, p.Allocation.GPUs)
		}
	}
	for shares, want := range map[string]string{
		"1500": "is 1500 shares in all, which no pod can have; write up to 1000", "65000": "for 64 GPUs at most", "-1": "is negative",
	} {
		_, err := Read("p.yaml", []byte(strings.NewReplacer("SHARES", shares, "NODE", "", "PLACES", "").Replace(gpuPod)))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "p.yaml:") {
			t.Errorf("%s shares: %v", shares, err)
		}
	}
	_, err := Read("n.yaml", []byte("apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {allocatable: {berth.dev/gpu-shares: 65k}}"))
	if err == nil || !strings.Contains(err.Error(), "is 65 GPUs; write 1000 for each") {
		t.Errorf("a node of 65 GPUs: %v", err)
	}
}

// TestPlacesThatCannotBe has annotations tell of GPUs that a pod can't have: they count for
// nothing, whatever comes afterwards.
func TestPlacesThatCannotBe(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		s := cluster.NewState()
		pod := &cluster.PodSpec{Name: "p", Class: &cluster.Class{GPUs: cluster.GPURequest{Count: 2, Shares: cluster.WholeGPU}}, On: "n", Run: cluster.Never}
		pod.Allocation.GPUs = cluster.GPUSet(rng.IntN(16))
		node := &cluster.NodeSpec{Name: "n", GPUs: rng.IntN(3)}
		first, second := cluster.Event{Kind: cluster.NodeAdded, NodeSpec: node}, cluster.Event{Kind: cluster.PodAdded, PodSpec: pod}
		if rng.IntN(2) == 0 {
			first, second = second, first // it waits for its node
		}
		events := []cluster.Event{first, second}
		s.Observe(0, events)
		n, _ := s.Nodes.Named("n")
		known := pod.Allocation.GPUs == 0b11 && node.GPUs == 2
		for i, free := range s.Nodes.GPUFree[n] {
			if taken := free == 0; taken != known || free != 0 && free != cluster.WholeGPU {
				t.Errorf("%b on a node of %d GPUs: %d of %d are free", pod.Allocation.GPUs, node.GPUs, free, i)
			}
		}
		more := &cluster.NodeSpec{Name: "n", GPUs: 4}
		s.Observe(1, []cluster.Event{{Kind: cluster.NodeChanged, Node: n, NodeSpec: more}})
		s.Observe(2, []cluster.Event{{Kind: cluster.PodEnded, Pod: 0, Node: n}})
		for i, free := range s.Nodes.GPUFree[n] {
			if free != cluster.WholeGPU {
				t.Errorf("%b of a node with %d GPUs at first: %d shares of GPU %d are free at the end", pod.Allocation.GPUs, node.GPUs, free, i)
			}
		}
	}
}
