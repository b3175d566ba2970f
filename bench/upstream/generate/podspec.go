package generate

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// podSpec draws what the workload's pods have in common.
func (g *generator) podSpec(w *workload) v1.PodSpec {
	s := v1.PodSpec{SchedulerName: defaultSched, RestartPolicy: v1.RestartPolicyAlways}
	for i := range pick(g, 1, 1, 1, 2, 3) {
		s.Containers = append(s.Containers, g.container(fmt.Sprintf("c%d", i)))
	}
	if g.uses(resources) {
		for i := range g.between(1, 3) {
			c := g.container(fmt.Sprintf("i%d", i))
			if g.chance(0.5) {
				c.RestartPolicy = pointer(v1.ContainerRestartPolicyAlways)
			}
			s.InitContainers = append(s.InitContainers, c)
		}
	}
	if g.uses(resources) && g.chance(0.6) {
		s.Overhead = v1.ResourceList{v1.ResourceCPU: g.cpu(), v1.ResourceMemory: g.memory()}
	}
	if g.uses(podLevel) {
		g.podResources(&s)
	}
	if g.uses(images) && g.chance(0.3) {
		s.Volumes = append(s.Volumes, v1.Volume{Name: "model", VolumeSource: v1.VolumeSource{
			Image: &v1.ImageVolumeSource{Reference: pick(g, pick(g, imagePool...).asked...), PullPolicy: v1.PullIfNotPresent},
		}})
	}
	if g.uses(ports) {
		g.hostPorts(&s)
	}
	if g.uses(declared) {
		g.needFeatures(&s)
	}
	if g.uses(taints) || g.uses(cordons) {
		s.Tolerations = g.tolerations()
	}
	if g.uses(priorities) && g.chance(0.15) {
		s.PreemptionPolicy = pointer(v1.PreemptNever)
	}
	if g.uses(gates) && g.chance(0.4) {
		s.SchedulingGates = []v1.PodSchedulingGate{{Name: "example.com/wait"}}
	}
	s.TopologySpreadConstraints = g.spreadConstraints(w.labels)
	s.NodeSelector = g.nodeSelector()
	s.Affinity = g.affinity(w)
	return s
}

func (g *generator) container(name string) v1.Container {
	return v1.Container{Name: name, Image: pick(g, pick(g, imagePool...).asked...), Resources: g.requests()}
}

// podResources sets resources of the pod as a whole, which may not be below the sum of its
// containers' requests.
func (g *generator) podResources(s *v1.PodSpec) {
	sum := resource.AggregateContainerRequests(&v1.Pod{Spec: *s}, resource.PodResourcesOptions{})
	list := v1.ResourceList{}
	if g.chance(0.8) {
		q := sum[v1.ResourceCPU]
		q.Add(pick(g, milli(0), milli(1), g.cpu()))
		list[v1.ResourceCPU] = q
	}
	if g.chance(0.8) {
		q := sum[v1.ResourceMemory]
		q.Add(pick(g, bytes(0), bytes(mebi)))
		list[v1.ResourceMemory] = q
	}
	if len(list) == 0 {
		return
	}
	s.Resources = &v1.ResourceRequirements{Requests: list}
	for _, name := range hugepage {
		q, used := sum[name]
		if !used && !g.chance(0.1) {
			continue
		}
		q.Add(bytes(pick(g, int64(0), 1024) * mebi))
		if s.Resources.Limits == nil {
			s.Resources.Limits = v1.ResourceList{}
		}
		list[name], s.Resources.Limits[name] = q, q
	}
	if s.Resources.Limits == nil {
		return
	}
	// With limits, the API server takes what is missing from the containers.
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
		q, used := sum[name]
		if _, set := list[name]; used && !set {
			list[name] = q
		}
	}
}

// hostPorts gives containers ports of the host, each once a pod. Ports of ordinary init containers
// don't count, those of restartable ones do.
func (g *generator) hostPorts(s *v1.PodSpec) {
	used := map[string]bool{}
	for _, list := range [2][]v1.Container{s.Containers, s.InitContainers} {
		for i := range list {
			p := v1.ContainerPort{
				ContainerPort: 80, HostPort: pick(g, hostPorts...), HostIP: pick(g, hostIPs...), Protocol: pick(g, protocols...),
			}
			name := fmt.Sprint(p.HostPort, p.Protocol)
			if !used[name] && g.chance(0.7) {
				used[name] = true
				list[i].Ports = append(list[i].Ports, p)
			}
		}
	}
}

// needFeatures makes the pod need features that a node must declare.
func (g *generator) needFeatures(s *v1.PodSpec) {
	if g.chance(0.6) {
		rules := []v1.ContainerRestartRule{{
			Action: pick(g, v1.ContainerRestartRuleActionRestartAllContainers, v1.ContainerRestartRuleActionRestartAllContainers, v1.ContainerRestartRuleActionRestart),
			ExitCodes: &v1.ContainerRestartRuleOnExitCodes{
				Operator: v1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42},
			},
		}}
		c := &s.Containers[0]
		if len(s.InitContainers) > 0 && g.chance(0.5) {
			c = &s.InitContainers[0]
		}
		if c.RestartPolicy == nil {
			c.RestartPolicy = pointer(v1.ContainerRestartPolicyNever)
		}
		c.RestartPolicyRules = rules
	}
	if g.chance(0.6) {
		s.HostUsers = pointer(g.chance(0.3))
		g.hostNetwork(s)
	}
}

// hostNetwork puts the pod on the host's network, where the API server makes every port of a
// container a port of the host.
func (g *generator) hostNetwork(s *v1.PodSpec) {
	s.HostNetwork = g.chance(0.8)
	for _, list := range [2][]v1.Container{s.Containers, s.InitContainers} {
		for i := range list {
			for j := range list[i].Ports {
				if p := &list[i].Ports[j]; s.HostNetwork {
					p.ContainerPort = p.HostPort
				}
			}
		}
	}
}

func (g *generator) tolerations() []v1.Toleration {
	var list []v1.Toleration
	for range g.between(1, 3) {
		t := v1.Toleration{
			Key:      pick(g, taintKeys...),
			Operator: pick(g, v1.TolerationOpExists, v1.TolerationOpEqual, v1.TolerationOpEqual, v1.TolerationOperator("")),
			Effect:   pick(g, v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoExecute, v1.TaintEffect("")),
		}
		if t.Operator != v1.TolerationOpExists {
			t.Value = pick(g, taintValues...)
		} else if g.chance(0.2) {
			t.Key = "" // everything
		}
		if g.options.Loose && g.chance(0.1) {
			t.Key = "" // upstream: any key, if the value is equal
		}
		if t.Effect == v1.TaintEffectNoExecute && g.chance(0.5) {
			t.TolerationSeconds = pointer(int64(300))
		}
		list = append(list, t)
	}
	if g.dials.use[cordons] == turnedUp && g.chance(0.5) {
		list = append(list, v1.Toleration{
			Key: v1.TaintNodeUnschedulable, Operator: v1.TolerationOpExists,
			Effect: pick(g, v1.TaintEffectNoSchedule, v1.TaintEffectNoSchedule, v1.TaintEffectNoExecute, v1.TaintEffect("")),
		})
	}
	return slices.Clip(list)
}
