package quota

import (
	"strings"

	"github.com/berthsim/berth/cluster"
)

// allDevices is what a claim for all devices of a class counts as: as many as a claim can be
// given at most.
const allDevices = 32

// Usage returns what an object takes of quotas that count it, by quota name and sorted by it.
// CPU is in thousandths, everything else in ones.
func Usage(o *Object) []cluster.NamedAmount {
	var u amounts
	switch o.Resource {
	case Pods:
		u = podUsage(o.Pod)
	case Services:
		u = serviceUsage(o.Service)
	case Claims:
		u = claimUsage(o.Claim)
	case ResourceClaims:
		u = deviceUsage(o)
	default:
		u.set(countPrefix+o.Resource, 1)
		if tracks(o, o.Resource) {
			u.set(o.Resource, 1)
		}
	}
	return u
}

// podUsage is that of PodUsageFunc (pkg/quota/v1/evaluator/core). A pod that has ended, or
// should have long ago, is an object still, and nothing else.
func podUsage(p *Pod) amounts {
	u := amounts{{Name: "count/pods", Amount: 1}}
	if p.Ended || p.Overdue {
		return u
	}
	u.set(Pods, 1)
	for _, r := range Requests(p.Account) {
		switch {
		case computed(r.Name) || strings.HasPrefix(r.Name, hugePages):
			u.set(r.Name, r.Amount)
			u.set(requestsPrefix+r.Name, r.Amount)
		case extended(r.Name):
			u.set(requestsPrefix+r.Name, r.Amount)
		}
	}
	for _, l := range Limits(p.Account) {
		if computed(l.Name) {
			u.set(limitsPrefix+l.Name, l.Amount)
		}
	}
	return u
}

// computed reports whether a resource counts under three names.
func computed(name string) bool {
	return name == "cpu" || name == "memory" || name == "ephemeral-storage"
}

func serviceUsage(svc *Service) amounts {
	u := amounts{{Name: "count/services", Amount: 1}, {Name: "services", Amount: 1}, {Name: "services.loadbalancers"}, {Name: "services.nodeports"}}
	switch svc.Type {
	case "NodePort":
		u.set("services.nodeports", int64(svc.Ports))
	case "LoadBalancer":
		u.set("services.loadbalancers", 1)
		u.set("services.nodeports", int64(svc.Ports))
		if svc.NoNodePorts {
			u.set("services.nodeports", int64(svc.NodePorts))
		}
	}
	return u
}

func claimUsage(c *Claim) amounts {
	u := amounts{{Name: "count/persistentvolumeclaims", Amount: 1}, {Name: Claims, Amount: 1}}
	if c.StorageClass != "" {
		u.set(c.StorageClass+byStorageClass+Claims, 1)
	}
	if c.Requested < 0 {
		return u
	}
	storage := max(c.Requested, c.Allocated)
	u.set("requests.storage", storage)
	if c.StorageClass != "" {
		u.set(c.StorageClass+byStorageClass+"requests.storage", storage)
	}
	return u
}

// deviceUsage counts for each class as many devices as a claim may be given of it, whichever
// alternative it comes to.
func deviceUsage(o *Object) amounts {
	var u, paid amounts
	u.set(countPrefix+ResourceClaims, 1)
	if o.Pod != nil {
		paid = podUsage(o.Pod)
	}
	var extra amounts
	for _, d := range o.Devices {
		var most amounts
		for _, a := range d.Alternatives {
			most.raiseAll(amounts{{Name: a.Class + byDeviceClass, Amount: a.devices()}})
		}
		u.addAll(most)
	}
	for _, d := range o.Devices {
		for _, a := range d.Alternatives {
			total, _ := find(u, a.Class+byDeviceClass)
			extra.set(requestsPrefix+deviceClass+a.Class, total)
			if a.Extended != "" {
				extra.set(requestsPrefix+a.Extended, total)
			}
		}
	}
	for _, x := range extra {
		already, _ := find(paid, x.Name)
		if left := plus(x.Amount, -already); left > 0 {
			u.set(x.Name, left)
		}
	}
	return u
}

func (a *DeviceAlternative) devices() int64 {
	if a.All {
		return allDevices
	}
	return a.Count
}
