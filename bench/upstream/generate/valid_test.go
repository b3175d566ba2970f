package generate_test

import (
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install" // the API server's defaults
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"

	"github.com/berthsim/berth/bench/upstream/generate"
)

// TestAPIServerAccepts applies the API server's defaults and validation to generated pods and nodes.
// Defaults must not change what the scheduler reads, since nobody applies them later.
func TestAPIServerAccepts(t *testing.T) {
	// What NodeDeclaredFeatures infers is only allowed with the features that nodes declare.
	err := utilfeature.DefaultMutableFeatureGate.Set("UserNamespacesHostNetworkSupport=true,RestartAllContainersOnContainerExits=true")
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(150) {
		for _, step := range generate.Scenario(3, i, generate.Options{}).Steps {
			if step.Object == nil {
				continue
			}
			errs, err := validate(t, step.Object.DeepCopyObject())
			if err != nil || len(errs) > 0 {
				t.Fatalf("index %d, %s: %v %v", i, step, err, errs)
			}
		}
	}
}

func validate(t *testing.T, obj runtime.Object) (field.ErrorList, error) {
	t.Helper()
	before := obj.DeepCopyObject()
	switch obj := obj.(type) {
	case *v1.Pod:
		legacyscheme.Scheme.Default(obj)
		if old := before.(*v1.Pod); !sameForScheduler(old.Spec, obj.Spec) {
			t.Fatalf("pod %s: the API server's defaults change %+v to %+v", obj.Name, old.Spec, obj.Spec)
		}
		var p core.Pod
		if err := legacyscheme.Scheme.Convert(obj, &p, nil); err != nil {
			return nil, err
		}
		options := podapi.GetValidationOptionsFromPodSpecAndMeta(&p.Spec, nil, &p.ObjectMeta, nil)
		return corevalidation.ValidatePodCreate(&p, options), nil
	case *v1.Node:
		legacyscheme.Scheme.Default(obj)
		if !equality.Semantic.DeepEqual(before, obj) {
			t.Errorf("node %s: the API server's defaults change %+v to %+v", obj.Name, before, obj)
		}
		var n core.Node
		if err := legacyscheme.Scheme.Convert(obj, &n, nil); err != nil {
			return nil, err
		}
		return corevalidation.ValidateNode(&n), nil
	case *v1.Namespace, *v1.Service, *v1.ReplicationController, *appsv1.ReplicaSet, *appsv1.StatefulSet,
		*policyv1.PodDisruptionBudget, *schedulingv1.PriorityClass:
		return nil, nil // the scheduler reads only labels, selectors and counts of these
	}
	t.Errorf("unexpected %T", obj)
	return nil, nil
}

// sameForScheduler compares the defaulted fields that plugins read.
func sameForScheduler(a, b v1.PodSpec) bool {
	containers := func(s v1.PodSpec) []v1.Container {
		var list []v1.Container
		for _, c := range append(append([]v1.Container{}, s.Containers...), s.InitContainers...) {
			list = append(list, v1.Container{Name: c.Name, Resources: c.Resources, Ports: c.Ports, RestartPolicy: c.RestartPolicy})
		}
		return list
	}
	return equality.Semantic.DeepEqual(containers(a), containers(b)) &&
		equality.Semantic.DeepEqual(a.Resources, b.Resources) &&
		equality.Semantic.DeepEqual(a.Overhead, b.Overhead) &&
		reflect.DeepEqual(a.Tolerations, b.Tolerations) &&
		reflect.DeepEqual(a.TopologySpreadConstraints, b.TopologySpreadConstraints) &&
		reflect.DeepEqual(a.Affinity, b.Affinity)
}
