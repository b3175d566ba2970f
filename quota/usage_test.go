package quota

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// list reads amounts as "cpu=100 memory=5".
func list(t testing.TB, text string) []cluster.NamedAmount {
	t.Helper()
	out := amounts{}
	for _, field := range strings.Fields(text) {
		name, number, _ := strings.Cut(field, "=")
		var amount int64
		if _, err := fmt.Sscan(number, &amount); err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		out.set(name, amount)
	}
	return out
}

// show writes amounts as list reads them.
func show(of []cluster.NamedAmount) string {
	var fields []string
	for _, x := range of {
		fields = append(fields, fmt.Sprintf("%s=%d", x.Name, x.Amount))
	}
	return strings.Join(fields, " ")
}

// asks is a container that asks for something.
func asks(t testing.TB, requests string) cluster.Container {
	return cluster.Container{Name: "c", Requests: list(t, requests)}
}

func TestRequestsAndLimits(t *testing.T) {
	sidecar := func(c cluster.Container) cluster.Container { c.Restarts = true; return c }
	resized := func(asked, given string) cluster.Container {
		return cluster.Container{Requests: list(t, asked), GivenRequests: list(t, given), Limits: list(t, asked), GivenLimits: list(t, given)}
	}
	type containers = []cluster.Container
	tests := []struct {
		why              string
		account          cluster.Account
		requests, limits string
	}{
		{"nothing at all", cluster.Account{Containers: containers{{}}}, "", ""},
		{"containers add up, and 0 is there", cluster.Account{Containers: containers{asks(t, "cpu=100 x.io/y=0"), asks(t, "cpu=50 memory=7")}}, "cpu=150 memory=7 x.io/y=0", ""},
		{"an init container that needs more", cluster.Account{Containers: containers{asks(t, "cpu=100")}, InitContainers: containers{asks(t, "cpu=300"), asks(t, "cpu=200")}}, "cpu=300", ""},
		{"a sidecar goes on, beside containers and later init containers", cluster.Account{
			Containers:     containers{asks(t, "cpu=100")},
			InitContainers: containers{asks(t, "cpu=40"), sidecar(asks(t, "cpu=30")), asks(t, "cpu=110")},
		}, "cpu=140", ""},
		{"a sidecar counts with the containers", cluster.Account{Containers: containers{asks(t, "cpu=100")}, InitContainers: containers{sidecar(asks(t, "cpu=30 memory=1"))}}, "cpu=130 memory=1", ""},
		{"the whole takes the place of the sum, for what may be asked for so", cluster.Account{
			Containers: containers{asks(t, "cpu=100 ephemeral-storage=5")},
			Whole:      &cluster.Container{Requests: list(t, "cpu=60 ephemeral-storage=9 hugepages-2Mi=4"), Limits: list(t, "memory=8")},
		}, "cpu=60 ephemeral-storage=5 hugepages-2Mi=4", "memory=8"},
		{"overhead is on top, of limits that aren't 0", cluster.Account{
			Containers: containers{{Requests: list(t, "cpu=1"), Limits: list(t, "cpu=2 memory=0")}}, Overhead: list(t, "cpu=10 memory=20"),
		}, "cpu=11 memory=20", "cpu=12 memory=0"},
		{"what it has been given counts if it is more", cluster.Account{Containers: containers{resized("cpu=100 memory=5", "cpu=300")}}, "cpu=300 memory=5", "cpu=300 memory=5"},
		{"or alone, if it won't be given the rest", cluster.Account{Containers: containers{resized("cpu=500 memory=5", "cpu=300")}, ResizeInfeasible: true}, "cpu=300", "cpu=300"},
		{"but not of init containers that end", cluster.Account{InitContainers: containers{resized("cpu=100", "cpu=300")}}, "cpu=100", "cpu=100"},
		{"of sidecars it does", cluster.Account{InitContainers: containers{sidecar(resized("cpu=100", "cpu=300"))}}, "cpu=300", "cpu=300"},
		{"too much for a number", cluster.Account{Containers: containers{asks(t, fmt.Sprint("memory=", math.MaxInt64-1)), asks(t, "memory=9")}}, fmt.Sprint("memory=", math.MaxInt64), ""},
	}
	for _, tt := range tests {
		if got := show(Requests(&tt.account)); got != tt.requests {
			t.Errorf("%s: requests are %q, want %q", tt.why, got, tt.requests)
		}
		if got := show(Limits(&tt.account)); got != tt.limits {
			t.Errorf("%s: limits are %q, want %q", tt.why, got, tt.limits)
		}
	}
}

func TestUsage(t *testing.T) {
	pod := func(c cluster.Container) *Pod {
		return &Pod{Account: &cluster.Account{Containers: []cluster.Container{c}}}
	}
	exactly := func(class string, n int64) DeviceDemand {
		return DeviceDemand{Alternatives: []DeviceAlternative{{Class: class, Count: n}}}
	}
	ended := pod(asks(t, "cpu=100"))
	ended.Ended = true
	overdue := pod(asks(t, "cpu=100"))
	overdue.Overdue = true
	tests := []struct {
		why    string
		object Object
		want   string
	}{
		{"a pod", Object{Resource: Pods, Pod: pod(cluster.Container{
			Requests: list(t, "cpu=100 memory=5 hugepages-2Mi=4 nvidia.com/gpu=2 kubernetes.io/x=1 deviceclass.resource.kubernetes.io/c=1"), Limits: list(t, "cpu=200 nvidia.com/gpu=2 ephemeral-storage=3"),
		})}, "count/pods=1 cpu=100 hugepages-2Mi=4 limits.cpu=200 limits.ephemeral-storage=3 memory=5 pods=1 requests.cpu=100 " +
			"requests.deviceclass.resource.kubernetes.io/c=1 requests.hugepages-2Mi=4 requests.memory=5 requests.nvidia.com/gpu=2"},
		{"a pod that has ended", Object{Resource: Pods, Pod: ended}, "count/pods=1"},
		{"a pod that should have", Object{Resource: Pods, Pod: overdue}, "count/pods=1"},
		{"a service", Object{Resource: Services, Service: &Service{Type: "ClusterIP", Ports: 2}}, "count/services=1 services=1 services.loadbalancers=0 services.nodeports=0"},
		{"ports of nodes", Object{Resource: Services, Service: &Service{Type: "NodePort", Ports: 2}}, "count/services=1 services=1 services.loadbalancers=0 services.nodeports=2"},
		{"a load balancer", Object{Resource: Services, Service: &Service{Type: "LoadBalancer", Ports: 3, NodePorts: 1}}, "count/services=1 services=1 services.loadbalancers=1 services.nodeports=3"},
		{"a load balancer that needs no ports of nodes", Object{Resource: Services, Service: &Service{Type: "LoadBalancer", Ports: 3, NodePorts: 1, NoNodePorts: true}}, "count/services=1 services=1 services.loadbalancers=1 services.nodeports=1"},
		{"a claim", Object{Resource: Claims, Claim: &Claim{Requested: 5, Allocated: -1}}, "count/persistentvolumeclaims=1 persistentvolumeclaims=1 requests.storage=5"},
		{"a claim that is being shrunk back", Object{Resource: Claims, Claim: &Claim{StorageClass: "gold", Requested: 5, Allocated: 8}},
			"count/persistentvolumeclaims=1 gold.storageclass.storage.k8s.io/persistentvolumeclaims=1 gold.storageclass.storage.k8s.io/requests.storage=8 persistentvolumeclaims=1 requests.storage=8"},
		{"a claim for nothing", Object{Resource: Claims, Claim: &Claim{Requested: -1, Allocated: 8}}, "count/persistentvolumeclaims=1 persistentvolumeclaims=1"},
		{"devices", Object{Resource: ResourceClaims, Devices: []DeviceDemand{exactly("a", 2), exactly("a", 1), {Alternatives: []DeviceAlternative{{Class: "a", Count: 1}, {Class: "b", All: true}, {Class: "a", Count: 3}}}}},
			"a.deviceclass.resource.k8s.io/devices=6 b.deviceclass.resource.k8s.io/devices=32 count/resourceclaims.resource.k8s.io=1 " +
				"requests.deviceclass.resource.kubernetes.io/a=6 requests.deviceclass.resource.kubernetes.io/b=32"},
		{"devices as extended resources, of which the pod pays some", Object{Resource: ResourceClaims, Pod: pod(asks(t, "x.io/gpu=1")),
			Devices: []DeviceDemand{{Alternatives: []DeviceAlternative{{Class: "a", Count: 3, Extended: "x.io/gpu"}}}}},
			"a.deviceclass.resource.k8s.io/devices=3 count/resourceclaims.resource.k8s.io=1 requests.deviceclass.resource.kubernetes.io/a=3 requests.x.io/gpu=2"},
		{"a secret", Object{Resource: "secrets"}, "count/secrets=1 secrets=1"},
		{"anything", Object{Resource: "deployments.apps"}, "count/deployments.apps=1"},
	}
	for _, tt := range tests {
		got := Usage(&tt.object)
		if show(got) != tt.want {
			t.Errorf("%s takes %s, want %s", tt.why, show(got), tt.want)
		}
		for _, x := range got {
			if !tracks(&tt.object, x.Name) {
				t.Errorf("%s takes %s, which quotas don't track of it", tt.why, x.Name)
			}
			if !tracksAny(x.Name) {
				t.Errorf("%s takes %s, which quotas track of nothing", tt.why, x.Name)
			}
		}
	}
}

func TestAccountOf(t *testing.T) {
	class := &cluster.Class{
		Requests: cluster.Amounts{1500, 1 << 30, 0}, GPUs: cluster.GPURequest{Count: 1, Shares: 250},
		Extended: []cluster.NamedAmount{{Name: "x.io/y", Amount: 3}},
	}
	got := show(Usage(&Object{Resource: Pods, Pod: &Pod{Account: AccountOf(class)}}))
	want := "count/pods=1 cpu=1500 memory=1073741824 pods=1 requests.cpu=1500 requests.memory=1073741824 requests.nvidia.com/gpu=1 requests.x.io/y=3"
	if got != want {
		t.Errorf("takes %s, want %s", got, want)
	}
}

func TestQOS(t *testing.T) {
	both := func(requests, limits string) cluster.Container {
		return cluster.Container{Requests: list(t, requests), Limits: list(t, limits)}
	}
	type containers = []cluster.Container
	tests := []struct {
		why     string
		account cluster.Account
		want    QOSClass
	}{
		{"asks for nothing", cluster.Account{Containers: containers{both("cpu=0 x.io/y=1", "")}}, BestEffort},
		{"equal", cluster.Account{Containers: containers{both("cpu=1 memory=2", "cpu=1 memory=2")}}, Guaranteed},
		{"equal in sum is enough", cluster.Account{Containers: containers{both("cpu=1 memory=2", "cpu=2 memory=2"), both("cpu=2 memory=2", "cpu=1 memory=2")}}, Guaranteed},
		{"no limit of memory", cluster.Account{Containers: containers{both("cpu=1", "cpu=1")}}, Burstable},
		{"one container without", cluster.Account{Containers: containers{both("cpu=1 memory=2", "cpu=1 memory=2"), {}}}, Burstable},
		{"an init container without", cluster.Account{Containers: containers{both("cpu=1 memory=2", "cpu=1 memory=2")}, InitContainers: containers{{}}}, Burstable},
		{"limits are higher", cluster.Account{Containers: containers{both("cpu=1 memory=2", "cpu=1 memory=3")}}, Burstable},
		{"as a whole", cluster.Account{Containers: containers{{}}, Whole: &cluster.Container{Requests: list(t, "cpu=1 memory=2"), Limits: list(t, "cpu=1 memory=2")}}, Guaranteed},
		{"as a whole, without limits", cluster.Account{Whole: &cluster.Container{Requests: list(t, "cpu=1 memory=2")}}, Burstable},
		{"as a whole, one limit", cluster.Account{Whole: &cluster.Container{Requests: list(t, "cpu=1"), Limits: list(t, "cpu=1")}}, Burstable},
		{"as a whole, nothing", cluster.Account{Containers: containers{both("cpu=1", "")}, Whole: &cluster.Container{}}, BestEffort},
	}
	for _, tt := range tests {
		if got := QOS(&tt.account); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}
