package manifest

import (
	"github.com/berthsim/berth/quota"
	resourcev1 "k8s.io/api/resource/v1"
)

// deviceDemands converts what quotas count of a ResourceClaim, but for the extended resources
// that classes stand for, which the classes say. An error is a *FieldError.
func deviceDemands(c *resourcev1.ResourceClaim) (to []quota.DeviceDemand, err error) {
	for i := range c.Spec.Devices.Requests {
		request := &c.Spec.Devices.Requests[i]
		var demand quota.DeviceDemand
		add := func(class string, mode resourcev1.DeviceAllocationMode, count int64, path ...any) error {
			a := quota.DeviceAlternative{Class: class, Count: count}
			switch mode {
			case "", resourcev1.DeviceAllocationModeExactCount:
				if count == 0 {
					a.Count = 1
				}
			case resourcev1.DeviceAllocationModeAll:
				a.All = true
			default:
				path = append([]any{"spec", "devices", "requests", i}, path...)
				return in(wrongValue(string(mode), "ExactCount", "All"), append(path, "allocationMode")...)
			}
			demand.Alternatives = append(demand.Alternatives, a)
			return nil
		}
		if one := request.Exactly; one != nil {
			err = add(one.DeviceClassName, one.AllocationMode, one.Count, "exactly")
		}
		for j := range request.FirstAvailable {
			if err == nil {
				sub := &request.FirstAvailable[j]
				err = add(sub.DeviceClassName, sub.AllocationMode, sub.Count, "firstAvailable", j)
			}
		}
		if err != nil {
			return nil, err
		}
		to = append(to, demand)
	}
	return to, nil
}
