package manifest

import (
	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Node makes an object of n, as it was last described. The caller must not change
// it.
func (w *Writer) Node(s *cluster.State, n cluster.NodeID) *v1.Node {
	for len(w.nodes) <= int(n) {
		w.nodes = append(w.nodes, writtenNode{})
	}
	if known := &w.nodes[n]; known.from != s.Nodes.Spec[n] {
		*known = writtenNode{s.Nodes.Spec[n], NodeObject(s.Nodes.Spec[n])}
	}
	return w.nodes[n].node
}

// NodeObject makes the object that Node makes spec of.
func NodeObject(spec *cluster.NodeSpec) *v1.Node {
	n := &v1.Node{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Node"},
		ObjectMeta: metav1.ObjectMeta{Name: spec.Name, UID: types.UID(spec.Name), Labels: labelMap(spec.Labels)},
		Spec:       v1.NodeSpec{Unschedulable: spec.Unschedulable},
		Status:     v1.NodeStatus{Allocatable: nodeAmounts(spec), Capacity: nodeAmounts(spec), DeclaredFeatures: spec.Features},
	}
	if spec.GPUModel != "" {
		n.Annotations = map[string]string{AnnotationModel: spec.GPUModel}
	}
	for _, t := range spec.Taints {
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: t.Key, Value: t.Value, Effect: effectNames[t.Effect]})
	}
	for _, image := range spec.Images {
		n.Status.Images = append(n.Status.Images, v1.ContainerImage{Names: image.Names, SizeBytes: image.Bytes})
	}
	return n
}

var effectNames = [...]v1.TaintEffect{
	cluster.NoEffect: "", cluster.NoSchedule: v1.TaintEffectNoSchedule,
	cluster.PreferNoSchedule: v1.TaintEffectPreferNoSchedule, cluster.NoExecute: v1.TaintEffectNoExecute,
}

// nodeAmounts lists what a node has, for each list anew.
func nodeAmounts(spec *cluster.NodeSpec) v1.ResourceList {
	list := v1.ResourceList{
		v1.ResourceCPU:              milli(spec.Capacity.Get(cluster.CPU)),
		v1.ResourceMemory:           inBytes(spec.Capacity.Get(cluster.Memory)),
		v1.ResourceEphemeralStorage: inBytes(spec.Capacity.Get(cluster.EphemeralStorage)),
		v1.ResourcePods:             whole(spec.Capacity.Get(cluster.PodSlots)),
	}
	for _, e := range spec.Extended {
		list[v1.ResourceName(e.Name)] = whole(e.Amount)
	}
	if spec.GPUs > 0 {
		list[cluster.GPUShares] = whole(int64(spec.GPUs) * cluster.WholeGPU)
	}
	return list
}

func milli(amount int64) resource.Quantity {
	return *resource.NewMilliQuantity(amount, resource.DecimalSI)
}

func inBytes(amount int64) resource.Quantity { return *resource.NewQuantity(amount, resource.BinarySI) }

func whole(amount int64) resource.Quantity { return *resource.NewQuantity(amount, resource.DecimalSI) }
