package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// annotationCreator is on pods that a Create made: who made it, and by which decision.
const annotationCreator = "berth.dev/created-by"

// delete has a pod end: it is told why in its status first, as Kubernetes' controllers do. A
// pod that is gone already is no error.
func (s *sender) delete(ctx context.Context, j *job) error {
	if patch := endingStatus(j); patch != nil {
		if _, err := s.patchStatus(ctx, j, patch); err != nil {
			return ifThere(err)
		}
	}
	options := &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &j.uid}}
	if j.kind == cluster.Finalise {
		now := int64(0)
		options.GracePeriodSeconds = &now
	}
	r := s.client.CoreV1().RESTClient().Delete().Namespace(j.namespace).Resource("pods").Name(j.name).Body(options)
	return ifThere(s.do(ctx, "delete", r, nil))
}

// ifThere returns an error unless it says that the pod is gone: whoever wanted it to end, or
// something of its status, has no quarrel with that.
func ifThere(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// endingStatus is what is written into the status of a pod that is to end; nil if nothing is.
func endingStatus(j *job) map[string]any {
	status := map[string]any{}
	if j.kind == cluster.Finalise {
		status["phase"] = v1.PodFailed // no kubelet will say so
	}
	var reason, message string
	switch cause, _ := j.detail.(cluster.Cause); {
	case j.kind == cluster.Preempt:
		reason, message = v1.PodReasonPreemptionByScheduler, "preempted, to make room for a pod of higher priority"
	case cause == cluster.DeletionByTaint:
		reason, message = string(cause), "deleted because of a NoExecute taint of its node"
	case cause == cluster.DeletionByPodGC:
		reason, message = string(cause), "deleted because its node no longer exists"
	case cause != "":
		reason, message = string(cause), "deleted by Berth"
	}
	if reason != "" {
		status["conditions"] = []map[string]any{condition(string(v1.DisruptionTarget), string(v1.ConditionTrue), reason, message)}
	}
	if len(status) == 0 {
		return nil
	}
	return status
}

// condition is one of a status, that holds from now on.
func condition(kind, status, reason, message string) map[string]any {
	c := map[string]any{"type": kind, "status": status, "lastTransitionTime": metav1.NewTime(time.Now())}
	if reason != "" {
		c["reason"], c["message"] = reason, message
	}
	return c
}

// patchPodStatus writes what a Nominate or MarkUnready decided.
func (s *sender) patchPodStatus(ctx context.Context, j *job) (version string, err error) {
	status := map[string]any{"nominatedNodeName": j.node}
	if j.kind == cluster.MarkUnready {
		status = map[string]any{"conditions": []map[string]any{condition(string(v1.PodReady), string(v1.ConditionFalse), "", "")}}
	} else if j.node == "" {
		status["nominatedNodeName"] = nil
	}
	version, err = s.patchStatus(ctx, j, status)
	return version, ifThere(err)
}

// patchStatus changes a pod's status, if it is the pod that is meant.
func (s *sender) patchStatus(ctx context.Context, j *job, status map[string]any) (version string, err error) {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": j.uid}, "status": status})
	if err != nil {
		return "", &refusal{reason: fmt.Sprintf("making a patch: %v", err)}
	}
	p := &v1.Pod{}
	r := s.client.CoreV1().RESTClient().Patch(types.StrategicMergePatchType).Namespace(j.namespace).Resource("pods").Name(j.name).SubResource("status").Body(body)
	err = s.do(ctx, "patch_status", r, p)
	return p.ResourceVersion, err
}

// evict asks for a pod's end by the Eviction API. That a budget doesn't allow it is an answer.
func (s *sender) evict(ctx context.Context, j *job) error {
	body := &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Namespace: j.namespace, Name: j.name},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &j.uid}},
	}
	r := s.client.CoreV1().RESTClient().Post().Namespace(j.namespace).Resource("pods").Name(j.name).SubResource("eviction").Body(body)
	err := s.do(ctx, "evict", r, nil)
	if statusOf(err) == http.StatusTooManyRequests {
		return &refusal{code: http.StatusTooManyRequests, reason: err.Error()}
	}
	return ifThere(err)
}

// askEnded finds out whether a pod is gone or told to end, so that nothing is left to do.
func (s *sender) askEnded(ctx context.Context, j *job) (fate, error) {
	p, err := s.getPod(ctx, j)
	if err != nil || p != nil && p.DeletionTimestamp == nil {
		return fate{}, err
	}
	done := p == nil || j.kind != cluster.Finalise
	return fate{done: done}, nil
}

// create makes a pod. It says who made it, lest a second try takes it for somebody else's.
func (s *sender) create(ctx context.Context, j *job) error {
	p, err := s.made(ctx, j)
	if err != nil {
		return err
	}
	if p.Annotations == nil {
		p.Annotations = map[string]string{}
	}
	p.Annotations[annotationCreator] = s.mark(j)
	r := s.client.CoreV1().RESTClient().Post().Namespace(j.namespace).Resource("pods").Body(p)
	return s.do(ctx, "create", r, nil)
}

// made returns the pod that a job makes. One that goes on with another's work is made of what
// that one has: State knows nothing of images and commands.
func (s *sender) made(ctx context.Context, j *job) (*v1.Pod, error) {
	spec := j.detail.(*cluster.PodSpec)
	p := manifest.PodObject(spec)
	if spec.Continues == "" {
		return p, nil
	}
	old := &v1.Pod{}
	r := s.client.CoreV1().RESTClient().Get().Namespace(j.namespace).Resource("pods").Name(spec.Continues)
	switch err := s.do(ctx, "get", r, old); {
	case apierrors.IsNotFound(err):
		return nil, &refusal{code: http.StatusNotFound, reason: "the pod " + spec.Continues + " is gone, whose work it was to go on with"}
	case err != nil:
		return nil, err
	}
	p.Spec = *old.Spec.DeepCopy()
	p.Spec.NodeName = spec.On
	return p, nil
}

func (s *sender) mark(j *job) string { return fmt.Sprintf("%s/%d", s.nonce, j.seq) }

// askCreated finds out whether a pod is the one that a job made.
func (s *sender) askCreated(ctx context.Context, j *job) (fate, error) {
	p := &v1.Pod{}
	r := s.client.CoreV1().RESTClient().Get().Namespace(j.namespace).Resource("pods").Name(j.name)
	err := s.do(ctx, "get", r, p)
	switch {
	case apierrors.IsNotFound(err):
		if j.lastCode == http.StatusNotFound {
			return fate{code: http.StatusNotFound, reason: j.last.Error()}, nil // of its namespace
		}
		return fate{}, nil
	case err != nil:
		return fate{}, err
	case p.Annotations[annotationCreator] == s.mark(j):
		return fate{done: true, version: p.ResourceVersion}, nil
	}
	return fate{code: http.StatusConflict, reason: "there is a pod of that name"}, nil
}
