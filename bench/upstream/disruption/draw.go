package disruption

import (
	"fmt"
	"math/rand/v2"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// epoch is when a story begins: that is when bubbles do.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

var (
	deployment = &Workload{Kind: "Deployment", APIVersion: "apps/v1", Name: "d"}
	noDeploy   = &Workload{Kind: "Deployment", APIVersion: "apps/v1", Name: "never-made"}
	rollout    = &Workload{Kind: "Rollout", APIVersion: "argoproj.io/v1alpha1", Name: "ro"}
)

// owners are the controllers that pods of stories have.
var owners = []*Workload{
	{Kind: "ReplicationController", APIVersion: "v1", Name: "rc"},
	{Kind: "ReplicaSet", APIVersion: "apps/v1", Name: "rs-1", Owner: deployment},
	{Kind: "ReplicaSet", APIVersion: "apps/v1", Name: "rs-2", Owner: deployment},
	{Kind: "ReplicaSet", APIVersion: "apps/v1", Name: "rs-3"},
	{Kind: "ReplicaSet", APIVersion: "apps/v1", Name: "rs-4", Owner: rollout},
	{Kind: "ReplicaSet", APIVersion: "apps/v1", Name: "rs-5", Owner: noDeploy},
	{Kind: "StatefulSet", APIVersion: "apps/v1", Name: "ss"},
	deployment, rollout, nil, nil,
	{Kind: "DaemonSet", APIVersion: "apps/v1", Name: "ds"},
	{Kind: "Job", APIVersion: "batch/v1", Name: "job"},
}

// drawer makes stories.
type drawer struct {
	*rand.Rand
	owners []*Workload // of this story's pods
	story  Story
}

// Draw makes the i-th story of a seed.
func Draw(seed, i uint64) Story {
	d := &drawer{Rand: rand.New(rand.NewPCG(seed, i))}
	for range 1 + d.IntN(3) {
		last := len(owners)
		if d.IntN(3) > 0 {
			last -= 2 // those that have no scale
		}
		d.owners = append(d.owners, owners[d.IntN(last)])
	}
	for _, w := range d.owners {
		if w != nil && d.IntN(8) > 0 {
			d.addWorkload(w)
		}
	}
	first := d.IntN(2) == 0
	for range 1 + d.IntN(2) {
		if first {
			d.story = append(d.story, Happening{Budget: d.budget()})
		}
	}
	for range 2 + d.IntN(7) {
		d.story = append(d.story, Happening{Pod: d.pod()})
	}
	for range 8 + d.IntN(16) {
		d.happen()
	}
	return d.story
}

// addWorkload makes w, and the one that made it, if any does.
func (d *drawer) addWorkload(w *Workload) {
	if w.Owner != nil && w.Owner != noDeploy && d.IntN(6) > 0 {
		d.addWorkload(w.Owner)
	}
	scaled := *w
	scaled.Replicas = int32(d.IntN(8))
	d.story = append(d.story, Happening{Workload: &scaled})
}

// happen adds something at random.
func (d *drawer) happen() {
	h := Happening{}
	if d.IntN(3) == 0 {
		h.Wait = time.Duration(d.IntN(70_000)) * time.Millisecond
		if d.IntN(3) == 0 {
			h.Wait = time.Duration(d.IntN(130)) * time.Second
		}
	}
	if d.IntN(8) == 0 {
		h.Expiry = []*time.Duration{new(time.Duration), ms(-1), ms(1), ms(4), ms(5), ms(6), ms(1000)}[d.IntN(7)]
		if d.IntN(2) == 0 {
			d.story = append(d.story, h)
			return
		}
	}
	owner := d.owners[d.IntN(len(d.owners))]
	switch what := d.IntN(40); {
	case what < 10:
		h.Pod = d.pod()
	case what < 12:
		h.Delete = d.podName()
	case what < 14:
		h.RemovePod = d.podName()
	case what < 17:
		h.Budget = d.budget()
	case what < 20:
		h.Budget, h.Evict = d.budget(), d.podName()
	case what < 22: // another of the same name, with its own status
		b := d.budget()
		d.story = append(d.story, Happening{RemoveBudget: b.Name})
		h.Budget, h.Evict = b, d.podName()
	case what < 23:
		h.RemoveBudget = d.budgetName()
	case what < 25 && owner != nil:
		d.addWorkload(owner)
	case what < 26 && owner != nil:
		h.RemoveWorkload = owner.key()
	default:
		h.Evict = d.podName()
	}
	d.story = append(d.story, h)
}

func ms(n time.Duration) *time.Duration { n *= time.Millisecond; return &n }

func (d *drawer) podName() string    { return fmt.Sprintf("p%d", d.IntN(8)) }
func (d *drawer) budgetName() string { return fmt.Sprintf("b%d", max(0, d.IntN(10)-7)) }

func (d *drawer) pod() *v1.Pod {
	grace := int64(30)
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: d.podName(), OwnerReferences: d.owners[d.IntN(len(d.owners))].ref()},
		Spec: v1.PodSpec{
			NodeName: nodeName, TerminationGracePeriodSeconds: &grace, RestartPolicy: v1.RestartPolicyAlways, DNSPolicy: v1.DNSClusterFirst,
			Containers: []v1.Container{{Name: "c", Image: "i", TerminationMessagePolicy: v1.TerminationMessageReadFile, ImagePullPolicy: v1.PullAlways}},
		},
		Status: v1.PodStatus{Phase: v1.PodRunning},
	}
	p.UID = "uid-" + "of-a-pod"
	p.Labels = []map[string]string{{"app": "a"}, {"app": "a"}, {"app": "a"}, {"app": "b"}, {"app": "b", "tier": "x"}, nil, {"other": "y"}}[d.IntN(7)]
	ready := v1.PodCondition{Type: v1.PodReady, Status: v1.ConditionTrue}
	switch d.IntN(12) {
	case 0, 1:
		ready.Status = v1.ConditionFalse
	case 2:
		ready.Status = v1.ConditionUnknown
	case 3:
		p.Spec.NodeName, p.Status.Phase = "", v1.PodPending
		return p
	case 4:
		p.Status.Phase, ready.Status = v1.PodPending, v1.ConditionFalse
	}
	p.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionTrue}, ready}
	return p
}

func (d *drawer) budget() *policyv1.PodDisruptionBudget {
	b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: d.budgetName(), Generation: 1}}
	app := func(op metav1.LabelSelectorOperator, values ...string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: op, Values: values}}}
	}
	labels := func(value string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": value}}
	}
	b.Spec.Selector = []*metav1.LabelSelector{
		labels("a"), labels("a"), labels("a"), labels("b"), labels("b"), {}, nil, app(metav1.LabelSelectorOpExists), app(metav1.LabelSelectorOpNotIn, "b"),
	}[d.IntN(9)]
	amount := intstr.FromInt32(int32(d.IntN(3) + d.IntN(2)*d.IntN(3)))
	if d.IntN(2) == 0 {
		amount = intstr.FromString(fmt.Sprintf("%d%%", []int{0, 1, 10, 25, 33, 50, 50, 66, 90, 100}[d.IntN(10)]))
	}
	switch d.IntN(15) {
	case 0:
	case 1, 2, 3, 4, 5, 6:
		b.Spec.MaxUnavailable = &amount
	default:
		b.Spec.MinAvailable = &amount
	}
	for i, policy := range []policyv1.UnhealthyPodEvictionPolicyType{policyv1.AlwaysAllow, policyv1.IfHealthyBudget} {
		if d.IntN(4) == i {
			b.Spec.UnhealthyPodEvictionPolicy = &policy
		}
	}
	if d.IntN(5) > 0 {
		d.status(&b.Status)
	}
	return b
}

// status fills in what somebody has left in a budget's status.
func (d *drawer) status(st *policyv1.PodDisruptionBudgetStatus) {
	st.DisruptionsAllowed = int32(d.IntN(5) - d.IntN(2)*d.IntN(2))
	st.CurrentHealthy, st.DesiredHealthy, st.ExpectedPods = int32(d.IntN(4)), int32(d.IntN(4)), int32(d.IntN(5))
	st.ObservedGeneration = int64(min(1, d.IntN(5)))
	st.DisruptedPods = map[string]metav1.Time{}
	for range d.IntN(4) {
		st.DisruptedPods[d.podName()] = metav1.NewTime(epoch.Add(time.Duration(d.IntN(400)-120) * time.Second))
	}
	if d.IntN(10) == 0 {
		for i := range 2000 - len(st.DisruptedPods) + d.IntN(2) {
			st.DisruptedPods[fmt.Sprintf("q%d", i)] = metav1.NewTime(epoch)
		}
	}
}
