//go:build linux

package agent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Outer starts a node container, and waits for its end. It lives outside: when it is killed, its
// only child is, and that is process 1 of all others.
func Outer(args []string) error {
	n, err := assigned[Node](args)
	if err != nil {
		return err
	}
	if err := n.enter(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the agent: %w", err)
	}
	init := exec.Command(self, "init", args[0])
	init.Stdout, init.Stderr = os.Stdout, os.Stderr
	init.Env = []string{"PATH=" + n.PATH}
	init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWCGROUP,
		Pdeathsig:  unix.SIGKILL,
	}
	if err := init.Start(); err != nil {
		return fmt.Errorf("starting node container %s: %w", n.Name, err)
	}
	if err := n.makeRoom(); err != nil {
		return err
	}
	if err := unix.Close(FailureFD); err != nil {
		return fmt.Errorf("saying that the node runs: %w", err)
	}
	return fmt.Errorf("node container %s ended: %w", n.Name, init.Wait())
}

// inner is the cgroup below a node's, in version 2, in which its own processes are: a group that
// hands controllers down to others may hold none itself.
const inner = "init"

// makeRoom leaves the node's group to its pods, in version 2.
func (n Node) makeRoom() error {
	if !n.Group.Host.Unified {
		return nil
	}
	dir := filepath.Join(n.Group.Dirs()[0], inner)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making room for pods: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("making room for pods: %w", err)
	}
	return nil
}
