package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
)

const mi = 1 << 20

// ask returns a container that asks for something, as `cpu: 1, memory: 1Mi`.
func ask(requests string) string {
	return fmt.Sprintf("{name: c%d, image: i, resources: {requests: {%s}}}", len(requests), requests)
}

func containers(field string, cs ...string) string {
	return field + ":\n- " + strings.Join(cs, "\n- ") + "\n"
}

func sidecar(requests string) string {
	return strings.Replace(ask(requests), "image: i", "image: i, restartPolicy: Always", 1)
}

// requestTests say what a pod's requests come to.
var requestTests = []struct {
	name, spec, more string
	want             cluster.Class // of which only what is requested counts
}{
	{"one container", containers("containers", ask("cpu: 1, memory: 5Mi, ephemeral-storage: 1k")), "",
		cluster.Class{Requests: cluster.Amounts{1000, 5 * mi, 1000}}},
	{"rounded up when summed", containers("containers", ask("cpu: 0.3m, memory: 100m"), ask("cpu: 0.0003, memory: 0.3")), "",
		cluster.Class{Requests: cluster.Amounts{2, 1, 0}}}, // the API server makes 1m of 0.3m first
	{"nothing asked for", containers("containers", ask(""), ask("cpu: 0")), "",
		cluster.Class{Requests: cluster.Amounts{0, 0, 0}, BestEffortCPU: 1, BestEffortMemory: 2}},
	{"limits stand in", "containers: [{name: c, image: i, resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 3Mi, example.com/x: 4}}}]", "",
		cluster.Class{Requests: cluster.Amounts{1000, 3 * mi, 0}, Extended: []cluster.NamedAmount{{Name: "example.com/x", Amount: 4}}}},
	{"init containers", containers("initContainers", ask("cpu: 3, memory: 1Mi"), ask("cpu: 1, memory: 9Mi")) + containers("containers", ask("cpu: 1, memory: 2Mi"), ask("cpu: 1, memory: 02Mi")), "",
		cluster.Class{Requests: cluster.Amounts{3000, 9 * mi, 0}}},
	{"sidecars", containers("initContainers", ask("cpu: 1, memory: 1Mi"), sidecar("cpu: 2, memory: 2Mi"), ask("cpu: 2, memory: 1Mi"), sidecar("cpu: 100m, memory: 1Mi")) + containers("containers", ask("cpu: 1, memory: 1Mi")), "",
		cluster.Class{Requests: cluster.Amounts{4000, 4 * mi, 0}}},
	{"init container that asks for nothing", containers("initContainers", ask("")) + containers("containers", ask("cpu: 10m, memory: 1Mi")), "",
		cluster.Class{Requests: cluster.Amounts{10, mi, 0}, Estimates: &cluster.Estimates{
			CPU: 100, Memory: 200 * mi, IncomingCPU: 100, IncomingMemory: 200 * mi}}},
	{"overhead", "overhead: {cpu: 250m, memory: 3Mi}\n" + containers("containers", ask("cpu: 1, memory: 1Mi")), "",
		cluster.Class{Requests: cluster.Amounts{1250, 4 * mi, 0}}},
	{"names", containers("containers", ask(strings.Join([]string{
		"cpu: 1", "memory: 1Mi", "pods: 3", "storage: 7", "foo: 1", "hugepages-2Mi: 4Mi", "z.example.com/x: 1500m", "a.example.com/x: 2",
		"attachable-volumes-csi-x: 3", "kubernetes.io/y: 5", "requests.example.com/z: 6", "zero.example.com/x: 0", "nvidia.com/gpu: 1",
	}, ", "))), "", cluster.Class{Requests: cluster.Amounts{1000, mi, 0}, Extended: []cluster.NamedAmount{
		{Name: "a.example.com/x", Amount: 2}, {Name: "attachable-volumes-csi-x", Amount: 3}, {Name: "hugepages-2Mi", Amount: 4 * mi},
		{Name: "kubernetes.io/y", Amount: 5}, {Name: "nvidia.com/gpu", Amount: 1}, {Name: "z.example.com/x", Amount: 2},
	}}},
	{"pod as a whole", "resources: {requests: {cpu: 3, memory: 10Mi, hugepages-2Mi: 6Mi, example.com/x: 9}}\n" + containers("containers", ask("cpu: 1, hugepages-2Mi: 2Mi"), ask("example.com/x: 1")), "",
		cluster.Class{Requests: cluster.Amounts{3000, 10 * mi, 0}, Extended: []cluster.NamedAmount{{Name: "example.com/x", Amount: 1}, {Name: "hugepages-2Mi", Amount: 6 * mi}},
			Estimates: &cluster.Estimates{CPU: 3000, Memory: 10 * mi, IncomingCPU: 1100, IncomingMemory: 400 * mi,
				IncomingExtended: []cluster.NamedAmount{{Name: "hugepages-2Mi", Amount: 2 * mi}}}}},
	{"pod as a whole asks for memory only", "resources: {requests: {memory: 10Mi, hugepages-2Mi: 2Mi}}\n" + containers("containers", ask("cpu: 1"), ask("")), "",
		cluster.Class{Requests: cluster.Amounts{1000, 10 * mi, 0}, Extended: []cluster.NamedAmount{{Name: "hugepages-2Mi", Amount: 2 * mi}},
			Estimates: &cluster.Estimates{CPU: 1000, Memory: 10 * mi, IncomingCPU: 1100, IncomingMemory: 400 * mi,
				IncomingExtended: []cluster.NamedAmount{{Name: "hugepages-2Mi"}}}}},
	{"pod as a whole, nobody asks for CPU", "resources: {requests: {memory: 10Mi}}\noverhead: {cpu: 5m}\n" + containers("containers", ask(""), ask("memory: 1Mi")), "",
		cluster.Class{Requests: cluster.Amounts{5, 10 * mi, 0}, // overhead is a request too
			Estimates: &cluster.Estimates{CPU: 5, Memory: 10 * mi, IncomingCPU: 205, IncomingMemory: 201 * mi}}},
	{"limits of the pod as a whole", "resources: {limits: {cpu: 4, memory: 40Mi}}\ncontainers: [{name: c, image: i, resources: {requests: {cpu: 1}, limits: {hugepages-2Mi: 2Mi}}}]", "",
		cluster.Class{Requests: cluster.Amounts{1000, 40 * mi, 0}, Extended: []cluster.NamedAmount{{Name: "hugepages-2Mi", Amount: 2 * mi}},
			Estimates: &cluster.Estimates{CPU: 1000, Memory: 40 * mi, IncomingCPU: 1000, IncomingMemory: 200 * mi}}},
	{"given more than asked for", "nodeName: node\ncontainers: [{name: c, image: i, resources: {requests: {cpu: 1, memory: 1Mi}}}, {name: d, image: i, resources: {requests: {cpu: 1, memory: 1Mi}}}]",
		"status: {containerStatuses: [{name: c, allocatedResources: {cpu: 2}, resources: {requests: {cpu: 500m, memory: 3Mi}}}, {name: d, allocatedResources: {cpu: 7}}]}",
		cluster.Class{Requests: cluster.Amounts{3000, 4 * mi, 0}, Estimates: &cluster.Estimates{CPU: 3000, Memory: 4 * mi, IncomingCPU: 2000, IncomingMemory: 2 * mi}}},
	{"resize that can't be", "nodeName: node\ncontainers: [{name: c, image: i, resources: {requests: {cpu: 5, memory: 1Mi}}}]",
		"status: {conditions: [{type: PodResizePending, status: 'True', reason: Infeasible}], containerStatuses: [{name: c, allocatedResources: {cpu: 2, memory: 1Mi}, resources: {requests: {cpu: 1, memory: 1Mi}}}]}",
		cluster.Class{Requests: cluster.Amounts{2000, mi, 0}, Estimates: &cluster.Estimates{CPU: 2000, Memory: mi, IncomingCPU: 5000, IncomingMemory: mi}}},
	{"pod as a whole given more", "nodeName: node\nresources: {requests: {cpu: 5, memory: 1Mi}}\n" + containers("containers", ask("cpu: 1, memory: 1Mi")),
		"status: {allocatedResources: {cpu: 6}, resources: {requests: {memory: 2Mi}}}",
		cluster.Class{Requests: cluster.Amounts{6000, 2 * mi, 0}, Estimates: &cluster.Estimates{CPU: 6000, Memory: 2 * mi, IncomingCPU: 1000, IncomingMemory: mi}}},
	{"a pending pod has been given nothing", "containers: [{name: c, image: i, resources: {requests: {cpu: 1, memory: 1Mi}}}]",
		"status: {containerStatuses: [{name: c, allocatedResources: {cpu: 2}, resources: {}}]}",
		cluster.Class{Requests: cluster.Amounts{1000, mi, 0}}},
}

func TestRequests(t *testing.T) {
	for _, tt := range requestTests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, podText(tt.spec, tt.more)).Pods[0].Class
			got := cluster.Class{Requests: c.Requests, Extended: c.Extended, BestEffortCPU: c.BestEffortCPU, BestEffortMemory: c.BestEffortMemory, Estimates: c.Estimates}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %s\nwant %s", asJSON(got), asJSON(tt.want))
			}
		})
	}
}

func TestAmountErrors(t *testing.T) {
	const tooLarge = "is too large to be counted; write less than 8Ei, or 8Pi of cpu"
	for _, tt := range []struct{ spec, want string }{
		{containers("containers", ask("cpu: -1")), "test.yaml:6: Pod ns/p: spec.containers[0].resources.requests.cpu is negative; write 0 or more"},
		{containers("containers", ask("memory: 1e30")), "test.yaml:6: Pod ns/p: spec.containers[0].resources.requests.memory " + tooLarge},
		{containers("containers", ask("cpu: 10Pi")), "test.yaml:6: Pod ns/p: spec.containers[0].resources.requests.cpu " + tooLarge},
		{containers("containers", ask("berth.dev/gpu-shares: 1500")), `test.yaml:5: Pod ns/p: spec["berth.dev/gpu-shares"] is 1500 shares in all, which no pod can have; write up to 1000 for a part of one GPU, or a multiple of it, for 64 GPUs at most`},
		{containers("initContainers", ask("cpu: 1"), "{name: d, resources: {requests: {a.b/c: -1}}}") + containers("containers", ask("")), `test.yaml:7: Pod ns/p: spec.initContainers[1].resources.requests["a.b/c"] is negative; write 0 or more`},
		{containers("containers", ask("memory: 5Ei"), ask("memory: 05Ei")), "test.yaml:5: Pod ns/p: spec asks for an amount of memory that is in sum too large to be counted; write less than 8Ei, or 8Pi of cpu"},
		{"overhead:\n  cpu: -1", "test.yaml:6: Pod ns/p: spec.overhead.cpu is negative; write 0 or more"},
		{"resources:\n  requests:\n    cpu: -1", "test.yaml:7: Pod ns/p: spec.resources.requests.cpu is negative; write 0 or more"},
	} {
		_, err := Read("test.yaml", []byte(podText(tt.spec, "")))
		var wrong *Error
		if !errors.As(err, &wrong) || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// TestManyDigitsCountOnce has a pod ask as a whole for amounts with more digits
// than an int64 has, and overhead beside.
func TestManyDigitsCountOnce(t *testing.T) {
	p := &v1.Pod{Spec: v1.PodSpec{
		Resources: &v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceMemory: resource.MustParse("2000000000000000000.5")}},
		Overhead:  v1.ResourceList{v1.ResourceMemory: resource.MustParse("1000000000000000000.25")},
	}}
	was := p.DeepCopy()
	for range 2 {
		class, err := podClass(p)
		if err != nil || class.Requests[cluster.Memory] != 3000000000000000001 || class.Estimates.Memory != 3000000000000000001 {
			t.Errorf("converted to %s, %v", asJSON(class), err)
		}
		if !equality.Semantic.DeepEqual(p, was) {
			t.Fatalf("conversion makes %s of %s", asJSON(p), asJSON(was))
		}
	}
}
