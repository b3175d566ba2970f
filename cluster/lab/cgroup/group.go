//go:build linux

package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Group is one group in each of a host's hierarchies.
type Group struct {
	Host Host
	Name string // from the root of the hierarchies, as "berth-lab/node1"
}

// Dirs returns the group's folder in each hierarchy.
func (g Group) Dirs() []string {
	var dirs []string
	for _, t := range g.Host.Trees {
		dirs = append(dirs, filepath.Join(t.Mount, g.Name))
	}
	return dirs
}

// Create makes the group and those above it, if they aren't there. Processes can join once it is
// done: version 1 wants the sets of processors filled in, version 2 the controllers handed down.
func (g Group) Create() error {
	for _, t := range g.Host.Trees {
		at := t.Mount
		for part := range strings.SplitSeq(g.Name, "/") {
			if err := t.prepare(g.Host.Unified, at, filepath.Join(at, part)); err != nil {
				return fmt.Errorf("making cgroup %s: %w", g.Name, err)
			}
			at = filepath.Join(at, part)
		}
	}
	return nil
}

// prepare makes dir below parent.
func (h Hierarchy) prepare(unified bool, parent, dir string) error {
	if unified {
		if err := handDown(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !h.Has("cpuset") {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // empty in a new group, which then can't hold processes
		set, err := os.ReadFile(filepath.Join(parent, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), set, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// handDown lets the groups below a group of version 2 use the controllers that it has itself.
func handDown(dir string) error {
	has, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, c := range strings.Fields(string(has)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0o644); err != nil {
			return fmt.Errorf("handing down controller %s: %w", c, err)
		}
	}
	return nil
}

// Join moves the calling process into the group.
func (g Group) Join() error {
	for _, dir := range g.Dirs() {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0o644); err != nil {
			return fmt.Errorf("joining cgroup %s: %w", g.Name, err)
		}
	}
	return nil
}

// LimitMemory limits what the processes of the group have in memory together, page cache
// included, to so many bytes.
func (g Group) LimitMemory(bytes int64) error {
	dir, file := g.dirOf("memory"), "memory.limit_in_bytes"
	if g.Host.Unified {
		file = "memory.max"
	}
	if dir == "" {
		return errors.New("limiting memory: no cgroup controller for memory is mounted")
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(bytes, 10)), 0o644); err != nil {
		return fmt.Errorf("limiting memory: %w", err)
	}
	return nil
}

// dirOf is the group's folder in the hierarchy of a controller; "" if there is none.
func (g Group) dirOf(controller string) string {
	for _, t := range g.Host.Trees {
		if g.Host.Unified || t.Has(controller) {
			return filepath.Join(t.Mount, g.Name)
		}
	}
	return ""
}

// Use says what the group's processes use, and used.
type Use struct {
	Processes int
	Memory    int64         // bytes: anonymous memory and page cache that is in use
	CPU       time.Duration // since the group was made
}

// Use measures the group. What no controller measures is 0.
func (g Group) Use() Use {
	var u Use
	if pids, err := g.Pids(); err == nil {
		u.Processes = len(pids)
	}
	memory, usage, inactive := g.dirOf("memory"), "memory.usage_in_bytes", "total_inactive_file"
	if g.Host.Unified {
		usage, inactive = "memory.current", "inactive_file"
	}
	u.Memory = number(filepath.Join(memory, usage)) - keyed(filepath.Join(memory, "memory.stat"), inactive)
	if g.Host.Unified {
		u.CPU = time.Duration(keyed(filepath.Join(memory, "cpu.stat"), "usage_usec")) * time.Microsecond
	} else if cpu := g.dirOf("cpuacct"); cpu != "" {
		u.CPU = time.Duration(number(filepath.Join(cpu, "cpuacct.usage")))
	}
	return u
}

// number reads a file that holds one number; 0 if it doesn't.
func number(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// keyed reads one number of a file with a key and a number a line; 0 if it isn't there.
func keyed(file, key string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == key {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// Pids returns the processes in the group and in groups below it, in any hierarchy, in order.
// A group that isn't there has none.
func (g Group) Pids() ([]int, error) {
	var pids []int
	for _, dir := range g.Dirs() {
		err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && !d.IsDir() {
				return nil
			}
			if err != nil {
				return err
			}
			text, err := os.ReadFile(filepath.Join(at, "cgroup.procs"))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) { // removed meanwhile
				return nil
			}
			for _, f := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(f); err == nil && pid > 0 { // 0 is a process that this namespace can't see
					pids = append(pids, pid)
				}
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing cgroup %s: %w", g.Name, err)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// Signal sends a signal to each process of the group. Those that ended meanwhile don't count.
func (g Group) Signal(s unix.Signal) error {
	pids, err := g.Pids()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, s); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("signalling process %d of cgroup %s: %w", pid, g.Name, err)
		}
	}
	return nil
}

// poll is how often emptying and removing look again.
const poll = 20 * time.Millisecond

// Kill kills the processes of the group until there are none, or ctx ends.
func (g Group) Kill(ctx context.Context) error {
	for {
		if err := g.Signal(unix.SIGKILL); err != nil {
			return err
		}
		left, err := g.Pids()
		if err != nil || len(left) == 0 {
			return err
		}
		if err := sleep(ctx, poll); err != nil {
			return fmt.Errorf("cgroup %s still has processes %v: %w", g.Name, left, err)
		}
	}
}

// Remove removes the group and those below it, which must have no processes. It waits for the
// kernel, which holds on to a group for some time after its last process, until ctx ends.
func (g Group) Remove(ctx context.Context) error {
	for {
		err := g.removeOnce()
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		if sleep(ctx, poll) != nil {
			return fmt.Errorf("removing cgroup %s: %w", g.Name, err)
		}
	}
}

func (g Group) removeOnce() error {
	for _, dir := range g.Dirs() {
		var below []string
		err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, at)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, at := range slices.Backward(below) {
			if err := unix.Rmdir(at); err != nil && !errors.Is(err, unix.ENOENT) {
				return &fs.PathError{Op: "rmdir", Path: at, Err: err}
			}
		}
	}
	return nil
}

// sleep waits; it returns ctx's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
