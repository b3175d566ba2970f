//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/berthsim/berth/cluster/lab/agent"
	"github.com/berthsim/berth/cluster/lab/network"
)

// A Runtime makes nodes of one kind: containers, virtual machines. The lab makes a node's network
// namespace, on whose eth0 the node is to be, and a cgroup, in which all its processes are to be;
// certificates and the kubelet's configuration; and it takes all of that away again, after it
// killed what is in the cgroup.
type Runtime interface {
	// Needs says what the machine lacks to make such nodes of a lab.
	Needs(c *Config) Needs

	// Build makes what the node is made of, if that may take minutes. Nothing of the lab is
	// there yet but what l.Bin names.
	Build(ctx context.Context, l *Lab, n Node) error

	// Start switches a node on, for the first time or again, with whatever its disk holds. It
	// returns once the node is on its way: the lab waits for the kubelet.
	Start(ctx context.Context, l *Lab, n Node) error

	// Ask gives a command to the node; agent.Ask lists them.
	Ask(ctx context.Context, l *Lab, n Node, command string) (string, error)
}

// A Node is a node of the lab that a Runtime makes.
type Node struct {
	NodeSpec
	Index     int          // from 1
	IP        netip.Addr   // of eth0 in the namespace
	Pods      netip.Prefix // its pods' addresses
	Dir       string       // of its files: conf, log, disk
	Place     agent.Place  // cgroup and network namespace
	Cert, Key string       // files: the kubelet's certificate
	CA        string       // file
	Kubeconf  string       // file: the kubelet's kubeconfig
}

// nodes are the lab's nodes that Runtimes make.
func (l *Lab) nodes() []Node {
	var nodes []Node
	for i, spec := range l.Config.Nodes {
		pki := func(suffix string) string { return l.path(pkiDir, spec.Name+suffix) }
		nodes = append(nodes, Node{
			NodeSpec: spec, Index: i + 1,
			IP: network.NodeIP(i + 1), Pods: network.NodePods(i + 1),
			Dir:   l.path(nodesDir, spec.Name),
			Place: agent.Place{Group: l.group("node-" + spec.Name), Namespace: network.Path(l.network.Node(i + 1))},
			Cert:  pki(".crt"), Key: pki(".key"), Kubeconf: pki(".kubeconfig"), CA: l.path(pkiDir, "ca.crt"),
		})
	}
	return nodes
}

// node finds a node by its name.
func (l *Lab) node(name string) (Node, error) {
	var names []string
	for _, n := range l.nodes() {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return Node{}, input(fmt.Errorf("lab %s has no node %q of its own; choose one of %v", l.Config.Name, name, names))
}

// startNode makes a node's network, and switches it on.
func (l *Lab) startNode(ctx context.Context, n Node) error {
	if err := l.record(madeNetwork, l.network.Node(n.Index)); err != nil {
		return err
	}
	if err := l.network.AddNode(n.Index); err != nil {
		return err
	}
	return l.Config.runtime(n.Runtime).Start(ctx, l, n)
}

// stopNode takes a node's power away.
func (l *Lab) stopNode(ctx context.Context, n Node) error {
	if err := n.Place.Group.Kill(ctx); err != nil {
		return fmt.Errorf("switching %s off: %w", n.Name, err)
	}
	if err := n.Place.Group.Remove(ctx); err != nil {
		return fmt.Errorf("switching %s off: %w", n.Name, err)
	}
	return nil
}

// KubeletConfig is the configuration of a node's kubelet, with paths as the node sees them. What
// isn't said is Kubernetes' default, but for what a node without registry and name server needs.
func (n Node) KubeletConfig(conf, containerd string) map[string]any {
	config := map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"cgroupDriver": "cgroupfs", "containerRuntimeEndpoint": "unix://" + containerd,
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false}, "webhook": map[string]any{"enabled": true},
			"x509": map[string]any{"clientCAFile": conf + "/ca.crt"},
		},
		"authorization": map[string]any{"mode": "Webhook"},
		"tlsCertFile":   conf + "/kubelet.crt", "tlsPrivateKeyFile": conf + "/kubelet.key",
		"failSwapOn": false, "resolvConf": "",
		"volumePluginDir":             "/var/lib/kubelet/volume-plugins", // the default is outside of what a node keeps
		"imageGCHighThresholdPercent": 100,                               // nobody could pull an image again
		"registerWithTaints":          taints(n.Taints),
		"serializeImagePulls":         false,
		"failCgroupV1":                false,
	}
	for field, value := range n.Kubelet {
		config[field] = value
	}
	return config
}

// KubeletArgs are the kubelet's arguments, with paths as the node sees them.
func (n Node) KubeletArgs(l *Lab, conf string) []string {
	args := []string{
		"--config=" + conf + "/kubelet.yaml", "--kubeconfig=" + conf + "/kubeconfig",
		"--hostname-override=" + n.Name, "--node-ip=" + n.IP.String(), "--v=2",
	}
	if labels := joinLabels(n.Labels); labels != "" {
		args = append(args, "--node-labels="+labels)
	}
	return append(args, l.Config.Args["kubelet"]...)
}
