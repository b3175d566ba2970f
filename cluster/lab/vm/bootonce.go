//go:build linux

package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// checkLimit is how long a boot check may take: emulated it takes a second or two, and a
// kernel that hangs under a half-working /dev/kvm never ends.
const checkLimit = 10 * time.Second

// bakeLimit is how long importing images may take.
const bakeLimit = 10 * time.Minute

// chooseAccel returns KVM if a kernel boots under it. /dev/kvm alone says little: there
// are software variants of it on which stock kernels hang.
func (b *building) chooseAccel(ctx context.Context, p *Parts) (Accel, error) {
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		return TCG, nil
	}
	limited, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	check := *p
	check.Accel = KVM
	dir := filepath.Join(b.aside, "check")
	err := bootOnce(limited, dir, guest.Check, &hardware{parts: check, memoryMiB: 256, cpus: 2})
	switch {
	case err == nil:
		return KVM, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	}
	b.tell("KVM doesn't boot a kernel here, so machines are emulated: " + firstLine(err))
	return TCG, nil
}

// firstLine returns what an error says first.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// bake has a machine import the base disk's images into a data disk.
func (b *building) bake(ctx context.Context, p *Parts, data string) error {
	limited, cancel := context.WithTimeout(ctx, bakeLimit)
	defer cancel()
	dir := filepath.Join(b.aside, "bake")
	return bootOnce(limited, dir, guest.Bake, &hardware{parts: *p, data: data, memoryMiB: 768, cpus: 2})
}

// finished is the mark that each of these tasks ends with.
var finished = map[guest.Task]string{guest.Check: guest.Checked, guest.Bake: guest.ImagesImported}

// bootOnce boots a machine for a task, in a folder of its own, until it powers itself off.
func bootOnce(ctx context.Context, dir string, task guest.Task, h *hardware) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	boot, err := json.Marshal(&guest.Boot{Task: task})
	if err != nil {
		return err
	}
	config := map[string][]byte{guest.BootFile: boot}
	if task == guest.Bake {
		config[guest.ContainerdFile] = containerdConfig("")
	}
	h.dir, h.name, h.initramfs = dir, "berth-"+string(task), filepath.Join(dir, "initramfs")
	if err := joinInitramfs(h.initramfs, h.parts.Initramfs, config); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, qemu, h.args()...)
	// If this process is killed, QEMU goes, too: a kernel that hangs would stay for ever.
	// The kernel takes the thread that started it for the process, so it has to last.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	console, readErr := os.ReadFile(filepath.Join(dir, consoleFile))
	marks := guest.Marks(console)
	reached := "nothing"
	if len(marks) > 0 {
		reached = marks[len(marks)-1].What
	}
	if err != nil {
		return errors.Join(fmt.Errorf("QEMU: %w; it reached %q; %s", err, reached, bytes.TrimSpace(said.Bytes())), readErr)
	}
	if reached != finished[task] {
		return fmt.Errorf("the machine powered off after %q; its console ends with: %s", reached, tail(console))
	}
	return nil
}

// tail returns the end of a console, enough to see what went wrong.
func tail(console []byte) []byte {
	return bytes.TrimSpace(console[max(0, len(console)-2000):])
}

// joinInitramfs writes the shared initramfs with a machine's configuration behind it,
// aside and then to its place.
func joinInitramfs(path, shared string, config map[string][]byte) (err error) {
	in, err := os.Open(shared)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // it holds a key
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = configArchive(out, config)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
