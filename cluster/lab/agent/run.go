//go:build linux

package agent

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Run becomes the program that a Process file describes.
func Run(args []string) error {
	p, err := assigned[Process](args)
	if err != nil {
		return err
	}
	if err := p.enter(); err != nil {
		return err
	}
	if err := os.Chdir(p.Dir); err != nil { // before anything is hidden
		return fmt.Errorf("starting %s: %w", p.Args[0], err)
	}
	if len(p.Private) > 0 {
		program, err := os.Open(p.Path)
		if err != nil {
			return fmt.Errorf("starting %s: %w", p.Args[0], err)
		}
		defer program.Close()
		p.Path = fmt.Sprintf("/proc/self/fd/%d", program.Fd())
		if err := p.hide(); err != nil {
			return err
		}
	}
	return fmt.Errorf("starting %s: %w", p.Args[0], unix.Exec(p.Path, p.Args, p.Env))
}

// enter moves the calling process into its cgroups and its thread into its network namespace, and
// gives the lab's lock back: from now on the process can be found.
func (p Place) enter() error {
	if err := p.Group.Join(); err != nil {
		return err
	}
	if err := unix.Close(LockFD); err != nil {
		return fmt.Errorf("closing the lab's lock: %w", err)
	}
	if p.Namespace == "" {
		return nil
	}
	ns, err := os.Open(p.Namespace)
	if err != nil {
		return fmt.Errorf("entering the network: %w", err)
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering the network: %w", err)
	}
	return nil
}

// hide gives the process folders of its own in place of the machine's.
func (p Process) hide() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("making a mount namespace: %w", err)
	}
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, dir := range p.Private {
		own := filepath.Join(p.Temp, strings.ReplaceAll(dir, "/", "_"))
		if err := os.MkdirAll(own, 0o700); err != nil {
			return fmt.Errorf("making a folder for %s: %w", p.Args[0], err)
		}
		if err := mount(own, dir, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// mount is mount(2) with an error that says what was to be mounted.
func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", cmp.Or(source, "nothing"), target, err)
	}
	return nil
}
