package manifest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// writeContainers gives a pod containers with c's images that ask together for what
// c asks for. Which container asked for what isn't known; the first gets it all. A
// pod of which no container is known gets one.
func writeContainers(spec *v1.PodSpec, c *cluster.Class) {
	if c.Estimates == nil {
		plainContainers(c).write(spec, c)
		return
	}
	// Only some forms give these estimates, and it is easier to try than to tell. A pod that is being resized on its node asks for
	// one thing in its spec and has another; what counts is what it has.
	has := *c
	has.Estimates = &cluster.Estimates{
		CPU: c.Estimates.CPU, Memory: c.Estimates.Memory, IncomingCPU: c.Estimates.CPU, IncomingMemory: c.Estimates.Memory,
	}
	for _, c := range []*cluster.Class{c, &has} {
		for _, sh := range append(wholeForms(c), forms(c)...) {
			trial := *spec
			sh.write(&trial, c)
			if asks(&v1.Pod{Spec: trial}, c) {
				*spec = trial
				return
			}
		}
	}
	plainContainers(c).write(spec, c)
}

// asks reports whether pods like p ask for what c asks for.
func asks(p *v1.Pod, c *cluster.Class) bool {
	got := cluster.Class{}
	if setRequests(&got, p) != nil {
		return false
	}
	same := got.BestEffortCPU == c.BestEffortCPU && got.BestEffortMemory == c.BestEffortMemory &&
		reflect.DeepEqual(got.Estimates, c.Estimates) && slices.Equal(got.Extended, c.Extended)
	for r := range cluster.PodSlots {
		same = same && got.Requests.Get(r) == c.Requests.Get(r)
	}
	return same
}

// A form says which containers a pod has, and which of them asks for what.
type form struct {
	first    int  // 1 if the first container is an init container that ends
	mains    int  // containers
	sidecars int  // init containers that don't end
	whole    bool // the pod asks for its requests as a whole
	two      [2]share
}

// A share says who asks for CPU, or for memory.
type share struct {
	// How many containers, counted from the last, and how many sidecars don't
	// mention it; the others ask for 0 unless something else is said.
	silentMains, silentSidecars int

	main     int64 // what the first container asks for
	init     int64 // what the init container asks for
	overhead int64
	absent   bool // nobody mentions it
}

// defaults are what scores count of CPU and memory where nobody asks.
var defaults = [2]int64{cluster.DefaultCPURequest, cluster.DefaultMemoryRequest}

// plainContainers is the form of a pod without estimates of its own: as many
// containers ask for nothing as c says.
func plainContainers(c *cluster.Class) form {
	silent := [2]int{int(c.BestEffortCPU), int(c.BestEffortMemory)}
	sh := form{mains: max(1, len(c.Images), silent[0], silent[1])}
	for r := range sh.two {
		to, amount := &sh.two[r], c.Requests.Get(cluster.Resource(r))
		to.silentMains = silent[r]
		if silent[r] == sh.mains {
			to.overhead = amount
		} else {
			to.main = amount
		}
	}
	return sh
}

// wholeForms are those of pods that ask for something as a whole: containers ask
// for what scores count of the pod while it wants a node.
func wholeForms(c *cluster.Class) []form {
	count, e := max(1, len(c.Images)), c.Estimates
	sh := form{mains: count, whole: true}
	incoming := [2]int64{e.IncomingCPU, e.IncomingMemory}
	for r, on := range [2]int64{e.CPU, e.Memory} {
		to := &sh.two[r]
		to.main = incoming[r]
		if on != c.Requests.Get(cluster.Resource(r)) { // nobody mentions it, and defaults count
			*to = share{absent: true}
			sh.mains = int(on / defaults[r])
			sh.first = count - sh.mains
		}
	}
	if sh.mains < 1 || sh.first < 0 {
		return nil
	}
	return []form{sh}
}

// mostForms bounds the number of forms that are tried.
const mostForms = 4000

// forms are those with which containers' requests can give c's estimates.
func forms(c *cluster.Class) (out []form) {
	count := max(1, len(c.Images))
	on := [2]int64{c.Estimates.CPU, c.Estimates.Memory}
	for mains := 1; mains <= count; mains++ {
		for first := 0; first <= min(1, count-mains); first++ {
			sh := form{first: first, mains: mains, sidecars: count - mains - first}
			var shares [2][]share
			for r := range shares {
				shares[r] = sh.shares(c.Requests.Get(cluster.Resource(r)), on[r], defaults[r])
			}
			for _, cpu := range shares[0] {
				for _, memory := range shares[1] {
					sh.two = [2]share{cpu, memory}
					out = append(out, sh)
				}
			}
			if len(out) > mostForms {
				return out
			}
		}
	}
	return out
}

// shares are the ways in which a resource's request and estimate can come about.
func (sh *form) shares(request, estimate, each int64) (out []share) {
	for mains := range sh.mains + 1 {
		for sidecars := range sh.sidecars + 1 {
			explicit := estimate - int64(mains+sidecars)*each
			if explicit < 0 || explicit > request {
				continue
			}
			to := share{silentMains: mains, silentSidecars: sidecars}
			if mains < sh.mains {
				to.main, to.init = explicit, request
			} else {
				to.overhead, to.init = explicit, request-explicit
			}
			if sh.first == 0 && explicit < request {
				continue
			}
			out = append(out, to)
		}
	}
	return out
}

// write gives a pod the containers.
func (sh form) write(spec *v1.PodSpec, c *cluster.Class) {
	spec.InitContainers, spec.Containers, spec.Overhead, spec.Resources = nil, nil, nil, nil
	images := c.Images
	add := func(name string, init bool, list v1.ResourceList) *v1.Container {
		container := v1.Container{Name: name, Resources: v1.ResourceRequirements{Requests: list}}
		if len(images) > 0 {
			container.Image, images = images[0], images[1:]
		}
		if init {
			spec.InitContainers = append(spec.InitContainers, container)
			return &spec.InitContainers[len(spec.InitContainers)-1]
		}
		spec.Containers = append(spec.Containers, container)
		return &spec.Containers[len(spec.Containers)-1]
	}
	for i := range sh.first {
		add(fmt.Sprint("init-", i), true, sh.list(func(to *share) (int64, bool) { return to.init, true }))
	}
	always := v1.ContainerRestartPolicyAlways
	for i := range sh.sidecars {
		list := sh.list(func(to *share) (int64, bool) { return 0, i >= to.silentSidecars })
		add(fmt.Sprint("sidecar-", i), true, list).RestartPolicy = &always
	}
	for i := range sh.mains {
		add(fmt.Sprint("main-", i), false, sh.list(func(to *share) (int64, bool) {
			if i == 0 {
				return to.main, to.silentMains < sh.mains
			}
			return 0, i < sh.mains-to.silentMains
		}))
	}
	overhead := sh.list(func(to *share) (int64, bool) { return to.overhead, to.overhead > 0 })
	if len(overhead) > 0 {
		spec.Overhead = overhead
	}
	if sh.whole {
		list := v1.ResourceList{}
		for r, to := range sh.two {
			if !to.absent {
				list[twoNames[r]] = twoQuantities[r](c.Requests.Get(cluster.Resource(r)))
			}
		}
		spec.Resources = &v1.ResourceRequirements{Requests: list}
	}
	writeExtended(spec, c)
}

var (
	twoNames      = [2]v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory}
	twoQuantities = [...]func(int64) resource.Quantity{milli, inBytes}
)

// list makes a list of the amounts of CPU and memory that are mentioned.
func (sh *form) list(amount func(*share) (int64, bool)) v1.ResourceList {
	list := v1.ResourceList{}
	for r := range sh.two {
		if n, ok := amount(&sh.two[r]); ok && !sh.two[r].absent {
			list[twoNames[r]] = twoQuantities[r](n)
		}
	}
	return list
}

// writeExtended has the first container ask for everything but CPU and memory, of
// which limits are what is asked for. What a pod asks for as a whole beyond that
// is hugepages.
func writeExtended(spec *v1.PodSpec, c *cluster.Class) {
	first := &spec.Containers[0].Resources
	if first.Requests == nil {
		first.Requests = v1.ResourceList{}
	}
	if amount := c.Requests.Get(cluster.EphemeralStorage); amount != 0 {
		first.Requests[v1.ResourceEphemeralStorage] = inBytes(amount)
	}
	limits := v1.ResourceList{}
	for _, e := range c.Extended {
		limits[v1.ResourceName(e.Name)] = whole(e.Amount)
	}
	if shares := c.GPUs.Total(); shares > 0 {
		limits[cluster.GPUShares] = whole(shares)
	}
	if spec.Resources != nil && c.Estimates != nil {
		for _, e := range c.Estimates.IncomingExtended {
			if !strings.HasPrefix(e.Name, v1.ResourceHugePagesPrefix) {
				continue
			}
			spec.Resources.Requests[v1.ResourceName(e.Name)] = whole(amountOfNamed(c.Extended, e.Name))
			limits[v1.ResourceName(e.Name)] = whole(e.Amount)
			if e.Amount == 0 {
				delete(limits, v1.ResourceName(e.Name))
			}
		}
	}
	fillIn(first.Requests, limits, func(v1.ResourceName) bool { return true })
	if len(limits) > 0 {
		first.Limits = limits
	}
}

// amountOfNamed returns the amount of a resource in a list, 0 if it isn't there.
func amountOfNamed(list []cluster.NamedAmount, name string) int64 {
	for _, a := range list {
		if a.Name == name {
			return a.Amount
		}
	}
	return 0
}
