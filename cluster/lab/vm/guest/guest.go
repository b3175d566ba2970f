// Package guest is what a lab machine's host and its PID 1 say to each other: what to
// boot into, how far the boot has come, and commands. Both sides import it, so that
// neither can speak another dialect.
package guest

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// Where things lie in the machine. The host puts files into the initramfs under
// InitramfsConfig; PID 1 moves them to ConfigDir, which is memory and so never outlives
// a boot.
const (
	InitramfsConfig = "conf"               // in the initramfs, relative to its root
	InitramfsOrder  = "modules/order"      // names of modules in the order to load them, one a line
	ConfigDir       = "/run/berth"         // what InitramfsConfig held
	ImagesDir       = "/images"            // OCI archives on the base disk
	BootFile        = "boot.json"          // a Boot, in ConfigDir
	MachineIDFile   = "machine-id"         // in ConfigDir
	ContainerdFile  = "containerd.toml"    // in ConfigDir
	NetworksDir     = ConfigDir + "/net.d" // what CNI plugins are called with
	NetworkFile     = "net.d/10-lab.conflist"
	KubeletFile     = "kubelet.yaml"
	KubeconfigFile  = "kubeconfig"
	CAFile          = "ca.crt"
	CertFile        = "kubelet.crt"
	KeyFile         = "kubelet.key"

	ContainerdSocket = "/run/containerd/containerd.sock"
	ConsolePort      = "/dev/ttyS0" // marks
	ControlPort      = "/dev/ttyS1" // commands
	BaseDisk         = "/dev/vda"
	DataDisk         = "/dev/vdb"
)

// A Task is what a machine is booted for.
type Task string

const (
	// Check says that the kernel runs, and powers off: no disks are needed.
	Check Task = "check"
	// Bake imports the base disk's images into the data disk, and powers off.
	Bake Task = "bake"
	// Node runs containerd, and the kubelet if there is a configuration of it.
	Node Task = "node"
)

// A Boot is what a machine is told to be.
type Boot struct {
	Task    Task         `json:"task"`
	Name    string       `json:"name,omitempty"`    // of the host and the Kubernetes node
	Address netip.Prefix `json:"address,omitzero"`  // of eth0; zero for no network
	Gateway netip.Addr   `json:"gateway,omitzero"`  // zero for none
	Routes  []Route      `json:"routes,omitempty"`  // besides the gateway's
	Kubelet []string     `json:"kubelet,omitempty"` // arguments; empty for no kubelet
}

// A Route leads to the pods of another node.
type Route struct {
	To  netip.Prefix `json:"to"`
	Via netip.Addr   `json:"via"`
}

// ReadBoot reads what Marshal wrote.
func ReadBoot(text []byte) (*Boot, error) {
	var b Boot
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("reading %s: %w", BootFile, err)
	}
	switch b.Task {
	case Check, Bake, Node:
		return &b, nil
	}
	return nil, fmt.Errorf("reading %s: %q is no task", BootFile, b.Task)
}
