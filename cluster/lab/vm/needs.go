//go:build linux

package vm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// A Need is something that machines need and this computer lacks.
type Need struct {
	What   string
	Remedy string
}

// Error returns one line, with what to do.
func (n *Need) Error() string { return n.What + "; " + n.Remedy }

// Programs are the programs that run in machines, by their paths on this computer. They
// must be for this computer's processor and may be dynamic: their libraries come along.
type Programs struct {
	Kubelet    string // "" for machines without one; a multi-call binary goes by its name
	Containerd string
	Shim       string // containerd-shim-runc-v2
	Runc       string
	Ctr        string
	Mount      string // the kubelet calls mount and umount
	Umount     string
	Busybox    string // static
	Bridge     string // CNI plugins
	HostLocal  string
	Loopback   string
	Init       string // package init as a static binary; "" to have Build build it with go
}

// wanted lists programs by their file name and the Debian package that has them.
func (p *Programs) wanted() []wanted {
	return []wanted{
		{&p.Containerd, "containerd", "containerd"},
		{&p.Shim, "containerd-shim-runc-v2", "containerd"},
		{&p.Ctr, "ctr", "containerd"},
		{&p.Runc, "runc", "runc"},
		{&p.Mount, "mount", "mount"},
		{&p.Umount, "umount", "mount"},
		{&p.Busybox, "busybox", "busybox-static"},
		{&p.Bridge, "bridge", "containernetworking-plugins"},
		{&p.HostLocal, "host-local", "containernetworking-plugins"},
		{&p.Loopback, "loopback", "containernetworking-plugins"},
	}
}

type wanted struct {
	path         *string
	file, debian string
}

// folders is where programs are looked for behind those that a caller names. CNI plugins
// come first: iproute2 has another program called bridge.
var folders = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// Find fills in the programs that aren't named yet: first from binDir, unless that is "",
// then from where Debian puts them. What it doesn't find stays "", and Needs says so. The
// kubelet is only looked for in binDir.
func (p *Programs) Find(binDir string) {
	look := folders
	if binDir != "" {
		look = append([]string{binDir}, folders...)
		if p.Kubelet == "" {
			p.Kubelet = firstProgram([]string{binDir}, "kubelet")
		}
	}
	for _, w := range p.wanted() {
		if *w.path == "" {
			*w.path = firstProgram(look, w.file)
		}
	}
}

// firstProgram returns the path of the first executable of a name, or "".
func firstProgram(folders []string, name string) string {
	for _, dir := range folders {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// Needs returns all that is missing here for building and running machines with these
// settings, each with its remedy; nothing if all is there.
func Needs(c *Config) (needs []*Need) {
	need := func(what, remedy string, args ...any) {
		needs = append(needs, &Need{what, fmt.Sprintf(remedy, args...)})
	}
	if runtime.GOARCH != "amd64" {
		need("machines are for amd64, and this is "+runtime.GOARCH, "use node containers instead")
	}
	for _, tool := range c.tools() {
		if _, err := exec.LookPath(tool.file); err != nil {
			need("there is no "+tool.file, "%s", tool.remedy)
		}
	}
	programs := c.Programs
	for _, w := range programs.wanted() {
		if *w.path == "" {
			need("there is no "+w.file, "apt-get install %s, or put it into the folder of binaries", w.debian)
		} else if _, err := os.Stat(*w.path); err != nil {
			need(fmt.Sprintf("%s can't be used: %v", w.file, err), "apt-get install %s, or name another", w.debian)
		}
	}
	if programs.Kubelet != "" {
		if _, err := os.Stat(programs.Kubelet); err != nil {
			need(fmt.Sprintf("the kubelet can't be used: %v", err), "build it, or name another")
		}
	}
	for _, image := range c.Images {
		if _, err := os.Stat(image); err != nil {
			need(fmt.Sprintf("an image can't be used: %v", err), "make it, or leave it out")
		}
	}
	if _, err := os.Stat(tunDevice); err != nil {
		need("there is no "+tunDevice, "modprobe tun, or let this container have the device")
	}
	return needs
}

// tunDevice is what taps are made of.
const tunDevice = "/dev/net/tun"

type tool struct{ file, remedy string }

// tools lists programs that run on this computer itself.
func (c *Config) tools() []tool {
	all := []tool{
		{qemu, "apt-get install qemu-system-x86"},
		{"mke2fs", "apt-get install e2fsprogs"},
		{"ldd", "apt-get install libc-bin"},
	}
	if c.Kernel.Image == "" {
		const instead = " belongs to Debian and its like; elsewhere name a kernel and its modules"
		for _, file := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
			all = append(all, tool{file, file + instead})
		}
	}
	if c.Programs.Init == "" {
		all = append(all, tool{"go", "install Go, or name a built init"})
	}
	return all
}
