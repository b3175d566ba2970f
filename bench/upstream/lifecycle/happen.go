package lifecycle

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// posted are the conditions that a kubelet posts, in its order.
var posted = []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeReady}

// happens does what a step says to the objects. What a kubelet last posted is kept in views.
func (u *upstream) happens(s Step) {
	u.leases.Happens(s)
	switch {
	case s.renew != "":
		u.renew(s.renew)
	case s.Node != nil:
		u.addNode(s.Node)
	case s.Pod != nil:
		u.addPod(s.Pod)
	case verbs[s.Event.Verb]:
		u.toNode(s.Event)
	default:
		u.toPod(s.Event)
	}
}

func (u *upstream) addNode(n *Node) {
	labels := map[string]string{}
	if n.Zone != "" {
		labels[corev1.LabelTopologyZone] = n.Zone
	}
	if n.Region != "" {
		labels[corev1.LabelTopologyRegion] = n.Region
	}
	if n.Excluded {
		labels["node.kubernetes.io/exclude-disruption"] = ""
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, UID: u.cluster.uid(), Labels: labels, CreationTimestamp: stamp(time.Now().Add(-n.Age))},
		Spec:       corev1.NodeSpec{Unschedulable: n.Cordoned},
	}
	for _, t := range n.Taints {
		node.Spec.Taints = append(node.Spec.Taints, taintOf(t))
	}
	u.views[n.Name] = map[corev1.NodeConditionType]bool{corev1.NodeReady: true}
	if !n.Silent {
		u.post(node)
	}
	u.cluster.create(node, true)
}

// post has the kubelet write its view of a node.
func (u *upstream) post(node *corev1.Node) {
	for _, t := range posted {
		setCondition(node, t, u.views[node.Name][t])
	}
}

func setCondition(node *corev1.Node, t corev1.NodeConditionType, to bool) {
	i := slices.IndexFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == t })
	if i < 0 {
		i = len(node.Status.Conditions)
		node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{Type: t})
	}
	status := corev1.ConditionFalse
	if to {
		status = corev1.ConditionTrue
	}
	c := &node.Status.Conditions[i]
	c.LastHeartbeatTime = stamp(time.Now())
	if c.Status != status {
		c.Status, c.Reason, c.LastTransitionTime = status, "", c.LastHeartbeatTime
	}
}

func (u *upstream) toNode(e *Event) {
	if e.Verb == RemoveNode {
		must(u.cluster.tracker.Delete(nodeResource, "", e.Name))
		return
	}
	if e.Verb == Post {
		for _, c := range e.Conditions {
			u.views[e.Name][corev1.NodeConditionType(c.Type)] = c.True
		}
	}
	switch e.Verb {
	case Fail, Return, StopLease, RenewLease, StopStatus, ResumeStatus:
		return // Leases and Steps have them
	}
	u.cluster.changeNode(e.Name, func(node *corev1.Node) {
		switch e.Verb {
		case Post:
			u.post(node)
		case Network:
			setCondition(node, corev1.NodeNetworkUnavailable, e.Conditions[0].True)
		case Put:
			taint := taintOf(e.Taint)
			node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.MatchTaint(&taint) })
			node.Spec.Taints = append(node.Spec.Taints, taint)
		case Take:
			taint := taintOf(e.Taint)
			node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.MatchTaint(&taint) })
		case Cordon, Uncordon:
			node.Spec.Unschedulable = e.Verb == Cordon
		}
	})
}

func (u *upstream) addPod(p *Pod) {
	grace := int64(p.Grace / time.Second)
	ready := corev1.ConditionTrue
	if p.NotReady {
		ready = corev1.ConditionFalse
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: namespace, UID: u.cluster.uid(), CreationTimestamp: stamp(time.Now())},
		Spec:       corev1.PodSpec{NodeName: p.Node, TerminationGracePeriodSeconds: &grace},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	}
	for _, t := range p.Tolerations {
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, tolerationOf(t))
	}
	u.cluster.stops[p.Name] = p.Stop
	u.cluster.create(pod, false)
}

func (u *upstream) toPod(e *Event) {
	switch e.Verb {
	case DeletePod:
		u.cluster.deletePod(e.Name) // or it is gone
	case RemovePod:
		u.cluster.removePod(e.Name)
	case ReadyPod:
		u.cluster.changePod(e.Name, func(pod *corev1.Pod) { pod.Status.Conditions[0].Status = corev1.ConditionTrue })
	case Tolerate:
		u.cluster.changePod(e.Name, func(pod *corev1.Pod) {
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, tolerationOf(e.Toleration))
		})
	}
}

func taintOf(t Taint) corev1.Taint {
	return corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)}
}

func tolerationOf(t Toleration) corev1.Toleration {
	to := corev1.Toleration{Key: t.Key, Operator: corev1.TolerationOperator(t.Operator), Value: t.Value, Effect: corev1.TaintEffect(t.Effect)}
	if t.Limited {
		to.TolerationSeconds = &t.Seconds
	}
	return to
}

// renew writes a node's lease as it was last renewed.
func (u *upstream) renew(node string) {
	at, ok := u.leases.Renewed(node, now())
	if !ok {
		return
	}
	lease := leaseOf(node, at)
	err := u.cluster.tracker.Update(leaseResource, lease, lease.Namespace)
	if apierrors.IsNotFound(err) {
		err = u.cluster.tracker.Create(leaseResource, lease, lease.Namespace)
	}
	must(err)
}
