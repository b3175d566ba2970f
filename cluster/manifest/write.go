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
// annotations, conditions, and, of pods without an account, which of their containers
// asks for what. The zero value is ready for use; it is for one State.
type Writer struct {
	// Epoch is the time of day at which cluster.Time is 0; 1970 if it is zero.
	Epoch time.Time

	pods  map[alikeKey]*writtenPods
	nodes []writtenNode // by row
}

// An alikeKey is what pods have in common.
type alikeKey struct {
	class   cluster.ClassID
	account *cluster.Account
}

// writtenPods is what they have in common as the API has it.
type writtenPods struct {
	spec   v1.PodSpec
	status v1.PodStatus // of those on a node
}

type writtenNode struct {
	from *cluster.NodeSpec
	node *v1.Node
}

// UID returns what a Writer gives p as its uid: no other pod ever has it.
func UID(s *cluster.State, p cluster.PodID) string {
	return s.PodName(p) + "/" + strconv.FormatUint(s.Pods.Order[p], 10)
}

// Pod makes an object of p. The caller must not change it.
func (w *Writer) Pod(s *cluster.State, p cluster.PodID) *v1.Pod {
	class, alike := s.Class(p), w.alike(s, p)
	out := &v1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: s.Pods.Name[p], Namespace: class.Namespace, UID: types.UID(UID(s, p)), Labels: labelMap(s.Pods.Labels[p]),
			CreationTimestamp: w.time(s.Pods.Arrived[p]), OwnerReferences: ownerReferences(class.Owner),
			Annotations: podAnnotations(class, s.Pods.Allocation[p]),
		},
		Spec: alike.spec,
	}
	if s.Pods.Node[p] != cluster.None {
		out.Status = alike.given()
	}
	out.Status.Phase, out.Status.NominatedNodeName = v1.PodPending, s.Hope(p)
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
		out.Status.Conditions = append(out.Status.Conditions, v1.PodCondition{
			Type: v1.DisruptionTarget, Status: v1.ConditionTrue, Reason: v1.PodReasonPreemptionByScheduler,
		})
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

// alike makes what pods of a class and an account have in common, once.
func (w *Writer) alike(s *cluster.State, p cluster.PodID) *writtenPods {
	key := alikeKey{s.Pods.Class[p], s.Pods.Account[p]}
	if out, ok := w.pods[key]; ok {
		return out
	}
	if w.pods == nil {
		w.pods = map[alikeKey]*writtenPods{}
	}
	out := writeAlike(s.ClassByID(key.class), key.account)
	w.pods[key] = out
	return out
}

// writeAlike makes the spec that podClass makes c of, and Account makes a of if that isn't
// nil.
func writeAlike(c *cluster.Class, a *cluster.Account) *writtenPods {
	out := &writtenPods{}
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
	if a == nil || !writeAccount(spec, &out.status, c, a) {
		writeContainers(spec, c)
	}
	if a != nil {
		writeOwn(spec, a)
	}
	for _, port := range c.Ports {
		to := v1.ContainerPort{HostIP: port.IP, HostPort: port.Port, ContainerPort: port.Port, Protocol: v1.Protocol(port.Protocol)}
		spec.Containers[0].Ports = append(spec.Containers[0].Ports, to)
	}
	writeFeatures(spec, c.Features)
	out.spec = *spec
	return out
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
