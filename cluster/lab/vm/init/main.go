//go:build linux

// Command init is PID 1 of a lab machine: a static program in the initramfs. It loads
// modules, makes the read-only base disk the root and the data disk what is written to,
// brings the network up, and keeps containerd and the kubelet running, as commands on
// the control port say. How far it has come stands on the console, as marks.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == fillVerb {
		fmt.Fprintln(os.Stderr, fillMemory(os.Args[2]))
		os.Exit(1)
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init is the first process of a lab machine; it can't be run by hand")
		os.Exit(2)
	}
	err := boot()
	if err != nil {
		mark(guest.Failed + err.Error())
		showLogs()
	}
	powerOff()
}

// boot returns when the machine is to be powered off.
func boot() error {
	if err := mountKernel(); err != nil {
		return err
	}
	openConsole()
	mark(guest.Started)
	config, err := readConfig(filepath.Join("/", guest.InitramfsConfig))
	if err != nil {
		return err
	}
	b, err := guest.ReadBoot(config[guest.BootFile])
	if err != nil {
		return err
	}
	if b.Task == guest.Check {
		mark(guest.Checked)
		return nil
	}
	if err := loadModules(); err != nil {
		return err
	}
	mark(guest.ModulesLoaded)
	if err := mountDisks(config); err != nil {
		return err
	}
	mark(guest.RootMounted)
	if err := prepareChildren(); err != nil {
		return err
	}
	go reap()
	m := newMachine(b)
	if b.Task == guest.Bake {
		return m.bake()
	}
	return m.node()
}

// A machine is what PID 1 looks after.
type machine struct {
	boot       *guest.Boot
	containerd *service
	kubelet    *service      // nil if it has none
	hog        *process      // takes memory; nil for none
	off        chan struct{} // receives when the machine is to be powered off
}

func newMachine(b *guest.Boot) *machine {
	m := &machine{
		boot:       b,
		containerd: newService("containerd", "containerd", "--config", filepath.Join(guest.ConfigDir, guest.ContainerdFile)),
		off:        make(chan struct{}, 1),
	}
	if len(b.Kubelet) > 0 {
		m.kubelet = newService("kubelet", append([]string{"kubelet"}, b.Kubelet...)...)
	}
	return m
}

// services lists what runs, in the order of starting.
func (m *machine) services() []*service {
	if m.kubelet == nil {
		return []*service{m.containerd}
	}
	return []*service{m.containerd, m.kubelet}
}

// bake imports the images into the data disk, and leaves that as a clean copy's source.
func (m *machine) bake() error {
	if err := m.startContainerd(); err != nil {
		return err
	}
	if err := importImages(); err != nil {
		return err
	}
	return m.leave()
}

// node runs containerd and the kubelet until it is told to power off.
func (m *machine) node() error {
	if err := unix.Sethostname([]byte(m.boot.Name)); err != nil {
		return fmt.Errorf("setting the host's name: %w", err)
	}
	port, err := openControl()
	if err != nil {
		return err
	}
	go m.serve(port)
	mark(guest.ControlOpen)
	if err := bringUp(m.boot); err != nil {
		return err
	}
	mark(guest.NetworkUp)
	if err := m.startContainerd(); err != nil {
		return err
	}
	if err := importImages(); err != nil {
		return err
	}
	if m.kubelet != nil {
		m.kubelet.start()
		mark(guest.KubeletStarted)
	}
	<-m.off
	return m.leave()
}

// leave stops what runs and unmounts the data disk, so that nothing written is lost.
func (m *machine) leave() error {
	for _, s := range m.services() {
		s.stop(unix.SIGTERM)
	}
	killAll()
	return unmountDisks()
}

// startContainerd starts it and waits until it takes connections. Emulated machines
// take seconds, on a busy host tens of them.
func (m *machine) startContainerd() error {
	m.containerd.start()
	const patience = 5 * time.Minute
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("unix", guest.ContainerdSocket); err == nil {
			c.Close()
			mark(guest.ContainerdReady)
			return nil
		}
	}
	return fmt.Errorf("containerd takes no connections after %v", patience)
}

// powerOff ends the machine, and so QEMU.
func powerOff() {
	unix.Sync()
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		mark(guest.Failed + "powering off: " + err.Error())
	}
	for { // were PID 1 to return, the kernel would panic over a mere refusal
		time.Sleep(time.Hour)
	}
}
