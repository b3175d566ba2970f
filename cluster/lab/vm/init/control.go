//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// shellLimit is how long a shell command may take.
const shellLimit = time.Minute

// openControl opens the second serial port as a plain line of bytes: no echo, no editing,
// no characters that mean something.
func openControl() (*os.File, error) {
	fd, err := unix.Open(guest.ControlPort, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the control port: %w", err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("asking how the control port is: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CLOCAL | unix.CREAD
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("making the control port plain: %w", err)
	}
	return os.NewFile(uintptr(fd), guest.ControlPort), nil
}

// serve answers commands, one after another.
func (m *machine) serve(port *os.File) {
	lines := guest.Lines(port)
	for {
		r, err := guest.Receive(lines, func(r *guest.Request) bool { return r.ID != "" })
		if err != nil {
			mark("the control port is gone: " + err.Error())
			return
		}
		out, err := m.carryOut(r.Command)
		answer := guest.Answer{ID: r.ID, Output: out}
		if err != nil {
			answer.Error = err.Error()
		}
		if err := guest.Send(port, answer); err != nil {
			mark("answering on the control port: " + err.Error())
		}
	}
}

const commands = "start, stop or kill a service, status, kubelet, sh, fill, release, clock, poweroff, crash"

// carryOut does what one command says.
func (m *machine) carryOut(command string) (output string, err error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(command), " ")
	switch verb {
	case "start", "stop", "kill":
		return "", m.switchService(verb, strings.TrimSpace(rest))
	case "status":
		return m.status(), nil
	case "sh":
		out, err := run(shellLimit, "sh", "-c", rest)
		return string(out), err
	case "kubelet":
		return m.kubeletState()
	case "fill":
		what, leave, _ := strings.Cut(strings.TrimSpace(rest), " ")
		return "", m.fill(what, leave)
	case "release":
		return "", m.release()
	case "clock":
		return "", setClock(strings.TrimSpace(rest))
	case "poweroff":
		select {
		case m.off <- struct{}{}:
		default: // it is on its way
		}
		return "", nil
	case "crash": // nothing is written back, as when the power fails
		return "", unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	}
	return "", fmt.Errorf("%q is no command: %s", verb, commands)
}

func (m *machine) switchService(verb, name string) error {
	for _, s := range m.services() {
		if s.name != name {
			continue
		}
		switch verb {
		case "start":
			s.start()
		case "stop":
			s.stop(unix.SIGTERM)
		case "kill":
			s.stop(unix.SIGKILL)
		}
		return nil
	}
	return fmt.Errorf("%q is no service of this machine; it has %v", name, m.services())
}

// kubeletState says which process the kubelet is, 0 for none, and how often it was started.
func (m *machine) kubeletState() (string, error) {
	if m.kubelet == nil {
		return "", errors.New("this machine has no kubelet")
	}
	m.kubelet.mu.Lock()
	defer m.kubelet.mu.Unlock()
	return fmt.Sprintf("%d %d", m.kubelet.pid, m.kubelet.starts), nil
}

// status says how services are, a line each.
func (m *machine) status() string {
	var b strings.Builder
	for _, s := range m.services() {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// setClock sets the machine's clock, which stands still while the machine is paused.
func setClock(text string) error {
	now, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	ts := unix.NsecToTimespec(now.UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}
