package pressure

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/apis/core/v1/helper/qos"
	"k8s.io/kubernetes/pkg/apis/scheduling"
	kubeletqos "k8s.io/kubernetes/pkg/kubelet/qos"
	kubelettypes "k8s.io/kubernetes/pkg/kubelet/types"

	"github.com/berthsim/berth/eviction"
)

// compareOOM compares the oom_score_adj of all containers of n drawn pods.
func compareOOM(d drawer, n int, seen *features) (made int, wrong []string) {
	for range n {
		p, capacity := d.oomPod(1), pick[int64](d, 1<<30, 4<<30+1, 7_777_777_777)
		if d.chance(0.4) { // so little that a byte is a point
			p, capacity = d.oomPod(1<<20), pick[int64](d, 1000, 4001, 7777)
		}
		ours := oomPod(p)
		for i := range ours.Containers {
			c := containerOf(p, i)
			theirs := kubeletqos.GetContainerOOMScoreAdjust(p, c, capacity)
			adj := eviction.OOMScoreAdj(ours, i, capacity)
			made++
			if theirs != adj {
				wrong = append(wrong, fmt.Sprintf("container %d of %+v on %d: upstream %d, berth %d", i, *ours, capacity, theirs, adj))
			}
			seen.scored(ours, i, theirs)
		}
	}
	return made, wrong
}

var expectedOOM = []string{
	"oom: node-critical", "oom: Guaranteed", "oom: BestEffort", "oom: Burstable", "oom: Burstable, at its least",
	"oom: Burstable, at its most", "oom: a sidecar", "oom: the pod's request",
}

// scored counts what kind of container a score was for.
func (f *features) scored(p *eviction.OOMPod, i, adj int) {
	switch {
	case p.NodeCritical:
		f.count("oom: node-critical")
		return
	case p.QoS == eviction.Guaranteed:
		f.count("oom: Guaranteed")
		return
	case p.QoS == eviction.BestEffort:
		f.count("oom: BestEffort")
		return
	case adj == 3:
		f.count("oom: Burstable, at its least")
	case adj == 999:
		f.count("oom: Burstable, at its most")
	default:
		f.count("oom: Burstable")
	}
	if p.Containers[i].Sidecar {
		f.count("oom: a sidecar")
	}
	if p.MemoryRequest > 0 {
		f.count("oom: the pod's request")
	}
}

// containerOf returns the i-th container of a pod, init containers first.
func containerOf(p *v1.Pod, i int) *v1.Container {
	if n := len(p.Spec.InitContainers); i >= n {
		return &p.Spec.Containers[i-n]
	}
	return &p.Spec.InitContainers[i]
}

// oomPod tells Berth of a pod.
func oomPod(p *v1.Pod) *eviction.OOMPod {
	q := &eviction.OOMPod{
		NodeCritical: kubelettypes.IsCriticalPod(p) && p.Spec.PriorityClassName == scheduling.SystemNodeCritical,
		QoS:          qosOf(qos.GetPodQOS(p)),
	}
	if p.Spec.Resources != nil {
		q.MemoryRequest = p.Spec.Resources.Requests.Memory().Value()
	}
	for i := range len(p.Spec.InitContainers) + len(p.Spec.Containers) {
		c := containerOf(p, i)
		q.Containers = append(q.Containers, eviction.OOMContainer{
			MemoryRequest: c.Resources.Requests.Memory().Value(),
			Init:          i < len(p.Spec.InitContainers),
			Sidecar:       c.RestartPolicy != nil,
		})
	}
	return q
}

func qosOf(class v1.PodQOSClass) eviction.QoS {
	return map[v1.PodQOSClass]eviction.QoS{
		v1.PodQOSBestEffort: eviction.BestEffort, v1.PodQOSBurstable: eviction.Burstable, v1.PodQOSGuaranteed: eviction.Guaranteed,
	}[class]
}

// oomPod draws a pod with containers of all kinds, which ask for amounts divided by by.
func (d drawer) oomPod(by int64) *v1.Pod {
	p := &v1.Pod{}
	container := func(name string) v1.Container {
		c := v1.Container{Name: name, Resources: v1.ResourceRequirements{Requests: v1.ResourceList{}}}
		if d.chance(0.8) {
			c.Resources.Requests[v1.ResourceMemory] = bytes(pick[int64](d, 0, by, 1<<20, 1<<29, 123_456_789, 5<<30) / by)
		}
		return c
	}
	for i := range d.IntN(4) {
		c := container(fmt.Sprint("init", i))
		if d.chance(0.5) {
			c.RestartPolicy = new(v1.ContainerRestartPolicyAlways)
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
	for i := range 1 + d.IntN(3) {
		p.Spec.Containers = append(p.Spec.Containers, container(fmt.Sprint("c", i)))
	}
	p.Spec.PriorityClassName = pick(d, "", "", "", scheduling.SystemNodeCritical, scheduling.SystemClusterCritical)
	p.Spec.Priority = new(pick[int32](d, 0, 2_000_000_000, 2_000_001_000))
	if d.chance(0.2) {
		p.Spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceMemory: bytes(pick[int64](d, 3<<30, 15<<30, 30<<30+11<<20) / by)}}
	}
	p.Status.QOSClass = pick(d, "", v1.PodQOSBurstable, v1.PodQOSBurstable, v1.PodQOSBurstable, v1.PodQOSGuaranteed, v1.PodQOSBestEffort)
	return p
}
