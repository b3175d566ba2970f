package oracle

import (
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
)

// Effective gives the first profile as it is run: with its arguments after defaulting, and the plugins
// that are on at each extension point.
func (o *Oracle) Effective() (*config.KubeSchedulerProfile, *config.Plugins) {
	p := o.config.Profiles[0]
	if p.PercentageOfNodesToScore == nil {
		p.PercentageOfNodesToScore = o.config.PercentageOfNodesToScore
	}
	return &p, o.scheduler.Profiles[p.SchedulerName].ListPlugins()
}

// refresh has upstream's next snapshot copy every node, by a pod that comes and goes. A node's copy
// tells how many nodes have its images as of when the node itself was last copied, so what
// ImageLocality says depends on which nodes happened to change. Berth counts as of now, which is what
// upstream's counts tend to; docs/fidelity.md tells of it.
func (o *Oracle) refresh() error {
	if !o.nodesChanged {
		return nil
	}
	o.nodesChanged = false
	for name := range o.nodes {
		p := &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "refresh", Name: name, UID: types.UID("refresh-" + name)},
			Spec:       v1.PodSpec{NodeName: name},
		}
		if err := o.scheduler.Cache.AssumePod(o.logger, p); err != nil {
			return err
		}
		if err := o.scheduler.Cache.ForgetPod(o.logger, p); err != nil {
			return err
		}
	}
	return nil
}
