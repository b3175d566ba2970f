package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// A sender makes requests of decisions, and asks what became of them.
type sender struct {
	client  kubernetes.Interface
	epoch   time.Time
	metrics *metrics
	nonce   string // in objects that this sender creates, to know them by
}

// A refusal is an error after which there is no point in trying again.
type refusal struct {
	code   int16
	reason string
}

func (r *refusal) Error() string { return r.reason }

// fate is what an object shows of a decision: that it was carried out, or why it can't be. If
// neither, it may be tried again.
type fate struct {
	done    bool
	version string
	code    int16
	reason  string
}

// send carries out a decision, and returns the resourceVersion that the object has since, if
// the server said. Whatever it does may have been done before, by a try without an answer.
func (s *sender) send(ctx context.Context, j *job) (version string, err error) {
	switch j.kind {
	case cluster.Bind:
		return "", s.bind(ctx, j)
	case cluster.Evict, cluster.Preempt, cluster.Finalise:
		return "", s.delete(ctx, j)
	case cluster.RequestEviction:
		return "", s.evict(ctx, j)
	case cluster.Nominate, cluster.MarkUnready:
		return s.patchPodStatus(ctx, j)
	case cluster.AddTaint, cluster.RemoveTaint:
		return s.taint(ctx, j)
	case cluster.SetConditions:
		return s.setConditions(ctx, j)
	case cluster.Create:
		return "", s.create(ctx, j)
	case cluster.Store:
		return s.store(ctx, j)
	}
	return "", &refusal{reason: fmt.Sprintf("a live cluster does not know the decision %v", j.kind)}
}

// ask finds out what became of a decision.
func (s *sender) ask(ctx context.Context, j *job) (fate, error) {
	switch j.kind {
	case cluster.Bind:
		return s.askBound(ctx, j)
	case cluster.Evict, cluster.Preempt, cluster.Finalise, cluster.RequestEviction, cluster.Nominate, cluster.MarkUnready:
		return s.askEnded(ctx, j)
	case cluster.Create:
		return s.askCreated(ctx, j)
	case cluster.Store:
		return s.askStored(ctx, j)
	}
	return s.askNode(ctx, j)
}

// bind has the pod be on the node.
func (s *sender) bind(ctx context.Context, j *job) error {
	body := &v1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: j.namespace, Name: j.name, UID: j.uid, Annotations: manifest.PlacesAnnotation(j.allocation)},
		Target:     v1.ObjectReference{Kind: "Node", Name: j.node},
	}
	r := s.client.CoreV1().RESTClient().Post().Namespace(j.namespace).Resource("pods").Name(j.name).SubResource("binding").Body(body)
	return s.do(ctx, "bind", r, nil)
}

// askBound finds out where the pod of a Bind is.
func (s *sender) askBound(ctx context.Context, j *job) (fate, error) {
	p, err := s.getPod(ctx, j)
	switch {
	case err != nil:
		return fate{}, err
	case p == nil:
		return fate{code: http.StatusNotFound, reason: "the pod is gone"}, nil
	case p.Spec.NodeName == j.node:
		return fate{done: true}, nil
	case p.Spec.NodeName != "":
		return fate{code: http.StatusConflict, reason: "the pod is on " + p.Spec.NodeName + " already: somebody else has bound it"}, nil
	case p.DeletionTimestamp != nil:
		return fate{code: http.StatusConflict, reason: "the pod has been told to end"}, nil
	}
	return fate{}, nil
}

// getPod returns the pod that a job is about, nil if it is gone, be it that another has its
// name.
func (s *sender) getPod(ctx context.Context, j *job) (*v1.Pod, error) {
	p := &v1.Pod{}
	r := s.client.CoreV1().RESTClient().Get().Namespace(j.namespace).Resource("pods").Name(j.name)
	err := s.do(ctx, "get", r, p)
	if apierrors.IsNotFound(err) || err == nil && p.UID != j.uid {
		return nil, nil
	}
	return p, err
}

// do sends a request, once: client-go's own second tries would hide from metrics and from the
// caller's patience how a server is. The answer is read into an object, unless that is nil.
func (s *sender) do(ctx context.Context, verb string, r *rest.Request, into runtime.Object) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	began := time.Now()
	result := r.MaxRetries(0).Do(ctx)
	err := result.Error()
	if err == nil && into != nil {
		err = result.Into(into)
	}
	code := 0
	result.StatusCode(&code)
	if err != nil {
		code = statusOf(err)
	}
	s.metrics.request(verb, began, code)
	return err
}

// statusOf returns the HTTP status that an error came with, 0 if it came with none.
func statusOf(err error) int {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return int(status.Status().Code)
	}
	return 0
}

// isFinal reports whether a request that was answered with an HTTP status would be answered
// so again.
func isFinal(code int) bool {
	return code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}

// retryAfter returns how long the server asks to wait, 0 if it doesn't.
func retryAfter(err error) time.Duration {
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		return time.Duration(seconds) * time.Second
	}
	return 0
}
