package model

import (
	"maps"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A Class is what pods of one kind ask for. What isn't there is zero.
type Class struct {
	Namespace     string            `json:"namespace,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"` // of the pods: those that a selector mentions
	Priority      int32             `json:"priority,omitempty"`
	NeverPreempts bool              `json:"neverPreempts,omitempty"`
	CPU           int64             `json:"cpu,omitempty"`      // milli-CPUs
	Memory        int64             `json:"memory,omitempty"`   // bytes
	Storage       int64             `json:"storage,omitempty"`  // bytes, ephemeral
	Extended      map[string]int64  `json:"extended,omitempty"` // resources, by name
	GPUs          int32             `json:"gpus,omitempty"`
	GPUShares     int32             `json:"gpuShares,omitempty"` // of a single GPU, if not all of it
	GPUModels     []string          `json:"gpuModels,omitempty"` // that will do; any if there are none

	// Containers that ask for no CPU, or no memory.
	BestEffortCPU    int32 `json:"bestEffortCPU,omitempty"`
	BestEffortMemory int32 `json:"bestEffortMemory,omitempty"`

	NodeLabels map[string]string `json:"nodeLabels,omitempty"` // that a node must have
	Rules      *Rules            `json:"rules,omitempty"`      // nil for none
}

// Rules are the rarer parts of a class, as cluster.Class has them.
type Rules struct {
	Scheduler    string                     `json:",omitempty"`
	NodeName     string                     `json:",omitempty"`
	Gates        []string                   `json:",omitempty"`
	Estimates    *cluster.Estimates         `json:",omitempty"`
	Tolerations  []cluster.Toleration       `json:",omitempty"`
	RequiredNode *cluster.NodeSelector      `json:",omitempty"`
	Preferred    []cluster.PreferredTerm    `json:",omitempty"`
	Affinity     *cluster.PodAffinity       `json:",omitempty"`
	AntiAffinity *cluster.PodAffinity       `json:",omitempty"`
	Spread       []cluster.SpreadConstraint `json:",omitempty"`
	Ports        []cluster.HostPort         `json:",omitempty"`
	Images       []string                   `json:",omitempty"`
	ImageVolumes []string                   `json:",omitempty"`
	Features     []string                   `json:",omitempty"`
}

// classOf writes down a class, but for its owner, and labels of its pods.
func classOf(c *cluster.Class, labels cluster.Labels) Class {
	is := Class{
		Namespace: c.Namespace, Labels: labelMap(labels),
		Priority: c.Priority, NeverPreempts: c.NeverPreempts,
		CPU: c.Requests.Get(cluster.CPU), Memory: c.Requests.Get(cluster.Memory), Storage: c.Requests.Get(cluster.EphemeralStorage),
		Extended: amountMap(c.Extended),
		GPUs:     c.GPUs.Count, GPUModels: c.GPUs.Models,
		BestEffortCPU: c.BestEffortCPU, BestEffortMemory: c.BestEffortMemory,
		NodeLabels: labelMap(c.NodeLabels),
	}
	if c.GPUs.Shared() {
		is.GPUShares = c.GPUs.Shares
	}
	rules := Rules{
		Scheduler: c.Scheduler, NodeName: c.NodeName, Gates: c.Gates, Estimates: c.Estimates,
		Tolerations: c.Tolerations, RequiredNode: c.RequiredNode, Preferred: c.Preferred,
		Affinity: affinityOf(&c.Affinity), AntiAffinity: affinityOf(&c.AntiAffinity), Spread: c.Spread,
		Ports: c.Ports, Images: c.Images, ImageVolumes: c.ImageVolumes, Features: c.Features,
	}
	if !rules.empty() {
		is.Rules = &rules
	}
	return is
}

func (r *Rules) empty() bool {
	lists := len(r.Gates) + len(r.Tolerations) + len(r.Preferred) + len(r.Spread) + len(r.Ports) + len(r.Images) + len(r.ImageVolumes) + len(r.Features)
	return r.Scheduler+r.NodeName == "" && lists == 0 && r.Estimates == nil && r.RequiredNode == nil && r.Affinity == nil && r.AntiAffinity == nil
}

func affinityOf(a *cluster.PodAffinity) *cluster.PodAffinity {
	if len(a.Required)+len(a.Preferred) == 0 {
		return nil
	}
	return a
}

// class is the inverse of classOf.
func (is *Class) class() *cluster.Class {
	c := &cluster.Class{
		Namespace: is.Namespace, Priority: is.Priority, NeverPreempts: is.NeverPreempts,
		Extended:      namedAmounts(is.Extended),
		BestEffortCPU: is.BestEffortCPU, BestEffortMemory: is.BestEffortMemory,
		NodeLabels: cluster.MakeLabels(is.NodeLabels),
	}
	if is.CPU != 0 || is.Memory != 0 || is.Storage != 0 {
		c.Requests = amounts(is.CPU, is.Memory, is.Storage, 0)
	}
	if is.GPUs > 0 {
		c.GPUs = cluster.GPURequest{Count: is.GPUs, Shares: cluster.WholeGPU, Models: is.GPUModels}
		if is.GPUShares > 0 {
			c.GPUs.Shares = is.GPUShares
		}
	}
	r := is.Rules
	if r == nil {
		return c
	}
	c.Scheduler, c.NodeName, c.Gates, c.Estimates = r.Scheduler, r.NodeName, r.Gates, r.Estimates
	c.Tolerations, c.RequiredNode, c.Preferred, c.Spread = r.Tolerations, r.RequiredNode, r.Preferred, r.Spread
	c.Ports, c.Images, c.ImageVolumes, c.Features = r.Ports, r.Images, r.ImageVolumes, r.Features
	if r.Affinity != nil {
		c.Affinity = *r.Affinity
	}
	if r.AntiAffinity != nil {
		c.AntiAffinity = *r.AntiAffinity
	}
	return c
}

func amounts(cpu, memory, storage, pods int64) cluster.Amounts {
	as := make(cluster.Amounts, cluster.PodSlots+1)
	as[cluster.CPU], as[cluster.Memory], as[cluster.EphemeralStorage], as[cluster.PodSlots] = cpu, memory, storage, pods
	return as
}

func labelMap(ls cluster.Labels) map[string]string {
	if len(ls) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, l := range ls {
		m[l.Key] = l.Value
	}
	return m
}

func amountMap(as []cluster.NamedAmount) map[string]int64 {
	if len(as) == 0 {
		return nil
	}
	m := map[string]int64{}
	for _, a := range as {
		m[a.Name] = a.Amount
	}
	return m
}

func namedAmounts(m map[string]int64) (as []cluster.NamedAmount) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		as = append(as, cluster.NamedAmount{Name: name, Amount: m[name]})
	}
	return as
}

// hostname is the label that has a node's name.
const hostname = "kubernetes.io/hostname"

// kindOf writes down a node, but for its name.
func kindOf(n *cluster.NodeSpec) NodeKind {
	labels := labelMap(n.Labels)
	delete(labels, hostname)
	return NodeKind{
		CPU: n.Capacity.Get(cluster.CPU), Memory: n.Capacity.Get(cluster.Memory),
		Storage: n.Capacity.Get(cluster.EphemeralStorage), Pods: n.Capacity.Get(cluster.PodSlots),
		Extended: amountMap(n.Extended), GPUs: n.GPUs, GPUModel: n.GPUModel,
		Labels: labels, Taints: n.Taints, Unschedulable: n.Unschedulable,
	}
}

// node makes a node of k.
func (k *NodeKind) node(name string) *cluster.NodeSpec {
	labels := map[string]string{hostname: name}
	for _, l := range cluster.MakeLabels(k.Labels) {
		labels[l.Key] = l.Value
	}
	return &cluster.NodeSpec{
		Name: name, Capacity: amounts(k.CPU, k.Memory, k.Storage, k.Pods), Extended: namedAmounts(k.Extended),
		GPUs: k.GPUs, GPUModel: k.GPUModel, Labels: cluster.MakeLabels(labels), Taints: k.Taints, Unschedulable: k.Unschedulable,
	}
}
