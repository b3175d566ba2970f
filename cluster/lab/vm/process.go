//go:build linux

package vm

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// PID returns the process of the machine's QEMU, or 0 if it doesn't run. QEMU is known by
// its arguments, which name the machine's folder: no file could tell a process from
// another that got its number later.
func (m *Machine) PID() (int, error) {
	pidFile := m.path(pidFile)
	text, err := os.ReadFile(pidFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return findProcess(pidFile) // QEMU has ended, or has just begun
	case err != nil:
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return findProcess(pidFile) // it is being written
	}
	if !isQEMU(pid, pidFile) {
		return 0, nil
	}
	return pid, nil
}

// findProcess looks through all processes.
func findProcess(pidFile string) (int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && isQEMU(pid, pidFile) {
			return pid, nil
		}
	}
	return 0, nil
}

// isQEMU reports whether a process is the QEMU that writes a pid file. One that has ended
// and is still to be waited for has no arguments.
func isQEMU(pid int, pidFile string) bool {
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	program, _, _ := bytes.Cut(args, []byte{0})
	return filepath.Base(string(program)) == qemu && bytes.Contains(args, []byte("\x00-pidfile\x00"+pidFile+"\x00"))
}

// killProcess kills a process; that it has just ended by itself is as good.
func killProcess(pid int) error {
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// ownSession has a program run on when its terminal's other programs end.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
