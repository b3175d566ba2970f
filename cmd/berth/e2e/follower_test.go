//go:build linux && e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A follower is a verb that runs on the lab until it is stopped.
type follower struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	errs string // file with what it says
	over chan struct{}
}

// follow starts a verb, and waits until it has begun.
func (b *bed) follow(t *testing.T, dir string, args ...string) *follower {
	t.Helper()
	errs, err := os.CreateTemp(dir, args[0]+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	f := &follower{t: t, name: "berth " + strings.Join(args, " "), errs: errs.Name(), over: make(chan struct{})}
	f.cmd = exec.Command(b.berth, append(args, "--metrics-address", "none")...)
	f.cmd.Env = append(os.Environ(), "KUBECONFIG="+b.lab.Kubeconfig())
	f.cmd.Stdout, f.cmd.Stderr = errs, errs
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.over)
		_ = f.cmd.Wait() // ends looks at how it ended
	}()
	t.Cleanup(func() {
		_ = f.cmd.Process.Kill() // it has ended, unless the test failed
		<-f.over
	})
	await(t, f.name+" has begun", func(context.Context) (bool, error) {
		select {
		case <-f.over:
			return false, errors.New(f.said())
		default:
			return strings.Contains(f.said(), `"msg":"began"`), nil
		}
	})
	return f
}

// said returns what it has said up to now.
func (f *follower) said() string {
	text, err := os.ReadFile(f.errs)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// interrupt is Ctrl-C.
func (f *follower) interrupt() {
	f.t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		f.t.Errorf("%s has ended before: %v\n%s", f.name, err, f.said())
	}
}

// ends waits until it has ended, which must be with a status.
func (f *follower) ends(status int) {
	f.t.Helper()
	select {
	case <-f.over:
	case <-time.After(patience):
		f.t.Fatalf("%s doesn't end:\n%s", f.name, f.said())
	}
	if got := f.cmd.ProcessState.ExitCode(); got != status {
		f.t.Errorf("%s: exit status %d, want %d\n%s", f.name, got, status, f.said())
	}
}
