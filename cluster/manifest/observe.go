package manifest

import (
	"errors"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An Observer converts objects one at a time, each from JSON by itself, as recordings
// of clusters have them. What the cluster has made of an object is left out: on which
// node a pod is, what a budget allows, what is used of a quota. An object that a
// recording is about must not tell a replay how it came out.
//
// Errors are *Error that name no file and no line. The zero value is ready for use.
type Observer struct {
	pods    Converter
	decoder decoder
}

// Node converts a v1 Node.
func (o *Observer) Node(json []byte) (*cluster.NodeSpec, error) {
	n := &v1.Node{}
	if err := o.decode(json, n, "Node"); err != nil {
		return nil, err
	}
	n.Namespace = ""
	spec, err := Node(n)
	return spec, observed(err, "Node", n)
}

// Pod converts a v1 Pod to what it was when it came: on no node, and with no status.
// Equal pods share a class, and an account.
func (o *Observer) Pod(json []byte) (*cluster.PodSpec, error) {
	p := &v1.Pod{}
	if err := o.decode(json, p, "Pod"); err != nil {
		return nil, err
	}
	if p.Namespace == "" {
		p.Namespace = metav1.NamespaceDefault
	}
	p.Spec.NodeName, p.Status, p.DeletionTimestamp = "", v1.PodStatus{}, nil
	spec, err := o.pods.Pod(p)
	return spec, observed(err, "Pod", p)
}

// Object converts any other object. It returns nil for a kind that isn't converted.
func (o *Observer) Object(json []byte) (cluster.Object, error) {
	h, err := readHead(json, 0)
	if err != nil {
		return nil, observed(err, "", nil)
	}
	switch h.apiVersion + " " + h.kind {
	case "v1 Namespace":
		return observe(o, json, h.kind, func(ns *v1.Namespace) (*cluster.Namespace, error) { return Namespace(ns), nil })
	case "v1 Service":
		return observe(o, json, h.kind, func(s *v1.Service) (*cluster.Service, error) { return Service(s), nil })
	case "v1 ReplicationController":
		return observe(o, json, h.kind, func(rc *v1.ReplicationController) (*cluster.Workload, error) {
			return ReplicationController(rc), nil
		})
	case "apps/v1 ReplicaSet":
		return observe(o, json, h.kind, ReplicaSet)
	case "apps/v1 Deployment":
		return observe(o, json, h.kind, Deployment)
	case "apps/v1 StatefulSet":
		return observe(o, json, h.kind, StatefulSet)
	case "policy/v1 PodDisruptionBudget":
		return observe(o, json, h.kind, func(b *policyv1.PodDisruptionBudget) (*cluster.DisruptionBudget, error) {
			b.Status = policyv1.PodDisruptionBudgetStatus{}
			return PodDisruptionBudget(b, o.pods.Epoch)
		})
	case "v1 ResourceQuota":
		return observe(o, json, h.kind, func(q *v1.ResourceQuota) (*cluster.ResourceQuota, error) {
			q.Status = v1.ResourceQuotaStatus{}
			return ResourceQuota(q)
		})
	}
	return nil, nil
}

// observe reads an object of a kind and converts it.
func observe[T any, O object[T], To cluster.Object](o *Observer, json []byte, kind string, convert func(O) (To, error)) (cluster.Object, error) {
	from := O(new(T))
	if err := o.decode(json, from, kind); err != nil {
		return nil, err
	}
	switch {
	case kind == "Namespace":
		from.SetNamespace("")
	case from.GetNamespace() == "":
		from.SetNamespace(metav1.NamespaceDefault)
	}
	to, err := convert(from)
	if err != nil {
		return nil, observed(err, kind, from)
	}
	return to, nil
}

// decode reads an object, all of it, and completes it.
func (o *Observer) decode(json []byte, into metav1.Object, kind string) error {
	end, err := o.decoder.decode(json, 0, into)
	if err == nil {
		s := &scanner{data: json, at: end}
		if s.space(); s.at < len(json) {
			err = s.syntax("the end of the object")
		}
	}
	if err == nil && into.GetName() == "" {
		err = in(wrong("is missing", "leave the object out, or give its name"), "metadata", "name")
	}
	if err != nil {
		return observed(err, kind, nil)
	}
	Default(into)
	return nil
}

// observed says which object an error is about.
func observed(err error, kind string, of metav1.Object) error {
	if err == nil {
		return nil
	}
	what := kind
	if of != nil {
		what += " " + cluster.Key(of.GetNamespace(), of.GetName())
	}
	if what != "" {
		what = printable(what) + ": "
	}
	var field *FieldError
	if !errors.As(err, &field) {
		return &input.Error{Problem: what + oneLine(err), Remedy: "correct it"}
	}
	return &input.Error{Problem: what + field.problem(), Remedy: field.Remedy}
}

// JSON returns a YAML document, whose first line is the one given, as the JSON that
// kubectl takes it for; nil if there is nothing in it. Its error is an *Error that names
// the line, and no file.
func JSON(document []byte, line int) (text []byte, err error) {
	err = yamlValues(document, line, func(json []byte, _ []mark) error {
		switch {
		case string(json) == "null":
		case text != nil:
			return &yamlError{line, "two documents are one", "write --- between them"}
		default:
			text = json
		}
		return nil
	})
	var wrong *yamlError
	if errors.As(err, &wrong) {
		err = &input.Error{Line: wrong.line, Problem: wrong.problem, Remedy: wrong.remedy}
	}
	return text, err
}
