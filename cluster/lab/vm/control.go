//go:build linux

package vm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// controlLimit is how long a command may take if the caller sets no limit: more than the
// machine gives a shell command.
const controlLimit = 2 * time.Minute

// Control has the machine's PID 1 carry out one command, and returns what it printed:
//
//	start|stop|kill SERVICE   containerd or kubelet; stop sends SIGTERM, kill SIGKILL, and
//	                          both leave the service off
//	status                    how services are
//	kubelet                   its process, 0 for none, and how often it was started
//	fill memory|disk BYTES    takes all of it but so many bytes
//	release                   gives both back
//	sh COMMAND                by a shell, for at most a minute
//	clock TIME                sets the clock, as RFC 3339 has it
//	poweroff                  orderly
//	crash                     at once, nothing written back; QEMU then ends
//
// The machine must have come as far as guest.ControlOpen.
func (m *Machine) Control(ctx context.Context, command string) (output string, err error) {
	answer, err := m.ask(ctx, command)
	if err == nil {
		output, err = answer.Output, answer.Err()
	}
	if err != nil {
		return output, fmt.Errorf("machine %s: %s: %w", m.Spec.Name, command, err)
	}
	return output, nil
}

func (m *Machine) ask(ctx context.Context, command string) (*guest.Answer, error) {
	marks, err := m.Marks()
	if err != nil {
		return nil, err
	}
	open := slices.ContainsFunc(marks, func(k guest.Mark) bool { return k.What == guest.ControlOpen })
	if !open {
		return nil, errors.New("it doesn't take commands yet; wait until it has booted")
	}
	conn, err := dialSocket(ctx, m.path(controlSocket), controlLimit)
	if err != nil {
		return nil, err
	}
	// QEMU drops an answer if the side that asks is closed before it comes, even for
	// writing alone.
	defer conn.Close()
	id := rand.Text()
	if err := guest.Send(conn, guest.Request{ID: id, Command: command}); err != nil {
		return nil, err
	}
	answer, err := guest.Receive(guest.Lines(conn), func(a *guest.Answer) bool { return a.ID == id })
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return answer, err
}

// SetClock sets the machine's clock.
func (m *Machine) SetClock(ctx context.Context, now time.Time) error {
	_, err := m.Control(ctx, "clock "+now.Format(time.RFC3339Nano))
	return err
}

// Marks returns how far the machine has come since it was last powered on or reset.
func (m *Machine) Marks() ([]guest.Mark, error) {
	console, err := m.console()
	return guest.Marks(console), err
}

// console returns all that the console shows since Start.
func (m *Machine) console() ([]byte, error) {
	console, err := os.ReadFile(m.ConsolePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it was never started
	}
	return console, err
}

// boots returns how often the machine has booted since Start.
func (m *Machine) boots() (int, error) {
	console, err := m.console()
	return guest.Boots(console), err
}

// A StoppedError says that a machine's QEMU ended while somebody waited for its boot.
type StoppedError struct {
	Name    string
	Console string // its end
}

// Error returns a line, and the end of the console.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("machine %s isn't running; its console ends with:\n%s", e.Name, e.Console)
}

// Wait waits until the machine shows a mark, one of guest's, and returns it. It fails if
// the machine does first.
func (m *Machine) Wait(ctx context.Context, what string) (mark guest.Mark, err error) {
	err = m.watch(ctx, func() (bool, error) {
		marks, err := m.Marks()
		if i := slices.IndexFunc(marks, func(k guest.Mark) bool { return k.What == what }); i >= 0 {
			mark = marks[i]
			return true, nil
		}
		return false, err
	})
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("waiting for machine %s to say %q: %w", m.Spec.Name, what, err)
	}
	return mark, err
}

// watch looks every so often until done says so. A machine that ends before is an error.
func (m *Machine) watch(ctx context.Context, done func() (bool, error)) error {
	for {
		pid, err := m.PID() // before done, lest the machine's last words be missed
		if err != nil {
			return err
		}
		if is, err := done(); is || err != nil {
			return err
		}
		if pid == 0 {
			console, err := m.console()
			return errors.Join(&StoppedError{m.Spec.Name, string(tail(console))}, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
