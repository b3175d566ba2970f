//go:build linux

package vm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Config says of what machines are made.
type Config struct {
	Cache    string // a folder: what was built once is kept there
	Programs Programs
	Images   []string // OCI archives that containerd is to have
	Kernel   Kernel   // zero for Debian's cloud kernel, which apt downloads
	Accel    Accel    // "" for KVM if it works, else emulation
	DataMiB  int      // size of the disk that a machine writes to; 2,048 if it is 0
	Source   string   // folder inside Berth's source, where init is built if it isn't named; "" for the working folder

	Progress func(what string) // told what is done, or was found out; may be nil
}

// Parts are what machines share, by their paths. They are files of a Cache, of which a
// Machine makes its own at its first start.
type Parts struct {
	Kernel    string
	Initramfs string
	Base      string // disk with the programs, only read
	Data      string // disk with the images imported, to be copied
	Accel     Accel
}

// asidePrefix begins the names of folders in which something is being made.
const asidePrefix = "making-"

// kept is how many results of each kind a Cache keeps: a kubelet of another version has
// a base disk of its own.
const kept = 3

// Build makes the parts, or finds them made. What is missing on this computer is all
// named at once, as Needs. Builds in one Cache take turns.
func Build(ctx context.Context, c *Config) (*Parts, error) {
	if needs := Needs(c); len(needs) > 0 {
		all := make([]error, len(needs))
		for i, n := range needs {
			all[i] = n
		}
		return nil, errors.Join(all...)
	}
	if err := os.MkdirAll(c.Cache, 0o755); err != nil {
		return nil, err
	}
	unlock, err := lockFolder(ctx, c.Cache)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := removeAbandoned(c.Cache); err != nil {
		return nil, err
	}
	aside, err := os.MkdirTemp(c.Cache, asidePrefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(aside)
	b := &building{Config: c, aside: aside}
	return b.build(ctx)
}

// A building is one call of Build, which holds the Cache's lock.
type building struct {
	*Config
	aside string // a folder that goes when it ends
}

func (b *building) build(ctx context.Context) (*Parts, error) {
	kernel := b.Kernel
	if kernel.Image == "" {
		b.tell("kernel")
		var err error
		if kernel, err = fetchKernel(ctx, filepath.Join(b.Cache, "kernel")); err != nil {
			return nil, err
		}
	}
	p := &Parts{Kernel: kernel.Image, Accel: b.Accel}
	var err error
	if p.Initramfs, err = b.initramfs(ctx, kernel); err != nil {
		return nil, err
	}
	if p.Accel == "" {
		b.tell("boot check")
		if p.Accel, err = b.chooseAccel(ctx, p); err != nil {
			return nil, err
		}
	}
	if p.Base, err = b.baseDisk(ctx); err != nil {
		return nil, err
	}
	if p.Data, err = b.dataDisk(ctx, p); err != nil {
		return nil, err
	}
	return p, nil
}

func (b *building) tell(what string) {
	if b.Progress != nil {
		b.Progress(what)
	}
}

// result returns the file of one kind that was made of what a key says, made now if it
// isn't there. It appears whole or not at all.
func (b *building) result(kind, key string, make func(path string) error) (string, error) {
	path := filepath.Join(b.Cache, kind+"-"+key+".img")
	if _, err := os.Stat(path); err == nil {
		now := time.Now()
		return path, os.Chtimes(path, now, now) // prune keeps the newest
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	b.tell(kind)
	aside := filepath.Join(b.aside, kind)
	if err := make(aside); err != nil {
		return "", fmt.Errorf("making the %s: %w", kind, err)
	}
	if err := os.Rename(aside, path); err != nil {
		return "", err
	}
	return path, b.prune(kind)
}

// prune removes all but the newest results of a kind. Machines that were made of them
// have them still.
func (b *building) prune(kind string) error {
	paths, err := filepath.Glob(filepath.Join(b.Cache, kind+"-*.img"))
	if err != nil {
		return err
	}
	made := map[string]time.Time{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		made[path] = info.ModTime()
	}
	slices.SortFunc(paths, func(x, y string) int { return made[y].Compare(made[x]) })
	for _, path := range paths[min(kept, len(paths)):] {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

func (b *building) initramfs(ctx context.Context, kernel Kernel) (string, error) {
	init := b.Programs.Init
	if init == "" {
		b.tell("init")
		init = filepath.Join(b.aside, "init")
		if err := b.buildInit(ctx, init); err != nil {
			return "", err
		}
	}
	tree, err := readModuleTree(kernel.Modules)
	if err != nil {
		return "", err
	}
	modules, err := tree.order(modulesNeeded)
	if err != nil {
		return "", err
	}
	k := newKey("initramfs 1")
	for _, path := range append([]string{init}, modules...) {
		if err := k.file(path); err != nil {
			return "", err
		}
	}
	return b.result("initramfs", k.String(), func(path string) (err error) {
		out, err := os.Create(path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Close()) }()
		return initramfs(out, init, modules)
	})
}

// initPackage is PID 1.
const initPackage = "github.com/berthsim/berth/cluster/lab/vm/init"

// buildInit builds PID 1 as a static program.
func (b *building) buildInit(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, initPackage)
	cmd.Dir = b.Source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return &Need{fmt.Sprintf("%s can't be built: %v: %s", initPackage, err, strings.TrimSpace(string(out))), "run this inside Berth's source, or name a built init"}
	}
	return nil
}

func (b *building) baseDisk(ctx context.Context) (string, error) {
	l, err := baseLayout(ctx, b.Config)
	if err != nil {
		return "", err
	}
	k := newKey("base 1")
	if err := l.addTo(k); err != nil {
		return "", err
	}
	return b.result("base", k.String(), func(path string) error {
		tree := filepath.Join(b.aside, "tree")
		defer os.RemoveAll(tree)
		if err := l.stage(tree); err != nil {
			return err
		}
		return makeBaseDisk(ctx, tree, path)
	})
}

// dataDisk makes a disk with the images imported, by booting a machine that does it.
func (b *building) dataDisk(ctx context.Context, p *Parts) (string, error) {
	mib := b.DataMiB
	if mib == 0 {
		mib = 2048
	}
	// The names of these say what is in them.
	k := newKey("data 1", filepath.Base(p.Base), filepath.Base(p.Initramfs), p.Kernel, fmt.Sprint(mib))
	return b.result("data", k.String(), func(path string) error {
		if err := makeDataDisk(ctx, path, mib); err != nil {
			return err
		}
		return b.bake(ctx, p, path)
	})
}

// lockFolder waits until nobody else builds in dir.
func lockFolder(ctx context.Context, dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for another build in %s: %w", dir, ctx.Err()), f.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// removeAbandoned removes what builds left that were killed.
func removeAbandoned(cache string) error {
	for _, pattern := range []string{asidePrefix + "*", "kernel/" + asidePrefix + "*"} {
		paths, err := filepath.Glob(filepath.Join(cache, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}
