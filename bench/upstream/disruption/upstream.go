package disruption

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	api "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install" // conversion of pods
	"k8s.io/kubernetes/pkg/apis/policy"
	"k8s.io/kubernetes/pkg/controller/disruption"
	podstorage "k8s.io/kubernetes/pkg/registry/core/pod/storage"
)

// pin sets what upstream keeps for the whole process. It must be called outside of bubbles, since the
// process has one goroutine that waits for signals.
var pin = sync.OnceFunc(func() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2)
	klog.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil // one of them sleeps
})

// upstream is upstream's controller and storage, and what an API server is to them.
type upstream struct {
	client    *fake.Clientset
	budgets   *budgetAPI
	memory    *memory
	eviction  *podstorage.EvictionREST
	workloads map[string]*Workload
	cancel    context.CancelFunc
}

// newUpstream starts the disruption controller, within a bubble.
func newUpstream() (*upstream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	u := &upstream{client: fake.NewSimpleClientset(), memory: &memory{pods: map[string]*api.Pod{}}, workloads: map[string]*Workload{}, cancel: cancel}
	u.budgets = newBudgetAPI(u.client)
	u.client.PrependReactor("*", "events", func(clienttesting.Action) (bool, runtime.Object, error) { return true, &v1.Event{}, nil })
	pods, err := podstorage.NewStorage(generic.RESTOptions{
		StorageConfig: &storagebackend.ConfigForResource{}, ResourcePrefix: "pods",
		Decorator: func(*storagebackend.ConfigForResource, string, func(runtime.Object) (string, error), func() runtime.Object, func() runtime.Object, storage.AttrFunc, storage.IndexerFuncs, *cache.Indexers) (storage.Interface, factory.DestroyFunc, error) {
			return u.memory, func() {}, nil
		},
	}, nil, nil, u.client.PolicyV1(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	u.eviction = pods.Eviction
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "*", u.scale)
	inf := informers.NewSharedInformerFactory(u.client, 0)
	controller := disruption.NewDisruptionController(ctx, inf.Core().V1().Pods(), inf.Policy().V1().PodDisruptionBudgets(),
		inf.Core().V1().ReplicationControllers(), inf.Apps().V1().ReplicaSets(), inf.Apps().V1().Deployments(), inf.Apps().V1().StatefulSets(),
		u.client, mapper(), scales, u.client.Discovery())
	inf.Start(ctx.Done())
	inf.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx)
	u.settle()
	return u, nil
}

func (u *upstream) stop() {
	u.cancel()
	synctest.Wait()
}

// settle lets everybody hear of everything, until nobody has anything to do at this instant.
func (u *upstream) settle() {
	synctest.Wait()
	for len(u.budgets.unheard) > 0 {
		u.budgets.flush()
		synctest.Wait()
	}
}

// kinds are those of the workloads that stories have, and whether they have a scale.
var kinds = []struct {
	apiVersion, kind, resource string
	scale                      bool
}{
	{"v1", "ReplicationController", "replicationcontrollers", true},
	{"apps/v1", "ReplicaSet", "replicasets", true},
	{"apps/v1", "Deployment", "deployments", true},
	{"apps/v1", "StatefulSet", "statefulsets", true},
	{"apps/v1", "DaemonSet", "daemonsets", false},
	{"batch/v1", "Job", "jobs", false},
	{"argoproj.io/v1alpha1", "Rollout", "rollouts", true},
}

// mapper knows the kinds.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	for _, k := range kinds {
		gv, err := schema.ParseGroupVersion(k.apiVersion)
		if err != nil {
			panic(err) // they are constants
		}
		m.AddSpecific(gv.WithKind(k.kind), gv.WithResource(k.resource), gv.WithResource(k.resource), meta.RESTScopeNamespace)
	}
	return m
}

// scale answers for the scale subresource of all kinds that have it.
func (u *upstream) scale(action clienttesting.Action) (bool, runtime.Object, error) {
	get := action.(clienttesting.GetAction)
	for _, k := range kinds {
		if k.resource != get.GetResource().Resource || !k.scale {
			continue
		}
		if w := u.workloads[k.kind+"/"+get.GetName()]; w != nil {
			return true, &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: w.Name, UID: w.uid()}, Spec: autoscalingv1.ScaleSpec{Replicas: w.Replicas}}, nil
		}
	}
	return true, nil, apierrors.NewNotFound(get.GetResource().GroupResource(), get.GetName())
}

// setWorkload makes a workload, or gives it another scale.
func (u *upstream) setWorkload(w *Workload) error {
	old := u.workloads[w.key()]
	u.workloads[w.key()] = w
	resource, o := object(w)
	if o == nil { // it is known by its scale
		return nil
	}
	if old == nil {
		return u.client.Tracker().Create(resource, o, namespace)
	}
	return u.client.Tracker().Update(resource, o, namespace)
}

func (u *upstream) removeWorkload(w *Workload) error {
	delete(u.workloads, w.key())
	resource, o := object(w)
	if o == nil {
		return nil
	}
	return u.client.Tracker().Delete(resource, namespace, w.Name)
}

// object makes an object of a workload, nil of those that are known by their scale alone.
func object(w *Workload) (schema.GroupVersionResource, runtime.Object) {
	m := metav1.ObjectMeta{Namespace: namespace, Name: w.Name, UID: w.uid(), OwnerReferences: w.Owner.ref()}
	n := w.Replicas
	switch w.Kind {
	case "ReplicationController":
		return v1.SchemeGroupVersion.WithResource("replicationcontrollers"), &v1.ReplicationController{ObjectMeta: m, Spec: v1.ReplicationControllerSpec{Replicas: &n}}
	case "ReplicaSet":
		return appsv1.SchemeGroupVersion.WithResource("replicasets"), &appsv1.ReplicaSet{ObjectMeta: m, Spec: appsv1.ReplicaSetSpec{Replicas: &n}}
	case "Deployment":
		return appsv1.SchemeGroupVersion.WithResource("deployments"), &appsv1.Deployment{ObjectMeta: m, Spec: appsv1.DeploymentSpec{Replicas: &n}}
	case "StatefulSet":
		return appsv1.SchemeGroupVersion.WithResource("statefulsets"), &appsv1.StatefulSet{ObjectMeta: m, Spec: appsv1.StatefulSetSpec{Replicas: &n}}
	}
	return schema.GroupVersionResource{}, nil
}

var podResource = v1.SchemeGroupVersion.WithResource("pods")

// setPod stores a pod, for the controller and for the storage.
func (u *upstream) setPod(p *v1.Pod, isNew bool) error {
	internal := &api.Pod{}
	if err := legacyscheme.Scheme.Convert(p, internal, nil); err != nil {
		return err
	}
	u.memory.put(podKey(p.Name), internal.DeepCopy())
	if isNew {
		return u.client.Tracker().Create(podResource, p.DeepCopy(), namespace)
	}
	return u.client.Tracker().Update(podResource, p.DeepCopy(), namespace)
}

func (u *upstream) removePod(name string) error {
	delete(u.memory.pods, podKey(name))
	return u.client.Tracker().Delete(podResource, namespace, name)
}

func podKey(name string) string { return "/pods/" + namespace + "/" + name }

// An answer is what comes of a request to evict a pod.
type answer struct {
	Code  int32         // HTTP status
	Retry time.Duration // Retry-After
	Fate  string        // of the pod: gone, ending or stays
}

// evict asks for a pod's eviction. It returns the pod as it is then, nil if it is gone, of which
// watchers have yet to hear.
func (u *upstream) evict(name string) (answer, *v1.Pod, error) {
	ctx := genericapirequest.WithNamespace(context.Background(), namespace)
	eviction := &policy.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	out, err := u.eviction.Create(ctx, name, eviction, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
	a := answer{Code: 201, Fate: "stays"}
	var status apierrors.APIStatus
	switch said, ok := out.(*metav1.Status); {
	case errors.As(err, &status):
		a.Code = status.Status().Code
		if details := status.Status().Details; details != nil {
			a.Retry = time.Duration(details.RetryAfterSeconds) * time.Second
		}
	case err != nil:
		return a, nil, err
	case ok && said.Status == metav1.StatusFailure:
		a.Code = said.Code
	}
	internal := u.memory.pods[podKey(name)]
	if internal == nil {
		a.Fate = "gone"
		return a, nil, nil
	}
	pod := &v1.Pod{}
	if err := legacyscheme.Scheme.Convert(internal.DeepCopy(), pod, nil); err != nil {
		return a, nil, err
	}
	pod.ResourceVersion = ""
	if pod.DeletionTimestamp != nil {
		a.Fate = "ending"
	}
	return a, pod, nil
}

// mirror lets watchers of pods hear of what an eviction has done to one: nil if it is gone.
func (u *upstream) mirror(name string, pod *v1.Pod) error {
	if pod == nil {
		return u.client.Tracker().Delete(podResource, namespace, name)
	}
	return u.client.Tracker().Update(podResource, pod.DeepCopy(), namespace)
}

// status returns the status of a budget.
func (u *upstream) status(name string, epoch time.Time) (status, error) {
	b, err := u.budgets.get(name)
	if err != nil || b == nil {
		return status{}, err
	}
	return statusOf(b, epoch), nil
}

func statusOf(b *policyv1.PodDisruptionBudget, epoch time.Time) status {
	st := status{
		Allowed: b.Status.DisruptionsAllowed, Healthy: b.Status.CurrentHealthy, Desired: b.Status.DesiredHealthy,
		Expected: b.Status.ExpectedPods, Observed: b.Status.ObservedGeneration,
	}
	for name, at := range b.Status.DisruptedPods {
		st.add(name, at.Sub(epoch))
	}
	return st
}
