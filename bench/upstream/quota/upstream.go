package quota

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/controller"
	quotacontroller "k8s.io/kubernetes/pkg/controller/resourcequota"
	"k8s.io/kubernetes/pkg/quota/v1/install"
	"k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
	"k8s.io/kubernetes/plugin/pkg/admission/priority"
	"k8s.io/kubernetes/plugin/pkg/admission/runtimeclass"
)

// resync is how often the quota controller counts everything again.
const resync = 5 * time.Minute

// pin sets what upstream keeps for the whole process. It must be called outside of bubbles, since the
// process has one goroutine that waits for signals.
var pin = sync.OnceFunc(func() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR2)
	klog.SetLogger(logr.Discard())
	utilruntime.ErrorHandlers = nil // one of them sleeps
})

// upstream is upstream's admission and quota controller, and what an API server is to them.
type upstream struct {
	*store
	mutating   []admission.MutationInterface
	validating []admission.ValidationInterface // but for ResourceQuota
	quota      *resourcequota.QuotaAdmission
	cancel     context.CancelFunc
}

// newUpstream starts admission and the quota controller, within a bubble.
func newUpstream() (*upstream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	u := &upstream{store: newStore(), cancel: cancel}
	for _, class := range builtIn() {
		legacyscheme.Scheme.Default(class)
		u.put("priorityclasses.scheduling.k8s.io", class)
	}
	if err := u.startAdmission(ctx); err != nil {
		cancel()
		return nil, err
	}
	if err := u.startController(ctx); err != nil {
		cancel()
		return nil, err
	}
	u.settle()
	return u, nil
}

// startAdmission makes the plugins, in the order in which an API server asks them.
func (u *upstream) startAdmission(ctx context.Context) error {
	limits, err := limitranger.NewLimitRanger(nil)
	if err != nil {
		return err
	}
	limits.SetExternalKubeInformerFactory(u.factory)
	limits.SetExternalKubeClientSet(client{store: u.store})
	priorities := priority.NewPlugin()
	priorities.SetExternalKubeInformerFactory(u.factory)
	priorities.SetExternalKubeClientSet(client{store: u.store})
	tolerations := defaulttolerationseconds.NewDefaultTolerationSeconds()
	tolerations.InspectFeatureGates(nil)
	runtimes := runtimeclass.NewRuntimeClass()
	runtimes.SetExternalKubeInformerFactory(u.factory)
	runtimes.SetExternalKubeClientSet(client{store: u.store})
	u.mutating = []admission.MutationInterface{limits, priorities, tolerations, runtimes}
	u.validating = []admission.ValidationInterface{limits, runtimes}

	if u.quota, err = resourcequota.NewResourceQuota(nil, 5); err != nil {
		return err
	}
	u.quota.SetDrainedNotification(ctx.Done())
	u.quota.SetExternalKubeClientSet(client{store: u.store})
	u.quota.SetExternalKubeInformerFactory(u.factory)
	conf, err := install.NewQuotaConfigurationForAdmission(u.factory, nil)
	if err != nil {
		return err
	}
	u.quota.SetQuotaConfiguration(conf)
	return u.quota.ValidateInitialization()
}

// startController starts the quota controller. It discovers all that is counted.
func (u *upstream) startController(ctx context.Context) error {
	conf, err := install.NewQuotaConfigurationForControllers(generic.ListerFuncForResourceFunc(u.ForResource), u.factory)
	if err != nil {
		return err
	}
	started := make(chan struct{})
	close(started)
	c, err := quotacontroller.NewController(ctx, &quotacontroller.ControllerOptions{
		QuotaClient:               client{store: u.store}.CoreV1(),
		ResourceQuotaInformer:     u.Core().V1().ResourceQuotas(),
		ResyncPeriod:              controller.StaticResyncPeriodFunc(resync),
		Registry:                  generic.NewRegistry(conf.Evaluators()),
		DiscoveryFunc:             discover,
		IgnoredResourcesFunc:      conf.IgnoredResources,
		InformersStarted:          started,
		InformerFactory:           u.factory,
		ReplenishmentResyncPeriod: controller.StaticResyncPeriodFunc(12 * time.Hour),
		UpdateFilter:              install.DefaultUpdateFilter(),
	})
	if err != nil {
		return err
	}
	go c.Run(ctx, 5)
	return nil
}

// counted are the resources that stories have and that quotas may count.
var counted = []string{
	"pods", "persistentvolumeclaims", "services", "configmaps", "secrets", "replicationcontrollers", "resourcequotas",
	"resourceclaims.resource.k8s.io", "deployments.apps", "jobs.batch", "gadgets.example.com",
}

func discover() (lists []*metav1.APIResourceList, err error) {
	for _, name := range counted {
		r := version(name)
		lists = append(lists, &metav1.APIResourceList{GroupVersion: r.GroupVersion().String(), APIResources: []metav1.APIResource{{
			Name: r.Resource, Namespaced: true, Kind: kinds[name].Kind, Verbs: metav1.Verbs{"create", "delete", "list", "watch"},
		}}})
	}
	return lists, nil
}

// kinds are the kinds of the resources about which somebody is asked.
var kinds = map[string]schema.GroupVersionKind{
	"pods":                           v1.SchemeGroupVersion.WithKind("Pod"),
	"persistentvolumeclaims":         v1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"),
	"services":                       v1.SchemeGroupVersion.WithKind("Service"),
	"configmaps":                     v1.SchemeGroupVersion.WithKind("ConfigMap"),
	"secrets":                        v1.SchemeGroupVersion.WithKind("Secret"),
	"replicationcontrollers":         v1.SchemeGroupVersion.WithKind("ReplicationController"),
	"resourcequotas":                 v1.SchemeGroupVersion.WithKind("ResourceQuota"),
	"resourceclaims.resource.k8s.io": {Group: "resource.k8s.io", Version: "v1", Kind: "ResourceClaim"},
	"deployments.apps":               {Group: "apps", Version: "v1", Kind: "Deployment"},
	"jobs.batch":                     {Group: "batch", Version: "v1", Kind: "Job"},
	"gadgets.example.com":            {Group: "example.com", Version: "v1", Kind: "Gadget"},
}

func (u *upstream) stop() {
	u.cancel()
	synctest.Wait()
}

// idle waits until nobody has anything to do at this instant, though not everybody has heard of everything.
func (u *upstream) idle() { synctest.Wait() }

// settle lets everybody hear of everything, until nobody has anything to do at this instant.
func (u *upstream) settle() {
	synctest.Wait()
	for news := u.news(); len(news) > 0; news = u.news() {
		for _, tell := range news {
			tell()
		}
		synctest.Wait()
	}
}

// quotas returns all quotas, by namespace and name.
func (u *upstream) quotas() map[string]*v1.ResourceQuota {
	all := map[string]*v1.ResourceQuota{}
	for _, o := range u.named("resourcequotas").indexer.List() {
		q := o.(*v1.ResourceQuota)
		all[q.Namespace+"/"+q.Name] = q
	}
	return all
}

// used returns what a quota's status says, as text.
func used(st v1.ResourceQuotaStatus) string {
	return fmt.Sprintf("hard %s used %s", amounts(st.Hard), amounts(st.Used))
}
