package oracle

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
)

// Config says which scheduler to ask. The zero value is upstream with its defaults.
type Config struct {
	// Profile is a KubeSchedulerConfiguration in YAML or JSON; empty for upstream's default.
	Profile []byte
	// VisitedOnly leaves Result.Rest empty, which saves the filters of the nodes that upstream's
	// sampling did not reach.
	VisitedOnly bool
}

// Oracle is upstream's scheduler with the cluster it knows. It isn't safe for concurrent use.
type Oracle struct {
	ctx         context.Context
	cancel      context.CancelFunc
	logger      klog.Logger
	client      *fake.Clientset
	informers   informers.SharedInformerFactory
	scheduler   *scheduler.Scheduler
	snapshot    *cache.Snapshot
	preemptors  map[string]*defaultpreemption.DefaultPreemption // by profile name
	visitedOnly bool
	config      *config.KubeSchedulerConfiguration

	nodesChanged bool // since the last evaluation
	nodes        map[string]*v1.Node
	pods         map[string]*v1.Pod // by "namespace/name"
}

// New builds upstream's scheduler without any object in its cluster.
func New(c Config) (*Oracle, error) {
	if err := pin(); err != nil {
		return nil, fmt.Errorf("setting feature gates: %w", err)
	}
	cfg, err := load(c.Profile)
	if err != nil {
		return nil, err
	}
	o := &Oracle{
		logger: logr.Discard(),
		// A clientset without reactors answers every call with success and writes it down, which
		// is how evictions are observed.
		client:      &fake.Clientset{},
		visitedOnly: c.VisitedOnly,
		preemptors:  map[string]*defaultpreemption.DefaultPreemption{},
		nodes:       map[string]*v1.Node{},
		pods:        map[string]*v1.Pod{},
	}
	o.ctx, o.cancel = context.WithCancel(klog.NewContext(context.Background(), o.logger))
	o.informers = scheduler.NewInformerFactory(o.client, 0)
	if err := o.build(cfg); err != nil {
		o.cancel()
		return nil, err
	}
	return o, nil
}

func (o *Oracle) build(cfg *config.KubeSchedulerConfiguration) error {
	o.config = cfg
	args := map[string]*config.DefaultPreemptionArgs{}
	for i := range cfg.Profiles {
		args[cfg.Profiles[i].SchedulerName] = preemptionArgs(&cfg.Profiles[i])
	}
	recorders := func(string) events.EventRecorderLogger { return &events.FakeRecorder{} }
	s, err := scheduler.New(o.ctx, o.client, o.informers, nil, recorders,
		scheduler.WithProfiles(cfg.Profiles...),
		scheduler.WithExtenders(cfg.Extenders...),
		scheduler.WithParallelism(1),
		scheduler.WithPercentageOfNodesToScore(cfg.PercentageOfNodesToScore))
	if err != nil {
		return fmt.Errorf("building upstream's scheduler: %w", err)
	}
	o.scheduler = s
	for name, f := range s.Profiles {
		// All profiles share one snapshot; the lister is the only exported way to it.
		o.snapshot = f.SnapshotSharedLister().(*cache.Snapshot)
		if !hasPreemption(f) || args[name] == nil {
			continue
		}
		// A second instance beside the one inside the framework, which can't be reached: it dry-runs
		// on the same snapshot, nominator and filters and says which candidates there were.
		p, err := defaultpreemption.New(o.ctx, args[name], f, feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate))
		if err != nil {
			return fmt.Errorf("building DefaultPreemption of profile %s: %w", name, err)
		}
		o.preemptors[name] = p
	}
	return nil
}

func hasPreemption(f framework.Framework) bool {
	for _, p := range f.ListPlugins().PostFilter.Enabled {
		if p.Name == names.DefaultPreemption {
			return true
		}
	}
	return false
}

// Close ends the goroutines that upstream's constructor started.
func (o *Oracle) Close() {
	o.scheduler.SchedulingQueue.Close()
	o.cancel()
}

// Weights gives the weights of a profile's score plugins.
func (o *Oracle) Weights(profile string) map[string]int64 {
	weights := map[string]int64{}
	if f := o.scheduler.Profiles[profile]; f != nil {
		for _, p := range f.ListPlugins().Score.Enabled {
			weights[p.Name] = int64(p.Weight)
		}
	}
	return weights
}

// Before tells whether upstream's queue sort puts pod a, which entered the queue at the first time,
// before pod b, which entered at the second.
func (o *Oracle) Before(profile string, a, b *v1.Pod, at, bt time.Time) (bool, error) {
	f := o.scheduler.Profiles[profile]
	if f == nil {
		return false, fmt.Errorf("no profile %q", profile)
	}
	queued := [2]*framework.QueuedPodInfo{}
	for i, p := range [2]*v1.Pod{a, b} {
		info, err := framework.NewPodInfo(p)
		if err != nil {
			return false, fmt.Errorf("pod %s: %w", key(p), err)
		}
		queued[i] = &framework.QueuedPodInfo{PodInfo: info, Timestamp: [2]time.Time{at, bt}[i]}
	}
	return f.QueueSortFunc()(queued[0], queued[1]), nil
}

// Nodes lists the nodes in the order of upstream's snapshot.
func (o *Oracle) Nodes() ([]string, error) {
	if err := o.scheduler.Cache.UpdateSnapshot(o.logger, o.snapshot); err != nil {
		return nil, fmt.Errorf("taking a snapshot: %w", err)
	}
	infos, err := o.snapshot.List()
	if err != nil {
		return nil, fmt.Errorf("listing the snapshot: %w", err)
	}
	nodes := make([]string, len(infos))
	for i, info := range infos {
		nodes[i] = info.Node().Name
	}
	return nodes, nil
}
