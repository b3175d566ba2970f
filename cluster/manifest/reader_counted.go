package manifest

import (
	"github.com/berthsim/berth/quota"
	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// forAdmission reads an object that only admission and quotas look at, if it is of a kind of
// which they look at more than that it is there.
func (r *reader) forAdmission(src *source, start int, h head) (end int, ok bool, err error) {
	switch h.apiVersion + " " + h.kind {
	case "v1 ResourceQuota":
		end, err = read(r, src, start, h, func(o *v1.ResourceQuota, _ place) error { return added(r, o, ResourceQuota) })
	case "v1 LimitRange":
		end, err = read(r, src, start, h, func(o *v1.LimitRange, _ place) error {
			limits, err := LimitRange(o)
			if err == nil {
				r.ranges = append(r.ranges, limits.Completed())
			}
			return err
		})
	case "scheduling.k8s.io/v1 PriorityClass":
		end, err = read(r, src, start, h, func(o *schedulingv1.PriorityClass, _ place) error {
			class, err := PriorityClass(o)
			r.priorities = append(r.priorities, class)
			return err
		})
	case "node.k8s.io/v1 RuntimeClass":
		end, err = read(r, src, start, h, func(o *nodev1.RuntimeClass, _ place) error {
			class, err := RuntimeClass(o)
			r.runtimes = append(r.runtimes, class)
			return err
		})
	case "v1 PersistentVolumeClaim":
		end, err = read(r, src, start, h, func(*v1.PersistentVolumeClaim, place) error { return nil })
	case "resource.k8s.io/v1 ResourceClaim":
		end, err = read(r, src, start, h, func(*resourcev1.ResourceClaim, place) error { return nil })
	case "resource.k8s.io/v1 DeviceClass":
		end, err = read(r, src, start, h, func(o *resourcev1.DeviceClass, _ place) error {
			if name := o.Spec.ExtendedResourceName; name != nil {
				r.extended[o.Name] = *name
			}
			return nil
		})
	default:
		return 0, false, nil
	}
	return end, true, err
}

// count adds an object to those that quotas count. Pods are State's, or are counted by pod.
func (r *reader) count(h head, o metav1.Object) error {
	to := quota.Object{Resource: resourceOf(h.apiVersion, h.kind, o.GetNamespace()), Namespace: o.GetNamespace(), Name: o.GetName()}
	if to.Resource == "" || to.Resource == quota.Pods {
		return nil
	}
	var err error
	switch o := o.(type) {
	case *v1.Service:
		to.Service = service(o)
	case *v1.PersistentVolumeClaim:
		to.Claim, err = claim(o)
	case *resourcev1.ResourceClaim:
		to.Devices, err = deviceDemands(o)
	}
	if err == nil {
		r.out.Counted = append(r.out.Counted, to)
	}
	return err
}

// skip counts an object of a kind of which nothing is read but what it is called.
func (r *reader) skip(src *source, start int, h head) (end int, err error) {
	namespace, name, end, err := identityOf(src.data, start)
	if err != nil {
		return 0, r.fail(src, start, h.kind, err)
	}
	r.skipped[kindName(h.apiVersion, h.kind)]++
	resource := resourceOf(h.apiVersion, h.kind, namespace)
	if resource == "" || name == "" {
		return end, nil
	}
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	object := quota.Object{Resource: resource, Namespace: namespace, Name: name}
	if what := kindName(h.apiVersion, h.kind) + " " + namespace + "/" + name; !r.counted[what] {
		r.counted[what] = true
		r.out.Counted = append(r.out.Counted, object)
	}
	return end, nil
}

// nameExtended says of devices for which extended resources their classes stand.
func (r *reader) nameExtended() {
	if len(r.extended) == 0 {
		return
	}
	for i := range r.out.Counted {
		for _, demand := range r.out.Counted[i].Devices {
			for j := range demand.Alternatives {
				a := &demand.Alternatives[j]
				a.Extended = r.extended[a.Class]
			}
		}
	}
}
