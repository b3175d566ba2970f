package quota

import (
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Resources whose objects count for more than their number.
const (
	Pods           = "pods"
	Services       = "services"
	Claims         = "persistentvolumeclaims"
	ResourceClaims = "resourceclaims.resource.k8s.io"
)

// Parts of quota names.
const (
	countPrefix    = "count/"
	requestsPrefix = "requests."
	limitsPrefix   = "limits."
	hugePages      = "hugepages-"
	byStorageClass = ".storageclass.storage.k8s.io/"
	byDeviceClass  = ".deviceclass.resource.k8s.io/devices"
	deviceClass    = "deviceclass.resource.kubernetes.io/" // before a device class: the extended resource that every class is
)

// podNames are what quotas may limit of pods, beside huge pages and extended resources.
var podNames = []string{
	"count/pods", "pods",
	"cpu", "memory", "ephemeral-storage",
	"requests.cpu", "requests.memory", "requests.ephemeral-storage",
	"limits.cpu", "limits.memory", "limits.ephemeral-storage",
}

var serviceNames = []string{"count/services", "services", "services.nodeports", "services.loadbalancers"}

// plainCounts are the resources that are also counted by their bare names.
var plainCounts = []string{"configmaps", "replicationcontrollers", "resourcequotas", "secrets"}

// uncounted are resources that admission doesn't look at, as what they create isn't kept, or
// never was counted.
var uncounted = []string{
	"bindings", "componentstatuses", "events", "events.events.k8s.io",
	"tokenreviews.authentication.k8s.io", "selfsubjectreviews.authentication.k8s.io",
	"subjectaccessreviews.authorization.k8s.io", "selfsubjectaccessreviews.authorization.k8s.io",
	"localsubjectaccessreviews.authorization.k8s.io", "selfsubjectrulesreviews.authorization.k8s.io",
}

// tracks reports whether name limits something of objects like o.
func tracks(o *Object, name string) bool {
	switch o.Resource {
	case Pods:
		return tracksPods(name)
	case Services:
		return slices.Contains(serviceNames, name)
	case Claims:
		return tracksClaims(name)
	case ResourceClaims:
		return tracksDevices(name) || slices.ContainsFunc(o.Devices, func(d DeviceDemand) bool {
			return slices.ContainsFunc(d.Alternatives, func(a DeviceAlternative) bool {
				return a.Extended != "" && name == requestsPrefix+a.Extended
			})
		})
	}
	return name == countPrefix+o.Resource || name == o.Resource && slices.Contains(plainCounts, name)
}

// tracksAny reports whether name limits something of any objects at all. What it doesn't
// stays as it was said to be used, if that was ever said.
func tracksAny(name string) bool {
	return tracksPods(name) || slices.Contains(serviceNames, name) || tracksClaims(name) || tracksDevices(name) ||
		strings.HasPrefix(name, countPrefix) || slices.Contains(plainCounts, name)
}

func tracksPods(name string) bool {
	if slices.Contains(podNames, name) || strings.HasPrefix(name, hugePages) {
		return true
	}
	resource, ok := strings.CutPrefix(name, requestsPrefix)
	return ok && (strings.HasPrefix(resource, hugePages) || strings.HasPrefix(resource, deviceClass) || !native(name))
}

func tracksClaims(name string) bool {
	return name == Claims || name == countPrefix+Claims || name == "requests.storage" ||
		strings.HasSuffix(name, byStorageClass+Claims) || strings.HasSuffix(name, byStorageClass+"requests.storage")
}

func tracksDevices(name string) bool {
	return name == countPrefix+ResourceClaims || strings.HasSuffix(name, byDeviceClass) || strings.HasPrefix(name, requestsPrefix+deviceClass)
}

// native reports whether a resource's name is one of Kubernetes' own.
func native(name string) bool {
	return !strings.Contains(name, "/") || strings.Contains(name, "kubernetes.io/")
}

// extended reports whether containers may ask for a resource of that name as an extended one.
func extended(name string) bool {
	return strings.HasPrefix(name, deviceClass) ||
		!native(name) && !strings.HasPrefix(name, requestsPrefix) && qualified(requestsPrefix+name)
}

// tracked reports whether any of limits is about objects like o.
func tracked(limits []cluster.NamedAmount, o *Object) bool {
	return slices.ContainsFunc(limits, func(l cluster.NamedAmount) bool { return tracks(o, l.Name) })
}

// qualified reports whether a name is one that Kubernetes allows for labels and resources: up
// to 63 letters, digits, "-", "_" and ".", after a domain name and "/", if there is one.
func qualified(name string) bool {
	if domain, rest, ok := strings.Cut(name, "/"); ok {
		name = rest
		if len(domain) > 253 {
			return false
		}
		for _, part := range strings.Split(domain, ".") {
			if !framed(part, lowercase, func(b byte) bool { return b == '-' }) {
				return false
			}
		}
	}
	letter := func(b byte) bool { return lowercase(b) || b >= 'A' && b <= 'Z' }
	return len(name) <= 63 && framed(name, letter, func(b byte) bool { return b == '-' || b == '_' || b == '.' })
}

func lowercase(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }

// framed reports whether text is of letters at both ends, and of letters and others between.
func framed(text string, letter, other func(byte) bool) bool {
	if text == "" || !letter(text[0]) || !letter(text[len(text)-1]) {
		return false
	}
	return !slices.ContainsFunc([]byte(text), func(b byte) bool { return !letter(b) && !other(b) })
}
