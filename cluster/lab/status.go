//go:build linux

package lab

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Status is how a lab is at one moment.
type Status struct {
	Name       string            `json:"name"`
	Dir        string            `json:"dir"`
	Kubeconfig string            `json:"kubeconfig"`
	Server     string            `json:"server"`
	Created    time.Time         `json:"created"`
	Components []ComponentStatus `json:"components"`
	Nodes      []NodeStatus      `json:"nodes"`
	Pods       map[string]int    `json:"pods"`              // by phase
	Problem    string            `json:"problem,omitempty"` // why nodes and pods aren't told
}

// A ComponentStatus is how one of the control plane's programs is.
type ComponentStatus struct {
	Name    string        `json:"name"`
	Running bool          `json:"running"`
	Memory  int64         `json:"memoryBytes"`
	CPU     time.Duration `json:"cpuNanoseconds"` // since it was first started
}

// A NodeStatus is how a node is, as the API server and as the machine see it.
type NodeStatus struct {
	Name      string               `json:"name"`
	Runtime   string               `json:"runtime"` // "kwok" and "hollow" for those, "" for nodes that others made
	Ready     core.ConditionStatus `json:"ready"`
	Pressure  []string             `json:"pressure,omitempty"`
	Taints    []string             `json:"taints,omitempty"`
	Renewed   time.Time            `json:"leaseRenewed"`
	Version   string               `json:"version"`
	Pods      int                  `json:"pods"` // bound to it, and not ended
	Connected bool                 `json:"connected"`
	Memory    int64                `json:"memoryBytes,omitempty"` // of all its processes
	CPU       time.Duration        `json:"cpuNanoseconds,omitempty"`
}

// Status looks at the lab. An API server that doesn't answer is part of what it tells.
func (l *Lab) Status(ctx context.Context) (*Status, error) {
	s := &Status{Name: l.Config.Name, Dir: l.Config.Dir, Kubeconfig: l.Kubeconfig(), Server: l.Server, Created: l.Created, Pods: map[string]int{}}
	s.Components = l.Components()
	if err := l.addNodes(ctx, s); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		s.Problem = err.Error()
	}
	return s, nil
}

// Components says how the control plane's programs are, without asking any of them.
func (l *Lab) Components() (all []ComponentStatus) {
	for _, name := range l.components() {
		use := l.group(name).Use()
		all = append(all, ComponentStatus{name, use.Processes > 0, use.Memory, use.CPU})
	}
	return all
}

// addNodes adds what the API server knows.
func (l *Lab) addNodes(ctx context.Context, s *Status) error {
	client, err := l.Client()
	if err != nil {
		return err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	leases, err := client.CoordinationV1().Leases(core.NamespaceNodeLease).List(ctx, meta.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing leases: %w", err)
	}
	pods, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	renewed, bound := map[string]time.Time{}, map[string]int{}
	for _, lease := range leases.Items {
		if lease.Spec.RenewTime != nil {
			renewed[lease.Name] = lease.Spec.RenewTime.Time
		}
	}
	for _, p := range pods.Items {
		phase := string(p.Status.Phase)
		if p.DeletionTimestamp != nil {
			phase = "Terminating"
		}
		s.Pods[phase]++
		if p.Spec.NodeName != "" && p.Status.Phase != core.PodSucceeded && p.Status.Phase != core.PodFailed {
			bound[p.Spec.NodeName]++
		}
	}
	for _, n := range nodes.Items {
		status := l.nodeStatus(&n)
		status.Renewed, status.Pods = renewed[n.Name], bound[n.Name]
		s.Nodes = append(s.Nodes, status)
	}
	return nil
}

// nodeStatus is a node's status as far as its object and the machine tell it.
func (l *Lab) nodeStatus(n *core.Node) NodeStatus {
	s := NodeStatus{Name: n.Name, Ready: readiness(n.Status.Conditions), Version: n.Status.NodeInfo.KubeletVersion, Connected: true}
	for _, c := range n.Status.Conditions {
		if c.Type != core.NodeReady && c.Status == core.ConditionTrue {
			s.Pressure = append(s.Pressure, string(c.Type))
		}
	}
	for _, t := range n.Spec.Taints {
		s.Taints = append(s.Taints, t.ToString())
	}
	if own, err := l.node(n.Name); err == nil {
		s.Runtime = own.Runtime
		use := own.Place.Group.Use()
		s.Memory, s.CPU = use.Memory, use.CPU
		if connected, err := l.network.Connected(own.Index); err == nil {
			s.Connected = connected
		}
		return s
	}
	if _, ok := n.Annotations[kwokAnnotation]; ok {
		s.Runtime = kwok
	}
	for i := range l.Config.Hollow {
		if hollow(i+1) == n.Name {
			s.Runtime = "hollow"
		}
	}
	return s
}
