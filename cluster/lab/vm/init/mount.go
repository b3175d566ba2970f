//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

const (
	dataDir = "/data"    // where the data disk is mounted
	logDir  = "/var/log" // on the data disk: logs outlive a power loss
)

// onData are the folders that lie on the data disk.
var onData = []string{"/var/lib/kubelet", "/var/lib/containerd", logDir, "/root"}

// A mounted is one call of mount(2).
type mounted struct {
	source, target, kind string
	flags                uintptr
	options              string
}

func (m mounted) mount() error {
	if err := os.MkdirAll(m.target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.options); err != nil {
		return fmt.Errorf("mounting %s at %s: %w", m.source, m.target, err)
	}
	return nil
}

func mountAll(all []mounted) error {
	for _, m := range all {
		if err := m.mount(); err != nil {
			return err
		}
	}
	return nil
}

// mountKernel mounts what the kernel shows of itself.
func mountKernel() error {
	return mountAll([]mounted{
		{"proc", "/proc", "proc", 0, ""},
		{"dev", "/dev", "devtmpfs", 0, ""},
		{"sys", "/sys", "sysfs", 0, ""},
	})
}

// readConfig reads all files below dir, by their names relative to it.
func readConfig(dir string) (map[string][]byte, error) {
	config := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		config[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what the initramfs says: %w", err)
	}
	return config, nil
}

// mountDisks makes the base disk the root, mounts the data disk and what lives in memory,
// and puts the configuration into its place.
func mountDisks(config map[string][]byte) error {
	for _, disk := range []string{guest.BaseDisk, guest.DataDisk} {
		if err := await(disk); err != nil {
			return err
		}
	}
	const root = "/new"
	if err := (mounted{guest.BaseDisk, root, "ext4", unix.MS_RDONLY, "noload"}).mount(); err != nil {
		return err
	}
	for _, dir := range []string{"proc", "dev", "sys"} {
		if err := unix.Mount("/"+dir, filepath.Join(root, dir), "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("moving /%s: %w", dir, err)
		}
	}
	// pivot_root(2) can't leave an initramfs; the root is covered instead.
	if err := errors.Join(os.Chdir(root), unix.Mount(".", "/", "", unix.MS_MOVE, ""), unix.Chroot("."), os.Chdir("/")); err != nil {
		return fmt.Errorf("making the base disk the root: %w", err)
	}
	err := mountAll([]mounted{
		{guest.DataDisk, dataDir, "ext4", unix.MS_NOATIME, ""},
		{"run", "/run", "tmpfs", 0, "mode=755"},
		{"tmp", "/tmp", "tmpfs", 0, ""},
		{"devpts", "/dev/pts", "devpts", 0, "ptmxmode=666"},
		{"shm", "/dev/shm", "tmpfs", 0, ""},
		{"mqueue", "/dev/mqueue", "mqueue", 0, ""},
		{"cgroup2", "/sys/fs/cgroup", "cgroup2", 0, ""},
		{"bpf", "/sys/fs/bpf", "bpf", 0, ""},
		{"cni", "/var/lib/cni", "tmpfs", 0, ""}, // addresses in use: none after a boot
	})
	if err != nil {
		return err
	}
	return errors.Join(bindData(), writeConfig(config), linkDescriptors(), shareMounts(), delegate())
}

// await waits for a device that a module's driver makes.
func await(device string) error {
	const patience = time.Minute
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(device); err == nil {
			return nil
		}
	}
	return fmt.Errorf("there is no %s after %v", device, patience)
}

// bindData puts folders of the data disk where programs look for them.
func bindData() error {
	for _, dir := range onData {
		if err := os.MkdirAll(dataDir+dir, 0o755); err != nil {
			return err
		}
		if err := (mounted{dataDir + dir, dir, "", unix.MS_BIND, ""}).mount(); err != nil {
			return err
		}
	}
	return errors.Join(os.MkdirAll(logDir+"/pods", 0o755), os.MkdirAll(logDir+"/containers", 0o755))
}

// writeConfig writes the configuration into memory, and the machine's id over the empty
// one of the base disk.
func writeConfig(config map[string][]byte) error {
	for name, text := range config {
		path := filepath.Join(guest.ConfigDir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o600)); err != nil {
			return err
		}
	}
	if config[guest.MachineIDFile] == nil {
		return nil
	}
	if err := unix.Mount(filepath.Join(guest.ConfigDir, guest.MachineIDFile), "/etc/machine-id", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("setting the machine's id: %w", err)
	}
	return nil
}

// linkDescriptors makes the links in /dev that shells and containers expect.
func linkDescriptors() error {
	return errors.Join(
		os.Symlink("/proc/self/fd", "/dev/fd"),
		os.Symlink("/proc/self/fd/0", "/dev/stdin"),
		os.Symlink("/proc/self/fd/1", "/dev/stdout"),
		os.Symlink("/proc/self/fd/2", "/dev/stderr"),
	)
}

// shareMounts makes mounts below / seen by containers that ask for it, as systemd does.
func shareMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("sharing mounts: %w", err)
	}
	return nil
}

// unmountDisks unmounts the data disk; nothing may run any more.
func unmountDisks() error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(mounts)), "\n")
	for i := len(lines) - 1; i >= 0; i-- { // the latest first
		fields := strings.Fields(lines[i])
		if len(fields) < 2 || !holdsData(fields[0], fields[1]) {
			continue
		}
		if err := unix.Unmount(fields[1], 0); err != nil {
			return fmt.Errorf("unmounting %s: %w", fields[1], err)
		}
	}
	return nil
}

// holdsData reports whether a mount is of the data disk, or lies on it.
func holdsData(source, target string) bool {
	if source == guest.DataDisk {
		return true
	}
	for _, dir := range append(onData, dataDir) {
		if strings.HasPrefix(target, dir+"/") {
			return true
		}
	}
	return strings.HasPrefix(target, "/run/containerd/") // overlays whose layers are on it
}
