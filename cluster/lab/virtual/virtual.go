//go:build linux

// Package virtual makes nodes of a lab in virtual machines. It is apart from package lab, which
// knows no kind of node but containers, and from package vm, which knows no labs.
package virtual

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthsim/berth/cluster/lab"
	"github.com/berthsim/berth/cluster/lab/agent"
	"github.com/berthsim/berth/cluster/lab/build"
	"github.com/berthsim/berth/cluster/lab/network"
	"github.com/berthsim/berth/cluster/lab/vm"
	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// Name is what users call this Runtime.
const Name = "vm"

// A Runtime makes nodes in virtual machines. Its zero value is ready for use.
type Runtime struct {
	made map[making]vm.Parts // by Build, for the first starts
}

// A making is what machines have in common that are made of the same parts.
type making struct {
	lab  *lab.Lab
	disk int64 // bytes
}

// The uplink of a node's namespace is the lab's, the tap ours.
const (
	uplink = "eth0"
	tap    = "tap0"
)

// Needs is lab.Runtime's.
func (*Runtime) Needs(config *lab.Config) (needs lab.Needs) {
	for _, n := range vm.Needs(settings(config)) {
		needs = append(needs, lab.Need{Missing: n.What, Remedy: n.Remedy})
	}
	return needs
}

// Build is lab.Runtime's.
func (r *Runtime) Build(ctx context.Context, l *lab.Lab, n lab.Node) error {
	if _, ok := r.made[making{l, n.Disk}]; ok {
		return nil
	}
	p, err := parts(ctx, l, n)
	if err != nil {
		return fmt.Errorf("making %s: %w", n.Name, err)
	}
	if r.made == nil {
		r.made = map[making]vm.Parts{}
	}
	r.made[making{l, n.Disk}] = p
	return nil
}

// Start is lab.Runtime's.
func (r *Runtime) Start(ctx context.Context, l *lab.Lab, n lab.Node) error {
	m, err := machine(l, n)
	if err != nil {
		return err
	}
	if !m.Furnished() {
		m.Spec.Parts = r.made[making{l, n.Disk}]
	}
	if err := vm.Attach(n.Place.Namespace, uplink, tap); err != nil {
		return err
	}
	return m.Start(ctx)
}

// Ask is lab.Runtime's.
func (*Runtime) Ask(ctx context.Context, l *lab.Lab, n lab.Node, command string) (string, error) {
	m, err := machine(l, n)
	if err != nil {
		return "", err
	}
	if _, err := m.Wait(ctx, guest.ControlOpen); err != nil {
		return "", err
	}
	if command == "stop kubelet" { // a lab means SIGKILL by that
		command = "kill kubelet"
	}
	out, err := m.Control(ctx, command)
	return strings.TrimSpace(out), err
}

// machine returns a node's machine.
func machine(l *lab.Lab, n lab.Node) (*vm.Machine, error) {
	config, err := json.MarshalIndent(n.KubeletConfig(guest.ConfigDir, guest.ContainerdSocket), "", "  ") // which is YAML, too
	if err != nil {
		return nil, fmt.Errorf("writing the kubelet's configuration: %w", err)
	}
	s := vm.Spec{
		Name: n.Name, Dir: filepath.Join(n.Dir, "machine"),
		NetNS: n.Place.Namespace, Tap: tap,
		Address: netip.PrefixFrom(n.IP, network.Prefix.Bits()), Gateway: network.ControlPlaneIP(), PodCIDR: n.Pods,
		KubeletConfig: config, KubeletArgs: n.KubeletArgs(l, guest.ConfigDir), SandboxImage: build.PauseImage,
		MemoryMiB: int(n.Memory >> 20),
	}
	for _, f := range []struct {
		path string
		text *[]byte
	}{{n.Kubeconf, &s.Kubeconfig}, {n.CA, &s.CA}, {n.Cert, &s.Cert}, {n.Key, &s.Key}} {
		if *f.text, err = os.ReadFile(f.path); err != nil {
			return nil, fmt.Errorf("reading what %s is given: %w", n.Name, err)
		}
	}
	m, err := vm.New(s)
	if err != nil {
		return nil, err
	}
	m.Launch = func(_ context.Context, program string, args []string) error {
		return l.Launch(n.Name, agent.Process{
			Place: n.Place, Path: program, Args: append([]string{program}, args...), Env: os.Environ(), Dir: m.Spec.Dir,
		})
	}
	return m, nil
}

// settings say of what machines of a lab are made, as far as that is known before it is up.
func settings(config *lab.Config) *vm.Config {
	c := &vm.Config{Source: config.Source}
	c.Programs.Find(config.BinDir)
	return c
}

// parts returns what all machines of the lab are made of.
func parts(ctx context.Context, l *lab.Lab, n lab.Node) (vm.Parts, error) {
	cache := l.Config.Cache
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return vm.Parts{}, fmt.Errorf("finding a folder for what is built: %w", err)
		}
		cache = filepath.Join(dir, "berth-lab")
	}
	c := settings(&l.Config)
	c.Cache, c.Images, c.DataMiB = filepath.Join(cache, "vm"), l.Bin.Images, int(n.Disk>>20)
	c.Programs.Kubelet = l.Bin.Components["kubelet"]
	c.Progress = func(what string) { l.Config.Say(n.Name + ": " + what) }
	p, err := vm.Build(ctx, c)
	if err != nil {
		return vm.Parts{}, err
	}
	return *p, nil
}
