//go:build linux

package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// A Route leads to the pods of another node.
type Route = guest.Route

// A Spec says what a machine is. The same Spec finds it again from another program.
type Spec struct {
	Name  string // of the host and of the Kubernetes node
	Dir   string // its own folder: disks, sockets, logs; the machine is known by it
	Parts Parts  // of Build; only the first start needs them

	NetNS   string // network namespace, as a path or a name below /run/netns; "" for this one
	Tap     string // a tap there, which Attach makes; "" for a machine without a network
	Address netip.Prefix
	Gateway netip.Addr
	PodCIDR netip.Prefix // addresses of its pods
	Routes  []Route      // to the pods of others

	Kubeconfig    []byte // empty for a machine without a kubelet
	CA, Cert, Key []byte // PEM: clients' authority, the kubelet's serving certificate
	KubeletConfig []byte // a KubeletConfiguration; empty for DefaultKubeletConfig
	KubeletArgs   []string
	SandboxImage  string // the pause image, one of the images imported

	MemoryMiB int // 768 if it is 0
	CPUs      int // 2 if it is 0
}

// A Machine is one virtual machine, running or not.
type Machine struct {
	Spec Spec

	// Launch starts QEMU, in whatever cgroup the lab has for the node, and in Spec.NetNS.
	// Its output is to go to LogPath. It returns once QEMU, or who becomes QEMU, runs;
	// nil for a child of this process.
	Launch func(ctx context.Context, program string, args []string) error
}

// New returns the machine of a Spec, without touching it.
func New(s Spec) (*Machine, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.MemoryMiB == 0 {
		s.MemoryMiB = 768
	}
	if s.CPUs == 0 {
		s.CPUs = 2
	}
	return &Machine{Spec: s}, nil
}

func (m *Machine) path(name string) string { return filepath.Join(m.Spec.Dir, name) }

// ConsolePath returns the file that the machine's console goes to. Start begins it anew
// and keeps the one before as console.old.log.
func (m *Machine) ConsolePath() string { return m.path(consoleFile) }

// LogPath returns the file with what QEMU itself says.
func (m *Machine) LogPath() string { return m.path(qemuLogFile) }

// own are the files that a machine has to itself.
const (
	ownKernel    = "kernel"
	ownInitramfs = "initramfs.shared"
	ownBase      = "base.img"
	ownData      = "data.img"
	ownAccel     = "accel"
	bootArchive  = "initramfs"
)

// Start powers the machine on and returns once QEMU runs; Wait tells of the boot. The
// disks stay what they were: a machine keeps those of its first start until its folder
// is removed.
func (m *Machine) Start(ctx context.Context) error {
	if err := m.start(ctx); err != nil {
		return fmt.Errorf("starting machine %s: %w", m.Spec.Name, err)
	}
	return nil
}

func (m *Machine) start(ctx context.Context) error {
	if pid, err := m.PID(); err != nil {
		return err
	} else if pid != 0 {
		return fmt.Errorf("it runs already, as process %d; stop it first", pid)
	}
	if err := m.furnish(); err != nil {
		return err
	}
	config, err := m.config()
	if err != nil {
		return err
	}
	if err := joinInitramfs(m.path(bootArchive), m.path(ownInitramfs), config); err != nil {
		return err
	}
	if err := os.Rename(m.path(consoleFile), m.path(oldConsoleFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range []string{pidFile, controlSocket, monitorSocket} {
		if err := os.Remove(m.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return m.launch(ctx)
}

// furnish gives the machine files of its own, at its first start. Those that are only
// read are links where that works, and so take no room and outlive the Cache.
func (m *Machine) furnish() error {
	if err := os.MkdirAll(m.Spec.Dir, 0o700); err != nil {
		return err
	}
	p := &m.Spec.Parts
	for _, f := range []struct {
		from, own string
		read      bool
	}{{p.Kernel, ownKernel, true}, {p.Initramfs, ownInitramfs, true}, {p.Base, ownBase, true}, {p.Data, ownData, false}} {
		own := m.path(f.own)
		if _, err := os.Stat(own); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if f.from == "" {
			return fmt.Errorf("its folder has no %s, and its Parts name none; make them with Build", f.own)
		}
		if f.read && os.Link(f.from, own) == nil {
			continue
		}
		aside := own + ".new"
		if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := copySparse(f.from, aside); err != nil {
			return err
		}
		if err := os.Rename(aside, own); err != nil {
			return err
		}
	}
	return m.settleAccel()
}

// Furnished reports whether the machine has disks already, and so needs no Parts.
func (m *Machine) Furnished() bool {
	_, err := os.Stat(m.path(ownData)) // the last of them
	return err == nil
}

// settleAccel keeps how the machine's processors run, for later starts by whoever knows
// no Parts.
func (m *Machine) settleAccel() error {
	kept, err := os.ReadFile(m.path(ownAccel))
	if err == nil {
		m.Spec.Parts.Accel = Accel(kept)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(m.path(ownAccel)+".new", []byte(m.Spec.Parts.Accel), 0o600); err != nil {
		return err
	}
	return os.Rename(m.path(ownAccel)+".new", m.path(ownAccel))
}

// launchLimit is how long QEMU may take to answer, if the caller sets no limit.
const launchLimit = time.Minute

// launch runs QEMU and returns when it answers.
func (m *Machine) launch(ctx context.Context) error {
	h := &hardware{
		dir: m.Spec.Dir, name: m.Spec.Name,
		parts:     Parts{Kernel: m.path(ownKernel), Base: m.path(ownBase), Accel: m.Spec.Parts.Accel},
		initramfs: m.path(bootArchive), data: m.path(ownData),
		tap: m.Spec.Tap, memoryMiB: m.Spec.MemoryMiB, cpus: m.Spec.CPUs,
	}
	if h.tap != "" {
		h.mac = macOf(m.Spec.Address.Addr())
	}
	program, err := exec.LookPath(qemu)
	if err != nil {
		return err
	}
	var ended <-chan error // nil if it isn't our child
	if m.Launch != nil {
		err = m.Launch(ctx, program, h.args())
	} else {
		ended, err = m.launchHere(program, h.args())
	}
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, launchLimit)
	defer cancel()
	for {
		monitor, err := dialMonitor(limited, m.path(monitorSocket))
		if err == nil {
			return monitor.Close()
		}
		select {
		case err := <-ended:
			said, readErr := os.ReadFile(m.LogPath())
			return errors.Join(fmt.Errorf("QEMU ended at once (%v): %s", err, tail(said)), readErr)
		case <-limited.Done():
			return errors.Join(fmt.Errorf("QEMU doesn't answer (%w); see %s", limited.Err(), m.LogPath()), m.Kill(context.WithoutCancel(ctx)))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// launchHere starts QEMU as a child, in a session of its own: neither Ctrl-C nor the end
// of whoever started it is its end.
func (m *Machine) launchHere(program string, args []string) (ended <-chan error, err error) {
	log, err := os.Create(m.LogPath())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = m.Spec.Dir, log, log
	cmd.SysProcAttr = ownSession()
	if err := inNetNS(m.Spec.NetNS, cmd.Start); err != nil {
		return nil, err
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	return end, nil
}

// Stop has the machine end its services, write everything back and power itself off.
func (m *Machine) Stop(ctx context.Context) error {
	if _, err := m.Control(ctx, "poweroff"); err != nil {
		return err
	}
	return m.gone(ctx)
}

// Kill ends QEMU at once, as when the power fails. A machine that doesn't run is left as
// it is.
func (m *Machine) Kill(ctx context.Context) error {
	pid, err := m.PID()
	if err != nil || pid == 0 {
		return err
	}
	if err := killProcess(pid); err != nil {
		return fmt.Errorf("killing machine %s: %w", m.Spec.Name, err)
	}
	return m.gone(ctx)
}

// gone waits until QEMU has ended.
func (m *Machine) gone(ctx context.Context) error {
	for {
		pid, err := m.PID()
		if err != nil || pid == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("machine %s still runs, as process %d: %w", m.Spec.Name, pid, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
