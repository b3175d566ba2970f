package parity

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	upstream "k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/scheduler"
)

// nodeCounts are the numbers of nodes for which numbers of candidates are compared.
var nodeCounts = []int64{1, 9, 10, 11, 99, 100, 101, 999, 1000, 1001, 5000}

// probes are the nodes that added affinity is held against.
var probes = []*v1.Node{
	probe("a", map[string]string{"k": "10", "metadata.name": "a"}),
	probe("b", nil),
	probe("c", map[string]string{"k": "9", "metadata.uid": "a"}),
	probe("d", map[string]string{"k": "a"}),
	probe("e", map[string]string{"k": ""}),
}

// ruledOut stands for the score of a node that is not feasible.
const ruledOut = -1 << 63

func probe(name string, labels map[string]string) *v1.Node {
	return &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

// setEffects asks upstream what it makes of the arguments that it takes.
func setEffects(cases []ArgumentCase) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	handle, err := frameworkruntime.NewFramework(ctx, nil, nil,
		frameworkruntime.WithInformerFactory(upstream.NewInformerFactory(&fake.Clientset{}, 0)))
	if err != nil {
		return err
	}
	for i := range cases {
		c := &cases[i]
		if c.Refused != "" {
			continue
		}
		args, err := c.defaulted()
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		switch args := args.(type) {
		case *config.DefaultPreemptionArgs:
			c.Effect, err = candidateCounts(ctx, args, handle)
		case *config.NodeAffinityArgs:
			c.Effect, err = probeScores(args.AddedAffinity)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// defaulted gives the case's arguments as upstream's plugin gets them. The oracle can't be asked,
// since it sets those of DefaultPreemption to try every node.
func (c *ArgumentCase) defaulted() (runtime.Object, error) {
	obj, _, err := scheme.Codecs.UniversalDecoder().Decode(c.configuration(), nil, nil)
	if err != nil {
		return nil, err
	}
	for _, pc := range obj.(*config.KubeSchedulerConfiguration).Profiles[0].PluginConfig {
		if pc.Name == c.Plugin {
			return pc.Args, nil
		}
	}
	return nil, fmt.Errorf("upstream has no arguments of %s", c.Plugin)
}

func candidateCounts(ctx context.Context, args *config.DefaultPreemptionArgs, handle framework.Framework) (counts []int64, err error) {
	pl, err := defaultpreemption.New(ctx, args, handle, feature.Features{})
	if err != nil {
		return nil, err
	}
	for _, nodes := range nodeCounts {
		_, enough := pl.GetOffsetAndNumCandidates(int32(nodes))
		counts = append(counts, int64(enough))
	}
	return counts, nil
}

// probeScores does with added affinity what upstream's NodeAffinity does for a pod that has none.
func probeScores(added *v1.NodeAffinity) ([]int64, error) {
	scores := make([]int64, len(probes))
	if added == nil {
		return scores, nil
	}
	preferred, err := nodeaffinity.NewPreferredSchedulingTerms(added.PreferredDuringSchedulingIgnoredDuringExecution)
	if err != nil {
		return nil, err
	}
	for i, n := range probes {
		scores[i] = preferred.Score(n)
	}
	if added.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return scores, nil
	}
	required, err := nodeaffinity.NewNodeSelector(added.RequiredDuringSchedulingIgnoredDuringExecution)
	if err != nil {
		return nil, err
	}
	for i, n := range probes {
		if !required.Match(n) {
			scores[i] = ruledOut
		}
	}
	return scores, nil
}

// effectIn is what Berth's plugin made of its arguments.
func effectIn(inst any) (effect []int64, err error) {
	switch inst := inst.(type) {
	case interface{ Enough(nodes int64) int64 }:
		for _, nodes := range nodeCounts {
			effect = append(effect, inst.Enough(nodes))
		}
		return effect, nil
	case interface {
		scheduler.Filter
		scheduler.Scorer
	}:
		return probeScoresIn(inst, inst)
	}
	return nil, fmt.Errorf("a %T can't be asked what it makes of its arguments", inst)
}

func probeScoresIn(filter scheduler.Filter, scorer scheduler.Scorer) (scores []int64, err error) {
	b := &Berth{State: cluster.NewState(), convert: &manifest.Converter{Epoch: epoch}, pods: map[string]cluster.PodID{}}
	for _, n := range probes {
		if err := b.Add(n); err != nil {
			return nil, err
		}
	}
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"}}
	if err := b.Add(p); err != nil {
		return nil, err
	}
	may, score := filter.Filter(b.State, b.pods[podKey(p)]), scorer.Score(b.State, b.pods[podKey(p)])
	for _, n := range b.State.Nodes.Live() {
		switch {
		case may != nil && may(n).Code != scheduler.Success:
			scores = append(scores, ruledOut)
		case score != nil:
			scores = append(scores, score(n))
		default:
			scores = append(scores, 0)
		}
	}
	return scores, nil
}
