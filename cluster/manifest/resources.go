package manifest

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	podresource "k8s.io/component-helpers/resource"
)

// amounts converts a list of resources to columns and extended resources. CPU
// counts in thousandths and everything else in ones, rounded up. As in
// kube-scheduler (framework.Resource), an extended resource is any that has a
// domain, and hugepages and attachable volumes; other names count for nothing, and
// shares of GPUs elsewhere. Amounts of 0 are left out.
func amounts(list v1.ResourceList) (columns cluster.Amounts, extended []cluster.NamedAmount, err error) {
	columns = make(cluster.Amounts, cluster.PodSlots+1)
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		amount, err := amountOf(name, &q)
		if err != nil {
			return nil, nil, in(err, string(name))
		}
		switch name {
		case v1.ResourceCPU:
			columns[cluster.CPU] = amount
		case v1.ResourceMemory:
			columns[cluster.Memory] = amount
		case v1.ResourceEphemeralStorage:
			columns[cluster.EphemeralStorage] = amount
		case v1.ResourcePods:
			columns[cluster.PodSlots] = amount
		default:
			if amount != 0 && name != cluster.GPUShares && isExtended(string(name)) {
				extended = append(extended, cluster.NamedAmount{Name: string(name), Amount: amount})
			}
		}
	}
	return columns, extended, nil
}

// amountOf returns a quantity in its resource's unit.
func amountOf(name v1.ResourceName, q *resource.Quantity) (int64, error) {
	highest := int64(math.MaxInt64 - 1) // an amount too large to be parsed was cut to MaxInt64
	if name == v1.ResourceCPU {
		highest = math.MaxInt64/1000 - 1
	}
	switch {
	case q.Sign() < 0:
		return 0, wrong("is negative", "write 0 or more")
	case q.CmpInt64(highest) > 0:
		return 0, wrong("is too large to be counted", "write less than 8Ei, or 8Pi of cpu")
	case name == v1.ResourceCPU:
		return q.MilliValue(), nil
	}
	return q.Value(), nil
}

// isExtended reports whether kube-scheduler counts a resource that is none of
// those every cluster has (schedutil.IsScalarResourceName).
func isExtended(name string) bool {
	if strings.HasPrefix(name, v1.ResourceHugePagesPrefix) || strings.HasPrefix(name, v1.ResourceAttachableVolumesPrefix) ||
		strings.Contains(name, v1.ResourceDefaultNamespacePrefix) {
		return true
	}
	return strings.Contains(name, "/") && !strings.HasPrefix(name, v1.DefaultResourceRequestsPrefix) &&
		len(validation.IsQualifiedName(v1.DefaultResourceRequestsPrefix+name)) == 0
}

// nonZero are what scores count for a container that doesn't ask for any.
var nonZero = v1.ResourceList{
	v1.ResourceCPU:    *resource.NewMilliQuantity(cluster.DefaultCPURequest, resource.DecimalSI),
	v1.ResourceMemory: *resource.NewQuantity(cluster.DefaultMemoryRequest, resource.BinarySI),
}

// setRequests fills in what a pod asks for and what scores count of it. A pod on
// a node counts with what its containers have been given (status) too, so that
// one being resized counts with the most it may have; a pod that wants a node has
// been given nothing, and what its status says is not looked at.
func setRequests(c *cluster.Class, p *v1.Pod) error {
	if err := checkLists(p); err != nil {
		return err
	}
	onNode := p.Spec.NodeName != ""
	options := podresource.PodResourcesOptions{
		UseStatusResources: onNode, InPlacePodLevelResourcesVerticalScalingEnabled: onNode,
	}
	requests := podRequests(p, options)
	columns, extended, err := amounts(requests)
	if err != nil {
		return sumError(err)
	}
	c.Requests, c.Extended = columns[:cluster.PodSlots], extended
	shares := requests[cluster.GPUShares]
	if c.GPUs, err = gpuRequest(shares.Value(), p.Annotations[AnnotationModel]); err != nil {
		return err
	}

	// framework.PodInfo.CalculateResource: what neither the pod nor a container
	// asks for is made up for each container that doesn't, in a pod with
	// requests of its own; in others, whatever a container doesn't ask for.
	options.NonMissingContainerRequests = nonZero
	if podresource.IsPodLevelRequestsSet(p) {
		options.NonMissingContainerRequests = v1.ResourceList{}
		for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
			if _, ok := requests[name]; !ok {
				options.NonMissingContainerRequests[name] = nonZero[name]
			}
		}
	}
	onNodeList := podRequests(p, options)
	// noderesources.resourceAllocationScorer.calculatePodResourceRequest, for
	// the scores of Fit, which are told neither of requests of pods as a whole
	// nor of status.
	incomingList := podRequests(p, podresource.PodResourcesOptions{
		NonMissingContainerRequests: nonZero, SkipPodLevelResources: true,
	})
	return setEstimates(c, p, onNodeList, incomingList)
}

// podRequests is upstream's sum. Left to itself, it adds overhead to what the pod
// asks for as a whole in place, and so changes the pod and the next sum, if that
// amount has more digits than fit an int64.
func podRequests(p *v1.Pod, options podresource.PodResourcesOptions) v1.ResourceList {
	if p.Spec.Resources != nil && len(p.Spec.Overhead) > 0 {
		own := *p
		own.Spec.Resources = p.Spec.Resources.DeepCopy()
		p = &own
	}
	return podresource.PodRequests(p, options)
}

// setEstimates says what scores count of a pod, in the simplest way that is true.
func setEstimates(c *cluster.Class, p *v1.Pod, onNode, incoming v1.ResourceList) error {
	on, _, err := amounts(onNode)
	if err != nil {
		return sumError(err)
	}
	want, extended, err := amounts(incoming)
	if err != nil {
		return sumError(err)
	}
	for i := range p.Spec.Containers {
		requests := p.Spec.Containers[i].Resources.Requests
		if _, ok := requests[v1.ResourceCPU]; !ok {
			c.BestEffortCPU++
		}
		if _, ok := requests[v1.ResourceMemory]; !ok {
			c.BestEffortMemory++
		}
	}
	cpu := c.Requests[cluster.CPU] + int64(c.BestEffortCPU)*cluster.DefaultCPURequest
	memory := c.Requests[cluster.Memory] + int64(c.BestEffortMemory)*cluster.DefaultMemoryRequest
	simple := on[cluster.CPU] == cpu && want[cluster.CPU] == cpu &&
		on[cluster.Memory] == memory && want[cluster.Memory] == memory
	if simple && slices.Equal(extended, c.Extended) {
		return nil
	}
	c.BestEffortCPU, c.BestEffortMemory = 0, 0
	c.Estimates = &cluster.Estimates{
		CPU: on[cluster.CPU], Memory: on[cluster.Memory],
		IncomingCPU: want[cluster.CPU], IncomingMemory: want[cluster.Memory],
		IncomingExtended: differing(c.Extended, extended),
	}
	return nil
}

// differing returns what of is, which are sorted by name, is not as in was. What
// is only in was is 0.
func differing(was, is []cluster.NamedAmount) (out []cluster.NamedAmount) {
	amountIn := func(list []cluster.NamedAmount, name string) int64 {
		for _, a := range list {
			if a.Name == name {
				return a.Amount
			}
		}
		return 0
	}
	var names []string
	for _, a := range slices.Concat(was, is) {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if amount := amountIn(is, name); amount != amountIn(was, name) {
			out = append(out, cluster.NamedAmount{Name: name, Amount: amount})
		}
	}
	return out
}

// sumError says that it is a sum that is too large.
func sumError(err error) error {
	return in(wrong("asks for an amount of "+lastStep(err)+" that is in sum too large to be counted", "write less than 8Ei, or 8Pi of cpu"), "spec")
}

func lastStep(err error) string {
	if field, ok := err.(*FieldError); ok && len(field.Path) > 0 {
		if name, ok := field.Path[len(field.Path)-1].(string); ok {
			return name
		}
	}
	return "a resource"
}

// checkLists fails on an amount that is negative or too large, in any list that
// counts into a pod's requests.
func checkLists(p *v1.Pod) error {
	spec := &p.Spec
	for _, group := range []struct {
		name       string
		containers []v1.Container
	}{{"initContainers", spec.InitContainers}, {"containers", spec.Containers}} {
		for i := range group.containers {
			if err := checkList(group.containers[i].Resources.Requests); err != nil {
				return in(err, "spec", group.name, i, "resources", "requests")
			}
		}
	}
	if err := checkList(spec.Overhead); err != nil {
		return in(err, "spec", "overhead")
	}
	if spec.Resources != nil {
		if err := checkList(spec.Resources.Requests); err != nil {
			return in(err, "spec", "resources", "requests")
		}
	}
	if spec.NodeName == "" {
		return nil
	}
	return in(checkStatus(&p.Status), "status")
}

// checkStatus does the same for what a pod on a node has been given.
func checkStatus(status *v1.PodStatus) error {
	for _, group := range []struct {
		name       string
		containers []v1.ContainerStatus
	}{{"initContainerStatuses", status.InitContainerStatuses}, {"containerStatuses", status.ContainerStatuses}} {
		for i := range group.containers {
			s := &group.containers[i]
			if err := checkList(s.AllocatedResources); err != nil {
				return in(err, group.name, i, "allocatedResources")
			}
			if s.Resources != nil {
				if err := checkList(s.Resources.Requests); err != nil {
					return in(err, group.name, i, "resources", "requests")
				}
			}
		}
	}
	if err := checkList(status.AllocatedResources); err != nil {
		return in(err, "allocatedResources")
	}
	if status.Resources != nil {
		return in(checkList(status.Resources.Requests), "resources", "requests")
	}
	return nil
}

func checkList(list v1.ResourceList) error {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		if _, err := amountOf(name, &q); err != nil {
			return in(err, string(name))
		}
	}
	return nil
}
