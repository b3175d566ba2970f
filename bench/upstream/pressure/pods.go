package pressure

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	resourcehelper "k8s.io/component-helpers/resource"
	v1resource "k8s.io/kubernetes/pkg/api/v1/resource"
	kubelettypes "k8s.io/kubernetes/pkg/kubelet/types"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

const mi = 1 << 20

// pod draws the n-th pod. With limits, some of them are on local storage.
func (d drawer) pod(n int, limits bool) (*v1.Pod, shape) {
	name := fmt.Sprint("pod-", n)
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name)}}
	if d.chance(0.9) {
		p.Spec.Priority = new(pick[int32](d, 0, 0, 0, -5, 7, 1000, 1_999_999_999, 2_000_000_000, 2_000_001_000))
	}
	switch d.IntN(20) {
	case 0:
		p.Annotations = map[string]string{kubelettypes.ConfigSourceAnnotationKey: kubelettypes.FileSource}
	case 1:
		p.Annotations = map[string]string{kubelettypes.ConfigMirrorAnnotationKey: "x"}
	case 2:
		p.Annotations = map[string]string{kubelettypes.ConfigSourceAnnotationKey: kubelettypes.ApiserverSource}
	}
	p.Spec.TerminationGracePeriodSeconds = new(pick[int64](d, 0, 1, 5, 30, 60))
	var s shape
	for i := range 1 + d.IntN(3) {
		c := v1.Container{Name: fmt.Sprint("c", i), Resources: d.resources(limits)}
		p.Spec.Containers = append(p.Spec.Containers, c)
		s.containers = append(s.containers, c.Name)
	}
	if d.chance(0.2) {
		p.Spec.InitContainers = []v1.Container{{Name: "init", Resources: d.resources(limits)}}
		if d.chance(0.5) {
			p.Spec.InitContainers[0].RestartPolicy = new(v1.ContainerRestartPolicyAlways)
		}
	}
	if d.chance(0.15) {
		p.Spec.Overhead = v1.ResourceList{v1.ResourceMemory: bytes(7 * mi), v1.ResourceEphemeralStorage: bytes(3 * mi)}
	}
	if d.chance(0.1) {
		p.Spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceMemory: bytes(300 * mi)}}
	}
	for i := range d.IntN(4) {
		v, used := d.volume(fmt.Sprint("v", i), limits)
		p.Spec.Volumes = append(p.Spec.Volumes, v)
		s.volumes = append(s.volumes, used)
	}
	return p, s
}

func bytes(n int64) resource.Quantity { return *resource.NewQuantity(n, resource.BinarySI) }

// resources draws what a container asks for.
func (d drawer) resources(limits bool) (r v1.ResourceRequirements) {
	r.Requests = v1.ResourceList{}
	if d.chance(0.7) {
		r.Requests[v1.ResourceMemory] = bytes(pick[int64](d, 50, 100, 200) * mi)
	}
	if d.chance(0.5) {
		r.Requests[v1.ResourceEphemeralStorage] = bytes(pick[int64](d, 0, 10, 50, 100) * mi)
	}
	if d.chance(0.3) {
		r.Requests[v1.ResourceCPU] = resource.MustParse(pick(d, "100m", "1"))
	}
	if limits && d.chance(0.3) {
		r.Limits = v1.ResourceList{v1.ResourceEphemeralStorage: bytes(pick[int64](d, 0, 1, 100*mi, 150*mi, 300*mi))}
	}
	return r
}

// volume draws a volume of a kind that counts as local or not.
func (d drawer) volume(name string, limits bool) (v1.Volume, volume) {
	v, used := v1.Volume{Name: name}, volume{name: name}
	switch d.IntN(6) {
	case 0, 1:
		dir := &v1.EmptyDirVolumeSource{}
		used.local = true
		if d.chance(0.3) {
			dir.Medium, used.local = v1.StorageMediumMemory, false
		}
		if limits && d.chance(0.4) {
			used.limit = pick[int64](d, 0, 1, 60*mi, 100*mi)
			dir.SizeLimit = new(bytes(used.limit))
		}
		v.EmptyDir = dir
	case 2:
		v.HostPath, used.local = &v1.HostPathVolumeSource{Path: "/x"}, true
	case 3:
		v.ConfigMap, used.local = &v1.ConfigMapVolumeSource{}, true
	case 4:
		v.Secret = &v1.SecretVolumeSource{}
	case 5:
		v.PersistentVolumeClaim = &v1.PersistentVolumeClaimVolumeSource{ClaimName: "x"}
	}
	return v, used
}

// known returns what Berth is told of a pod before anything is measured.
func known(p *v1.Pod) eviction.Candidate {
	limit, limited := resourcehelper.PodLimits(p, resourcehelper.PodResourcesOptions{})[v1.ResourceEphemeralStorage]
	q := eviction.Candidate{
		Grace:          cluster.Time(*p.Spec.TerminationGracePeriodSeconds) * cluster.Second,
		Static:         kubelettypes.IsStaticPod(p) || kubelettypes.IsMirrorPod(p),
		MemoryRequest:  v1resource.GetResourceRequest(p, v1.ResourceMemory),
		StorageRequest: v1resource.GetResourceRequest(p, v1.ResourceEphemeralStorage),
		StorageLimit:   limit.Value(), StorageLimited: limited,
	}
	if p.Spec.Priority != nil {
		q.Priority = *p.Spec.Priority
	}
	return q
}
