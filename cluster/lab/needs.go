//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster/lab/cgroup"
	"golang.org/x/sys/unix"
)

// A Need is something that the machine doesn't have and a lab can't do without.
type Need struct{ Missing, Remedy string }

// Needs are all that is missing at once, so that nobody has to find out one by one.
type Needs []Need

// Error is one line.
func (n Needs) Error() string {
	var texts []string
	for _, need := range n {
		texts = append(texts, need.Missing+" ("+need.Remedy+")")
	}
	return "this machine lacks what a lab needs: " + strings.Join(texts, "; ")
}

// A surrounding is what is looked at to tell what a lab can have; tests make others.
type surrounding struct {
	root     bool
	caps     uint64 // effective capabilities, as in /proc/PID/status
	systems  string // /proc/filesystems
	exists   func(file string) bool
	writable func(dir string) bool
	program  func(name string) bool
	cgroups  error // why there are none
	cniDir   string
}

// surroundings looks at the machine.
func surroundings() surrounding {
	systems, _ := os.ReadFile("/proc/filesystems") // what can't be read has nothing
	_, err := cgroup.Detect()
	return surrounding{
		root: os.Geteuid() == 0, caps: capabilities(), systems: string(systems), cgroups: err, cniDir: cniDir(),
		exists:   func(file string) bool { _, err := os.Stat(file); return err == nil },
		writable: func(dir string) bool { return unix.Access(dir, unix.W_OK) == nil },
		program:  func(name string) bool { _, err := exec.LookPath(name); return err == nil },
	}
}

// capabilities are the process's effective ones; 0 if the kernel doesn't say.
func capabilities() uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "CapEff:"); ok {
			var caps uint64
			if _, err := fmt.Sscanf(strings.TrimSpace(value), "%x", &caps); err == nil {
				return caps
			}
		}
	}
	return 0
}

// missing says what a control plane lacks; nodes' runtimes know theirs.
func (s surrounding) missing() (needs Needs) {
	if !s.root {
		needs = append(needs, Need{"you are not root", "run it with sudo"})
	} else {
		for _, c := range []struct {
			bit  uint
			name string
		}{{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}, {unix.CAP_NET_ADMIN, "CAP_NET_ADMIN"}} {
			if s.caps&(1<<c.bit) == 0 {
				needs = append(needs, Need{"root has no " + c.name + " here", "run it outside of the container, or give that the capability: docker run --privileged"})
			}
		}
	}
	if s.cgroups != nil {
		needs = append(needs, Need{s.cgroups.Error(), "see cgroups(7)"})
	} else if !s.writable("/sys/fs/cgroup") {
		needs = append(needs, Need{"/sys/fs/cgroup can't be written to", "run it as root, and not in a container without --privileged"})
	}
	if !s.exists("/proc/self/ns/net") {
		needs = append(needs, Need{"the kernel has no network namespaces", "use one with CONFIG_NET_NS"})
	}
	return needs
}

// missingContainers says what node containers lack.
func (s surrounding) missingContainers() (needs Needs) {
	if !slices.Contains(strings.Fields(s.systems), "overlay") {
		needs = append(needs, Need{"the kernel has no overlayfs", "modprobe overlay"})
	}
	if !slices.Contains(strings.Fields(s.systems), "ext4") {
		needs = append(needs, Need{"the kernel has no ext4", "modprobe ext4"})
	}
	if !s.exists("/dev/loop-control") {
		needs = append(needs, Need{"there are no loop devices", "modprobe loop"})
	}
	var packages []string
	var programs []string
	for _, p := range []struct{ program, pkg string }{
		{"containerd", "containerd"}, {"ctr", "containerd"}, {"containerd-shim-runc-v2", "containerd"}, {"runc", "runc"},
		{"mke2fs", "e2fsprogs"}, {"mount", "mount"}, {"iptables", "iptables"},
	} {
		if !s.program(p.program) {
			programs, packages = append(programs, p.program), append(packages, p.pkg)
		}
	}
	if s.cniDir == "" {
		programs = append(programs, "the CNI plugins "+strings.Join(cniPlugins, ", ")+" in "+strings.Join(cniDirs, " or "))
		packages = append(packages, "containernetworking-plugins")
	}
	if len(programs) > 0 {
		slices.Sort(packages)
		needs = append(needs, Need{"there is no " + strings.Join(programs, ", "), "apt-get install " + strings.Join(slices.Compact(packages), " ") + ", or your system's like"})
	}
	return needs
}

// needs finds all that the lab lacks.
func (c *Config) needs() error {
	s := surroundings()
	needs := s.missing()
	seen := map[string]bool{}
	for _, n := range c.Nodes {
		if !seen[n.Runtime] {
			seen[n.Runtime] = true
			needs = append(needs, c.runtime(n.Runtime).Needs(c)...)
		}
	}
	var missing []Need
	for _, n := range needs { // two runtimes may lack the same
		if !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return Needs(missing)
}

// IsNeeds reports whether an error says what the machine lacks.
func IsNeeds(err error) bool {
	var n Needs
	return errors.As(err, &n)
}
