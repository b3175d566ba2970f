//go:build linux

// Package agent is what runs beside a lab's programs, in a small static program of its own: it
// puts programs of the control plane where they belong before they start, is the first process
// of a node container, carries connections from the machine's loopback to the API server, and
// fills a node's memory when it is told to.
//
// It is told what to do by a file, which the lab writes; it decides nothing.
package agent

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/berthsim/berth/cluster/lab/cgroup"
)

// LockFD is where the agent finds the lab's lock when it is started. It keeps it open until it
// has joined its cgroups: whoever holds the lock then finds every program of the lab by those.
const LockFD = 3

// FailureFD is a pipe on which the agent says why it couldn't start what it should. It ends
// without a word once that runs.
const FailureFD = 4

// ListenerFD is where Proxy finds the socket that it accepts connections from.
const ListenerFD = 5

// Place is where a program runs.
type Place struct {
	Group     cgroup.Group // that it joins
	Namespace string       // the file of its network namespace
}

// A Process is a program and where it runs.
type Process struct {
	Place
	Path    string   // the program
	Args    []string // its name, and its arguments
	Env     []string // in place of the lab's own environment
	Dir     string   // it starts in
	Private []string // folders in whose place it gets one of its own in Temp
	Temp    string
}

// A Node is what a node container is made of. Folders are the machine's; inside, they are at the
// paths that the constants below say.
type Node struct {
	Place
	Name      string
	Conf      string   // folder: kubelet.yaml, kubeconfig, containerd.toml, cni/, images/*.tar
	Log       string   // folder: logs of containerd and kubelet, the control socket
	Program   string   // file: the kubelet
	CNI       string   // folder: CNI plugins
	Disk      string   // file: the image of an ext4 file system
	Memory    int64    // bytes that /proc/meminfo shows; 0 shows the machine's
	MachineID string   // 32 hexadecimal digits
	BootID    string   // a UUID, new at each boot
	Kubelet   []string // its arguments
	PATH      string   // where containerd, runc, mount and iptables are
}

// Where a node container finds its things.
const (
	ConfDir = "/run/berth/conf"
	LogDir  = "/run/berth/log"
	BinDir  = "/run/berth/bin"
	CNIDir  = "/run/berth/cni"
	diskDir = "/run/berth/disk"
)

// Socket is where containerd listens inside a node container.
const Socket = "/run/containerd/containerd.sock"

// Write writes what an agent is to do to a file.
func Write(file string, spec any) error {
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("writing what the agent is to do: %w", err)
	}
	return nil
}

// assigned reads what Write wrote to the file that the only argument names.
func assigned[T any](args []string) (spec T, err error) {
	file, err := one(args)
	if err != nil {
		return spec, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return spec, fmt.Errorf("reading what the agent is to do: %w", err)
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return spec, fmt.Errorf("reading %s: %w", file, err)
	}
	return spec, nil
}
