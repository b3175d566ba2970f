package quota

import (
	"cmp"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/informers/core"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/informers/node"
	nodeinformers "k8s.io/client-go/informers/node/v1"
	"k8s.io/client-go/informers/resource"
	resourceinformers "k8s.io/client-go/informers/resource/v1"
	"k8s.io/client-go/informers/scheduling"
	schedulinginformers "k8s.io/client-go/informers/scheduling/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	nodelisters "k8s.io/client-go/listers/node/v1"
	resourcelisters "k8s.io/client-go/listers/resource/v1"
	schedulinglisters "k8s.io/client-go/listers/scheduling/v1"
	"k8s.io/client-go/tools/cache"
)

// An informer is upstream's view of the objects of one resource. It has no watch: whoever changes an
// object tells it.
type informer struct {
	cache.SharedIndexInformer // what isn't below is never called
	indexer                   cache.Indexer
	handlers                  []cache.ResourceEventHandler
}

func newInformer() *informer {
	return &informer{indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})}
}

func (i *informer) AddEventHandler(h cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	i.handlers = append(i.handlers, h)
	return nil, nil
}

func (i *informer) AddEventHandlerWithResyncPeriod(h cache.ResourceEventHandler, _ time.Duration) (cache.ResourceEventHandlerRegistration, error) {
	return i.AddEventHandler(h)
}

func (i *informer) AddIndexers(x cache.Indexers) error  { return i.indexer.AddIndexers(x) }
func (i *informer) GetIndexer() cache.Indexer           { return i.indexer }
func (i *informer) GetStore() cache.Store               { return i.indexer }
func (i *informer) HasSynced() bool                     { return true }
func (i *informer) GetController() cache.Controller     { return pump{} }
func (i *informer) Informer() cache.SharedIndexInformer { return i }

// get returns an object, nil if there is none.
func (i *informer) get(namespace, name string) metav1.Object {
	key := name
	if namespace != "" {
		key = namespace + "/" + name
	}
	o, _, err := i.indexer.GetByKey(key)
	if err != nil || o == nil {
		return nil
	}
	return o.(metav1.Object)
}

// A pump would bring news to an informer.
type pump struct{ cache.Controller }

func (pump) Run(stop <-chan struct{}) { <-stop }
func (pump) HasSynced() bool          { return true }

// A factory has an informer for each resource.
type factory struct {
	informers.SharedInformerFactory // what isn't below is never called
	by                              map[schema.GroupVersionResource]*informer
	// gate, if set, holds up whoever wants to know the quotas of a namespace until it is closed.
	gate chan struct{}
}

func (f *factory) informer(r schema.GroupVersionResource) *informer {
	i := f.by[r]
	if i == nil {
		i = newInformer()
		f.by[r] = i
	}
	return i
}

func (f *factory) named(resource string) *informer { return f.informer(version(resource)) }

// version returns a resource of which the group is known with its version.
func version(resource string) schema.GroupVersionResource {
	name, group, _ := strings.Cut(resource, ".")
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: name}
}

func (f *factory) Start(<-chan struct{}) {}

func (f *factory) ForResource(r schema.GroupVersionResource) (informers.GenericInformer, error) {
	return untyped{f.informer(r), r.GroupResource()}, nil
}

type untyped struct {
	*informer
	resource schema.GroupResource
}

func (g untyped) Lister() cache.GenericLister { return cache.NewGenericLister(g.indexer, g.resource) }

// The groups and the informers of a factory as upstream asks for them: what isn't there is never called.
type (
	coreGroup   struct{ f *factory }
	coreVersion struct {
		coreinformers.Interface
		f *factory
	}
	schedulingGroup struct {
		scheduling.Interface
		f *factory
	}
	schedulingVersion struct {
		schedulinginformers.Interface
		f *factory
	}
	nodeGroup struct {
		node.Interface
		f *factory
	}
	nodeVersion struct {
		nodeinformers.Interface
		f *factory
	}
	resourceGroup struct {
		resource.Interface
		f *factory
	}
	resourceVersion struct {
		resourceinformers.Interface
		f *factory
	}
	podInformer   struct{ *informer }
	quotaInformer struct {
		*informer
		f *factory
	}
	limitRangeInformer struct{ *informer }
	priorityInformer   struct{ *informer }
	runtimeInformer    struct{ *informer }
	deviceInformer     struct{ *informer }
	claimInformer      struct{ *informer }
)

func (f *factory) Core() core.Interface             { return coreGroup{f} }
func (f *factory) Scheduling() scheduling.Interface { return schedulingGroup{f: f} }
func (f *factory) Node() node.Interface             { return nodeGroup{f: f} }
func (f *factory) Resource() resource.Interface     { return resourceGroup{f: f} }

func (g coreGroup) V1() coreinformers.Interface             { return coreVersion{f: g.f} }
func (g schedulingGroup) V1() schedulinginformers.Interface { return schedulingVersion{f: g.f} }
func (g nodeGroup) V1() nodeinformers.Interface             { return nodeVersion{f: g.f} }
func (g resourceGroup) V1() resourceinformers.Interface     { return resourceVersion{f: g.f} }

func (v coreVersion) Pods() coreinformers.PodInformer { return podInformer{v.f.named("pods")} }
func (v coreVersion) ResourceQuotas() coreinformers.ResourceQuotaInformer {
	return quotaInformer{v.f.named("resourcequotas"), v.f}
}
func (v coreVersion) LimitRanges() coreinformers.LimitRangeInformer {
	return limitRangeInformer{v.f.named("limitranges")}
}
func (v schedulingVersion) PriorityClasses() schedulinginformers.PriorityClassInformer {
	return priorityInformer{v.f.named("priorityclasses.scheduling.k8s.io")}
}
func (v nodeVersion) RuntimeClasses() nodeinformers.RuntimeClassInformer {
	return runtimeInformer{v.f.named("runtimeclasses.node.k8s.io")}
}
func (v resourceVersion) DeviceClasses() resourceinformers.DeviceClassInformer {
	return deviceInformer{v.f.named("deviceclasses.resource.k8s.io")}
}
func (v resourceVersion) ResourceClaims() resourceinformers.ResourceClaimInformer {
	return claimInformer{v.f.named("resourceclaims.resource.k8s.io")}
}

func (i podInformer) Lister() corelisters.PodLister { return corelisters.NewPodLister(i.indexer) }
func (i quotaInformer) Lister() corelisters.ResourceQuotaLister {
	return quotaLister{corelisters.NewResourceQuotaLister(i.indexer), i.f}
}
func (i limitRangeInformer) Lister() corelisters.LimitRangeLister {
	return limitRangeLister{corelisters.NewLimitRangeLister(i.indexer)}
}
func (i priorityInformer) Lister() schedulinglisters.PriorityClassLister {
	return schedulinglisters.NewPriorityClassLister(i.indexer)
}
func (i runtimeInformer) Lister() nodelisters.RuntimeClassLister {
	return nodelisters.NewRuntimeClassLister(i.indexer)
}
func (i deviceInformer) Lister() resourcelisters.DeviceClassLister {
	return resourcelisters.NewDeviceClassLister(i.indexer)
}
func (i claimInformer) Lister() resourcelisters.ResourceClaimLister {
	return resourcelisters.NewResourceClaimLister(i.indexer)
}

// A quotaLister lists by name. Upstream's has no order, and the first quota that refuses a request is the
// one that its answer names.
type quotaLister struct {
	corelisters.ResourceQuotaLister
	f *factory
}

type quotasOf struct {
	corelisters.ResourceQuotaNamespaceLister
	f *factory
}

func (l quotaLister) ResourceQuotas(namespace string) corelisters.ResourceQuotaNamespaceLister {
	return quotasOf{l.ResourceQuotaLister.ResourceQuotas(namespace), l.f}
}

func (l quotasOf) List(s labels.Selector) ([]*v1.ResourceQuota, error) {
	if gate := l.f.gate; gate != nil {
		<-gate
	}
	list, err := l.ResourceQuotaNamespaceLister.List(s)
	slices.SortFunc(list, func(a, b *v1.ResourceQuota) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}

// A limitRangeLister lists by name, too: of several defaults the first is taken.
type limitRangeLister struct{ corelisters.LimitRangeLister }

type limitRangesOf struct {
	corelisters.LimitRangeNamespaceLister
}

func (l limitRangeLister) LimitRanges(namespace string) corelisters.LimitRangeNamespaceLister {
	return limitRangesOf{l.LimitRangeLister.LimitRanges(namespace)}
}

func (l limitRangesOf) List(s labels.Selector) ([]*v1.LimitRange, error) {
	list, err := l.LimitRangeNamespaceLister.List(s)
	slices.SortFunc(list, func(a, b *v1.LimitRange) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}
