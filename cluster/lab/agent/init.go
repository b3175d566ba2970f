//go:build linux

package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// again is how long a program that ended is left alone before it is started again, as systemd's
// RestartSec does.
const again = 2 * time.Second

// Init is process 1 of a node container: it makes the node's view of the machine, keeps
// containerd and the kubelet running, buries the dead, and does what the control socket says.
func Init(args []string) error {
	n, err := assigned[Node](args)
	if err != nil {
		return err
	}
	if err := n.mounts(); err != nil {
		return err
	}
	sigchld := make(chan os.Signal, 1)
	signal.Notify(sigchld, unix.SIGCHLD)
	m := &machine{node: n, procs: &children{waiting: map[int]chan<- unix.WaitStatus{}}}
	go m.procs.bury(sigchld)
	if err := m.startContainerd(); err != nil {
		return err
	}
	m.kubelet = &service{name: "kubelet", start: m.startKubelet, wake: make(chan struct{}, 1)}
	m.kubelet.set(true)
	go m.kubelet.keep()
	return m.listen(LogDir)
}

// A machine is a running node container.
type machine struct {
	node    Node
	procs   *children
	kubelet *service
	fill    filling
}

func (m *machine) env() []string {
	return []string{"PATH=" + m.node.PATH, "HOME=/root", "TMPDIR=/tmp"}
}

// logTo opens the log of a program, which goes on where it was before a reboot.
func logTo(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(LogDir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	return f, nil
}

// find looks for a program in the node's PATH, which is also the agent's.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	return path, nil
}

// startContainerd starts it, waits until it answers, imports the images that its store doesn't
// have, and from then on keeps it running.
func (m *machine) startContainerd() error {
	program, err := find("containerd")
	if err != nil {
		return err
	}
	log, err := logTo("containerd")
	if err != nil {
		return err
	}
	s := &service{name: "containerd", wake: make(chan struct{}, 1), start: func() (int, <-chan unix.WaitStatus, error) {
		return m.procs.start(log, m.env(), program, "containerd", "--config", filepath.Join(ConfDir, "containerd.toml"))
	}}
	s.set(true)
	go s.keep()
	for { // a busy machine may take its time; who starts the node has a limit
		c, err := net.Dial("unix", Socket)
		if err == nil {
			c.Close()
			return m.importImages()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// imported marks a disk whose containerd has the images.
const imported = diskDir + "/images-imported"

func (m *machine) importImages() error {
	if _, err := os.Stat(imported); err == nil {
		return nil
	}
	if err := m.importAll(); err != nil {
		return err
	}
	if err := os.WriteFile(imported, nil, 0o644); err != nil {
		return fmt.Errorf("marking the images as imported: %w", err)
	}
	return nil
}

// importAll imports all images, also those that the store has.
func (m *machine) importAll() error {
	ctr, err := find("ctr")
	if err != nil {
		return err
	}
	images, err := filepath.Glob(filepath.Join(ConfDir, "images", "*.tar"))
	if err != nil {
		return fmt.Errorf("listing images: %w", err)
	}
	log, err := logTo("images")
	if err != nil {
		return err
	}
	defer log.Close()
	for _, image := range images {
		_, ended, err := m.procs.start(log, m.env(), ctr, "ctr", "--address", Socket, "--namespace", "k8s.io", "images", "import", image)
		if err != nil {
			return err
		}
		if status := <-ended; status != 0 {
			return fmt.Errorf("importing image %s failed; its log says why", filepath.Base(image))
		}
	}
	return nil
}

func (m *machine) startKubelet() (int, <-chan unix.WaitStatus, error) {
	log, err := logTo("kubelet")
	if err != nil {
		return 0, nil, err
	}
	defer log.Close()
	return m.procs.start(log, m.env(), filepath.Join(BinDir, filepath.Base(m.node.Program)), append([]string{"kubelet"}, m.node.Kubelet...)...)
}

// filling is what takes the node's memory or disk, if it was told to.
type filling struct{ hog int }

// filler is the file that fills the node's disk.
const filler = diskDir + "/filler"

// fillMemory starts a process that takes what memory the node has, but for so many bytes.
func (m *machine) fillMemory(leave string) error {
	if m.fill.hog != 0 {
		return errors.New("the node's memory is filled already: heal it first")
	}
	log, err := logTo("fill")
	if err != nil {
		return err
	}
	defer log.Close()
	pid, ended, err := m.procs.start(log, m.env(), "/proc/self/exe", "agent", "fill", leave)
	if err != nil {
		return err
	}
	m.fill.hog = pid
	go func() { <-ended }()
	return nil
}

// release gives back what the node's memory and disk were filled with.
func (m *machine) release() error {
	var errs []error
	if m.fill.hog != 0 {
		if err := unix.Kill(m.fill.hog, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("ending what fills memory: %w", err))
		}
		m.fill.hog = 0
	}
	switch err := os.Remove(filler); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		errs = append(errs, fmt.Errorf("removing what fills the disk: %w", err))
	default: // the kubelet will have removed images that no pod used, and nobody else could bring them back
		errs = append(errs, m.importAll())
	}
	return errors.Join(errs...)
}
