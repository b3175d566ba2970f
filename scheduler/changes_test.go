package scheduler_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

func TestChangesOfNode(t *testing.T) {
	base := cluster.NodeSpec{
		Name: "n", Capacity: cluster.Amounts{cluster.CPU: 1000, cluster.PodSlots: 110},
		Extended: []cluster.NamedAmount{{Name: "example.com/a", Amount: 1}}, GPUs: 1, GPUModel: "T4",
		Labels: cluster.Labels{{Key: "a", Value: "1"}}, Taints: []cluster.Taint{{Key: "a"}, {Key: "b"}}, Features: []string{"F"},
	}
	tests := []struct {
		name        string
		first, then func(*cluster.NodeSpec)
		want        scheduler.Action
	}{
		{"nothing", nil, func(*cluster.NodeSpec) {}, 0},
		{"images", nil, func(n *cluster.NodeSpec) { n.Images = []cluster.Image{{Bytes: 1}} }, 0},
		{"zeros at the end", nil, func(n *cluster.NodeSpec) { n.Capacity = append(n.Capacity[:len(n.Capacity):len(n.Capacity)], 0) }, 0},
		{"cordoned", nil, func(n *cluster.NodeSpec) { n.Unschedulable = true }, 0},
		{"cordoned no more", func(n *cluster.NodeSpec) { n.Unschedulable = true }, func(n *cluster.NodeSpec) { n.Unschedulable = false }, scheduler.UpdateNodeTaint},
		{"a taint less", nil, func(n *cluster.NodeSpec) { n.Taints = n.Taints[:1] }, scheduler.UpdateNodeTaint},
		{"taints in another order", nil, func(n *cluster.NodeSpec) { n.Taints = []cluster.Taint{{Key: "b"}, {Key: "a"}} }, scheduler.UpdateNodeTaint},
		{"less cpu", nil, func(n *cluster.NodeSpec) { n.Capacity = cluster.Amounts{cluster.CPU: 999, cluster.PodSlots: 110} }, scheduler.UpdateNodeAllocatable},
		{"fewer pods", nil, func(n *cluster.NodeSpec) { n.Capacity = n.Capacity[:cluster.PodSlots] }, scheduler.UpdateNodeAllocatable},
		{"an extended resource", nil, func(n *cluster.NodeSpec) { n.Extended = nil }, scheduler.UpdateNodeAllocatable},
		{"GPUs", nil, func(n *cluster.NodeSpec) { n.GPUs = 2 }, scheduler.UpdateNodeAllocatable},
		{"another model", nil, func(n *cluster.NodeSpec) { n.GPUModel = "A100" }, scheduler.UpdateNodeAllocatable},
		{"labels", nil, func(n *cluster.NodeSpec) { n.Labels = nil }, scheduler.UpdateNodeLabel},
		{"features", nil, func(n *cluster.NodeSpec) { n.Features = nil }, scheduler.UpdateNodeDeclaredFeature},
		{"several", nil, func(n *cluster.NodeSpec) { n.Labels, n.Taints = nil, nil }, scheduler.UpdateNodeLabel | scheduler.UpdateNodeTaint},
	}
	for _, tt := range tests {
		was := base
		if tt.first != nil {
			tt.first(&was)
		}
		is := was
		tt.then(&is)
		if got := scheduler.ChangesOfNode(&was, &is); got != tt.want {
			t.Errorf("%s: %b, want %b", tt.name, got, tt.want)
		}
	}
}

func TestChangesOfPod(t *testing.T) {
	base := cluster.PodSpec{
		Labels: cluster.Labels{{Key: "a", Value: "1"}},
		Class: &cluster.Class{
			Requests: cluster.Amounts{cluster.CPU: 100, cluster.Memory: 5}, GPUs: cluster.GPURequest{Count: 1, Shares: 500},
			Extended: []cluster.NamedAmount{{Name: "example.com/a", Amount: 2}}, Gates: []string{"g", "h"},
			Tolerations: []cluster.Toleration{{Key: "a"}},
		},
	}
	tests := []struct {
		name string
		then func(p *cluster.PodSpec, c *cluster.Class)
		want scheduler.Action
	}{
		{"nothing", func(*cluster.PodSpec, *cluster.Class) {}, scheduler.UpdatePodOther},
		{"another class", func(_ *cluster.PodSpec, c *cluster.Class) { c.Priority = 1 }, scheduler.UpdatePodOther},
		{"labels that no selector mentions", func(p *cluster.PodSpec, _ *cluster.Class) { p.Labels = nil }, scheduler.UpdatePodLabel},
		{"more cpu", func(_ *cluster.PodSpec, c *cluster.Class) { c.Requests = cluster.Amounts{101, 5} }, scheduler.UpdatePodOther},
		{"more cpu, less memory", func(_ *cluster.PodSpec, c *cluster.Class) { c.Requests = cluster.Amounts{101, 4} }, scheduler.UpdatePodScaleDown},
		{"less of an extended resource", func(_ *cluster.PodSpec, c *cluster.Class) { c.Extended = nil }, scheduler.UpdatePodScaleDown},
		{"less of a GPU", func(_ *cluster.PodSpec, c *cluster.Class) { c.GPUs.Shares = 400 }, scheduler.UpdatePodScaleDown},
		{"a gate less", func(_ *cluster.PodSpec, c *cluster.Class) { c.Gates = c.Gates[:1] }, scheduler.UpdatePodOther},
		{"no gate", func(_ *cluster.PodSpec, c *cluster.Class) { c.Gates = nil }, scheduler.UpdatePodSchedulingGatesEliminated},
		{"another toleration", func(_ *cluster.PodSpec, c *cluster.Class) { c.Tolerations = []cluster.Toleration{{Key: "b"}} }, scheduler.UpdatePodOther},
		{"a toleration less", func(_ *cluster.PodSpec, c *cluster.Class) { c.Tolerations = nil }, scheduler.UpdatePodToleration},
		{"several", func(p *cluster.PodSpec, c *cluster.Class) { p.Labels, c.Tolerations = nil, nil }, scheduler.UpdatePodLabel | scheduler.UpdatePodToleration},
	}
	for _, tt := range tests {
		s, is, class := cluster.NewState(), base, *base.Class
		is.Class = &class
		tt.then(&is, &class)
		known := func(p *cluster.PodSpec) cluster.PodState {
			return cluster.PodState{Class: s.Intern(p.Class, p.Labels), Labels: p.Labels, Node: cluster.None, Nominated: cluster.None}
		}
		if got := scheduler.ChangesOfPod(s, known(&base), known(&is)); got != tt.want {
			t.Errorf("%s: %b, want %b", tt.name, got, tt.want)
		}
	}
}
