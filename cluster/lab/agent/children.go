//go:build linux

package agent

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// children are the processes that process 1 started, and those that others left to it: it must
// wait for all of them, so that nobody else may wait for any.
type children struct {
	mu      sync.Mutex
	waiting map[int]chan<- unix.WaitStatus
}

// start starts a program whose output goes to log, and returns its process and where its end
// will be told.
func (c *children) start(log *os.File, env []string, path string, args ...string) (pid int, ended <-chan unix.WaitStatus, err error) {
	c.mu.Lock() // until it is waited for, it may not be buried
	defer c.mu.Unlock()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, nil, fmt.Errorf("starting %s: %w", path, err)
	}
	defer null.Close()
	p, err := os.StartProcess(path, args, &os.ProcAttr{Env: env, Files: []*os.File{null, log, log}})
	if err != nil {
		return 0, nil, fmt.Errorf("starting %s: %w", path, err)
	}
	pid = p.Pid
	if err := p.Release(); err != nil {
		return 0, nil, fmt.Errorf("starting %s: %w", path, err)
	}
	end := make(chan unix.WaitStatus, 1)
	c.waiting[pid] = end
	return pid, end, nil
}

// bury waits for children for ever.
func (c *children) bury(sigchld <-chan os.Signal) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 { // none has ended
			<-sigchld
			continue
		}
		c.mu.Lock()
		if end, ok := c.waiting[pid]; ok {
			end <- status
			delete(c.waiting, pid)
		}
		c.mu.Unlock()
	}
}
