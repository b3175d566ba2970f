package kube

import (
	"context"
	"fmt"
	"net/http"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// store writes the status of a budget or quota, if it is still of the version that was seen:
// what was counted of an older one may be wrong.
func (s *sender) store(ctx context.Context, j *job) (version string, err error) {
	switch body := s.stored(j).(type) {
	case *policyv1.PodDisruptionBudget:
		to := &policyv1.PodDisruptionBudget{}
		err = s.do(ctx, "update_status", s.statusOf(j, s.client.PolicyV1().RESTClient().Put()).Body(body), to)
		return to.ResourceVersion, err
	case *v1.ResourceQuota:
		to := &v1.ResourceQuota{}
		err = s.do(ctx, "update_status", s.statusOf(j, s.client.CoreV1().RESTClient().Put()).Body(body), to)
		return to.ResourceVersion, err
	}
	return "", &refusal{reason: fmt.Sprintf("a live cluster has no place for a %T", j.detail.(cluster.Stored).To)}
}

// stored is the object that a job makes: what was seen, with another status.
func (s *sender) stored(j *job) runtime.Object {
	switch to := j.detail.(cluster.Stored).To.(type) {
	case *cluster.DisruptionBudget:
		b := j.base.(*policyv1.PodDisruptionBudget).DeepCopy()
		manifest.SetBudgetStatus(b, to, s.epoch)
		return b
	case *cluster.ResourceQuota:
		q := j.base.(*v1.ResourceQuota).DeepCopy()
		q.Status = manifest.QuotaStatus(to)
		return q
	}
	return nil
}

func (s *sender) statusOf(j *job, r *rest.Request) *rest.Request {
	resource := "resourcequotas"
	if _, ok := j.base.(*policyv1.PodDisruptionBudget); ok {
		resource = "poddisruptionbudgets"
	}
	return r.Namespace(j.namespace).Resource(resource).Name(j.name).SubResource("status")
}

// askStored finds out whether an object's status is what a job was to make it.
func (s *sender) askStored(ctx context.Context, j *job) (fate, error) {
	var same bool
	var err error
	switch want := s.stored(j).(type) {
	case *policyv1.PodDisruptionBudget:
		is := &policyv1.PodDisruptionBudget{}
		r := s.client.PolicyV1().RESTClient().Get().Namespace(j.namespace).Resource("poddisruptionbudgets").Name(j.name)
		err = s.do(ctx, "get", r, is)
		want.Status.Conditions, is.Status.Conditions = nil, nil
		same = equality.Semantic.DeepEqual(is.Status, want.Status)
	case *v1.ResourceQuota:
		is := &v1.ResourceQuota{}
		r := s.client.CoreV1().RESTClient().Get().Namespace(j.namespace).Resource("resourcequotas").Name(j.name)
		err = s.do(ctx, "get", r, is)
		same = equality.Semantic.DeepEqual(is.Status, want.Status)
	}
	switch {
	case apierrors.IsNotFound(err):
		return fate{code: http.StatusNotFound, reason: "the object is gone"}, nil
	case err != nil:
		return fate{}, err
	case same:
		return fate{done: true}, nil
	case j.lastCode == http.StatusConflict:
		return fate{code: http.StatusConflict, reason: "the object has changed meanwhile"}, nil
	}
	return fate{}, nil
}
