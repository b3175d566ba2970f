package manifest

import (
	"reflect"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestConditions reads what nodes say of themselves.
func TestConditions(t *testing.T) {
	posted := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	n := &v1.Node{Status: v1.NodeStatus{Conditions: []v1.NodeCondition{
		{Type: v1.NodeDiskPressure, Status: v1.ConditionTrue, LastHeartbeatTime: metav1.NewTime(posted.Add(time.Hour))},
		{Type: v1.NodeReady, Status: v1.ConditionFalse, LastHeartbeatTime: metav1.NewTime(posted)},
		{Type: v1.NodeMemoryPressure, Status: "Perhaps"},
		{Type: "KernelDeadlock", Status: v1.ConditionTrue},
	}}}
	want := cluster.Conditions{
		cluster.NodeReady: cluster.ConditionFalse, cluster.NodeDiskPressure: cluster.ConditionTrue, cluster.NodeMemoryPressure: cluster.ConditionUnknown,
	}
	if got, at := Conditions(n); got != want || !at.Equal(posted) {
		t.Errorf("they are %v, posted %v; want %v, %v", got, at, want, posted)
	}
	if got, at := Conditions(&v1.Node{}); got != (cluster.Conditions{}) || !at.IsZero() {
		t.Errorf("a node that says nothing says %v at %v", got, at)
	}
	for c, name := range map[cluster.NodeCondition]v1.NodeConditionType{cluster.NodeReady: v1.NodeReady, cluster.NodePIDPressure: v1.NodePIDPressure} {
		if got := ConditionType(c); got != name {
			t.Errorf("%v is called %s, want %s", c, got, name)
		}
	}
}

// TestStatusObjects writes statuses that are read back as what they were.
func TestStatusObjects(t *testing.T) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "b", Generation: 3}}
	want, err := PodDisruptionBudget(b, epoch)
	if err != nil {
		t.Fatal(err)
	}
	want.Allowed, want.CurrentHealthy, want.DesiredHealthy, want.ExpectedPods, want.ObservedGeneration = 1, 4, 3, 5, 3
	want.Disrupted, want.DisruptedAt = []string{"x", "y"}, []cluster.Time{cluster.Second, cluster.Hour}
	SetBudgetStatus(b, want, epoch)
	if got, err := PodDisruptionBudget(b, epoch); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the budget is read as %+v, %v; want %+v", got, err, want)
	}
	if c := b.Status.Conditions; len(c) != 1 || c[0].Type != policyv1.DisruptionAllowedCondition || c[0].Status != metav1.ConditionTrue {
		t.Errorf("its conditions are %v", c)
	}

	q := &cluster.ResourceQuota{Namespace: "n", Name: "q"}
	q.Enforced = []cluster.NamedAmount{{Name: "cpu", Amount: 1500}, {Name: "limits.cpu", Amount: 2000}, {Name: "pods", Amount: 7}, {Name: "requests.memory", Amount: 3 << 30}}
	q.Used = []cluster.NamedAmount{{Name: "pods", Amount: 0}, {Name: "requests.nvidia.com/gpu", Amount: 2}}
	o := &v1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "q"}, Status: QuotaStatus(q)}
	if got, err := ResourceQuota(o); err != nil || !reflect.DeepEqual(got, q) {
		t.Errorf("the quota is read as %+v, %v; want %+v", got, err, q)
	}
	if memory := o.Status.Hard["requests.memory"]; memory.String() != "3Gi" {
		t.Errorf("its memory is %s", memory.String())
	}
}

// TestPodObject makes objects of pods that are read back as what they were.
func TestPodObject(t *testing.T) {
	class := &cluster.Class{Namespace: "n", Owner: cluster.OwnerRef{Kind: "ReplicaSet", Name: "rs"}, Requests: cluster.Amounts{cluster.CPU: 300, cluster.Memory: 1 << 20}, Images: []string{"i:latest"}}
	spec := &cluster.PodSpec{Name: "p", Class: class, Labels: cluster.MakeLabels(map[string]string{"a": "b"}), Run: cluster.Never}
	var conv Converter
	got, err := conv.Pod(PodObject(spec))
	if err != nil || got.Name != "p" || got.On != "" || !reflect.DeepEqual(got.Labels, spec.Labels) || got.Class.Owner != class.Owner || got.Class.Requests.Get(cluster.CPU) != 300 {
		t.Errorf("it is read as %+v, %v", got, err)
	}
	var a cluster.Allocation
	a.GPUs = a.GPUs.With(1).With(5)
	if got := PlacesAnnotation(a); len(got) != 1 || got[AnnotationPlaces] != "1,5" {
		t.Errorf("its places are %v", got)
	}
	if got := PlacesAnnotation(cluster.Allocation{}); got != nil {
		t.Errorf("without GPUs its places are %v", got)
	}
	if got := TaintObject(cluster.Taint{Key: "k", Value: "v", Effect: cluster.NoExecute}); got != (v1.Taint{Key: "k", Value: "v", Effect: v1.TaintEffectNoExecute}) {
		t.Errorf("the taint is %v", got)
	}
}
