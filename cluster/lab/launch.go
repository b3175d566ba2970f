//go:build linux

package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/berthsim/berth/cluster/lab/agent"
	"github.com/berthsim/berth/cluster/lab/cgroup"
	"github.com/berthsim/berth/cluster/lab/network"
)

// group is the cgroup of one component or node, by its name.
func (l *Lab) group(name string) cgroup.Group {
	return cgroup.Group{Host: l.host, Name: prefix + l.Config.Name + "/" + name}
}

// whole is the cgroup of the lab.
func (l *Lab) whole() cgroup.Group {
	return cgroup.Group{Host: l.host, Name: prefix + l.Config.Name}
}

// place is where a component runs: in a cgroup of its own, on the control plane's network.
func (l *Lab) place(name string) agent.Place {
	return agent.Place{Group: l.group(name), Namespace: network.Path(l.network.ControlPlane())}
}

// Launch starts a program, in the background and for good: it goes on when the caller ends. It
// returns once the program runs where it should. Its output is added to a file in the lab's log
// folder that is called like it.
func (l *Lab) Launch(name string, p agent.Process) error {
	if p.Dir == "" {
		p.Dir = l.Config.Dir
	}
	if err := p.Group.Create(); err != nil {
		return err
	}
	spec := l.path(name + ".json")
	if err := agent.Write(spec, p); err != nil {
		return err
	}
	return l.launch(name, "run", spec, nil)
}

// launch runs the agent. The files are given to it after those that it expects.
func (l *Lab) launch(name, verb, spec string, more *os.File) error {
	if l.lock == nil {
		panic("lab: a program is started while the lab isn't locked")
	}
	if err := os.MkdirAll(filepath.Dir(l.log(name)), 0o755); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	log, err := os.OpenFile(l.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	defer log.Close()
	done, failure, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	defer done.Close()
	cmd := exec.Command(l.Bin.Agent, verb, spec)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{l.lock, failure} // agent.LockFD, agent.FailureFD
	if more != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, more) // agent.ListenerFD
	}
	cmd.Env = []string{"PATH=" + searchPath()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is for who started it
	err = cmd.Start()
	failure.Close()
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // or it would stay a zombie as long as the caller lives
	text, err := io.ReadAll(done)
	if err = errors.Join(err, failed(text)); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	return nil
}

// failed is what the agent said before it ended; nil if it said nothing.
func failed(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	return errors.New(strings.TrimSpace(string(text)))
}

// log is the file of a component's output.
func (l *Lab) log(name string) string { return l.path(logDir, name+".log") }

// searchPath is the machine's PATH, and the folders of system programs, which sudo may leave out.
func searchPath() string {
	return os.Getenv("PATH") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// lastWords are the end of a component's log, for an error on one line.
func (l *Lab) lastWords(name string) string {
	text, err := os.ReadFile(l.log(name))
	if err != nil {
		return "there is no log"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	last := lines[len(lines)-1]
	return fmt.Sprintf("%.300s (more in %s)", last, l.log(name))
}
