package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"
	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A note is what a Status has to write of one object: an Event, and perhaps the condition
// PodScheduled.
type note struct {
	of                         v1.ObjectReference
	kind, reason, action, text string
	condition                  string // of a pod that got no node: why; "" for none
	before                     bool   // it has the condition already, for another reason
}

func aboutPod(p *pod, kind, reason, action, text string) note {
	of := v1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: p.namespace, Name: p.name, UID: p.uid}
	return note{of: of, kind: kind, reason: reason, action: action, text: text}
}

// aboutNode is a note on a node. Its Event's UID is the node's name, as kubelets have it, so
// that kubectl describe finds it.
func aboutNode(n *node, kind, reason, action, text string) note {
	of := v1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: n.name, UID: types.UID(n.name)}
	return note{of: of, kind: kind, reason: reason, action: action, text: text}
}

// write is the i-th writer of notes, until the cluster is closed.
func (st *Status) write(i int) {
	ctx := st.cluster.watching
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	for serial := i; ; serial += noteWriters {
		select {
		case <-ctx.Done():
			return
		case n := <-st.notes[i]:
			if n.condition != "" {
				st.writeCondition(ctx, n)
			}
			st.writeEvent(ctx, n, host, serial)
		}
	}
}

// writeCondition writes that a pod got no node. If the pod has gone, nobody misses it.
func (st *Status) writeCondition(ctx context.Context, n note) {
	c := condition(string(v1.PodScheduled), string(v1.ConditionFalse), v1.PodReasonUnschedulable, n.condition)
	if n.before {
		delete(c, "lastTransitionTime")
	}
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": n.of.UID}, "status": map[string]any{"conditions": []map[string]any{c}},
	})
	if err == nil {
		r := st.cluster.client.CoreV1().RESTClient().Patch(types.StrategicMergePatchType).
			Namespace(n.of.Namespace).Resource("pods").Name(n.of.Name).SubResource("status").Body(body)
		err = st.cluster.pool.do(ctx, "patch_condition", r, nil)
	}
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return
	}
	st.again(n.of.UID)
	st.cluster.log.Debug("a pod's condition was not written", zap.String("pod", n.of.Namespace+"/"+n.of.Name), zap.Error(err))
}

// again notes that a pod's condition is to be written again.
func (st *Status) again(uid types.UID) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.failed = append(st.failed, uid)
}

// writeEvent writes an Event, once: another try might come too late to say anything.
func (st *Status) writeEvent(ctx context.Context, n note, host string, serial int) {
	now := metav1.NewMicroTime(time.Now())
	namespace := n.of.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	e := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%s.%x", n.of.Name, st.cluster.pool.nonce, serial)},
		EventTime:           now,
		ReportingController: st.options.Component, ReportingInstance: st.options.Component + "-" + host,
		Action: n.action, Reason: n.reason, Regarding: n.of, Note: n.text, Type: n.kind,
	}
	r := st.cluster.events.EventsV1().RESTClient().Post().Namespace(namespace).Resource("events").Body(e)
	if err := st.cluster.pool.do(ctx, "create_event", r, nil); err != nil {
		st.cluster.metrics.dropped.Inc()
		st.cluster.log.Debug("an Event was not written", zap.String("reason", n.reason), zap.Error(err))
	}
}
