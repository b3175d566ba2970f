//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster/lab/cgroup"
	"github.com/berthsim/berth/cluster/lab/network"
)

// Down takes the lab down: its processes, cgroups, network namespaces and its folder.
func (l *Lab) Down(ctx context.Context) error { return Down(ctx, l.Config.Dir) }

// Down takes down the lab in a folder, whatever part of it is there: what Up left when it failed
// or was killed, or what an earlier Down left. It touches nothing that the lab's journal doesn't
// name. Afterwards the folder is gone.
func Down(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("the lab's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, lockFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s; name its folder with --dir, or the lab with --name", ErrNoLab, dir)
	}
	lock, err := acquire(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	host, err := cgroup.Detect()
	if err != nil {
		return err
	}
	if err := removeMade(ctx, host, dir); err != nil {
		return err
	}
	if at := mountedBelow(dir); at != "" {
		return fmt.Errorf("something is mounted on %s; unmount it, and run berth lab down again", at)
	}
	return removeFolder(dir)
}

// stopAll ends all that the lab runs, and leaves its folder.
func (l *Lab) stopAll(ctx context.Context) error { return removeMade(ctx, l.host, l.Config.Dir) }

// removeMade undoes what the journal in a folder says, the last first. Killing all at once is
// enough: nothing that a lab's programs hold outlives it, so none is asked to save anything.
func removeMade(ctx context.Context, host cgroup.Host, dir string) error {
	made, err := readJournal(dir)
	if err != nil {
		return err
	}
	for _, r := range made { // before anything is removed, which processes would hold
		if r.kind == madeCgroup {
			if err := (cgroup.Group{Host: host, Name: r.name}).Kill(ctx); err != nil {
				return err
			}
		}
	}
	for _, r := range slices.Backward(made) {
		switch r.kind {
		case madeCgroup:
			err = (cgroup.Group{Host: host, Name: r.name}).Remove(ctx)
		case madeNetwork:
			err = network.Remove(r.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeFolder removes a lab's folder, its lock last: as long as that is there, Down finds what
// is left.
func removeFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("removing the lab's folder: %w", err)
	}
	for _, e := range entries {
		if e.Name() == lockFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("removing the lab's folder: %w", err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing the lab's folder: %w", err)
	}
	return nil
}

// mountedBelow returns a mount point in a folder; "" if there is none.
func mountedBelow(dir string) string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			return f[4]
		}
	}
	return ""
}
