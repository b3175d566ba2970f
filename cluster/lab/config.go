//go:build linux

// Package lab brings up a real Kubernetes cluster on one Linux machine: etcd, kube-apiserver and
// real kubelets with containerd and runc, each kubelet in a node container (or whatever else a
// Runtime makes of a node), without an engine, a registry or a way to the machine's own network.
//
//	l, err := lab.Up(ctx, lab.Config{Name: "test", Nodes: lab.Nodes(3, lab.NodeSpec{})})
//	defer l.Down(ctx)
//	client := … l.Kubeconfig() …
//	err = l.Fault(ctx, lab.Fault{Kind: lab.KillKubelet, Node: "node1"})
//
// Nothing runs in the calling process once Up has returned: a lab outlives it, Open finds it
// again, and Down takes it down, also if Up was killed halfway.
package lab

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster/lab/network"
)

// Config says what a lab is to be.
type Config struct {
	Name  string     // DefaultName if ""; a prefix of everything the lab makes
	Dir   string     // DefaultDir(Name) if ""; must not exist, or be empty
	Nodes []NodeSpec // nodes that a Runtime makes; see func Nodes

	KWOK   int // simulated nodes of KWOK's controller: an API server sees them live
	Hollow int // kubemark's: a real kubelet's code on a runtime that does nothing

	Controllers bool                // kube-controller-manager runs, too
	Scheduler   bool                // kube-scheduler runs, too
	Args        map[string][]string // further arguments of a component, by its name

	BinDir string             // folder of programs that are taken rather than built; may be ""
	Source string             // root of Berth's source tree, to build the others from; "" looks above the working directory
	Cache  string             // folder for what was built; "" is the user's cache
	Images []string           // archives of further images for the nodes
	Extra  map[string]Runtime `json:"-"` // runtimes beside "container", by the name that NodeSpec uses

	Timeout time.Duration // of bringing up, building aside; 5 minutes if 0
	Say     func(string)  `json:"-"` // is told what goes on; may be nil
}

// DefaultName is the name of a lab that was given none.
const DefaultName = "lab"

// A NodeSpec says what a node is to be.
type NodeSpec struct {
	Name    string            // "node1" and so on if ""
	Runtime string            // "container" if ""
	Memory  int64             // bytes; DefaultMemory if 0
	Disk    int64             // bytes, taken as they are written; DefaultDisk if 0
	Labels  map[string]string // that the kubelet registers with
	Taints  []string          // likewise, as key=value:Effect
	Kubelet map[string]any    // fields of KubeletConfiguration that differ
}

// What a node has if it isn't said.
const (
	DefaultMemory = 2 << 30
	DefaultDisk   = 4 << 30
)

// Nodes returns n nodes that are all as spec says, with names of their own.
func Nodes(n int, spec NodeSpec) []NodeSpec {
	prefix := spec.Name
	if prefix == "" {
		prefix = "node"
	}
	var nodes []NodeSpec
	for i := range n {
		s := spec
		s.Name = fmt.Sprintf("%s%d", prefix, i+1)
		s.Labels = maps.Clone(spec.Labels)
		nodes = append(nodes, s)
	}
	return nodes
}

// DefaultDir is the folder of a lab that was given none.
func DefaultDir(name string) string { return filepath.Join(os.TempDir(), "berth-"+name) }

// ContainerRuntime is the name of the Runtime that makes node containers.
const ContainerRuntime = "container"

var (
	labName  = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$`)
	nodeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
)

// complete fills in what isn't said, and finds what can't be.
func (c *Config) complete() error {
	if c.Name == "" {
		c.Name = DefaultName
	}
	if !labName.MatchString(c.Name) {
		return fmt.Errorf("a lab can't be called %q; choose 1 to 16 small letters, digits and dashes, a letter first", c.Name)
	}
	if c.Dir == "" {
		c.Dir = DefaultDir(c.Name)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("the lab's folder: %w", err)
	}
	c.Dir = dir
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Minute
	}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	for i, image := range c.Images {
		if c.Images[i], err = filepath.Abs(image); err != nil {
			return fmt.Errorf("image %s: %w", image, err)
		}
	}
	for name := range c.Args {
		if !slices.Contains(withArguments, name) {
			return fmt.Errorf("there are no arguments for %q; name one of %s", name, strings.Join(withArguments, ", "))
		}
	}
	return c.completeNodes()
}

func (c *Config) completeNodes() error {
	if len(c.Nodes) > network.MaxNodes {
		return fmt.Errorf("%d nodes are too many; ask for %d at most, and any number of KWOK's", len(c.Nodes), network.MaxNodes)
	}
	if c.KWOK < 0 || c.Hollow < 0 {
		return errors.New("a number of nodes can't be negative")
	}
	c.Nodes = slices.Clone(c.Nodes)
	seen := map[string]bool{}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.Name == "" {
			n.Name = fmt.Sprintf("node%d", i+1)
		}
		if n.Runtime == "" {
			n.Runtime = ContainerRuntime
		}
		if n.Memory == 0 {
			n.Memory = DefaultMemory
		}
		if n.Disk == 0 {
			n.Disk = DefaultDisk
		}
		switch {
		case !nodeName.MatchString(n.Name):
			return fmt.Errorf("a node can't be called %q; choose up to 40 small letters, digits and dashes", n.Name)
		case seen[n.Name]:
			return fmt.Errorf("two nodes are called %s", n.Name)
		case n.Memory < 128<<20:
			return fmt.Errorf("node %s: %d bytes of memory don't hold a kubelet and containerd; give it 128Mi or more", n.Name, n.Memory)
		case n.Disk < 64<<20:
			return fmt.Errorf("node %s: a disk of %d bytes doesn't hold the images; give it 64Mi or more", n.Name, n.Disk)
		case c.runtime(n.Runtime) == nil:
			return fmt.Errorf("node %s: there is no runtime %q; choose one of %s", n.Name, n.Runtime, strings.Join(Runtimes(c.Extra), ", "))
		}
		for _, t := range n.Taints {
			if err := checkTaint(t); err != nil {
				return fmt.Errorf("node %s: %w", n.Name, err)
			}
		}
		seen[n.Name] = true
	}
	return nil
}

// runtime returns the runtime of that name; nil if there is none.
func (c *Config) runtime(name string) Runtime {
	if r, ok := c.Extra[name]; ok {
		return r
	}
	if name == ContainerRuntime {
		return container{}
	}
	return nil
}
