package quota

import (
	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// heavy is the overhead of a runtime class.
func heavy() v1.ResourceList {
	return v1.ResourceList{"cpu": resource.MustParse("250m"), "memory": resource.MustParse("64Mi")}
}

// classes makes the classes of pods and devices that a story has.
func (d *drawer) classes() {
	never := v1.PreemptNever
	for _, c := range []schedulingv1.PriorityClass{
		{ObjectMeta: metav1.ObjectMeta{Name: "low"}, Value: 10},
		{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 1000, PreemptionPolicy: &never},
	} {
		d.add(Step{Verb: set, PriorityClass: &c})
	}
	for i, name := range []string{"default-1", "default-2"} {
		if d.one(3) { // of two with one value, upstream takes any
			c := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: int32(2*d.IntN(10) + i), GlobalDefault: true}
			if d.one(2) {
				c.PreemptionPolicy = &never
			}
			d.add(Step{Verb: set, PriorityClass: c})
		}
	}
	selector := map[string]string{"kind": "sandbox"}
	toleration := []v1.Toleration{{Key: "kind", Operator: v1.TolerationOpEqual, Value: "sandbox", Effect: v1.TaintEffectNoSchedule}}
	for _, c := range []nodev1.RuntimeClass{
		{ObjectMeta: metav1.ObjectMeta{Name: "plain"}, Handler: "h"},
		{ObjectMeta: metav1.ObjectMeta{Name: "heavy"}, Handler: "h", Overhead: &nodev1.Overhead{PodFixed: heavy()}},
		{ObjectMeta: metav1.ObjectMeta{Name: "picky"}, Handler: "h", Scheduling: &nodev1.Scheduling{NodeSelector: selector, Tolerations: toleration}},
	} {
		d.add(Step{Verb: set, RuntimeClass: &c})
	}
	d.add(Step{Verb: set, DeviceClass: &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: "gpu"}, Spec: resourcev1.DeviceClassSpec{ExtendedResourceName: new("example.com/gpu")}}})
	d.add(Step{Verb: set, DeviceClass: &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: "nic"}}})
}

func (d *drawer) claim() *v1.PersistentVolumeClaim {
	c := &v1.PersistentVolumeClaim{ObjectMeta: d.meta("c", 4)}
	c.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce}
	c.Spec.Resources.Requests = v1.ResourceList{"storage": d.amount("storage", 5)}
	if d.one(10) {
		c.Spec.Resources.Requests = nil
	}
	c.Spec.StorageClassName = pick(d, nil, new(""), new("fast"), new("fast"), new("slow"), new("slow"))
	attributes := []*string{nil, nil, new(""), new("gold"), new("silver")}
	c.Spec.VolumeAttributesClassName = pick(d, attributes...)
	c.Status.CurrentVolumeAttributesClassName = pick(d, attributes...)
	if d.one(3) {
		c.Status.ModifyVolumeStatus = &v1.ModifyVolumeStatus{TargetVolumeAttributesClassName: pick(d, "gold", "silver", ""), Status: v1.PersistentVolumeClaimModifyVolumePending}
	}
	if d.one(2) {
		c.Status.AllocatedResources = v1.ResourceList{"storage": d.amount("storage", 7)}
	}
	return c
}

func (d *drawer) service() *v1.Service {
	s := &v1.Service{ObjectMeta: d.meta("s", 4)}
	s.Spec.Type = pick(d, v1.ServiceTypeClusterIP, v1.ServiceTypeNodePort, v1.ServiceTypeLoadBalancer, v1.ServiceTypeLoadBalancer, v1.ServiceTypeExternalName)
	for i := range 1 + d.IntN(3) {
		s.Spec.Ports = append(s.Spec.Ports, v1.ServicePort{Name: d.name("port", 1), Port: int32(80 + i), NodePort: int32(d.IntN(2) * (30000 + i))})
	}
	if s.Spec.Type == v1.ServiceTypeLoadBalancer {
		s.Spec.AllocateLoadBalancerNodePorts = pick(d, nil, new(true), new(false))
	}
	return s
}

// devices makes a resource claim.
func (d *drawer) devices() *resourcev1.ResourceClaim {
	c := &resourcev1.ResourceClaim{ObjectMeta: d.meta("d", 4)}
	class := func() (string, resourcev1.DeviceAllocationMode, int64) {
		if d.one(5) {
			return pick(d, "gpu", "nic"), resourcev1.DeviceAllocationModeAll, 0
		}
		return pick(d, "gpu", "nic"), resourcev1.DeviceAllocationModeExactCount, int64(1 + d.IntN(3))
	}
	for range 1 + d.IntN(2) {
		r := resourcev1.DeviceRequest{Name: d.name("r", 2)}
		if d.one(2) {
			r.Exactly = &resourcev1.ExactDeviceRequest{}
			r.Exactly.DeviceClassName, r.Exactly.AllocationMode, r.Exactly.Count = class()
		} else {
			for range 1 + d.IntN(3) {
				sub := resourcev1.DeviceSubRequest{Name: d.name("x", 2)}
				sub.DeviceClassName, sub.AllocationMode, sub.Count = class()
				r.FirstAvailable = append(r.FirstAvailable, sub)
			}
		}
		c.Spec.Devices.Requests = append(c.Spec.Devices.Requests, r)
	}
	return c
}

func (d *drawer) limitRange() *v1.LimitRange {
	r := &v1.LimitRange{ObjectMeta: d.meta("l", 2)}
	for range 1 + d.IntN(2) {
		item := v1.LimitRangeItem{Type: pick(d, v1.LimitTypeContainer, v1.LimitTypeContainer, v1.LimitTypePod, v1.LimitTypePod, v1.LimitTypePersistentVolumeClaim)}
		if d.about == storage && d.one(2) {
			item.Type = v1.LimitTypePersistentVolumeClaim
		}
		names := []string{"cpu", "memory", "ephemeral-storage"}[:1+d.IntN(3)]
		if item.Type == v1.LimitTypePersistentVolumeClaim {
			names = []string{"storage"}
		}
		item.Min, item.Max = d.limits(names, 3, 2), d.limits(names, 3, 9)
		if item.Type == v1.LimitTypePersistentVolumeClaim {
			item.Min, item.Max = d.limits(names, 2, 3), d.limits(names, 2, 4)
		}
		if item.Type == v1.LimitTypeContainer {
			item.Default, item.DefaultRequest = d.limits(names, 2, 5), d.limits(names, 2, 3)
		}
		if item.Type != v1.LimitTypePersistentVolumeClaim && d.one(3) {
			item.MaxLimitRequestRatio = v1.ResourceList{v1.ResourceName(names[0]): *resource.NewMilliQuantity(int64(1000+500*d.IntN(4)), resource.DecimalSI)}
		}
		r.Spec.Limits = append(r.Spec.Limits, item)
	}
	return r
}

// limits makes a list of some of the names.
func (d *drawer) limits(names []string, n, most int) v1.ResourceList {
	var list v1.ResourceList
	for _, name := range names {
		if d.one(n) {
			if list == nil {
				list = v1.ResourceList{}
			}
			list[v1.ResourceName(name)] = d.amount(name, most)
		}
	}
	return list
}
