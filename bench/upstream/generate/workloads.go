package generate

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

// uid gives an object's UID, which must be unique among pods since upstream's cache is keyed by it.
func uid(name string) types.UID { return types.UID("uid-" + name) }

func (g *generator) add(obj runtime.Object) {
	g.step(scenario.Step{Verb: scenario.Add, Object: obj})
}

// addNamespaces adds namespaces with and without labels, and leaves one that pods use unknown.
func (g *generator) addNamespaces() {
	g.namespaces = []string{"default", "team-a", "team-b", "unknown"}
	g.add(&v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	for _, name := range g.namespaces[1:3] {
		g.add(g.namespace(name))
	}
	for i, value := range priorityValues {
		if i > 0 && value == priorityValues[i-1] {
			continue
		}
		g.add(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: className(value)}, Value: value})
	}
}

func (g *generator) namespace(name string) *v1.Namespace {
	n := &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelMetadataName: name}}}
	if g.chance(0.7) {
		n.Labels[teamLabel] = pick(g, teams...)
	}
	return n
}

// schedulingHighest is the highest priority of a class that isn't the system's.
const schedulingHighest = 1_000_000_000

func className(priority int32) string {
	switch {
	case priority > schedulingHighest:
		return "system-cluster-critical"
	case priority < 0:
		return fmt.Sprintf("minus-%d", -int64(priority))
	}
	return fmt.Sprintf("plus-%d", priority)
}

// workload is a kind of pod, of which there are several.
type workload struct {
	name      string
	namespace string
	labels    map[string]string
	owner     *metav1.OwnerReference
	spec      v1.PodSpec
	priority  int32
}

func (g *generator) addWorkloads() {
	for i := range g.between(2, 8) {
		w := g.workload(fmt.Sprintf("w%d", i))
		g.workloads = append(g.workloads, w)
		g.addOwner(w)
		if g.uses(defaultSpread) {
			g.addService(w)
		}
	}
}

func (g *generator) workload(name string) *workload {
	w := &workload{
		name:      name,
		namespace: pick(g, g.namespaces...),
		labels:    map[string]string{appLabel: pick(g, apps...)},
		priority:  0,
	}
	if g.chance(0.6) {
		w.labels[tierLabel] = pick(g, tiers...)
	}
	if g.chance(0.5) {
		w.labels[hashLabel] = pick(g, hashes...)
	}
	if g.chance(0.05) {
		w.labels = nil
	}
	if g.uses(priorities) {
		w.priority = pick(g, g.dials.priorities...)
	}
	w.spec = g.podSpec(w)
	return w
}

// addOwner gives the workload's pods a controller. Upstream reads three kinds of them; others, and
// those that aren't there, count as none.
func (g *generator) addOwner(w *workload) {
	if !g.uses(defaultSpread) {
		return
	}
	meta := metav1.ObjectMeta{Name: w.name, Namespace: w.namespace}
	template := v1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: w.labels},
		Spec:       v1.PodSpec{Containers: []v1.Container{{Name: "c0", Image: "tiny"}}},
	}
	ref := &metav1.OwnerReference{APIVersion: "apps/v1", Name: w.name, UID: uid(w.name), Controller: pointer(!g.chance(0.1))}
	selector := g.ownerSelector(w)
	kind := g.IntN(5)
	if len(w.labels) == 0 {
		kind = g.IntN(2) // the others select by labels
	}
	switch kind {
	case 0:
		ref.APIVersion, ref.Kind = "batch/v1", "Job"
	case 1:
		ref.Kind = "ReplicaSet" // one that is already gone
	case 2:
		ref.APIVersion, ref.Kind = "v1", "ReplicationController"
		g.add(&v1.ReplicationController{ObjectMeta: meta, Spec: v1.ReplicationControllerSpec{Selector: w.labels, Template: &template}})
	case 3:
		ref.Kind = "StatefulSet"
		g.add(&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template}})
	default:
		ref.Kind = "ReplicaSet"
		g.add(&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Selector: selector, Template: template}})
	}
	w.owner = ref
}

// ownerSelector draws a selector that matches the workload's labels.
func (g *generator) ownerSelector(w *workload) *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	for _, k := range slices.Sorted(maps.Keys(w.labels)) {
		v := w.labels[k]
		switch {
		case k == appLabel && g.chance(0.5):
			s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{
				Key: k, Operator: metav1.LabelSelectorOpIn, Values: []string{v, "other"},
			})
		case k == appLabel || g.chance(0.5):
			metav1.AddLabelToSelector(s, k, v)
		}
	}
	return s
}

func (g *generator) addService(w *workload) {
	s := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc-" + w.name, Namespace: w.namespace}}
	s.Spec.ClusterIP, s.Spec.ClusterIPs = v1.ClusterIPNone, []string{v1.ClusterIPNone}
	if !g.chance(0.1) {
		s.Spec.Selector = map[string]string{}
		for _, k := range slices.Sorted(maps.Keys(w.labels)) {
			if k == appLabel || g.chance(0.3) {
				s.Spec.Selector[k] = w.labels[k]
			}
		}
	}
	g.add(s)
}

// labelSelector draws a selector of pods: nil, empty, or with labels and expressions.
func (g *generator) labelSelector() *metav1.LabelSelector {
	switch g.IntN(12) {
	case 0:
		return nil
	case 1:
		return &metav1.LabelSelector{}
	}
	s := &metav1.LabelSelector{}
	if g.chance(0.6) {
		metav1.AddLabelToSelector(s, appLabel, pick(g, apps...))
	}
	if g.chance(0.2) {
		metav1.AddLabelToSelector(s, tierLabel, pick(g, tiers...))
	}
	for g.chance(0.3) {
		s.MatchExpressions = append(s.MatchExpressions, g.labelRequirement())
	}
	return s
}

func (g *generator) labelRequirement() metav1.LabelSelectorRequirement {
	r := metav1.LabelSelectorRequirement{
		Key: pick(g, appLabel, tierLabel, hashLabel, absentLabel),
		Operator: pick(g, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn,
			metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist),
	}
	if r.Operator == metav1.LabelSelectorOpIn || r.Operator == metav1.LabelSelectorOpNotIn {
		r.Values = []string{pick(g, "web", "db", "front", "back", "5d4f")}
		if g.chance(0.4) {
			r.Values = append(r.Values, pick(g, "cache", "6c7b"))
		}
	}
	return r
}
