//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	namespace = meta.NamespaceDefault
	disk      = "example.com/disk"
	dedicated = "example.com/dedicated"

	zones = 3  // of nodes, in turn
	every = 10 // so many-th node is dedicated
	apps  = 25 // whose pods are alike
)

// mostPods is how many pods fit on nodes wherever a scheduler puts them: half of the processors,
// since some pods may only go to one node in two.
func mostPods(nodes int) int { return nodes * 20 }

// furnish gives nodes zones, one in two a fast disk, and some a taint. It replaces the taint that
// the API server puts on new nodes, for which nobody else cares here.
func (g *ground) furnish(ctx context.Context) error {
	nodes, err := g.client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	return each(ctx, len(nodes.Items), func(ctx context.Context, i int) error {
		labels := map[string]string{core.LabelTopologyZone: fmt.Sprintf("zone-%d", i%zones)}
		if i/zones%2 == 0 {
			labels[disk] = "ssd"
		}
		taints := []core.Taint{}
		if i%every == every-1 {
			taints = append(taints, core.Taint{Key: dedicated, Value: "batch", Effect: core.TaintEffectNoSchedule})
		}
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"taints": taints}})
		if err != nil {
			return err
		}
		if _, err := g.client.CoreV1().Nodes().Patch(ctx, nodes.Items[i].Name, types.MergePatchType, patch, meta.PatchOptions{}); err != nil {
			return fmt.Errorf("labelling node %s: %w", nodes.Items[i].Name, err)
		}
		return nil
	})
}

// create makes the pods, while nobody places them.
func (g *ground) create(ctx context.Context) error {
	return each(ctx, g.pods, func(ctx context.Context, i int) error {
		if _, err := g.client.CoreV1().Pods(namespace).Create(ctx, pod(i), meta.CreateOptions{}); err != nil {
			return fmt.Errorf("creating pod %d: %w", i, err)
		}
		return nil
	})
}

// pod returns the i-th pod. Its app says what it asks for, 100 to 2,100 thousandths of a core, and what
// it is constrained by: of five apps one each is spread strictly over zones, wants a fast disk,
// tolerates dedicated nodes, would rather be apart, and would rather be in a zone.
func pod(i int) *core.Pod {
	app := i % apps
	name := fmt.Sprintf("app-%d", app)
	labels := map[string]string{"app": name}
	spec := core.PodSpec{Containers: []core.Container{{
		Name: "work", Image: "registry.local/work:1", ImagePullPolicy: core.PullIfNotPresent,
		Resources: core.ResourceRequirements{Requests: core.ResourceList{
			core.ResourceCPU:    *resource.NewMilliQuantity(int64(100+app*7%apps*80), resource.DecimalSI),
			core.ResourceMemory: *resource.NewQuantity(int64(1+app*11%apps)<<28, resource.BinarySI),
		}},
	}}}
	ours := &meta.LabelSelector{MatchLabels: labels}
	switch app % 5 {
	case 0:
		spec.TopologySpreadConstraints = []core.TopologySpreadConstraint{
			{MaxSkew: 2, TopologyKey: core.LabelTopologyZone, WhenUnsatisfiable: core.DoNotSchedule, LabelSelector: ours},
			{MaxSkew: 1, TopologyKey: core.LabelHostname, WhenUnsatisfiable: core.ScheduleAnyway, LabelSelector: ours},
		}
	case 1:
		spec.NodeSelector = map[string]string{disk: "ssd"}
	case 2:
		spec.Tolerations = []core.Toleration{{Key: dedicated, Operator: core.TolerationOpExists, Effect: core.TaintEffectNoSchedule}}
	case 3:
		apart := core.PodAffinityTerm{LabelSelector: ours, TopologyKey: core.LabelHostname}
		spec.Affinity = &core.Affinity{PodAntiAffinity: &core.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []core.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: apart}},
		}}
	case 4:
		in := core.NodeSelectorRequirement{Key: core.LabelTopologyZone, Operator: core.NodeSelectorOpIn, Values: []string{"zone-1"}}
		spec.Affinity = &core.Affinity{NodeAffinity: &core.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []core.PreferredSchedulingTerm{{Weight: 10, Preference: core.NodeSelectorTerm{MatchExpressions: []core.NodeSelectorRequirement{in}}}},
		}}
	}
	return &core.Pod{ObjectMeta: meta.ObjectMeta{Name: fmt.Sprintf("%s-%d", name, i/apps), Namespace: namespace, Labels: labels}, Spec: spec}
}

// clear removes all pods, and waits until they are gone. Their Events stay: nobody watches them,
// and an API server forgets them after an hour.
func (g *ground) clear(ctx context.Context) error {
	now := int64(0)
	for {
		pods, err := g.client.CoreV1().Pods(namespace).List(ctx, meta.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return fmt.Errorf("listing pods: %w", err)
		}
		if len(pods.Items) == 0 {
			return nil
		}
		err = each(ctx, len(pods.Items), func(ctx context.Context, i int) error {
			err := g.client.CoreV1().Pods(namespace).Delete(ctx, pods.Items[i].Name, meta.DeleteOptions{GracePeriodSeconds: &now})
			return ignoreGone(err)
		})
		if err != nil {
			return fmt.Errorf("removing pods: %w", err)
		}
	}
}
