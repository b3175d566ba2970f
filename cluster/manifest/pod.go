package manifest

import (
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-helpers/nodedeclaredfeatures"
)

// A Converter converts pods, and lets those that no decision can tell apart share
// a class, and those that ask for the same share an account. It remembers pods, so that most are converted only as far as they differ
// from others. The zero value is ready for use.
type Converter struct {
	// Epoch is the time of day at which cluster.Time is 0.
	Epoch time.Time

	classes  cluster.Classes
	accounts cluster.Accounts
	memory   memory
}

// Ended reports whether a pod has run to its end. As for kube-scheduler, such a
// pod is not there any more.
func Ended(p *v1.Pod) bool {
	return p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed
}

// Pod converts a pod as it is in the API, with nothing made up for it. The pod may
// change afterwards; what is returned must not, as pods share parts of it. An error
// is a *FieldError.
func (conv *Converter) Pod(p *v1.Pod) (*cluster.PodSpec, error) {
	like, err := conv.like(p)
	if err != nil {
		return nil, err
	}
	spec := identity(p, conv.Epoch)
	spec.Class, spec.Account, spec.Labels = like.class, like.account, like.labelsOf(p.Labels)
	return spec, nil
}

// like returns a pod that is remembered with p's class and account.
func (conv *Converter) like(p *v1.Pod) (*remembered, error) {
	if like := conv.memory.recall(p); like != nil {
		return like, nil
	}
	e := makeExcerpt(p)
	class, account, err := classAndAccount(e.pod)
	if err != nil {
		return nil, err
	}
	return conv.memory.remember(e, conv.classes.Share(class), conv.accounts.Share(account)), nil
}

func classAndAccount(p *v1.Pod) (*cluster.Class, *cluster.Account, error) {
	class, err := podClass(p)
	if err != nil {
		return nil, nil, err
	}
	account, err := Account(p)
	return class, account, err
}

// podSpec converts a pod, but for when it started and for sharing its class and account.
func podSpec(p *v1.Pod) (*cluster.PodSpec, error) {
	class, account, err := classAndAccount(p)
	if err != nil {
		return nil, err
	}
	spec := &cluster.PodSpec{Class: class, Account: account, Labels: cluster.MakeLabels(p.Labels)}
	identify(spec, p)
	return spec, nil
}

// identity describes a pod as others of its class may differ from it, in one
// allocation even if it has started.
func identity(p *v1.Pod, epoch time.Time) *cluster.PodSpec {
	start := p.Status.StartTime
	if start == nil {
		spec := &cluster.PodSpec{}
		identify(spec, p)
		return spec
	}
	both := &struct {
		spec cluster.PodSpec
		at   cluster.Time
	}{at: cluster.Time(start.Sub(epoch))}
	identify(&both.spec, p)
	both.spec.Started = &both.at
	return &both.spec
}

// identify fills in what of a pod is neither class nor labels, but for when it
// started.
func identify(spec *cluster.PodSpec, p *v1.Pod) {
	spec.Name, spec.On, spec.Allocation, spec.Run = p.Name, p.Spec.NodeName, places(p), cluster.Never
	spec.Terminating = p.DeletionTimestamp != nil
	spec.Preempted = spec.Terminating && preempted(p)
	spec.Unready, spec.Starting = spec.On != "" && !ready(p), spec.On != "" && p.Status.Phase == v1.PodPending
	if spec.On == "" {
		spec.Nominated = p.Status.NominatedNodeName
	}
}

// preempted reports whether kube-scheduler has told the pod to end.
func preempted(p *v1.Pod) bool {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == v1.DisruptionTarget {
			return c.Status == v1.ConditionTrue && c.Reason == v1.PodReasonPreemptionByScheduler
		}
	}
	return false
}

// ready reports whether the pod's status says that its containers are ready. Of a pod
// that runs, it is taken for granted if the status doesn't mention it, as in manifests
// that people write.
func ready(p *v1.Pod) bool {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == v1.PodReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return p.Status.Phase != v1.PodPending
}

// podClass converts what decisions may depend on.
func podClass(p *v1.Pod) (*cluster.Class, error) {
	spec := &p.Spec
	c := &cluster.Class{
		Namespace: p.Namespace, Owner: owner(p), Scheduler: spec.SchedulerName,
		NodeLabels: cluster.MakeLabels(spec.NodeSelector), Ports: hostPorts(spec), Features: features(spec),
	}
	if c.Scheduler == v1.DefaultSchedulerName {
		c.Scheduler = ""
	}
	if spec.Priority != nil {
		c.Priority = *spec.Priority
	}
	var err error
	if c.NeverPreempts, err = neverPreempts(spec.PreemptionPolicy); err != nil {
		return nil, in(err, "spec", "preemptionPolicy")
	}
	for _, gate := range spec.SchedulingGates {
		c.Gates = append(c.Gates, gate.Name)
	}
	for _, containers := range [][]v1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			c.Images = append(c.Images, imageName(containers[i].Image))
		}
	}
	for i := range spec.Volumes {
		if image := spec.Volumes[i].Image; image != nil {
			c.ImageVolumes = append(c.ImageVolumes, imageName(image.Reference))
		}
	}
	if err := setRequests(c, p); err != nil {
		return nil, err
	}
	if c.Tolerations, err = tolerations(spec.Tolerations); err != nil {
		return nil, in(err, "spec", "tolerations")
	}
	if err = setAffinity(c, spec.Affinity); err != nil {
		return nil, in(err, "spec", "affinity")
	}
	if c.Spread, err = spreadConstraints(spec.TopologySpreadConstraints); err != nil {
		return nil, in(err, "spec", "topologySpreadConstraints")
	}
	return c, nil
}

// owner returns the controller that an object has. kube-scheduler tells kinds of the
// same name apart by their group and version, so a kind of none of Kubernetes' own
// is named with them: StatefulSet.v1beta1.apps.kruise.io.
func owner(o metav1.Object) cluster.OwnerRef {
	ref := metav1.GetControllerOfNoCopy(o)
	if ref == nil {
		return cluster.OwnerRef{}
	}
	return cluster.OwnerRef{Kind: kindName(ref.APIVersion, ref.Kind), Name: ref.Name}
}

// hostPorts returns the ports of its node that a pod takes while it runs: those
// of its containers and of init containers that run beside them.
func hostPorts(spec *v1.PodSpec) (to []cluster.HostPort) {
	add := func(c *v1.Container) {
		for _, port := range c.Ports {
			if port.HostPort <= 0 {
				continue
			}
			hp := cluster.HostPort{IP: port.HostIP, Protocol: string(port.Protocol), Port: port.HostPort}
			if hp.IP == "" {
				hp.IP = "0.0.0.0"
			}
			if hp.Protocol == "" {
				hp.Protocol = string(v1.ProtocolTCP)
			}
			to = append(to, hp)
		}
	}
	for i := range spec.InitContainers {
		if c := &spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways {
			add(c)
		}
	}
	for i := range spec.Containers {
		add(&spec.Containers[i])
	}
	return to
}

// spoken is the version of Kubernetes that Berth speaks.
var spoken = version.MustParseGeneric("1.36.3")

// features returns the features that a node must declare for a pod, in order.
func features(spec *v1.PodSpec) []string {
	framework := nodedeclaredfeatures.DefaultFramework
	set, err := framework.InferForPodScheduling(&nodedeclaredfeatures.PodInfo{Spec: spec}, spoken)
	if err != nil {
		panic(err) // there is always a version
	}
	if set.IsEmpty() {
		return nil
	}
	names, err := framework.Unmap(set)
	if err != nil {
		panic(err) // the set is the framework's own
	}
	slices.Sort(names)
	return names
}
