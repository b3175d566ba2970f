//go:build linux

package vm

import (
	"fmt"
	"net/netip"
	"path/filepath"
)

const qemu = "qemu-system-x86_64"

// Accel says how a machine's processors run.
type Accel string

const (
	KVM Accel = "kvm" // by this computer's processors themselves
	TCG Accel = "tcg" // emulated, a thread a processor: some ten times slower, and works everywhere
)

// A hardware is what QEMU is told to be.
type hardware struct {
	dir       string // of the files below, of the console and of the sockets
	name      string
	parts     Parts
	initramfs string
	data      string // "" for no disks
	tap       string // "" for no network
	mac       string
	memoryMiB int
	cpus      int
}

// Files of a machine's folder.
const (
	consoleFile    = "console.log"
	oldConsoleFile = "console.old.log" // of the start before
	qemuLogFile    = "qemu.log"
	pidFile        = "qemu.pid"
	controlSocket  = "control.sock"
	monitorSocket  = "monitor.sock"
)

// args returns QEMU's arguments. A reset or a panic of the guest ends QEMU: whoever
// waits for the machine then learns it at once.
func (h *hardware) args() []string {
	at := func(name string) string { return filepath.Join(h.dir, name) }
	args := []string{
		"-name", h.name, "-pidfile", at(pidFile),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "q35", "-cpu", "max", "-accel", h.accel(),
		"-smp", fmt.Sprint(h.cpus), "-m", fmt.Sprint(h.memoryMiB),
		"-kernel", h.parts.Kernel, "-initrd", h.initramfs, "-append", h.commandLine(),
		"-serial", "file:" + escape(at(consoleFile)),
	}
	if h.data == "" {
		return args
	}
	args = append(args,
		"-serial", "unix:"+escape(at(controlSocket))+",server=on,wait=off",
		"-qmp", "unix:"+escape(at(monitorSocket))+",server=on,wait=off",
		// Many machines read one base disk; locking would let the first one have it alone.
		"-drive", "if=none,id=base,format=raw,readonly=on,file.locking=off,file="+escape(h.parts.Base),
		"-device", "virtio-blk-pci,drive=base",
		// What a machine has flushed survives QEMU being killed: it is in this computer's
		// page cache. A power failure of this computer is no experiment.
		"-drive", "if=none,id=data,format=raw,cache=unsafe,discard=unmap,file="+escape(h.data),
		"-device", "virtio-blk-pci,drive=data",
		"-device", "virtio-rng-pci",
	)
	if h.tap != "" {
		args = append(args,
			"-netdev", "tap,id="+nic+",script=no,downscript=no,vhost=off,ifname="+h.tap,
			"-device", "virtio-net-pci,romfile=,netdev="+nic+",mac="+h.mac,
		)
	}
	return args
}

// nic names the machine's network card to QEMU's monitor.
const nic = "net0"

func (h *hardware) accel() string {
	if h.parts.Accel == TCG {
		return "tcg,thread=multi,tb-size=256" // MiB of translated code; the default is a quarter of the memory of this computer's
	}
	return string(h.parts.Accel)
}

// commandLine returns what the kernel is told. Emulated, the time stamp counter is as
// good as this computer's, and cheaper to read than any other clock.
func (h *hardware) commandLine() string {
	line := "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0"
	if h.parts.Accel == TCG {
		line += " tsc=reliable clocksource=tsc"
	}
	return line
}

// escape writes a path so that QEMU takes no comma in it for the end of it.
func escape(path string) string {
	var out []rune
	for _, r := range path {
		if r == ',' {
			out = append(out, r)
		}
		out = append(out, r)
	}
	return string(out)
}

// macOf returns the card's address: QEMU's own range, and the end of the IP address,
// which no two machines of a network share.
func macOf(addr netip.Addr) string {
	b := addr.AsSlice()
	b = b[len(b)-3:]
	return fmt.Sprintf("52:54:00:%02x:%02x:%02x", b[0], b[1], b[2])
}
