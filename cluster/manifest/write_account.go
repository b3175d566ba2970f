package manifest

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// writeAccount gives a pod the containers that a says it has, and what they have been given.
// It reports whether pods with these ask for what c asks for; if not, an account is of
// another making than the class, and the pod is left as it is.
func writeAccount(spec *v1.PodSpec, status *v1.PodStatus, c *cluster.Class, a *cluster.Account) bool {
	if len(a.Containers) == 0 || len(c.Images) != len(a.InitContainers)+len(a.Containers) || c.GPUs.Count > 0 {
		return false
	}
	trial := *spec
	trial.Overhead = writeNamed(a.Overhead)
	if a.Whole != nil {
		trial.Resources = &v1.ResourceRequirements{Requests: writeNamed(a.Whole.Requests), Limits: writeNamed(a.Whole.Limits)}
	}
	inits := len(a.InitContainers)
	trial.InitContainers = writeAsking(a.InitContainers, c.Images[:inits])
	trial.Containers = writeAsking(a.Containers, c.Images[inits:])
	given := v1.PodStatus{ContainerStatuses: writeGiven(a.Containers), InitContainerStatuses: writeGiven(a.InitContainers)}
	if a.ResizeInfeasible {
		given.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: v1.PodReasonInfeasible}}
	}
	p := &v1.Pod{Spec: trial, Status: given}
	if given.ContainerStatuses != nil || given.InitContainerStatuses != nil {
		p.Spec.NodeName = "a" // else what has been given doesn't count
	}
	if !asks(p, c) {
		if a.Whole == nil {
			return false
		}
		// Quotas don't look at what it has been given as a whole, classes do.
		p.Spec.NodeName, p.Status.Resources = "a", writeWhole(c, a)
		if !asks(p, c) {
			return false
		}
	}
	*spec, *status = trial, p.Status
	return true
}

// writeWhole says what a pod has been given as a whole, if that is what makes c of it.
func writeWhole(c *cluster.Class, a *cluster.Account) *v1.ResourceRequirements {
	var list []cluster.NamedAmount
	for _, own := range a.Whole.Requests {
		amount := amountOfNamed(c.Extended, own.Name)
		switch own.Name {
		case string(v1.ResourceCPU):
			amount = c.Requests.Get(cluster.CPU)
		case string(v1.ResourceMemory):
			amount = c.Requests.Get(cluster.Memory)
		}
		amount -= amountOfNamed(a.Overhead, own.Name)
		list = append(list, cluster.NamedAmount{Name: own.Name, Amount: amount})
	}
	return &v1.ResourceRequirements{Requests: writeNamed(list)}
}

// writeOwn writes what of an account no class depends on. Namespaces of terms are those of
// the pod itself if the account says that they are no others: then the pod didn't list them.
func writeOwn(spec *v1.PodSpec, a *cluster.Account) {
	spec.PriorityClassName = a.PriorityClass
	if a.Deadline {
		seconds := int64(0) // how many isn't kept
		spec.ActiveDeadlineSeconds = &seconds
	}
	if a.Grace != 0 {
		seconds := int64(a.Grace / cluster.Second)
		spec.TerminationGracePeriodSeconds = &seconds
	}
	if a.OtherNamespaces || spec.Affinity == nil {
		return
	}
	unlist := func(must []v1.PodAffinityTerm, may []v1.WeightedPodAffinityTerm) {
		for i := range must {
			must[i].Namespaces = nil
		}
		for i := range may {
			may[i].PodAffinityTerm.Namespaces = nil
		}
	}
	if x := spec.Affinity.PodAffinity; x != nil {
		unlist(x.RequiredDuringSchedulingIgnoredDuringExecution, x.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if x := spec.Affinity.PodAntiAffinity; x != nil {
		unlist(x.RequiredDuringSchedulingIgnoredDuringExecution, x.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

func writeAsking(from []cluster.Container, images []string) []v1.Container {
	var to []v1.Container
	always := v1.ContainerRestartPolicyAlways
	for i := range from {
		c := v1.Container{Name: from[i].Name, Image: images[i], Resources: v1.ResourceRequirements{
			Requests: writeNamed(from[i].Requests), Limits: writeNamed(from[i].Limits),
		}}
		if from[i].Restarts {
			c.RestartPolicy = &always
		}
		to = append(to, c)
	}
	return to
}

func writeGiven(from []cluster.Container) (to []v1.ContainerStatus) {
	for i := range from {
		if c := &from[i]; c.GivenRequests != nil || c.GivenLimits != nil {
			to = append(to, v1.ContainerStatus{Name: c.Name, Resources: &v1.ResourceRequirements{
				Requests: writeNamed(c.GivenRequests), Limits: writeNamed(c.GivenLimits),
			}})
		}
	}
	return to
}

func writeNamed(from []cluster.NamedAmount) v1.ResourceList {
	if len(from) == 0 {
		return nil
	}
	to := v1.ResourceList{}
	for _, a := range from {
		to[v1.ResourceName(a.Name)] = quotaQuantity(a)
	}
	return to
}

// given returns what a pod's status tells of it, in memory of its own.
func (w *writtenPods) given() v1.PodStatus {
	status := w.status
	status.Conditions = slices.Clip(status.Conditions)
	return status
}
