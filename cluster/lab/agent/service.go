//go:build linux

package agent

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A service is a program that is to run, or not to.
type service struct {
	name  string
	start func() (pid int, ended <-chan unix.WaitStatus, err error)
	wake  chan struct{} // holds one when wanted has changed

	mu     sync.Mutex
	wanted bool
	pid    int // 0 while it doesn't run
	starts int
}

// set says whether the service is to run. One that isn't is killed, as by a crash: it gets no
// chance to say goodbye.
func (s *service) set(wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = wanted
	if !wanted && s.pid != 0 {
		_ = unix.Kill(s.pid, unix.SIGKILL) // if it has ended by itself meanwhile, so much the better
	}
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// state returns the process, 0 if the service doesn't run, and how often it was started.
func (s *service) state() (pid, starts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid, s.starts
}

// keep starts the service whenever it is wanted and doesn't run, for ever.
func (s *service) keep() {
	for {
		ended := s.begin()
		if ended == nil {
			<-s.wake
			continue
		}
		status := <-ended
		fmt.Fprintf(os.Stderr, "%s: %s ended: exit status %d, signal %v\n", time.Now().UTC().Format(time.RFC3339), s.name, status.ExitStatus(), status.Signal())
		s.mu.Lock()
		s.pid = 0
		wanted := s.wanted
		s.mu.Unlock()
		if wanted {
			time.Sleep(again)
		}
	}
}

// begin starts the service, if it is wanted. It returns nil if it isn't.
func (s *service) begin() <-chan unix.WaitStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wanted {
		return nil
	}
	pid, ended, err := s.start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		failed := make(chan unix.WaitStatus, 1)
		failed <- 0
		return failed
	}
	s.pid, s.starts = pid, s.starts+1
	return ended
}
