package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A Writer makes objects of the Kubernetes API again of what a State holds, for
// those who know no other form. A Converter makes of them what they were made of.
// What no decision depends on was never kept and isn't there: commands, volumes,
// annotations, conditions, and which of a pod's containers asks for what. The zero
// value is ready for use; it is for one State.
type Writer struct {
	// Epoch is the time of day at which cluster.Time is 0; 1970 if it is zero.
	Epoch time.Time

	specs map[cluster.ClassID]*v1.PodSpec
	nodes []writtenNode // by row
}

type writtenNode struct {
	from *cluster.NodeSpec
	node *v1.Node
}

// Annotations by which objects tell of GPUs, which Kubernetes has no fields for. Of
// all shares together they tell as of a resource, cluster.GPUShares.
const (
	AnnotationGPUs   = "berth.dev/gpus"       // of a pod: how many it asks for; of a node: how many it has
	AnnotationModel  = "berth.dev/gpu-model"  // of a node; of a pod, those that will do, with commas between
	AnnotationPlaces = "berth.dev/gpu-places" // of a pod on a node: the GPUs that it has, from 0, with commas between
)

// UID returns what a Writer gives p as its uid: no other pod ever has it.
func UID(s *cluster.State, p cluster.PodID) string {
	return s.PodName(p) + "/" + strconv.FormatUint(s.Pods.Order[p], 10)
}

// Pod makes an object of p. The caller must not change it.
func (w *Writer) Pod(s *cluster.State, p cluster.PodID) *v1.Pod {
	class := s.Class(p)
	out := &v1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: s.Pods.Name[p], Namespace: class.Namespace, UID: types.UID(UID(s, p)), Labels: labelMap(s.Pods.Labels[p]),
			CreationTimestamp: w.time(s.Pods.Arrived[p]), OwnerReferences: ownerReferences(class.Owner),
			Annotations: podAnnotations(class, s.Pods.Allocation[p]),
		},
		Spec:   *w.spec(s, s.Pods.Class[p]),
		Status: v1.PodStatus{Phase: v1.PodPending, NominatedNodeName: s.Hope(p)},
	}
	if n := s.Pods.Nominated[p]; n != cluster.None {
		out.Status.NominatedNodeName = s.Nodes.Name[n]
	}
	if n := s.Pods.Node[p]; n != cluster.None {
		out.Spec.NodeName, out.Status.Phase = s.Nodes.Name[n], v1.PodRunning
	}
	if at := s.Pods.Started[p]; at != cluster.Never {
		started := w.time(at)
		out.Status.StartTime = &started
	}
	if s.Pods.Phase[p] == cluster.Terminating {
		now := w.time(s.Now)
		out.DeletionTimestamp = &now
	}
	if s.Pods.Preempted[p] {
		out.Status.Conditions = []v1.PodCondition{{
			Type: v1.DisruptionTarget, Status: v1.ConditionTrue, Reason: v1.PodReasonPreemptionByScheduler,
		}}
	}
	if s.Pods.Starting[p] {
		out.Status.Phase = v1.PodPending
	}
	if s.Pods.Unready[p] {
		out.Status.Conditions = append(out.Status.Conditions, v1.PodCondition{Type: v1.PodReady, Status: v1.ConditionFalse})
	}
	return out
}

// time returns the time of day at t.
func (w *Writer) time(t cluster.Time) metav1.Time {
	epoch := w.Epoch
	if epoch.IsZero() {
		epoch = time.Unix(0, 0).UTC()
	}
	return metav1.NewTime(epoch.Add(time.Duration(t)))
}

// spec makes what pods of a class have in common, once.
func (w *Writer) spec(s *cluster.State, c cluster.ClassID) *v1.PodSpec {
	if spec, ok := w.specs[c]; ok {
		return spec
	}
	if w.specs == nil {
		w.specs = map[cluster.ClassID]*v1.PodSpec{}
	}
	spec := writeSpec(s.ClassByID(c))
	w.specs[c] = spec
	return spec
}

// writeSpec makes the spec that podClass makes c of.
func writeSpec(c *cluster.Class) *v1.PodSpec {
	spec := &v1.PodSpec{
		SchedulerName: c.Scheduler, Priority: &c.Priority, NodeSelector: labelMap(c.NodeLabels),
		Tolerations: writeTolerations(c.Tolerations), Affinity: writeAffinity(c),
		TopologySpreadConstraints: writeSpread(c.Spread),
	}
	if c.Scheduler == "" {
		spec.SchedulerName = v1.DefaultSchedulerName
	}
	policy := v1.PreemptLowerPriority
	if c.NeverPreempts {
		policy = v1.PreemptNever
	}
	spec.PreemptionPolicy = &policy
	for _, name := range c.Gates {
		spec.SchedulingGates = append(spec.SchedulingGates, v1.PodSchedulingGate{Name: name})
	}
	for i, image := range c.ImageVolumes {
		source := v1.VolumeSource{Image: &v1.ImageVolumeSource{Reference: image}}
		spec.Volumes = append(spec.Volumes, v1.Volume{Name: fmt.Sprint("image-", i), VolumeSource: source})
	}
	writeContainers(spec, c)
	for _, port := range c.Ports {
		to := v1.ContainerPort{HostIP: port.IP, HostPort: port.Port, ContainerPort: port.Port, Protocol: v1.Protocol(port.Protocol)}
		spec.Containers[0].Ports = append(spec.Containers[0].Ports, to)
	}
	writeFeatures(spec, c.Features)
	return spec
}

// writeFeatures has a pod do what needs features of its node: there are two things
// that a pod can be seen to do.
func writeFeatures(spec *v1.PodSpec, want []string) {
	for things := range 4 {
		with := spec.DeepCopy()
		if things&1 != 0 {
			own := false
			with.HostNetwork, with.HostUsers = true, &own
		}
		if things&2 != 0 {
			never := v1.ContainerRestartPolicyNever
			with.Containers[0].RestartPolicy = &never
			with.Containers[0].RestartPolicyRules = []v1.ContainerRestartRule{{
				Action:    v1.ContainerRestartRuleActionRestartAllContainers,
				ExitCodes: &v1.ContainerRestartRuleOnExitCodes{Operator: v1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{1}},
			}}
		}
		if slices.Equal(features(with), want) {
			*spec = *with
			return
		}
	}
}

// podAnnotations tells of GPUs.
func podAnnotations(c *cluster.Class, a cluster.Allocation) map[string]string {
	if c.GPUs.Count == 0 {
		return nil
	}
	out := map[string]string{AnnotationGPUs: fmt.Sprint(c.GPUs.Count)}
	if len(c.GPUs.Models) > 0 {
		out[AnnotationModel] = strings.Join(c.GPUs.Models, ",")
	}
	var places []string
	for i := range cluster.MaxGPUs {
		if a.GPUs.Has(i) {
			places = append(places, strconv.Itoa(i))
		}
	}
	if len(places) > 0 {
		out[AnnotationPlaces] = strings.Join(places, ",")
	}
	return out
}

// ownerReferences names a controller.
func ownerReferences(owner cluster.OwnerRef) []metav1.OwnerReference {
	if owner == (cluster.OwnerRef{}) {
		return nil
	}
	version, kind := "v1", owner.Kind
	if k, rest, ok := strings.Cut(kind, "."); ok {
		if v, group, ok := strings.Cut(rest, "."); ok {
			rest = group + "/" + v
		}
		version, kind = rest, k
	}
	switch owner.Kind {
	case "ReplicaSet", "StatefulSet", "DaemonSet", "Deployment":
		version = "apps/v1"
	case "Job", "CronJob":
		version = "batch/v1"
	}
	controller := true
	return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: owner.Name, Controller: &controller}}
}

func labelMap(labels cluster.Labels) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, l := range labels {
		out[l.Key] = l.Value
	}
	return out
}
