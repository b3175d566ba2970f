//go:build linux

package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// monitorLimit is how long QEMU may take to answer, if the caller sets no limit.
const monitorLimit = 30 * time.Second

// A monitor is a connection to QEMU's own control, which speaks QMP: JSON, a line each.
// QEMU has one at a time; others wait until it is closed.
type monitor struct {
	net.Conn
	lines *bufio.Scanner
}

// A monitorReply is any line that QEMU sends.
type monitorReply struct {
	QMP    json.RawMessage // the greeting
	Event  string          // news that nobody asked for
	Return json.RawMessage
	Error  *struct{ Desc string }
}

// dialMonitor connects, and closes the connection when ctx ends.
func dialMonitor(ctx context.Context, socket string) (*monitor, error) {
	conn, err := dialSocket(ctx, socket, monitorLimit)
	if err != nil {
		return nil, err
	}
	m := &monitor{conn, guest.Lines(conn)}
	_, err = guest.Receive(m.lines, func(r *monitorReply) bool { return r.QMP != nil })
	if err == nil {
		err = m.execute("qmp_capabilities", nil)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("talking to QEMU: %w", err)
	}
	return m, nil
}

// execute has QEMU carry out one command.
func (m *monitor) execute(command string, arguments map[string]any) error {
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	if err := guest.Send(m, request); err != nil {
		return err
	}
	reply, err := guest.Receive(m.lines, func(r *monitorReply) bool { return r.Return != nil || r.Error != nil })
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	if reply.Error != nil {
		return fmt.Errorf("%s: %s", command, reply.Error.Desc)
	}
	return nil
}

// tellQEMU carries out commands, one after another.
func (m *Machine) tellQEMU(ctx context.Context, what string, commands func(*monitor) error) error {
	monitor, err := dialMonitor(ctx, m.path(monitorSocket))
	if err == nil {
		err = commands(monitor)
		monitor.Close()
	}
	if err != nil {
		return fmt.Errorf("%s machine %s: %w", what, m.Spec.Name, err)
	}
	return nil
}

// Pause stops the machine's processors. Its clock stops, too: after Resume it is behind
// until SetClock sets it, which is what some experiments are after.
func (m *Machine) Pause(ctx context.Context) error {
	return m.tellQEMU(ctx, "pausing", func(q *monitor) error { return q.execute("stop", nil) })
}

// Resume lets a paused machine go on.
func (m *Machine) Resume(ctx context.Context) error {
	return m.tellQEMU(ctx, "resuming", func(q *monitor) error { return q.execute("cont", nil) })
}

// SetLink plugs the machine's network cable in or pulls it, which partitions the node.
func (m *Machine) SetLink(ctx context.Context, up bool) error {
	return m.tellQEMU(ctx, "setting the link of", func(q *monitor) error {
		return q.execute("set_link", map[string]any{"name": nic, "up": up})
	})
}

// Reset reboots the machine without asking it, and returns when it boots again.
func (m *Machine) Reset(ctx context.Context) error {
	before, err := m.boots()
	if err != nil {
		return err
	}
	// A machine that reboots by itself ends, but this reboot is ours. It is over only
	// when the kernel runs: the firmware answers a reset with another one of its own.
	onReboot := func(action string) func(*monitor) error {
		return func(q *monitor) error { return q.execute("set-action", map[string]any{"reboot": action}) }
	}
	if err := m.tellQEMU(ctx, "preparing to reset", onReboot("reset")); err != nil {
		return err
	}
	reset := func(q *monitor) error { return q.execute("system_reset", nil) }
	if err := m.tellQEMU(ctx, "resetting", reset); err != nil {
		return err
	}
	err = m.watch(ctx, func() (bool, error) {
		now, err := m.boots()
		return now > before, err
	})
	if err != nil {
		return err
	}
	return m.tellQEMU(ctx, "after resetting", onReboot("shutdown"))
}

// dialSocket connects to a unix socket for at most limit; the connection ends with ctx.
func dialSocket(ctx context.Context, socket string, limit time.Duration) (net.Conn, error) {
	deadline := time.Now().Add(limit)
	if d, ok := ctx.Deadline(); ok {
		deadline = d
	}
	conn, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		conn.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	return &boundConn{conn, stop}, nil
}

// A boundConn forgets its context when it is closed.
type boundConn struct {
	net.Conn
	stop func() bool
}

// Close closes the connection.
func (c *boundConn) Close() error {
	c.stop()
	return c.Conn.Close()
}
