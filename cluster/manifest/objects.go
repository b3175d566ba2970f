package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Node converts a node as it is in the API. An error is a *FieldError.
func Node(n *v1.Node) (*cluster.NodeSpec, error) {
	spec := &cluster.NodeSpec{
		Name: n.Name, Labels: cluster.MakeLabels(n.Labels), Unschedulable: n.Spec.Unschedulable,
		Images: images(n.Status.Images),
	}
	var err error
	if spec.Capacity, spec.Extended, err = amounts(n.Status.Allocatable); err != nil {
		return nil, in(err, "status", "allocatable")
	}
	if err := setGPUs(spec, n); err != nil {
		return nil, err
	}
	for i, t := range n.Spec.Taints {
		effect, err := taintEffect(t.Effect)
		if err != nil {
			return nil, in(err, "spec", "taints", i)
		}
		spec.Taints = append(spec.Taints, cluster.Taint{Key: t.Key, Value: t.Value, Effect: effect})
	}
	if len(n.Status.DeclaredFeatures) > 0 {
		spec.Features = slices.Clone(n.Status.DeclaredFeatures)
		slices.Sort(spec.Features)
		spec.Features = slices.Compact(spec.Features)
	}
	return spec, nil
}

// images converts the images that a node has. A name counts once, with the size
// of the first image that has it (cacheImpl.addNodeImageStates).
func images(from []v1.ContainerImage) (to []cluster.Image) {
	seen := map[string]bool{}
	for i := range from {
		image := cluster.Image{Bytes: from[i].SizeBytes}
		for _, name := range from[i].Names {
			if !seen[name] {
				seen[name] = true
				image.Names = append(image.Names, name)
			}
		}
		if len(image.Names) > 0 {
			to = append(to, image)
		}
	}
	return to
}

// Namespace converts a namespace.
func Namespace(ns *v1.Namespace) *cluster.Namespace {
	return &cluster.Namespace{Name: ns.Name, Labels: cluster.MakeLabels(ns.Labels)}
}

// Service converts a Service.
func Service(s *v1.Service) *cluster.Service {
	return &cluster.Service{Namespace: s.Namespace, Name: s.Name, Selector: cluster.MakeLabels(s.Spec.Selector)}
}

// ReplicationController converts a controller.
func ReplicationController(rc *v1.ReplicationController) *cluster.Workload {
	return &cluster.Workload{
		Kind: "ReplicationController", Namespace: rc.Namespace, Name: rc.Name,
		Selector: mapSelector(rc.Spec.Selector), Replicas: scale(rc.Spec.Replicas), Owner: owner(rc),
	}
}

// ReplicaSet converts a controller. An error is a *FieldError.
func ReplicaSet(rs *appsv1.ReplicaSet) (*cluster.Workload, error) {
	return workload("ReplicaSet", &rs.ObjectMeta, rs.Spec.Selector, rs.Spec.Replicas)
}

// StatefulSet converts a controller. An error is a *FieldError.
func StatefulSet(ss *appsv1.StatefulSet) (*cluster.Workload, error) {
	return workload("StatefulSet", &ss.ObjectMeta, ss.Spec.Selector, ss.Spec.Replicas)
}

// Deployment converts a controller. An error is a *FieldError.
func Deployment(d *appsv1.Deployment) (*cluster.Workload, error) {
	return workload("Deployment", &d.ObjectMeta, d.Spec.Selector, d.Spec.Replicas)
}

func workload(kind string, meta *metav1.ObjectMeta, selector *metav1.LabelSelector, replicas *int32) (*cluster.Workload, error) {
	sel, err := labelSelector(selector)
	if err != nil {
		return nil, in(err, "spec", "selector")
	}
	return &cluster.Workload{
		Kind: kind, Namespace: meta.Namespace, Name: meta.Name, Selector: sel, Replicas: scale(replicas), Owner: owner(meta),
	}, nil
}

// scale returns how many pods a controller is to have: one if it doesn't say.
func scale(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

// PodDisruptionBudget converts a budget and its status, which is what the
// disruption controller has made of it: a budget without a status allows nothing.
// Epoch is the time of day at which cluster.Time is 0. An error is a *FieldError.
func PodDisruptionBudget(b *policyv1.PodDisruptionBudget, epoch time.Time) (*cluster.DisruptionBudget, error) {
	sel, err := labelSelector(b.Spec.Selector)
	if err != nil {
		return nil, in(err, "spec", "selector")
	}
	to := &cluster.DisruptionBudget{
		Namespace: b.Namespace, Name: b.Name, Selector: sel,
		Generation: b.Generation, ObservedGeneration: b.Status.ObservedGeneration,
		Allowed:        b.Status.DisruptionsAllowed,
		CurrentHealthy: b.Status.CurrentHealthy, DesiredHealthy: b.Status.DesiredHealthy, ExpectedPods: b.Status.ExpectedPods,
		Disrupted: slices.Sorted(maps.Keys(b.Status.DisruptedPods)),
	}
	for _, name := range to.Disrupted {
		to.DisruptedAt = append(to.DisruptedAt, cluster.Time(b.Status.DisruptedPods[name].Sub(epoch)))
	}
	if to.MinAvailable, err = intOrPercent(b.Spec.MinAvailable); err != nil {
		return nil, in(err, "spec", "minAvailable")
	}
	if to.MaxUnavailable, err = intOrPercent(b.Spec.MaxUnavailable); err != nil {
		return nil, in(err, "spec", "maxUnavailable")
	}
	if policy := b.Spec.UnhealthyPodEvictionPolicy; policy != nil {
		switch *policy {
		case policyv1.IfHealthyBudget:
		case policyv1.AlwaysAllow:
			to.AlwaysAllow = true
		default:
			return nil, in(wrongValue(string(*policy), "IfHealthyBudget", "AlwaysAllow"), "spec", "unhealthyPodEvictionPolicy")
		}
	}
	return to, nil
}

// intOrPercent converts a number of pods, or a percentage of them.
func intOrPercent(from *intstr.IntOrString) (*cluster.IntOrPercent, error) {
	switch {
	case from == nil:
		return nil, nil
	case from.Type == intstr.Int:
		return &cluster.IntOrPercent{Value: from.IntVal}, nil
	}
	digits, ok := strings.CutSuffix(from.StrVal, "%")
	value, err := strconv.ParseInt(digits, 10, 32)
	if !ok || err != nil {
		return nil, wrongValue(from.StrVal, "a number", "a percentage like 50%")
	}
	return &cluster.IntOrPercent{Value: int32(value), Percent: true}, nil
}

// kindName names a kind: as it is if it is one of the groups that make pods in
// every cluster, and as KIND.VERSION.GROUP if not, so that other groups' kinds of
// the same name are another.
func kindName(apiVersion, kind string) string {
	switch apiVersion {
	case "v1", "apps/v1", "batch/v1":
		return kind
	}
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return kind + "." + apiVersion
	}
	return kind + "." + version + "." + group
}
