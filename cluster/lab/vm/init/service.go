//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A service is a program that is started again whenever it ends, unless it is to be off.
type service struct {
	name string
	argv []string

	mu      sync.Mutex
	changed *sync.Cond
	on      bool
	pid     int // 0 while it doesn't run
	starts  int
}

func newService(name string, argv ...string) *service {
	s := &service{name: name, argv: argv}
	s.changed = sync.NewCond(&s.mu)
	go s.keep()
	return s
}

// restartAfter is how long a service that ended rests: as systemd's units for kubelets
// have it, rounded down so that experiments don't wait.
const restartAfter = time.Second

// keep runs the service for as long as the machine runs.
func (s *service) keep() {
	for {
		s.mu.Lock()
		for !s.on {
			s.changed.Wait()
		}
		p, err := s.launch()
		if err == nil {
			s.pid = p.pid
			s.starts++
			s.changed.Broadcast()
		}
		s.mu.Unlock()
		how := "can't be started: "
		if err == nil {
			how, err = "ended: ", statusError(<-p.end)
		}
		s.mu.Lock()
		s.pid = 0
		wanted := s.on
		s.changed.Broadcast()
		s.mu.Unlock()
		if wanted {
			mark(s.name + " " + how + fmt.Sprint(err))
			time.Sleep(restartAfter)
		}
	}
}

// launch starts the program once; its output goes to the end of its log.
func (s *service) launch() (*process, error) {
	log, err := os.OpenFile(filepath.Join(logDir, s.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return startProcess(log, serviceCgroup(s.name), s.argv...)
}

// start has the service run.
func (s *service) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = true
	s.changed.Broadcast()
}

// termLimit is how long a service may take to end by itself.
const termLimit = 10 * time.Second

// stop sends a signal, and waits until the service is off; what doesn't end in time is
// killed.
func (s *service) stop(signal unix.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = false
	if s.pid == 0 {
		return
	}
	// An error would say that it has just ended, which is what is wanted.
	_ = unix.Kill(s.pid, signal)
	kill := time.AfterFunc(termLimit, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.pid != 0 && !s.on {
			_ = unix.Kill(s.pid, unix.SIGKILL)
		}
	})
	defer kill.Stop()
	for s.pid != 0 && !s.on {
		s.changed.Wait()
	}
}

// String says how the service is.
func (s *service) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pid != 0:
		return fmt.Sprintf("%s runs, pid %d, started %d times", s.name, s.pid, s.starts)
	case s.on:
		return fmt.Sprintf("%s is to run and doesn't, started %d times", s.name, s.starts)
	}
	return fmt.Sprintf("%s is off, started %d times", s.name, s.starts)
}
