package kube_test

import (
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// deeds decides what it is told to, once it is asked for.
type deeds struct {
	ask chan func(s *cluster.State)
}

// Step implements cluster.Controller.
func (d *deeds) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	select {
	case do := <-d.ask:
		do(s)
	default:
	}
	return s.Now + 100*cluster.Millisecond
}

// rowOfPod returns the row of a pod of namespace default.
func rowOfPod(s *cluster.State, name string) cluster.PodID {
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] != cluster.Ended && s.Pods.Name[p] == name {
			return p
		}
	}
	panic("there is no pod " + name)
}

func rowOfNode(s *cluster.State, name string) cluster.NodeID {
	n, ok := s.Nodes.Named(name)
	if !ok {
		panic("there is no node " + name)
	}
	return n
}

// unknown is what a node's status says that nobody has heard of.
var unknown = cluster.Conditions{cluster.ConditionUnknown, cluster.ConditionUnknown, cluster.ConditionUnknown, cluster.ConditionUnknown}

// deedTests decide one thing each about a node a or a pod p that is on it, and look at what the
// server has then.
var deedTests = []struct {
	why      string
	do       func(s *cluster.State)
	pod      func(t *testing.T, p *v1.Pod) // checks p, which was on node a; nil if it is gone
	node     func(t *testing.T, n *v1.Node)
	rejected []int16
}{
	{why: "evict", do: func(s *cluster.State) { s.Delete(rowOfPod(s, "p"), cluster.DeletionByTaint) }, pod: terminatingFor("DeletionByTaintManager")},
	{why: "preempt", do: func(s *cluster.State) { s.Preempt(rowOfPod(s, "p")) }, pod: terminatingFor("PreemptionByScheduler")},
	{why: "evict without a cause", do: func(s *cluster.State) { s.Evict(rowOfPod(s, "p")) }, pod: terminatingFor("")},
	{why: "finalise", do: func(s *cluster.State) { s.Finalise(rowOfPod(s, "p"), cluster.DeletionByPodGC) }, pod: func(t *testing.T, p *v1.Pod) {
		if p != nil {
			t.Errorf("it is there still: %v", p.Status)
		}
	}},
	{why: "an eviction that the budget allows", do: func(s *cluster.State) { s.RequestEviction(rowOfPod(s, "p")) }, pod: terminatingFor("EvictionByEvictionAPI")},
	{why: "an eviction that the budget doesn't allow", do: func(s *cluster.State) { s.RequestEviction(rowOfPod(s, "held")) }, rejected: []int16{429}},
	{why: "unready", do: func(s *cluster.State) { s.MarkUnready(rowOfPod(s, "p")) }, pod: func(t *testing.T, p *v1.Pod) {
		if p == nil || isReady(p) || p.DeletionTimestamp != nil {
			t.Errorf("it is %v", p)
		}
	}},
	{why: "taint", do: func(s *cluster.State) {
		s.AddTaint(rowOfNode(s, "a"), cluster.Taint{Key: "k", Value: "v", Effect: cluster.NoExecute})
	}, node: func(t *testing.T, n *v1.Node) {
		if len(n.Spec.Taints) != 2 || n.Spec.Taints[1].Key != "k" || n.Spec.Taints[1].Value != "v" || n.Spec.Taints[1].TimeAdded == nil {
			t.Errorf("its taints are %v", n.Spec.Taints)
		}
	}},
	{why: "untaint", do: func(s *cluster.State) {
		s.RemoveTaint(rowOfNode(s, "a"), cluster.Taint{Key: "old", Effect: cluster.PreferNoSchedule})
	}, node: func(t *testing.T, n *v1.Node) {
		if len(n.Spec.Taints) != 0 {
			t.Errorf("its taints are %v", n.Spec.Taints)
		}
	}},
	{why: "cordon", do: func(s *cluster.State) {
		s.AddTaint(rowOfNode(s, "a"), cluster.Taint{Key: cluster.TaintUnschedulable, Effect: cluster.NoSchedule})
	}, node: func(t *testing.T, n *v1.Node) {
		if len(n.Spec.Taints) != 2 || !n.Spec.Unschedulable {
			t.Errorf("its taints are %v, unschedulable: %v", n.Spec.Taints, n.Spec.Unschedulable)
		}
	}},
	{why: "conditions", do: func(s *cluster.State) { s.SetConditions(rowOfNode(s, "a"), unknown) }, node: func(t *testing.T, n *v1.Node) {
		for _, c := range n.Status.Conditions {
			if c.Status != v1.ConditionUnknown || c.Reason != "NodeStatusUnknown" || c.Message != "Kubelet stopped posting node status." {
				t.Errorf("%v", c)
			}
		}
	}},
}

// TestDeeds tries deedTests. In every second run the first answer to each request is lost, which
// must not make a difference.
func TestDeeds(t *testing.T) {
	for _, tt := range deedTests {
		for _, lost := range []bool{false, true} {
			name := tt.why
			if lost {
				name += ", and no answer"
			}
			t.Run(name, func(t *testing.T) {
				inWorld(t, kubetest.Options{}, func(w *world) {
					r := w.deed(tt.do, lost)
					if tt.pod != nil {
						p, err := kubetest.Get[*v1.Pod](w.server, "default", "p")
						if err != nil {
							p = nil
						}
						tt.pod(t, p)
					}
					if tt.node != nil {
						n, err := kubetest.Get[*v1.Node](w.server, "", "a")
						if err != nil {
							t.Fatal(err)
						}
						tt.node(t, n)
					}
					if len(r.seen.codes) != len(tt.rejected) || len(tt.rejected) > 0 && r.seen.codes[0] != tt.rejected[0] {
						t.Errorf("rejected: %v, want %v", r.seen.rejected, tt.rejected)
					}
				})
			})
		}
	}
}

// terminatingFor checks that a pod was told to end, and why.
func terminatingFor(reason string) func(*testing.T, *v1.Pod) {
	return func(t *testing.T, p *v1.Pod) {
		t.Helper()
		if p == nil || p.DeletionTimestamp == nil {
			t.Fatalf("it wasn't told to end: %v", p)
		}
		got := ""
		for _, c := range p.Status.Conditions {
			if c.Type == v1.DisruptionTarget && c.Status == v1.ConditionTrue {
				got = c.Reason
			}
		}
		if got != reason {
			t.Errorf("it was told to end because of %q, want %q", got, reason)
		}
	}
}

// deed decides something on a node a with a taint and with pods p, of which a budget allows one
// to be evicted, and held, of which it allows none. It returns when the decision is settled.
func (w *world) deed(do func(s *cluster.State), lost bool) *run {
	w.t.Helper()
	k := w.server.Kubelet("a", kubetest.KubeletOptions{Taints: []v1.Taint{{Key: "old", Effect: v1.TaintEffectPreferNoSchedule}}})
	for _, name := range []string{"p", "held"} {
		p := aPod(name, 100)
		p.Labels, p.Spec.NodeName = map[string]string{"app": name}, "a"
		zero := intstr.FromInt32(0)
		b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &zero, Selector: &metav1.LabelSelector{MatchLabels: p.Labels},
		}}
		if name == "p" {
			b.Status.DisruptionsAllowed = 5
		}
		b.Generation, b.Status.ObservedGeneration = 1, 1
		w.add(p, b)
	}
	after(5 * time.Second)
	k.Stop() // so that what was decided stays
	if lost {
		w.server.SetFaults(kubetest.Fault{Verb: "create", Reset: kubetest.ResetAfter, Times: 1}, kubetest.Fault{Verb: "patch", Reset: kubetest.ResetAfter, Times: 1},
			kubetest.Fault{Verb: "update", Reset: kubetest.ResetAfter, Times: 1}, kubetest.Fault{Verb: "delete", Reset: kubetest.ResetAfter, Times: 1})
	}
	d := &deeds{ask: make(chan func(*cluster.State), 1)}
	r := w.drive(kube.Options{Needs: kube.Pods | kube.Nodes | kube.Budgets | kube.Quotas}, nil, d)
	after(time.Second)
	d.ask <- do
	after(10 * time.Second)
	return r
}

// TestStore writes what was counted of budgets and quotas, be the answer lost or not.
func TestStore(t *testing.T) {
	for _, lost := range []bool{false, true} {
		inWorld(t, kubetest.Options{}, func(w *world) {
			w.add(&v1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "q"}, Spec: v1.ResourceQuotaSpec{
				Hard: v1.ResourceList{v1.ResourcePods: resource.MustParse("5"), v1.ResourceRequestsCPU: resource.MustParse("2")},
			}})
			r := w.deed(func(s *cluster.State) {
				b := *s.Budgets.Get("default", "p")
				b.Allowed, b.ExpectedPods, b.Disrupted, b.DisruptedAt = 3, 7, []string{"x"}, []cluster.Time{s.Now}
				s.Store(&b)
				q := *s.Quotas.Get("default", "q")
				q.Enforced = q.Hard
				q.Used = []cluster.NamedAmount{{Name: "pods", Amount: 2}, {Name: "requests.cpu", Amount: 1500}}
				s.Store(&q)
			}, lost)
			b, err := kubetest.Get[*policyv1.PodDisruptionBudget](w.server, "default", "p")
			if err != nil || b.Status.DisruptionsAllowed != 3 || b.Status.ExpectedPods != 7 || len(b.Status.DisruptedPods) != 1 || len(b.Status.Conditions) != 1 {
				t.Errorf("the budget is %+v, %v", b.Status, err)
			}
			q, err := kubetest.Get[*v1.ResourceQuota](w.server, "default", "q")
			if cpu := q.Status.Used[v1.ResourceRequestsCPU]; err != nil || cpu.String() != "1500m" || q.Status.Hard.Pods().Value() != 5 {
				t.Errorf("the quota is %+v, %v", q.Status, err)
			}
			if len(r.seen.rejected) > 0 {
				t.Errorf("rejected: %v", r.seen.rejected)
			}
		})
	}
}

// TestCreate makes a pod, once, be the answer lost or not; and none where there is one.
func TestCreate(t *testing.T) {
	for _, lost := range []bool{false, true} {
		inWorld(t, kubetest.Options{}, func(w *world) {
			class := &cluster.Class{Namespace: "default", Requests: cluster.Amounts{cluster.CPU: 250}, Owner: cluster.OwnerRef{Kind: "ReplicaSet", Name: "rs"}}
			r := w.deed(func(s *cluster.State) {
				s.Create(&cluster.PodSpec{Name: "new", Class: class, Run: cluster.Never})
				s.Create(&cluster.PodSpec{Name: "held", Class: class, Run: cluster.Never})
			}, lost)
			p, err := kubetest.Get[*v1.Pod](w.server, "default", "new")
			if err != nil || p.Spec.Containers[0].Resources.Requests.Cpu().MilliValue() != 250 || p.OwnerReferences[0].Name != "rs" {
				t.Errorf("the pod is %v, %v", p, err)
			}
			if r.seen.kinds[cluster.PodAdded] != 3 || len(r.seen.codes) != 1 || r.seen.codes[0] != 409 {
				t.Errorf("%v; rejected: %v", r.seen.kinds, r.seen.rejected)
			}
		})
	}
}
