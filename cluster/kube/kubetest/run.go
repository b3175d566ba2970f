package kubetest

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A run is what a kubelet knows of one of its pods.
type run struct {
	pod   *corev1.Pod // as it is stored; never changed
	start time.Time   // when its containers run, or ran
	end   time.Time   // when they end by themselves; zero: never
	kill  time.Time   // when they are stopped; zero: nobody asked
	tidy  bool        // they ended on SIGTERM, before the grace period was over
}

func (r *run) name() string { return r.pod.Namespace + "/" + r.pod.Name }

// observe takes in what became of a pod.
func (k *Kubelet) observe(id types.UID, p *corev1.Pod, now time.Time) {
	if p.Spec.NodeName != k.name {
		delete(k.runs, id)
		return
	}
	r := k.runs[id]
	if r == nil {
		r = &run{start: now.Add(k.options.StartDelay)}
		k.runs[id] = r
	}
	r.pod = p
	if d, err := time.ParseDuration(p.Annotations[RunFor]); err == nil {
		r.end = r.start.Add(d)
	}
	if p.DeletionTimestamp == nil {
		return
	}
	if grace := time.Duration(*p.DeletionGracePeriodSeconds) * time.Second; r.kill.IsZero() || r.kill.After(now.Add(grace)) {
		r.kill, r.tidy = now.Add(grace), false
		if d := k.options.StopDelay; d > 0 && d < grace {
			r.kill, r.tidy = now.Add(d), true
		}
	}
}

// act does what is due for a pod, and returns when something will be; zero if nothing.
func (k *Kubelet) act(r *run, now time.Time) (next time.Time) {
	over := r.pod.Status.Phase == corev1.PodSucceeded || r.pod.Status.Phase == corev1.PodFailed
	switch {
	case r.pod.DeletionTimestamp != nil && over:
		k.finish(r)
	case over:
		return time.Time{}
	case !r.kill.IsZero() && !r.kill.After(now):
		phase := corev1.PodFailed
		if r.tidy {
			phase = corev1.PodSucceeded
		}
		k.write(r, func(p *corev1.Pod) { end(p, phase, "", "") })
		k.finish(r)
	case !r.kill.IsZero():
		return r.kill
	case r.start.After(now):
		return r.start
	case !r.end.IsZero() && !r.end.After(now):
		k.write(r, func(p *corev1.Pod) { end(p, corev1.PodSucceeded, "", "") })
	default:
		if r.pod.Status.Phase == corev1.PodPending {
			k.write(r, func(p *corev1.Pod) { begin(p, r.start) })
		}
		return r.end
	}
	return time.Time{}
}

// finish deletes a pod whose containers have ended.
func (k *Kubelet) finish(r *run) {
	now := int64(0)
	id := r.pod.UID
	_ = k.server.direct(k.actor(), func(st *store) error {
		_, err := st.delete(st.table(resources[0]), keyOf(r.pod), &metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &id},
		})
		return err // someone else was faster
	})
	delete(k.runs, id)
}

// write changes the pod's status, if the pod is still the same.
func (k *Kubelet) write(r *run, change func(*corev1.Pod)) {
	id := r.pod.UID
	_ = k.server.direct(k.actor(), func(st *store) error {
		_, err := st.update(st.table(resources[0]), keyOf(r.pod), func(o Object) (Object, error) {
			if err := precondition(resources[0], o, &metav1.Preconditions{UID: &id}); err != nil {
				return nil, err
			}
			change(o.(*corev1.Pod))
			return o, nil
		})
		return err // the pod is gone, which its last news will say
	})
}

// begin makes p a pod that runs and is ready.
func begin(p *corev1.Pod, at time.Time) {
	started := metav1.NewTime(at).Rfc3339Copy()
	p.Status.Phase = corev1.PodRunning
	p.Status.StartTime = &started
	p.Status.ObservedGeneration = p.Generation
	p.Status.PodIP = "10.0.0.1"
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
	p.Status.ContainerStatuses = nil
	for _, c := range p.Spec.Containers {
		yes := true
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: &yes,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
		})
	}
	for _, t := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		setPodCondition(&p.Status, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue})
	}
}

// end makes p a pod whose containers have ended.
func end(p *corev1.Pod, phase corev1.PodPhase, reason, message string) {
	now := metav1.Now().Rfc3339Copy()
	p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message
	why, code := "PodCompleted", int32(0)
	if phase == corev1.PodFailed {
		why, code = "PodFailed", 137
	}
	for i := range p.Status.ContainerStatuses {
		c := &p.Status.ContainerStatuses[i]
		t := &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: now, Reason: "Completed"}
		if code != 0 {
			t.Reason = "Error"
		}
		if c.State.Running != nil {
			t.StartedAt = c.State.Running.StartedAt
		}
		c.Ready, c.State = false, corev1.ContainerState{Terminated: t}
	}
	for _, t := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		setPodCondition(&p.Status, corev1.PodCondition{Type: t, Status: corev1.ConditionFalse, Reason: why})
	}
}
