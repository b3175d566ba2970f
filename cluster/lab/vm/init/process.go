//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// children are the processes that PID 1 started and whose end somebody waits for. It
// inherits all others' orphans besides, so one goroutine waits for everything: a Wait of
// os/exec and it would take each other's.
var children = struct {
	sync.Mutex
	started *sync.Cond
	ends    map[int]chan syscall.WaitStatus
}{ends: map[int]chan syscall.WaitStatus{}}

func init() { children.started = sync.NewCond(&children) }

// A process is a child that runs.
type process struct {
	pid int
	end chan syscall.WaitStatus // receives once
}

// maxFiles is how many files a program may have open: what the kernel allows at most.
const maxFiles = 1 << 20

// prepareChildren sets what programs inherit.
func prepareChildren() error {
	return errors.Join(
		os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
		os.Setenv("HOME", "/root"),
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: maxFiles, Max: maxFiles}),
	)
}

// startProcess starts a program whose output goes to out, in a cgroup's folder if that
// isn't "".
func startProcess(out *os.File, cgroup string, argv ...string) (*process, error) {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if cgroup != "" {
		dir, err := os.Open(cgroup)
		if err != nil {
			return nil, err
		}
		defer dir.Close()
		attributes.UseCgroupFD, attributes.CgroupFD = true, int(dir.Fd())
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	children.Lock()
	defer children.Unlock()
	p, err := os.StartProcess(path, argv, &os.ProcAttr{Env: os.Environ(), Files: []*os.File{null, out, out}, Sys: attributes})
	if err != nil {
		return nil, err
	}
	started := &process{p.Pid, make(chan syscall.WaitStatus, 1)}
	children.ends[started.pid] = started.end
	children.started.Signal()
	return started, p.Release() // reap waits for it
}

// reap waits for whatever ends, for as long as the machine runs.
func reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		children.Lock()
		if errors.Is(err, syscall.ECHILD) {
			if len(children.ends) == 0 {
				children.started.Wait()
			}
		} else if end := children.ends[pid]; end != nil {
			end <- status
			delete(children.ends, pid)
		}
		children.Unlock()
	}
}

// wait waits for a process's end. It is an error if that isn't exit status 0, or if it
// has to be killed after limit.
func (p *process) wait(limit time.Duration) error {
	select {
	case status := <-p.end:
		return statusError(status)
	case <-time.After(limit):
		err := unix.Kill(-p.pid, unix.SIGKILL) // it leads a session, and so a group
		<-p.end
		return errors.Join(fmt.Errorf("killed after %v", limit), err)
	}
}

func statusError(status syscall.WaitStatus) error {
	switch {
	case status.Signaled():
		return fmt.Errorf("signal %v", status.Signal())
	case status.ExitStatus() != 0:
		return fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return nil
}

// killAll ends every process but PID 1 and the kernel's, and waits until they are gone.
func killAll() {
	const patience = 10 * time.Second
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		// Whoever is left, shims and containers above all. ESRCH: nobody is.
		if err := unix.Kill(-1, unix.SIGKILL); errors.Is(err, unix.ESRCH) {
			return
		}
		if !anyoneLeft() {
			return
		}
	}
}

// anyoneLeft reports whether a process other than PID 1 has memory of its own, which
// threads of the kernel don't.
func anyoneLeft() bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == 1 {
			continue
		}
		if statm, err := os.ReadFile("/proc/" + e.Name() + "/statm"); err == nil && len(statm) > 0 && statm[0] != '0' {
			return true
		}
	}
	return false
}
