package pressure

import (
	"context"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/record"
	v1resource "k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/kubelet/preemption"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// resources are those that can be lacking, with Berth's for them.
var resources = []struct {
	name v1.ResourceName
	ours cluster.Resource
	unit int64
}{
	{v1.ResourceCPU, cluster.CPU, 100}, {v1.ResourceMemory, cluster.Memory, 50 * mi},
	{v1.ResourceEphemeralStorage, cluster.EphemeralStorage, 10 * mi}, {v1.ResourcePods, cluster.PodSlots, 1},
}

// compareRoom compares which of drawn pods make room for another that lacks drawn amounts, n times.
func compareRoom(d drawer, n int, seen *features) (made int, wrong []string) {
	for range n {
		admit, pods, small := d.roomPod(0), []*v1.Pod(nil), d.chance(0.5)
		for i := range d.IntN(12) {
			pods = append(pods, d.roomPod(i+1))
			if small {
				d.shrink(pods[i])
			}
		}
		unit := func(n int64) int64 { // small amounts, so that a unit makes a difference
			if small {
				return 1
			}
			return n
		}
		var lack []eviction.Shortage
		var reasons []lifecycle.PredicateFailureReason
		for _, r := range resources {
			if d.chance(0.4) {
				amount := unit(r.unit) * int64(1+d.IntN(8))
				lack = append(lack, eviction.Shortage{Resource: r.ours, Amount: amount})
				reasons = append(reasons, &lifecycle.InsufficientResourceError{ResourceName: r.name, Requested: amount + 7, Used: 93, Capacity: 100})
			}
		}
		if len(reasons) == 0 {
			continue
		}
		theirs, admitted := upstreamRoom(admit, pods, reasons)
		tenants := []eviction.Tenant{}
		for _, p := range pods {
			tenants = append(tenants, tenant(p))
		}
		victims, ok := eviction.MakeRoom(new(tenant(admit)), tenants, lack)
		made += 2
		if ok != admitted || !slices.Equal(theirs, victims) {
			wrong = append(wrong, fmt.Sprintf("%+v for %+v among %+v: upstream %v %v, berth %v %v", lack, tenant(admit), tenants, admitted, theirs, ok, victims))
		}
		seen.roomMade(tenants, tenant(admit), theirs, admitted)
	}
	return made, wrong
}

var expectedRoom = []string{
	"room: not for a pod that isn't critical", "room: not enough", "room: one pod", "room: several pods",
	"room: of BestEffort pods", "room: of Burstable pods", "room: of Guaranteed pods", "room: of a critical pod",
}

// roomMade counts who made room.
func (f *features) roomMade(pods []eviction.Tenant, admit eviction.Tenant, victims []int, ok bool) {
	switch {
	case !ok && (admit.Static || admit.Priority >= eviction.SystemCritical):
		f.count("room: not enough")
	case !ok:
		f.count("room: not for a pod that isn't critical")
	case len(victims) == 1:
		f.count("room: one pod")
	default:
		f.count("room: several pods")
	}
	for _, i := range victims {
		f.count("room: of " + []string{"BestEffort", "Burstable", "Guaranteed"}[pods[i].QoS] + " pods")
		if pods[i].Static || pods[i].Priority >= eviction.SystemCritical {
			f.count("room: of a critical pod")
		}
	}
}

// upstreamRoom returns whom upstream kills, in its order, and whether the pod is let in.
func upstreamRoom(admit *v1.Pod, pods []*v1.Pod, reasons []lifecycle.PredicateFailureReason) (victims []int, ok bool) {
	kill := func(p *v1.Pod, _ bool, grace *int64, _ func(*v1.PodStatus)) error {
		if grace != nil {
			panic("upstream overrides the grace period")
		}
		victims = append(victims, slices.Index(pods, p))
		return nil
	}
	handler := preemption.NewCriticalPodAdmissionHandler(func() []*v1.Pod { return slices.Clone(pods) }, kill, &record.FakeRecorder{})
	left, err := handler.HandleAdmissionFailure(context.Background(), admit, reasons)
	return victims, err == nil && len(left) == 0
}

// roomPod draws a pod. All have a priority, as the API server sees to.
func (d drawer) roomPod(n int) *v1.Pod {
	p, _ := d.pod(n, false)
	p.Spec.Priority = new(pick[int32](d, 0, 0, 7, 1000, 2_000_000_000, 2_000_001_000))
	p.Status.QOSClass = pick(d, v1.PodQOSBestEffort, v1.PodQOSBurstable, v1.PodQOSBurstable, v1.PodQOSGuaranteed)
	return p
}

// shrink has a pod ask for a few units of everything.
func (d drawer) shrink(p *v1.Pod) {
	p.Spec.InitContainers, p.Spec.Overhead, p.Spec.Resources = nil, nil, nil
	for i := range p.Spec.Containers {
		p.Spec.Containers[i].Resources.Requests = v1.ResourceList{
			v1.ResourceCPU:              *resource.NewMilliQuantity(int64(d.IntN(5)), resource.DecimalSI),
			v1.ResourceMemory:           bytes(int64(d.IntN(5))),
			v1.ResourceEphemeralStorage: bytes(int64(d.IntN(5))),
		}
	}
}

func tenant(p *v1.Pod) eviction.Tenant {
	q := known(p)
	t := eviction.Tenant{Priority: q.Priority, Static: q.Static, QoS: qosOf(p.Status.QOSClass), Requests: make(cluster.Amounts, 4)}
	for _, r := range resources[:3] {
		t.Requests[r.ours] = v1resource.GetResourceRequest(p, r.name)
	}
	return t
}
