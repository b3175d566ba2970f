//go:build linux

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthsim/berth/cluster/lab/cgroup"
	"golang.org/x/sys/unix"
)

// writable are folders of the machine that a node's programs write to. Each node sees them, and
// its changes stay in memory and its own.
var writable = []string{"/etc", "/var", "/opt"}

// onDisk are folders that a node keeps over a reboot, on its own disk.
var onDisk = map[string]string{
	"/var/lib/kubelet":    "kubelet",
	"/var/lib/containerd": "containerd",
	"/var/lib/cni":        "cni",
	"/var/log/pods":       "pods",
	"/var/log/containers": "containers",
}

// mounts makes the node's view of the machine. Nothing of it is seen outside the container's
// mount namespace, and all of it goes with that.
func (n Node) mounts() error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	disk, err := attach(n.Disk)
	if err != nil {
		return err
	}
	defer disk.Close() // the mount keeps it
	if err := n.ownRun(); err != nil {
		return err
	}
	if err := os.MkdirAll(diskDir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", diskDir, err)
	}
	if err := mount(disk.Name(), diskDir, "ext4", unix.MS_NOATIME, ""); err != nil {
		return err
	}
	if err := overlay(); err != nil {
		return err
	}
	for dir, name := range onDisk {
		own := filepath.Join(diskDir, name)
		if err := errors.Join(os.MkdirAll(own, 0o755), os.MkdirAll(dir, 0o755)); err != nil {
			return fmt.Errorf("making %s: %w", dir, err)
		}
		if err := mount(own, dir, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/etc/machine-id", []byte(n.MachineID+"\n"), 0o444); err != nil {
		return fmt.Errorf("naming the machine: %w", err)
	}
	if err := n.kernel(); err != nil {
		return err
	}
	return mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "") // as on a real node: volumes reach containers
}

// ownRun puts an empty /run and /tmp in place of the machine's, and the node's folders into
// /run/berth. These are opened first: they may lie below what is hidden.
func (n Node) ownRun() error {
	folders := map[string]string{ConfDir: n.Conf, LogDir: n.Log, BinDir: filepath.Dir(n.Program), CNIDir: n.CNI}
	opened := map[string]*os.File{}
	for at, dir := range folders {
		f, err := os.Open(dir)
		if err != nil {
			return fmt.Errorf("opening the node's folders: %w", err)
		}
		defer f.Close()
		opened[at] = f
	}
	for _, dir := range []string{"/tmp", "/run"} {
		if err := mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
			return err
		}
	}
	for at, f := range opened {
		if err := os.MkdirAll(at, 0o755); err != nil {
			return fmt.Errorf("making %s: %w", at, err)
		}
		if err := mount(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), at, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// overlay makes the writable folders the node's own, and /var/run what it is everywhere else.
func overlay() error {
	for _, dir := range writable {
		upper, work := "/run/berth/upper"+dir, "/run/berth/overlay"+dir
		if err := errors.Join(os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o755)); err != nil {
			return fmt.Errorf("making a layer for %s: %w", dir, err)
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := mount("overlay", dir, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", dir, upper, work)); err != nil {
			return err
		}
	}
	if at, err := os.Readlink("/var/run"); err == nil && strings.TrimPrefix(at, "..") == "/run" {
		return nil
	}
	if err := os.RemoveAll("/var/run"); err != nil {
		return fmt.Errorf("making /var/run: %w", err)
	}
	if err := os.Symlink("/run", "/var/run"); err != nil {
		return fmt.Errorf("making /var/run: %w", err)
	}
	return nil
}

// kernel mounts what the kernel shows of itself, as the node is to see it.
func (n Node) kernel() error {
	if err := unix.Sethostname([]byte(n.Name)); err != nil {
		return fmt.Errorf("naming the node: %w", err)
	}
	if err := mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil { // shows the links of its own network
		return err
	}
	if err := n.cgroups(); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	fakes := map[string]string{"sys/kernel/random/boot_id": n.BootID}
	for sysctl, value := range tunables {
		fakes["sys/"+sysctl] = value
	}
	if n.Memory > 0 {
		text, err := os.ReadFile("/proc/meminfo")
		if err != nil {
			return fmt.Errorf("reading the machine's memory: %w", err)
		}
		fakes["meminfo"] = meminfo(string(text), n.Memory)
	}
	for name, text := range fakes {
		file := "/run/berth/proc/" + name
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("making %s: %w", file, err)
		}
		if err := os.WriteFile(file, []byte(strings.TrimSpace(text)+"\n"), 0o644); err != nil {
			return fmt.Errorf("making %s: %w", file, err)
		}
		if err := mount(file, "/proc/"+name, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// tunables are what a kubelet sets the machine's kernel to. In a node container it finds them
// set, in files: they belong to the whole machine, which is not the lab's to change.
var tunables = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// meminfo is /proc/meminfo's text for a machine with so many bytes of memory, and no swap.
func meminfo(text string, bytes int64) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "MemTotal", "MemFree", "MemAvailable":
			fmt.Fprintf(&b, "%s: %d kB\n", name, bytes/1024)
		case "SwapTotal", "SwapFree":
			fmt.Fprintf(&b, "%s: 0 kB\n", name)
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

// cgroups mounts the machine's hierarchies. Since the container has a cgroup namespace of its
// own, each begins at the node's group.
func (n Node) cgroups() error {
	const dir = "/sys/fs/cgroup"
	if n.Group.Host.Unified {
		if err := mount("cgroup2", dir, "cgroup2", 0, ""); err != nil {
			return err
		}
		own := cgroup.Group{Host: cgroup.Host{Unified: true, Trees: []cgroup.Hierarchy{{Mount: dir}}}, Name: inner}
		if err := os.MkdirAll(filepath.Join(dir, inner), 0o755); err != nil {
			return fmt.Errorf("making room for pods: %w", err)
		}
		return own.Join()
	}
	if err := mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	for _, t := range n.Group.Host.Trees {
		names := strings.Split(strings.TrimPrefix(t.Options, "none,name="), ",")
		at := filepath.Join(dir, strings.Join(names, ","))
		if err := os.Mkdir(at, 0o755); err != nil {
			return fmt.Errorf("making %s: %w", at, err)
		}
		if err := mount("cgroup", at, "cgroup", 0, t.Options); err != nil {
			return err
		}
		if len(names) == 1 {
			continue
		}
		for _, name := range names { // cpu and cpuacct, of cpu,cpuacct
			if err := os.Symlink(filepath.Base(at), filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("naming %s: %w", name, err)
			}
		}
	}
	return nil
}
