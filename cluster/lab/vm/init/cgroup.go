//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const cgroupRoot = "/sys/fs/cgroup"

// controllers are those that the kubelet asks for.
const controllers = "+cpu +cpuset +io +memory +pids"

// serviceCgroup returns the folder of a service's cgroup.
func serviceCgroup(name string) string { return filepath.Join(cgroupRoot, "lab", name) }

// delegate gives the kubelet all controllers below the root. PID 1 stays in the root,
// which may have both processes and children.
func delegate() error {
	if err := os.WriteFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"), []byte(controllers), 0o644); err != nil {
		return fmt.Errorf("delegating the cgroup controllers: %w", err)
	}
	return errors.Join(
		os.MkdirAll(serviceCgroup("containerd"), 0o755),
		os.MkdirAll(serviceCgroup("kubelet"), 0o755),
	)
}
