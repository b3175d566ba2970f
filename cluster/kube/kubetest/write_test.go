package kubetest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// inServer runs a test in virtual time with a server and a client of it.
func inServer(t *testing.T, o kubetest.Options, test func(*testing.T, *kubetest.Server, *kubernetes.Clientset)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := kubetest.New(o)
		defer s.Close()
		test(t, s, client(t, s))
	})
}

// must fails the test at an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// code is the HTTP status of an error; 0 of none.
func code(err error) int {
	if err == nil {
		return 0
	}
	if s, ok := err.(apierrors.APIStatus); ok {
		return int(s.Status().Code)
	}
	return -1
}

func wantCode(t *testing.T, doing string, err error, want int) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("%s: %d (%v), want %d", doing, got, err, want)
	}
}

func TestCreate(t *testing.T) {
	inServer(t, kubetest.Options{TaintNodesByCondition: true}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		p := pod("p")
		p.Status.Phase = corev1.PodRunning
		p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: quantity.MustParse("1")}
		p = must[*corev1.Pod](t)(pods.Create(t.Context(), p, metav1.CreateOptions{}))
		if p.UID == "" || p.ResourceVersion == "" || !p.CreationTimestamp.Time.Equal(time.Now()) || p.Generation != 1 {
			t.Errorf("metadata of a new pod: %+v", p.ObjectMeta)
		}
		if p.Status.Phase != corev1.PodPending || p.Status.QOSClass != corev1.PodQOSBurstable {
			t.Errorf("status of a new pod: %+v, want it pending and Burstable", p.Status)
		}
		if q := p.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU]; q.String() != "1" || *p.Spec.Priority != 0 ||
			p.Spec.SchedulerName != "default-scheduler" || len(p.Spec.Tolerations) != 2 {
			t.Errorf("defaults of a new pod: %+v", p.Spec)
		}
		_, err := pods.Create(t.Context(), pod("p"), metav1.CreateOptions{})
		wantCode(t, "creating it again", err, http.StatusConflict)
		if !apierrors.IsAlreadyExists(err) {
			t.Errorf("creating it again: %v, want AlreadyExists", err)
		}
		q := pod("")
		q.GenerateName = "web-"
		if q = must[*corev1.Pod](t)(pods.Create(t.Context(), q, metav1.CreateOptions{})); len(q.Name) != len("web-12345") {
			t.Errorf("generated name %q", q.Name)
		}
		_, err = c.CoreV1().Pods("nowhere").Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}, metav1.CreateOptions{})
		wantCode(t, "creating in a namespace that doesn't exist", err, http.StatusNotFound)
		q = pod("urgent")
		q.Spec.PriorityClassName = "high"
		_, err = pods.Create(t.Context(), q, metav1.CreateOptions{})
		wantCode(t, "creating with a class that doesn't exist", err, http.StatusForbidden)
		must[*schedulingv1.PriorityClass](t)(c.SchedulingV1().PriorityClasses().Create(t.Context(),
			&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 7}, metav1.CreateOptions{}))
		if q = must[*corev1.Pod](t)(pods.Create(t.Context(), q, metav1.CreateOptions{})); *q.Spec.Priority != 7 {
			t.Errorf("priority %d, want its class's 7", *q.Spec.Priority)
		}
		n := must[*corev1.Node](t)(c.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}, metav1.CreateOptions{}))
		if len(n.Spec.Taints) != 1 || n.Spec.Taints[0].Key != corev1.TaintNodeNotReady {
			t.Errorf("taints of a new node: %v", n.Spec.Taints)
		}
		before := len(s.Writes())
		must[*corev1.Pod](t)(pods.Create(t.Context(), pod("dry"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}))
		if len(s.Writes()) != before {
			t.Error("a dry run wrote something")
		}
	})
}

func TestUpdate(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		nodes := c.CoreV1().Nodes()
		first := must[*corev1.Node](t)(nodes.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}, metav1.CreateOptions{}))
		n := first.DeepCopy()
		n.Spec.Unschedulable = true
		n.Status.Phase = corev1.NodeRunning
		second := must[*corev1.Node](t)(nodes.Update(t.Context(), n, metav1.UpdateOptions{}))
		if !second.Spec.Unschedulable || second.Status.Phase != "" || second.ResourceVersion == first.ResourceVersion {
			t.Errorf("after an update: %+v, want its specification changed and its status not", second)
		}
		_, err := nodes.Update(t.Context(), n, metav1.UpdateOptions{})
		wantCode(t, "an update from a stale resourceVersion", err, http.StatusConflict)
		n.ResourceVersion = second.ResourceVersion
		n.Spec.Unschedulable = false
		third := must[*corev1.Node](t)(nodes.UpdateStatus(t.Context(), n, metav1.UpdateOptions{}))
		if !third.Spec.Unschedulable || third.Status.Phase != corev1.NodeRunning {
			t.Errorf("after an update of the status: %+v, want its status changed and its specification not", third)
		}
		same := must[*corev1.Node](t)(nodes.UpdateStatus(t.Context(), third, metav1.UpdateOptions{}))
		if same.ResourceVersion != third.ResourceVersion {
			t.Error("an update that changes nothing made a new resourceVersion")
		}
		n = third.DeepCopy()
		n.UID = "another"
		_, err = nodes.Update(t.Context(), n, metav1.UpdateOptions{})
		wantCode(t, "an update of another UID", err, http.StatusConflict)
		n.Name = "m"
		_, err = nodes.Update(t.Context(), n, metav1.UpdateOptions{})
		wantCode(t, "an update of what doesn't exist", err, http.StatusNotFound)

		leases := c.CoordinationV1().Leases("default")
		l := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "l", Namespace: "default"}}
		must[*coordinationv1.Lease](t)(leases.Create(t.Context(), l, metav1.CreateOptions{}))
		_, err = leases.Update(t.Context(), l, metav1.UpdateOptions{})
		wantCode(t, "an update of a lease without resourceVersion", err, http.StatusUnprocessableEntity)

		p := must[*corev1.Pod](t)(c.CoreV1().Pods("default").Create(t.Context(), pod("p"), metav1.CreateOptions{}))
		p.Spec.NodeName = "n"
		_, err = c.CoreV1().Pods("default").Update(t.Context(), p, metav1.UpdateOptions{})
		wantCode(t, "an update of a pod's node", err, http.StatusUnprocessableEntity)
		p.Spec.NodeName, p.Spec.Containers[0].Image = "", "newer"
		if p = must[*corev1.Pod](t)(c.CoreV1().Pods("default").Update(t.Context(), p, metav1.UpdateOptions{})); p.Generation != 2 {
			t.Errorf("generation %d after a change of the specification, want 2", p.Generation)
		}
		if s.BoundTwice() != "" {
			t.Error(s.BoundTwice())
		}
	})
}

func TestPatch(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		nodes := c.CoreV1().Nodes()
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"a": "1"}}}
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}, {Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse}}
		first := must[*corev1.Node](t)(nodes.Create(t.Context(), n, metav1.CreateOptions{}))
		n = must[*corev1.Node](t)(nodes.Patch(t.Context(), "n", types.StrategicMergePatchType,
			[]byte(`{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]},"spec":{"unschedulable":true}}`), metav1.PatchOptions{}, "status"))
		if len(n.Status.Conditions) != 2 || n.Status.Conditions[0].Status != corev1.ConditionUnknown || n.Spec.Unschedulable {
			t.Errorf("after a strategic merge patch of the status: %+v, want one of two conditions changed", n)
		}
		n = must[*corev1.Node](t)(nodes.Patch(t.Context(), "n", types.MergePatchType,
			[]byte(`{"metadata":{"labels":{"a":null,"b":"2"}},"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]}}`), metav1.PatchOptions{}))
		if len(n.Labels) != 1 || n.Labels["b"] != "2" || len(n.Spec.Taints) != 1 {
			t.Errorf("after a merge patch: %+v", n)
		}
		n = must[*corev1.Node](t)(nodes.Patch(t.Context(), "n", types.JSONPatchType,
			[]byte(`[{"op":"test","path":"/spec/taints/0/key","value":"k"},{"op":"remove","path":"/spec/taints/0"}]`), metav1.PatchOptions{}))
		if len(n.Spec.Taints) != 0 {
			t.Errorf("after a JSON patch: %+v", n)
		}
		_, err := nodes.Patch(t.Context(), "n", types.MergePatchType,
			[]byte(`{"metadata":{"resourceVersion":"`+first.ResourceVersion+`"},"spec":{"unschedulable":true}}`), metav1.PatchOptions{})
		wantCode(t, "a patch from a stale resourceVersion", err, http.StatusConflict)
		_, err = nodes.Patch(t.Context(), "n", types.ApplyPatchType, []byte(`{}`), metav1.PatchOptions{FieldManager: "x"})
		wantCode(t, "server-side apply", err, http.StatusUnsupportedMediaType)
		_, err = nodes.Patch(t.Context(), "m", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
		wantCode(t, "a patch of what doesn't exist", err, http.StatusNotFound)
		_, err = nodes.Patch(t.Context(), "n", types.MergePatchType, []byte(`{`), metav1.PatchOptions{})
		wantCode(t, "a patch that is no JSON", err, http.StatusBadRequest)
	})
}

func TestDelete(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		for _, name := range []string{"pending", "bound", "kept"} {
			p := pod(name)
			if name == "kept" {
				p.Finalizers = []string{"test/keep"}
			}
			must[*corev1.Pod](t)(pods.Create(t.Context(), p, metav1.CreateOptions{}))
		}
		if err := bind(c, "bound", "n"); err != nil {
			t.Fatal(err)
		}
		other, stale := types.UID("another"), "1"
		wantCode(t, "deleting another UID", pods.Delete(t.Context(), "bound", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}}), http.StatusConflict)
		wantCode(t, "deleting from a stale resourceVersion", pods.Delete(t.Context(), "bound", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &stale}}), http.StatusConflict)
		wantCode(t, "deleting what doesn't exist", pods.Delete(t.Context(), "none", metav1.DeleteOptions{}), http.StatusNotFound)
		for _, name := range []string{"pending", "bound", "kept"} {
			wantCode(t, "deleting "+name, pods.Delete(t.Context(), name, metav1.DeleteOptions{}), 0)
		}
		_, err := pods.Get(t.Context(), "pending", metav1.GetOptions{})
		wantCode(t, "reading a pending pod that was deleted", err, http.StatusNotFound)
		p := must[*corev1.Pod](t)(pods.Get(t.Context(), "bound", metav1.GetOptions{}))
		if p.DeletionTimestamp == nil || time.Until(p.DeletionTimestamp.Time) != 30*time.Second || *p.DeletionGracePeriodSeconds != 30 || p.Generation != 2 {
			t.Errorf("a bound pod that was deleted: %+v, want 30 s of grace", p.ObjectMeta)
		}
		wantCode(t, "binding a terminating pod", bind(c, "kept", "n"), http.StatusConflict)
		time.Sleep(5 * time.Second)
		five, none := int64(15), int64(0)
		wantCode(t, "deleting sooner", pods.Delete(t.Context(), "bound", metav1.DeleteOptions{GracePeriodSeconds: &five}), 0)
		if p = must[*corev1.Pod](t)(pods.Get(t.Context(), "bound", metav1.GetOptions{})); time.Until(p.DeletionTimestamp.Time) != 10*time.Second {
			t.Errorf("deleted with 15 s of grace after 5 s: ends in %v, want 10 s", time.Until(p.DeletionTimestamp.Time))
		}
		wantCode(t, "deleting at once", pods.Delete(t.Context(), "bound", metav1.DeleteOptions{GracePeriodSeconds: &none}), 0)
		_, err = pods.Get(t.Context(), "bound", metav1.GetOptions{})
		wantCode(t, "reading a pod that was deleted without grace", err, http.StatusNotFound)
		must[*corev1.Pod](t)(pods.Patch(t.Context(), "kept", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}))
		_, err = pods.Get(t.Context(), "kept", metav1.GetOptions{})
		wantCode(t, "reading a pod whose last finalizer is gone", err, http.StatusNotFound)
		must[*corev1.Pod](t)(pods.Create(t.Context(), pod("one"), metav1.CreateOptions{}))
		wantCode(t, "deleting all", pods.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}), 0)
		if left := kubetest.List[*corev1.Pod](s); len(left) != 0 {
			t.Errorf("%d pods left after deleting all", len(left))
		}
	})
}

func TestBinding(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		p := must[*corev1.Pod](t)(pods.Create(t.Context(), pod("p"), metav1.CreateOptions{}))
		b := &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "default", UID: "another", Annotations: map[string]string{"gpu": "3"}},
			Target:     corev1.ObjectReference{Kind: "Node", Name: "n"},
		}
		wantCode(t, "binding another UID", pods.Bind(t.Context(), b, metav1.CreateOptions{}), http.StatusConflict)
		b.UID = p.UID
		wantCode(t, "binding", pods.Bind(t.Context(), b, metav1.CreateOptions{}), 0)
		p = must[*corev1.Pod](t)(pods.Get(t.Context(), "p", metav1.GetOptions{}))
		if p.Spec.NodeName != "n" || p.Annotations["gpu"] != "3" || len(p.Status.Conditions) != 1 || p.Status.Conditions[0].Type != corev1.PodScheduled {
			t.Errorf("a bound pod: %+v", p)
		}
		b.Target.Name = "m"
		wantCode(t, "binding again", pods.Bind(t.Context(), b, metav1.CreateOptions{}), http.StatusConflict)
		wantCode(t, "binding what doesn't exist", bind(c, "none", "n"), http.StatusNotFound)
		gated := pod("gated")
		gated.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "wait"}}
		must[*corev1.Pod](t)(pods.Create(t.Context(), gated, metav1.CreateOptions{}))
		wantCode(t, "binding a gated pod", bind(c, "gated", "n"), http.StatusConflict)
		if bs := s.Bindings(); len(bs) != 1 || bs[0].NewNode != "n" || s.BoundTwice() != "" {
			t.Errorf("bindings in the audit log: %v", bs)
		}
		if err := kubetest.Update(s, "default", "p", func(p *corev1.Pod) { p.Spec.NodeName = "m" }); err != nil || s.BoundTwice() == "" {
			t.Errorf("a pod that moved to another node wasn't found (%v)", err)
		}
	})
}

func TestEviction(t *testing.T) {
	inServer(t, kubetest.Options{}, func(t *testing.T, s *kubetest.Server, c *kubernetes.Clientset) {
		pods := c.CoreV1().Pods("default")
		for _, name := range []string{"a", "b", "pending"} {
			p := pod(name)
			p.Labels = map[string]string{"app": "x"}
			if name != "pending" {
				p.Spec.NodeName = "n"
				p.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
			}
			if err := s.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		evict := func(name string) error {
			return pods.EvictV1(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}})
		}
		budgets := c.PolicyV1().PodDisruptionBudgets("default")
		b := must[*policyv1.PodDisruptionBudget](t)(budgets.Create(t.Context(), &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "default"},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}},
		}, metav1.CreateOptions{}))
		err := evict("a")
		wantCode(t, "evicting before the budget was observed", err, http.StatusTooManyRequests)
		b.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: b.Generation, DisruptionsAllowed: 1, CurrentHealthy: 2, DesiredHealthy: 1, ExpectedPods: 2}
		must[*policyv1.PodDisruptionBudget](t)(budgets.UpdateStatus(t.Context(), b, metav1.UpdateOptions{}))
		wantCode(t, "evicting the first", evict("a"), 0)
		err = evict("b")
		wantCode(t, "evicting the second", err, http.StatusTooManyRequests)
		if !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
			t.Errorf("evicting the second: %v, want the cause DisruptionBudget", err)
		}
		wantCode(t, "evicting a pending pod", evict("pending"), 0)
		p := must[*corev1.Pod](t)(pods.Get(t.Context(), "a", metav1.GetOptions{}))
		if last := p.Status.Conditions[len(p.Status.Conditions)-1]; p.DeletionTimestamp == nil || last.Type != corev1.DisruptionTarget || last.Reason != "EvictionByEvictionAPI" {
			t.Errorf("an evicted pod: %+v", p)
		}
		b = must[*policyv1.PodDisruptionBudget](t)(budgets.Get(t.Context(), "x", metav1.GetOptions{}))
		if _, ok := b.Status.DisruptedPods["a"]; !ok || b.Status.DisruptionsAllowed != 0 {
			t.Errorf("the budget after an eviction: %+v", b.Status)
		}
	})
}
