package lifecycle

import (
	"context"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clientcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	restfake "k8s.io/client-go/rest/fake"
)

// api is the API server as the controllers see it: the fake clientset behind turns, with what the fake
// leaves out and the controllers depend on. A status is written without the rest of the object; times
// are whole seconds once they are written; pods that are deleted take their time. What is written is
// noted.
type api struct {
	*fake.Clientset
	cluster *objects
}

func (a api) CoreV1() clientcorev1.CoreV1Interface { return core{a.Clientset.CoreV1(), a.cluster} }

type core struct {
	clientcorev1.CoreV1Interface
	cluster *objects
}

func (c core) Nodes() clientcorev1.NodeInterface {
	return nodes{c.CoreV1Interface.Nodes(), c.cluster}
}

func (c core) Pods(namespace string) clientcorev1.PodInterface {
	return pods{c.CoreV1Interface.Pods(namespace), c.cluster}
}

func (c core) Events(string) clientcorev1.EventInterface { return silence{} }

// RESTClient is for the node lifecycle controller's recorder of events, and the fake has none.
func (core) RESTClient() rest.Interface {
	return &restfake.RESTClient{
		NegotiatedSerializer: scheme.Codecs.WithoutConversion(),
		GroupVersion:         corev1.SchemeGroupVersion,
		Client: restfake.CreateHTTPClient(func(*http.Request) (*http.Response, error) {
			body := io.NopCloser(strings.NewReader(`{"kind":"Event","apiVersion":"v1"}`))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, nil
		}),
	}
}

// silence takes events, and keeps none.
type silence struct{ clientcorev1.EventInterface }

func (silence) CreateWithEventNamespace(e *corev1.Event) (*corev1.Event, error) {
	return e, nil
}

func (silence) UpdateWithEventNamespace(e *corev1.Event) (*corev1.Event, error) {
	return e, nil
}

func (silence) PatchWithEventNamespace(e *corev1.Event, _ []byte) (*corev1.Event, error) {
	return e, nil
}

type nodes struct {
	clientcorev1.NodeInterface
	cluster *objects
}

// Get begins each change of taints; the patch follows without a turn in between.
func (n nodes) Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.Node, error) {
	n.cluster.turns.wait(taints, name)
	return n.NodeInterface.Get(ctx, name, opts)
}

func (n nodes) Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (*corev1.Node, error) {
	before, err := n.NodeInterface.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	after, err := n.NodeInterface.Patch(ctx, name, pt, data, opts, subresources...)
	if err == nil {
		n.cluster.noteTaints(name, before.Spec.Taints, after.Spec.Taints)
	}
	return after, err
}

func (n nodes) UpdateStatus(ctx context.Context, node *corev1.Node, _ metav1.UpdateOptions) (*corev1.Node, error) {
	n.cluster.turns.wait(judges, node.Name)
	stored, err := n.NodeInterface.Get(ctx, node.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	before := stored.Status.Conditions
	stored.Status = *node.Status.DeepCopy()
	for i := range stored.Status.Conditions {
		c := &stored.Status.Conditions[i]
		c.LastHeartbeatTime, c.LastTransitionTime = stamp(c.LastHeartbeatTime.Time), stamp(c.LastTransitionTime.Time)
	}
	n.cluster.noteConditions(node.Name, before, stored.Status.Conditions)
	return n.NodeInterface.Update(ctx, stored, metav1.UpdateOptions{})
}

type pods struct {
	clientcorev1.PodInterface
	cluster *objects
}

// Get begins each deletion; what follows, does so without a turn in between.
func (p pods) Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.Pod, error) {
	p.cluster.turns.wait(deletes, name)
	return p.PodInterface.Get(ctx, name, opts)
}

func (p pods) UpdateStatus(ctx context.Context, pod *corev1.Pod, _ metav1.UpdateOptions) (*corev1.Pod, error) {
	p.cluster.turns.wait(marks, pod.Name)
	stored, err := p.PodInterface.Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if podReady(stored.Status) && !podReady(pod.Status) {
		p.cluster.note(OfPod, pod.Name, NotReady)
	}
	stored.Status = *pod.Status.DeepCopy()
	return p.PodInterface.Update(ctx, stored, metav1.UpdateOptions{})
}

func (p pods) Delete(_ context.Context, name string, _ metav1.DeleteOptions) error {
	deleted, err := p.cluster.deletePod(name)
	if deleted {
		p.cluster.note(OfPod, name, Deleted)
	}
	return err
}

func podReady(s corev1.PodStatus) bool {
	for _, c := range s.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
