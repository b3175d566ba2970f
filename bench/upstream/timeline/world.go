package timeline

import (
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// epoch is when virtual time begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// A world is the API server's objects, by name.
type world struct {
	pods    map[string]*v1.Pod
	nodes   map[string]*v1.Node
	refuse  map[string]int64 // bindings of a pod that are still to fail
	version int
}

func newWorld() *world {
	return &world{pods: map[string]*v1.Pod{}, nodes: map[string]*v1.Node{}, refuse: map[string]int64{}}
}

// A change is of a pod or of a node: added, if there is no old one, or gone, if there is no new one.
type change struct {
	pod, oldPod   *v1.Pod
	node, oldNode *v1.Node
}

// stamp gives an object the next version.
func (w *world) stamp(o *metav1.ObjectMeta) {
	w.version++
	o.ResourceVersion = fmt.Sprint(w.version)
}

// do takes a step. It returns nil if there is nothing to be done. Places are where pods are: nobody else
// nominates a pod while the scheduler tries one, nor one that is gated or another
// scheduler's: upstream's queue doesn't keep nodes for those.
func (w *world) do(s Step, now time.Duration, places map[string]string) *change {
	switch {
	case s.Kind == "node" && s.Gone:
		return w.removeNode(s.Name)
	case s.Kind == "node":
		n := nodeOf(s.Name, s.Fields)
		w.stamp(&n.ObjectMeta)
		old := w.nodes[s.Name]
		w.nodes[s.Name] = n
		return &change{node: n, oldNode: old}
	case s.Gone && places[s.Name] == "in flight" && w.pods[s.Name].Labels["permit"] == "reject":
		return nil // Berth can't ask the turnstile about a pod that is gone
	case s.Gone:
		return w.removePod(s.Name)
	}
	if s.Fields.has("nominated") && slices.Contains(slices.Collect(maps.Values(places)), "in flight") {
		return nil
	}
	return w.setPod(s.Name, s.Fields, now)
}

func (w *world) removeNode(name string) *change {
	old := w.nodes[name]
	if old == nil {
		return nil
	}
	delete(w.nodes, name)
	return &change{oldNode: old}
}

func (w *world) removePod(name string) *change {
	old := w.pods[name]
	if old == nil {
		return nil
	}
	delete(w.pods, name)
	return &change{oldPod: old}
}

// setPod adds a pod or changes it. What was decided about it stays, unless the step says otherwise.
func (w *world) setPod(name string, f Fields, now time.Duration) *change {
	p, old := podOf(name, f), w.pods[name]
	if old == nil {
		w.version++
		p.UID = types.UID(fmt.Sprintf("%s-%d", name, w.version))
		w.refuse[name] = f.number("fail")
	} else {
		p.UID, p.Status, p.DeletionTimestamp = old.UID, *old.Status.DeepCopy(), old.DeletionTimestamp
		p.Spec.NodeName = old.Spec.NodeName
	}
	if w.nodes[f["on"]] != nil && p.Spec.NodeName == "" {
		p.Spec.NodeName = f["on"]
		start(p, now)
	}
	if kept := f["nominated"]; kept != "" && p.Spec.NodeName == "" && !f.has("gate") && !f.has("other") {
		p.Status.NominatedNodeName = kept
		if kept == "-" {
			p.Status.NominatedNodeName = ""
		}
	}
	w.stamp(&p.ObjectMeta)
	w.pods[name] = p
	return &change{pod: p, oldPod: old}
}

// start says that a pod that is on a node now has begun to run.
func start(p *v1.Pod, now time.Duration) {
	began := metav1.NewTime(epoch.Add(now))
	p.Status.StartTime = &began
	p.Status.NominatedNodeName = ""
}

// bind puts a pod on a node, if it is still there and on none.
func (w *world) bind(uid types.UID, name, node string, now time.Duration) *change {
	old := w.pods[name]
	if old == nil || old.UID != uid || old.Spec.NodeName != "" {
		return nil
	}
	p := old.DeepCopy()
	p.Spec.NodeName = node
	start(p, now)
	w.stamp(&p.ObjectMeta)
	w.pods[name] = p
	return &change{pod: p, oldPod: old}
}

// terminate has a pod told to end, to make room for another.
func (w *world) terminate(name string, now time.Duration) *change {
	old := w.pods[name]
	p, told := old.DeepCopy(), metav1.NewTime(epoch.Add(now))
	p.DeletionTimestamp = &told
	p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{
		Type: v1.DisruptionTarget, Status: v1.ConditionTrue, Reason: v1.PodReasonPreemptionByScheduler,
	})
	w.stamp(&p.ObjectMeta)
	w.pods[name] = p
	return &change{pod: p, oldPod: old}
}

// keep keeps a node for a pod, "" for none, which upstream says by a patch.
func (w *world) keep(name, node string) {
	p := w.pods[name].DeepCopy()
	p.Status.NominatedNodeName = node
	w.pods[name] = p
}

// stranded lists the pods that are on a node, by name.
func (w *world) stranded(node string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(w.pods)) {
		if w.pods[name].Spec.NodeName == node {
			names = append(names, name)
		}
	}
	return names
}

func nodeOf(name string, f Fields) *v1.Node {
	slots := f.number("slots")
	if slots == 0 {
		slots = 20
	}
	n := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{v1.LabelHostname: name}},
		Status: v1.NodeStatus{Allocatable: v1.ResourceList{
			v1.ResourceCPU:    *resource.NewMilliQuantity(f.number("cpu"), resource.DecimalSI),
			v1.ResourceMemory: resource.MustParse("64Gi"),
			v1.ResourcePods:   *resource.NewQuantity(slots, resource.DecimalSI),
		}},
	}
	n.Status.Capacity = n.Status.Allocatable
	if f.has("zone") {
		n.Labels[v1.LabelTopologyZone] = f["zone"]
	}
	n.Spec.Unschedulable = f.has("off")
	if f.has("off") {
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: v1.TaintNodeUnschedulable, Effect: v1.TaintEffectNoSchedule})
	}
	if f.has("taint") {
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: "t", Value: "v", Effect: v1.TaintEffectNoSchedule})
	}
	return n
}

func podOf(name string, f Fields) *v1.Pod {
	priority := int32(f.number("prio"))
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", Labels: map[string]string{}},
		Spec: v1.PodSpec{
			SchedulerName: v1.DefaultSchedulerName, Priority: &priority,
			Containers: []v1.Container{{
				Name: "c", Image: "i:1",
				Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
					v1.ResourceCPU: *resource.NewMilliQuantity(f.number("cpu"), resource.DecimalSI),
				}},
			}},
		},
		Status: v1.PodStatus{Phase: v1.PodPending},
	}
	constrain(p, f)
	if f.has("app") {
		p.Labels["app"] = f["app"]
	}
	if f.has("permit") {
		p.Labels["permit"] = f["permit"]
	}
	if f.has("gate") {
		p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "example.com/gate"}}
	}
	if f.has("other") {
		p.Spec.SchedulerName = "other"
	}
	if f.has("never") {
		never := v1.PreemptNever
		p.Spec.PreemptionPolicy = &never
	}
	return p
}

// constrain writes down which nodes will do for a pod.
func constrain(p *v1.Pod, f Fields) {
	spec := &p.Spec
	if f.has("tol") {
		spec.Tolerations = []v1.Toleration{
			{Key: "t", Operator: v1.TolerationOpExists}, {Key: v1.TaintNodeUnschedulable, Operator: v1.TolerationOpExists},
		}
	}
	if f.has("zone") {
		spec.NodeSelector = map[string]string{v1.LabelTopologyZone: f["zone"]}
	}
	if f.has("port") {
		spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: int32(f.number("port")), ContainerPort: 1, Protocol: v1.ProtocolTCP}}
	}
	term := func(app, topology string) []v1.PodAffinityTerm {
		return []v1.PodAffinityTerm{{LabelSelector: metav1.SetAsLabelSelector(map[string]string{"app": app}), TopologyKey: topology}}
	}
	if f.has("anti") || f.has("near") {
		spec.Affinity = &v1.Affinity{}
	}
	if f.has("anti") {
		spec.Affinity.PodAntiAffinity = &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: term(f["anti"], v1.LabelHostname)}
	}
	if f.has("near") {
		spec.Affinity.PodAffinity = &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: term(f["near"], v1.LabelTopologyZone)}
	}
	if f.has("spread") {
		spec.TopologySpreadConstraints = []v1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: v1.LabelTopologyZone, WhenUnsatisfiable: v1.DoNotSchedule,
			LabelSelector: metav1.SetAsLabelSelector(map[string]string{"app": f["spread"]}),
		}}
	}
}
