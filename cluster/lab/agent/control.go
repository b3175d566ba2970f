//go:build linux

package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// controlSocket is the name of the socket, in a node's folder of logs, on which its process 1 takes
// commands. One line asks, and one line answers: "ok" and more, or "error:" and what.
const controlSocket = "control"

// Ask gives a command to the node container whose folder of logs is dir, and returns what
// follows "ok" in its answer. The commands:
//
//	stop kubelet         kill it, and don't start it again
//	start kubelet        start it, if it doesn't run
//	kubelet              its process number inside, 0 if it doesn't run, and how often it was started
//	fill memory BYTES    take the node's memory, but for so many bytes
//	fill disk BYTES      take the node's disk, but for so many bytes
//	release              give both back
func Ask(ctx context.Context, dir, command string) (string, error) {
	folder, err := os.Open(dir) // a socket's path may have 107 bytes, the folder's any number
	if err != nil {
		return "", fmt.Errorf("asking the node: %w", err)
	}
	defer folder.Close()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), controlSocket))
	if err != nil {
		return "", fmt.Errorf("asking the node: %w", err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()
	if _, err := fmt.Fprintln(c, command); err != nil {
		return "", fmt.Errorf("asking the node to %s: %w", command, err)
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("asking the node to %s: %w", command, err)
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(answer), "ok")
	if !ok {
		return "", fmt.Errorf("asking the node to %s: %s", command, strings.TrimPrefix(strings.TrimSpace(answer), "error: "))
	}
	return strings.TrimSpace(rest), nil
}

// listen answers Ask for ever, at a socket in dir.
func (m *machine) listen(dir string) error {
	at := filepath.Join(dir, controlSocket)
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) { // of before a reboot
		return fmt.Errorf("taking commands: %w", err)
	}
	l, err := net.Listen("unix", at)
	if err != nil {
		return fmt.Errorf("taking commands: %w", err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("taking commands: %w", err)
		}
		m.serve(c)
	}
}

// serve answers one command.
func (m *machine) serve(c net.Conn) {
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return // who asks has gone
	}
	answer, err := m.obey(strings.TrimSpace(line))
	if err != nil {
		answer = "error: " + strings.ReplaceAll(err.Error(), "\n", " ")
	} else {
		answer = "ok " + answer
	}
	_, _ = fmt.Fprintln(c, answer) // who asks sees the connection end
}

func (m *machine) obey(command string) (string, error) {
	verb, bytes, _ := strings.Cut(command, " ")
	if verb == "fill" {
		verb, bytes, _ = strings.Cut(bytes, " ")
		verb = "fill " + verb
	} else {
		verb = command
	}
	switch verb {
	case "stop kubelet":
		m.kubelet.set(false)
		return "", m.until(func(pid int) bool { return pid == 0 })
	case "start kubelet":
		m.kubelet.set(true)
		return "", m.until(func(pid int) bool { return pid != 0 })
	case "kubelet":
		pid, starts := m.kubelet.state()
		return fmt.Sprintf("%d %d", pid, starts), nil
	case "fill memory":
		return "", m.fillMemory(bytes)
	case "fill disk":
		return "", fillDisk(bytes)
	case "release":
		return "", m.release()
	default:
		return "", fmt.Errorf("there is no command %q", command)
	}
}

// until waits for the kubelet's process to be as told.
func (m *machine) until(is func(pid int) bool) error {
	for range 500 { // 10 s
		if pid, _ := m.kubelet.state(); is(pid) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("the kubelet didn't obey within 10 s")
}

// fillDisk takes the node's disk, but for so many bytes.
func fillDisk(leave string) error {
	keep, err := strconv.ParseInt(leave, 10, 64)
	if err != nil || keep < 0 {
		return fmt.Errorf("%q is no number of bytes", leave)
	}
	var room unix.Statfs_t
	if err := unix.Statfs(diskDir, &room); err != nil {
		return fmt.Errorf("measuring the disk: %w", err)
	}
	size := int64(room.Bavail)*room.Bsize - keep
	if size <= 0 {
		return nil
	}
	f, err := os.Create(filler)
	if err != nil {
		return fmt.Errorf("filling the disk: %w", err)
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return fmt.Errorf("filling the disk: %w", err)
	}
	return nil
}
