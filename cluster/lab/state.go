//go:build linux

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster/lab/cgroup"
	"github.com/berthsim/berth/cluster/lab/network"
	"golang.org/x/sys/unix"
)

// A Lab is a lab that is up, or was brought up in part.
type Lab struct {
	Config  Config
	Created time.Time
	Server  string   // URL of the API server, as the machine's programs reach it
	Bin     Programs // what it runs

	host    cgroup.Host
	network network.Network
	lock    *os.File // while something is started or stopped
}

// The files in a lab's folder.
const (
	stateFile   = "lab.json"
	lockFile    = "lock"
	journalFile = "journal"
	kubeconfig  = "kubeconfig"
	pkiDir      = "pki"
	logDir      = "log"
	nodesDir    = "nodes"
)

func (l *Lab) path(names ...string) string {
	return filepath.Join(append([]string{l.Config.Dir}, names...)...)
}

// Kubeconfig is the file with which kubectl, berth and others reach the API server from the
// machine itself, as an administrator.
func (l *Lab) Kubeconfig() string { return l.path(kubeconfig) }

// ErrNoLab is the error of Open where there is no lab.
var ErrNoLab = errors.New("there is no lab")

// Open finds the lab that lives in a folder. Runtimes beside the lab's own must be given again.
func Open(dir string, extra map[string]Runtime) (*Lab, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("the lab's folder: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s; bring one up with berth lab up", ErrNoLab, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the lab's state: %w", err)
	}
	var l Lab
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("%s: %w; take the lab down with berth lab down, and up again", filepath.Join(dir, stateFile), err)
	}
	l.Config.Dir, l.Config.Extra, l.Config.Say = dir, extra, func(string) {}
	if l.host, err = cgroup.Detect(); err != nil {
		return nil, err
	}
	l.network = network.Network{Lab: l.Config.Name}
	return &l, nil
}

// save writes the lab's state aside and renames it.
func (l *Lab) save() error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the lab's state: %w", err)
	}
	return replaceFile(l.path(stateFile), text, 0o600)
}

// replaceFile writes a file aside and renames it, so that it is whole or what it was.
func replaceFile(file string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(file+".new", text, mode); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

// claim makes the lab's folder and locks it.
func (l *Lab) claim(ctx context.Context) error {
	dir := l.Config.Dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the lab's folder: %w", err)
	}
	lock, err := acquire(ctx, dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		err = fmt.Errorf("reading the lab's folder: %w", err)
	}
	for _, e := range entries {
		switch {
		case e.Name() == lockFile:
		case e.Name() == journalFile || e.Name() == stateFile:
			err = fmt.Errorf("lab %s is up, or was not taken down; take it down with berth lab down --name %s, or choose another --name", l.Config.Name, l.Config.Name)
		case err == nil:
			err = fmt.Errorf("%s holds %s, which is no lab's; choose an empty folder with --dir", dir, e.Name())
		}
	}
	if err != nil {
		lock.Close()
		return err
	}
	l.lock = lock
	return nil
}

// patience is how long a lock is waited for: who has just been killed may have left children that
// have yet to join their cgroups, and hold it until they have.
const patience = 15 * time.Second

// acquire locks a lab's folder, until the file is closed.
func acquire(ctx context.Context, dir string) (*os.File, error) {
	name := filepath.Join(dir, lockFile)
	for deadline := time.Now().Add(patience); ; {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("locking the lab: %w", err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && sameFile(f, name) {
			_ = f.Truncate(0) // who holds it is for people to read; the lock holds without
			_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
			return f, nil
		}
		f.Close()
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking the lab: %w", err)
		}
		if time.Now().After(deadline) {
			holder, _ := os.ReadFile(name)
			return nil, fmt.Errorf("lab in %s: another berth is working on it (process %s); wait for it, or end it", dir, strings.TrimSpace(string(holder)))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// sameFile reports whether an open file is still the one of that name: a lab that was taken down
// took its lock along.
func sameFile(f *os.File, name string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(name)
	return err == nil && os.SameFile(mine, theirs)
}

// locked runs f while the lab is locked.
func (l *Lab) locked(ctx context.Context, f func() error) error {
	lock, err := acquire(ctx, l.Config.Dir)
	if err != nil {
		return err
	}
	l.lock = lock
	defer func() { lock.Close(); l.lock = nil }()
	if _, err := os.Stat(l.path(stateFile)); err != nil { // Open saw it, and it was taken down since
		return fmt.Errorf("%w in %s any more", ErrNoLab, l.Config.Dir)
	}
	return f()
}

// A record names something outside the lab's folder that the lab made, or is about to make.
type record struct{ kind, name string }

// The kinds of records.
const (
	madeCgroup  = "cgroup"
	madeNetwork = "namespace"
)

// record adds to the lab's journal, before the thing is made: whatever happens then, Down knows.
func (l *Lab) record(kind, name string) error {
	f, err := os.OpenFile(l.path(journalFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the lab's journal: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s %s\n", kind, name)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the lab's journal: %w", err)
	}
	return nil
}

// readJournal returns what a lab made, in order. A last line without an end was being written
// when the writer was killed: what it names was not made yet.
func readJournal(dir string) ([]record, error) {
	text, err := os.ReadFile(filepath.Join(dir, journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the lab's journal: %w", err)
	}
	var made []record
	for line := range strings.Lines(string(text)) {
		line, whole := strings.CutSuffix(line, "\n")
		kind, name, ok := strings.Cut(line, " ")
		if !whole {
			break
		}
		if !ok || kind != madeCgroup && kind != madeNetwork || !strings.HasPrefix(name, prefix) || strings.Contains(name, "..") {
			return nil, fmt.Errorf("%s: %q is no line of a lab's journal; remove by hand what the lab made, and then its folder", filepath.Join(dir, journalFile), line)
		}
		made = append(made, record{kind, name})
	}
	return made, nil
}

// prefix begins the names of all that a lab makes outside its folder.
const prefix = "berth-"

// pause waits; it returns ctx's error if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
