package manifest

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// cpuMemory returns amounts of CPU and memory, of none that is below 0.
func cpuMemory(cpu, memory int64) (out []cluster.NamedAmount) {
	if cpu >= 0 {
		out = append(out, cluster.NamedAmount{Name: "cpu", Amount: cpu})
	}
	if memory >= 0 {
		out = append(out, cluster.NamedAmount{Name: "memory", Amount: memory})
	}
	return out
}

func TestAccount(t *testing.T) {
	one := cluster.Container{Name: "c", Requests: cpuMemory(1000, 1<<30)}
	for _, tt := range []struct {
		name, spec, more string
		want             cluster.Account
	}{
		{"plain", "", "", cluster.Account{Containers: []cluster.Container{one}}},
		{"limits", "containers: [{name: c, image: i, resources: {limits: {memory: 1Gi, cpu: 1}}}]", "",
			cluster.Account{Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(1000, 1<<30), Limits: cpuMemory(1000, 1<<30)}}}},
		{"zeros, fractions and what isn't counted", "containers: [{name: c, image: i, resources: {requests: {cpu: 0, memory: 100m, x: 2}}}]", "",
			cluster.Account{Containers: []cluster.Container{{Name: "c", Requests: append(cpuMemory(0, 1), cluster.NamedAmount{Name: "x", Amount: 2})}}}},
		{"init containers", "initContainers: [{name: i, image: i}, {name: s, image: i, restartPolicy: Always}]\ncontainers: [{name: c, image: i}]", "",
			cluster.Account{InitContainers: []cluster.Container{{Name: "i"}, {Name: "s", Restarts: true}}, Containers: []cluster.Container{{Name: "c"}}}},
		{"the rest", "activeDeadlineSeconds: 0\npriorityClassName: high\npriority: 5\noverhead: {cpu: 250m}\nterminationGracePeriodSeconds: 7\nresources: {}", "",
			cluster.Account{Containers: []cluster.Container{one}, Deadline: true, PriorityClass: "high", Overhead: cpuMemory(250, -1), Grace: 7 * cluster.Second, Whole: &cluster.Container{}}},
		{"no deadline", "activeDeadlineSeconds: -1", "", cluster.Account{Containers: []cluster.Container{one}}},
		{"whole", "resources: {requests: {cpu: 2}, limits: {cpu: 3}}", "",
			cluster.Account{Containers: []cluster.Container{one}, Whole: &cluster.Container{Requests: cpuMemory(2000, 1<<30), Limits: cpuMemory(3000, -1)}}},
		{"given", "nodeName: n1", "status: {containerStatuses: [{name: c, allocatedResources: {cpu: 2, memory: 1Ki}, resources: {requests: {cpu: 1500m, memory: 2Ki}, limits: {cpu: 3}}}]}",
			cluster.Account{Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(1000, 1<<30), GivenRequests: cpuMemory(2000, 2048), GivenLimits: cpuMemory(3000, -1)}}}},
		{"given nothing", "nodeName: n1", "status: {containerStatuses: [{name: c, resources: {}}]}",
			cluster.Account{Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(1000, 1<<30), GivenRequests: cpuMemory(-1, -1), GivenLimits: cpuMemory(-1, -1)}}}},
		{"promised alone", "nodeName: n1", "status: {containerStatuses: [{name: c, allocatedResources: {cpu: 2}}]}", cluster.Account{Containers: []cluster.Container{one}}},
		{"without a node", "", "status: {containerStatuses: [{name: c, resources: {requests: {cpu: 9}}}], conditions: [{type: PodResizePending, status: 'True', reason: Infeasible}]}",
			cluster.Account{Containers: []cluster.Container{one}}},
		{"infeasible", "nodeName: n1", "status: {conditions: [{type: PodResizePending, status: 'True', reason: Infeasible}]}",
			cluster.Account{Containers: []cluster.Container{one}, ResizeInfeasible: true}},
		{"namespaces", "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z, namespaces: [x]}]}}", "",
			cluster.Account{Containers: []cluster.Container{one}, OtherNamespaces: true}},
		{"all namespaces", "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: z, namespaceSelector: {}}}]}}", "",
			cluster.Account{Containers: []cluster.Container{one}, OtherNamespaces: true}},
		{"its own namespace", "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: z}}]}, podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: z}]}}", "",
			cluster.Account{Containers: []cluster.Container{one}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readOne(t, podText(tt.spec, tt.more)).Pods[0].Account
			for i := range tt.want.Containers {
				if c := &tt.want.Containers[i]; strings.HasPrefix(tt.name, "given") {
					c.GivenRequests, c.GivenLimits = notNil(c.GivenRequests), notNil(c.GivenLimits)
				}
			}
			if !reflect.DeepEqual(got, &tt.want) {
				t.Errorf("got  %s\nwant %s", asJSON(got), asJSON(tt.want))
			}
		})
	}
}

func TestAccountErrors(t *testing.T) {
	for _, tt := range []struct{ spec, more, want string }{
		{"containers: [{name: c, image: i, resources: {limits: {cpu: -1}, requests: {cpu: 0}}}]", "", "spec.containers[0].resources.limits.cpu is negative"},
		{"initContainers: [{name: i, image: i, resources: {limits: {memory: 10E}, requests: {memory: 0}}}]", "", "spec.initContainers[0].resources.limits.memory is too large"},
		{"resources: {limits: {cpu: -1}, requests: {cpu: 0}}", "", "spec.resources.limits.cpu is negative"},
		{"terminationGracePeriodSeconds: -1", "", "spec.terminationGracePeriodSeconds is no number of seconds"},
		{"terminationGracePeriodSeconds: 9223372037", "", "spec.terminationGracePeriodSeconds is no number of seconds"},
		{"nodeName: n1", "status: {containerStatuses: [{name: c, resources: {limits: {cpu: -1}}}]}", "status.containerStatuses[0].resources.limits.cpu is negative"},
		{"nodeName: n1\ninitContainers: [{name: i, image: i}]", "status: {initContainerStatuses: [{name: i, resources: {limits: {cpu: -1}}}]}", "status.initContainerStatuses[0].resources.limits.cpu is negative"},
	} {
		_, err := Read("x", []byte(podText(tt.spec, tt.more)))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Problem, tt.want) {
			t.Errorf("%s %s gives %v, want %s", tt.spec, tt.more, err, tt.want)
		}
	}
}

// TestAccountsAreShared converts pods that differ in what classes or accounts hold.
func TestAccountsAreShared(t *testing.T) {
	var conv Converter
	pod := func(limit string, priority int32) *cluster.PodSpec {
		p := &v1.Pod{}
		p.Spec.Containers = []v1.Container{{Name: "c"}}
		p.Spec.Priority = &priority
		if limit != "" {
			p.Spec.Containers[0].Resources.Limits = v1.ResourceList{v1.ResourceCPU: parse(limit)}
		}
		spec, err := conv.Pod(p)
		if err != nil {
			t.Fatal(err)
		}
		return spec
	}
	a, b, c, d := pod("1", 0), pod("2", 0), pod("1", 5), pod("1", 0)
	if a.Class != b.Class || a.Account == b.Account {
		t.Error("another limit must make another account, and no other class")
	}
	if a.Class == c.Class || a.Account != c.Account {
		t.Error("another priority must make another class, and no other account")
	}
	if a.Class != d.Class || a.Account != d.Account {
		t.Error("the same pod must share both")
	}
}
