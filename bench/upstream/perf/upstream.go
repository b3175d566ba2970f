package perf

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// pin sets what upstream keeps for the whole process. Asynchronous preemption is off, so that victims are
// known when PostFilter returns; opportunistic batching needs the queue, which isn't played.
var pin = sync.OnceValue(func() error {
	klog.SetLogger(logr.Discard())
	return utilfeature.DefaultMutableFeatureGate.SetFromMap(map[string]bool{
		"OpportunisticBatching": false, "SchedulerAsyncPreemption": false,
	})
})

// An upstream is upstream's side: its scheduler as its own constructor builds it, whose cache and listers
// are told of objects without informers.
type upstream struct {
	ctx       context.Context
	cancel    context.CancelFunc
	logger    klog.Logger
	client    *fake.Clientset
	informers informers.SharedInformerFactory
	sched     *scheduler.Scheduler
	framework framework.Framework
	snapshot  *cache.Snapshot

	assigned []*v1.Pod      // pods on nodes, by number
	nodes    []string       // that pods got, by number
	numbers  map[string]int // of pods, by namespace and name
	looked   int
}

func newUpstream(s *Script, parallelism int, percent int32) (*upstream, error) {
	if err := pin(); err != nil {
		return nil, err
	}
	cfg, err := latest.Default()
	if err != nil {
		return nil, err
	}
	u := &upstream{
		logger: logr.Discard(), client: &fake.Clientset{}, // which answers every call with success
		assigned: make([]*v1.Pod, len(s.pods)), nodes: make([]string, len(s.pods)), numbers: map[string]int{},
	}
	u.ctx, u.cancel = context.WithCancel(klog.NewContext(context.Background(), u.logger))
	u.informers = scheduler.NewInformerFactory(u.client, 0)
	recorders := func(string) events.EventRecorderLogger { return &events.FakeRecorder{} }
	u.sched, err = scheduler.New(u.ctx, u.client, u.informers, nil, recorders, scheduler.WithProfiles(cfg.Profiles...),
		scheduler.WithParallelism(int32(parallelism)), scheduler.WithPercentageOfNodesToScore(&percent))
	if err != nil {
		u.cancel()
		return nil, fmt.Errorf("building upstream's scheduler: %w", err)
	}
	u.framework = u.sched.Profiles[v1.DefaultSchedulerName]
	u.snapshot = u.framework.SnapshotSharedLister().(*cache.Snapshot)
	return u, nil
}

func (u *upstream) close() {
	u.sched.SchedulingQueue.Close()
	u.cancel()
}

// ready takes the first snapshot, which copies every node; later ones copy what has changed.
func (u *upstream) ready() error { return u.sched.Cache.UpdateSnapshot(u.logger, u.snapshot) }

func (u *upstream) node(pod int) string { return u.nodes[pod] }

func (u *upstream) evaluated() int { return u.looked }

// prepare does an informer's work: it changes the stores that listers read.
func (u *upstream) prepare(st *step) error {
	core := u.informers.Core().V1()
	var store toolscache.Indexer
	switch obj := st.object.(type) {
	case *v1.Node:
		store = core.Nodes().Informer().GetIndexer()
	case *v1.Namespace:
		store = core.Namespaces().Informer().GetIndexer()
	case *v1.Service:
		store = core.Services().Informer().GetIndexer()
	case *v1.Pod:
		u.numbers[obj.Namespace+"/"+obj.Name] = st.pod
		store = core.Pods().Informer().GetIndexer()
	default:
		return fmt.Errorf("upstream isn't told of a %T", obj)
	}
	if st.kind == removed {
		return store.Delete(st.object)
	}
	return store.Add(st.object)
}

func (u *upstream) do(st *step) error {
	switch obj := st.object.(type) {
	case *v1.Node:
		if st.kind == removed {
			return u.sched.Cache.RemoveNode(u.logger, obj)
		}
		u.sched.Cache.AddNode(u.logger, obj)
	case *v1.Pod:
		if st.kind == removed {
			return u.end(st.pod)
		}
		if obj.Spec.NodeName == "" {
			return u.place(st.pod, obj)
		}
		u.assigned[st.pod], u.nodes[st.pod] = obj, obj.Spec.NodeName
		return u.sched.Cache.AddPod(u.logger, obj)
	}
	return nil
}

// end takes a pod off its node, if it is on one.
func (u *upstream) end(pod int) error {
	p := u.assigned[pod]
	if p == nil {
		return nil
	}
	u.assigned[pod] = nil
	return u.sched.Cache.RemovePod(u.logger, p)
}

// place tries a pod, and if it has preempted others, again.
func (u *upstream) place(number int, p *v1.Pod) error {
	for _, plugin := range u.framework.PreEnqueuePlugins() {
		if !plugin.PreEnqueue(u.ctx, p).IsSuccess() {
			return nil
		}
	}
	node, nominated, err := u.cycle(p)
	if err == nil && nominated != "" {
		if err := u.evict(); err != nil {
			return err
		}
		p = p.DeepCopy()
		p.Status.NominatedNodeName = nominated
		if node, _, err = u.cycle(p); err == nil && node == "" {
			return fmt.Errorf("%s has preempted others in vain", p.Name)
		}
	}
	if err != nil || node == "" {
		return err
	}
	return u.assume(number, p, node)
}

// cycle finds a node for a pod, or one that is kept for it.
func (u *upstream) cycle(p *v1.Pod) (node, nominated string, err error) {
	if err := u.sched.Cache.UpdateSnapshot(u.logger, u.snapshot); err != nil {
		return "", "", err
	}
	info, err := framework.NewPodInfo(p)
	if err != nil {
		return "", "", err
	}
	state := framework.NewCycleState()
	result, err := u.sched.SchedulePod(u.ctx, u.framework, state, &framework.QueuedPodInfo{PodInfo: info})
	u.looked += result.EvaluatedNodes
	var unfit *framework.FitError
	if err == nil || !errors.As(err, &unfit) {
		return result.SuggestedHost, "", err
	}
	u.looked += unfit.NumAllNodes
	kept, _ := u.framework.RunPostFilterPlugins(u.ctx, state, p, unfit.Diagnosis.NodeToStatus)
	if kept != nil && kept.NominatingInfo != nil && kept.Mode() == fwk.ModeOverride {
		nominated = kept.NominatedNodeName
	}
	return "", nominated, nil
}

// evict ends the pods that PostFilter has asked the API to delete.
func (u *upstream) evict() error {
	for _, a := range u.client.Actions() {
		if a, ok := a.(clienttesting.DeleteActionImpl); ok {
			if err := u.end(u.numbers[a.Namespace+"/"+a.Name]); err != nil {
				return err
			}
		}
	}
	u.client.ClearActions()
	return nil
}

// assume puts a pod on a node, and confirms it.
func (u *upstream) assume(number int, p *v1.Pod, node string) error {
	assumed := p.DeepCopy()
	assumed.Spec.NodeName = node
	if err := u.sched.Cache.AssumePod(u.logger, assumed); err != nil {
		return err
	}
	u.assigned[number], u.nodes[number] = assumed, node
	return u.sched.Cache.AddPod(u.logger, assumed)
}
