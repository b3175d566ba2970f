package oracle

import (
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
)

// pinnedGates are upstream's feature gates that make its answers depend on the wall clock or on
// goroutines; see the package comment.
var pinnedGates = map[string]bool{
	"OpportunisticBatching":    false,
	"SchedulerAsyncPreemption": false,
}

// pin sets what upstream keeps for the whole process: feature gates, and the log, which would tell of
// every configuration read and every pod that doesn't fit.
var pin = sync.OnceValue(func() error {
	klog.SetLogger(logr.Discard())
	return utilfeature.DefaultMutableFeatureGate.SetFromMap(pinnedGates)
})

// load reads a KubeSchedulerConfiguration as kube-scheduler does, defaults and validation included.
// Empty text is upstream's default configuration.
func load(text []byte) (*config.KubeSchedulerConfiguration, error) {
	if len(text) == 0 {
		return latest.Default()
	}
	obj, kind, err := scheme.Codecs.UniversalDecoder().Decode(text, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the scheduler configuration: %w", err)
	}
	cfg, ok := obj.(*config.KubeSchedulerConfiguration)
	if !ok {
		return nil, fmt.Errorf("reading the scheduler configuration: it is a %s", kind)
	}
	// Decoding clears it, validation wants it; upstream's own loader does the same.
	cfg.APIVersion = schema.GroupVersion{Group: kind.Group, Version: kind.Version}.String()
	if err := validation.ValidateKubeSchedulerConfiguration(cfg); err != nil {
		return nil, fmt.Errorf("the scheduler configuration is not valid: %w", err)
	}
	return cfg, nil
}

// preemptionArgs gives the arguments of a profile's DefaultPreemption, nil if it has none, after
// setting them to dry-run every node.
func preemptionArgs(p *config.KubeSchedulerProfile) *config.DefaultPreemptionArgs {
	for _, pc := range p.PluginConfig {
		if args, ok := pc.Args.(*config.DefaultPreemptionArgs); ok && pc.Name == names.DefaultPreemption {
			args.MinCandidateNodesPercentage = 100
			return args
		}
	}
	return nil
}
