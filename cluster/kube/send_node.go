package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// getNode returns the node that a job is about, nil if it is gone: then nothing is left to do,
// and what was decided shows until the watch says so.
func (s *sender) getNode(ctx context.Context, j *job) (*v1.Node, error) {
	n := &v1.Node{}
	err := s.do(ctx, "get", s.client.CoreV1().RESTClient().Get().Resource("nodes").Name(j.node), n)
	if apierrors.IsNotFound(err) || err == nil && n.UID != j.uid {
		return nil, nil
	}
	return n, err
}

// askNode finds out nothing: requests about nodes begin by reading the node, and are the same
// when they are sent again.
func (s *sender) askNode(ctx context.Context, j *job) (fate, error) {
	return fate{}, nil
}

// taint has a node have a taint, or not have it. Nobody else's change of its taints is lost:
// the server refuses what was made of an older version of the node.
func (s *sender) taint(ctx context.Context, j *job) (version string, err error) {
	n, err := s.getNode(ctx, j)
	if n == nil || err != nil {
		return "", err
	}
	taint, add := j.detail.(cluster.Taint), j.kind == cluster.AddTaint
	taints, changed := taintsWith(n.Spec.Taints, manifest.TaintObject(taint), add)
	spec := map[string]any{"taints": taints}
	if taint.Key == cluster.TaintUnschedulable && taint.Effect == cluster.NoSchedule {
		// The API has a field of which the taint follows. Whoever sets that meanwhile knows better.
		if n.Spec.Unschedulable != j.unschedulable && n.Spec.Unschedulable != add {
			return "", &refusal{code: http.StatusConflict, reason: "the node was cordoned or uncordoned meanwhile"}
		}
		spec["unschedulable"] = add
		changed = changed || n.Spec.Unschedulable != add
	}
	if !changed {
		return n.ResourceVersion, nil
	}
	return s.patchNode(ctx, n, "", types.MergePatchType, map[string]any{"spec": spec})
}

// taintsWith returns taints with one added, in place of any of its key and effect, or without
// it, and whether that is a change. The list is never nil, lest the patch means nothing.
func taintsWith(taints []v1.Taint, taint v1.Taint, add bool) (with []v1.Taint, changed bool) {
	i := slices.IndexFunc(taints, func(o v1.Taint) bool { return o.MatchTaint(&taint) })
	if add && i >= 0 && taints[i].Value == taint.Value {
		return taints, false
	}
	with = append([]v1.Taint{}, taints...)
	if i >= 0 {
		with = slices.Delete(with, i, i+1)
	}
	if add {
		if taint.Effect == v1.TaintEffectNoExecute {
			now := metav1.NewTime(time.Now())
			taint.TimeAdded = &now // tolerations' seconds count from then
		}
		with = append(with, taint)
	}
	return with, add || i >= 0
}

// setConditions writes the conditions of a node of which nobody has heard, unless it has been
// heard of meanwhile.
func (s *sender) setConditions(ctx context.Context, j *job) (version string, err error) {
	n, err := s.getNode(ctx, j)
	if n == nil || err != nil {
		return "", err
	}
	said, posted := manifest.Conditions(n)
	if !posted.Equal(j.posted) {
		return "", &refusal{code: http.StatusConflict, reason: "the node has posted its status meanwhile"}
	}
	change := j.detail.(cluster.StatusChange)
	var conditions []map[string]any
	for i, to := range change.To {
		c := cluster.NodeCondition(i)
		if said[c] == to || to == cluster.ConditionAbsent {
			continue
		}
		reason, message := "NodeStatusUnknown", "Kubelet stopped posting node status."
		if said[c] == cluster.ConditionAbsent {
			reason, message = "NodeStatusNeverUpdated", "Kubelet never posted node status."
		}
		if to != cluster.ConditionUnknown {
			reason, message = "SetByBerth", "The condition was decided, not observed."
		}
		entry := condition(string(manifest.ConditionType(c)), to.String(), reason, message)
		if said[c] == cluster.ConditionAbsent {
			entry["lastHeartbeatTime"] = n.CreationTimestamp
		}
		conditions = append(conditions, entry)
	}
	if conditions == nil {
		return n.ResourceVersion, nil
	}
	return s.patchNode(ctx, n, "status", types.StrategicMergePatchType, map[string]any{"status": map[string]any{"conditions": conditions}})
}

// patchNode changes a node, if it is still of the version that was read.
func (s *sender) patchNode(ctx context.Context, n *v1.Node, subresource string, how types.PatchType, change map[string]any) (version string, err error) {
	change["metadata"] = map[string]any{"uid": n.UID, "resourceVersion": n.ResourceVersion}
	body, err := json.Marshal(change)
	if err != nil {
		return "", &refusal{reason: fmt.Sprintf("making a patch: %v", err)}
	}
	to := &v1.Node{}
	r := s.client.CoreV1().RESTClient().Patch(how).Resource("nodes").Name(n.Name).SubResource(subresource).Body(body)
	if subresource == "" {
		r = s.client.CoreV1().RESTClient().Patch(how).Resource("nodes").Name(n.Name).Body(body)
	}
	err = s.do(ctx, "patch_node", r, to)
	return to.ResourceVersion, err
}
