//go:build linux

package vm

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// A layout is what a disk holds: paths in the machine, each without a slash in front.
type layout struct {
	folders []string
	links   map[string]string // to what they point
	texts   map[string]string // small files
	files   map[string]string // paths on this computer
}

// baseFolders are where PID 1 mounts and programs look.
var baseFolders = []string{
	"bin", "dev", "etc", "images", "data", "proc", "root", "run", "sys", "tmp",
	"usr/bin", "usr/lib/cni", "usr/sbin", "var/lib/cni", "var/lib/containerd", "var/lib/kubelet", "var/log",
}

// applets are the shell and what people type into it.
var applets = []string{"sh", "awk", "cat", "date", "dd", "df", "dmesg", "du", "free", "grep", "head", "ip", "kill", "ls", "mkdir", "nsenter", "ping", "ps", "rm", "sleep", "stat", "sync", "tail", "top", "touch", "wc"}

// baseLayout is what the base disk of machines with these programs holds.
func baseLayout(ctx context.Context, c *Config) (*layout, error) {
	p := &c.Programs
	l := &layout{
		folders: baseFolders,
		links:   map[string]string{"var/run": "/run"}, // else the kubelet's and CNI's sockets part ways
		texts: map[string]string{
			"etc/hosts":       "127.0.0.1 localhost\n",
			"etc/machine-id":  "", // each machine's own is mounted over it
			"etc/os-release":  "ID=berth-lab\nPRETTY_NAME=\"Berth lab machine\"\n",
			"etc/passwd":      "root:x:0:0::/root:/bin/sh\n",
			"etc/resolv.conf": "",
		},
		files: map[string]string{
			"usr/bin/containerd":              p.Containerd,
			"usr/bin/containerd-shim-runc-v2": p.Shim,
			"usr/bin/ctr":                     p.Ctr,
			"usr/sbin/runc":                   p.Runc,
			"usr/bin/mount":                   p.Mount,
			"usr/bin/umount":                  p.Umount,
			"bin/busybox":                     p.Busybox,
			"usr/lib/cni/bridge":              p.Bridge,
			"usr/lib/cni/host-local":          p.HostLocal,
			"usr/lib/cni/loopback":            p.Loopback,
		},
	}
	if p.Kubelet != "" {
		l.files["usr/bin/kubelet"] = p.Kubelet
	}
	for _, a := range applets {
		l.links["bin/"+a] = "busybox"
	}
	var programs []string
	for _, from := range l.files {
		programs = append(programs, from)
	}
	for _, program := range programs {
		libs, err := libraries(ctx, program)
		if err != nil {
			return nil, err
		}
		for _, lib := range libs {
			l.files[lib[1:]] = lib
		}
	}
	for i, image := range c.Images {
		l.files[fmt.Sprintf("%s/%03d-%s", guest.ImagesDir[1:], i, filepath.Base(image))] = image
	}
	return l, nil
}

// libraryPath finds paths in what ldd prints, the dynamic linker's own included.
var libraryPath = regexp.MustCompile(`(?m)(?:=>\s+|^\s+)(/\S+) \(0x`)

// libraries lists the shared libraries of a program, and its dynamic linker, by the
// paths where they are looked for. ldd asks the linker itself, whatever its settings are.
func libraries(ctx context.Context, program string) (paths []string, err error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", program, err)
	}
	defer f.Close()
	dynamic := false
	for _, p := range f.Progs {
		dynamic = dynamic || p.Type == elf.PT_INTERP
	}
	if !dynamic {
		return nil, nil
	}
	out, err := output(ctx, "ldd", program)
	if err != nil {
		return nil, fmt.Errorf("looking for the libraries of %s: %w", program, err)
	}
	if bytes.Contains(out, []byte("not found")) {
		return nil, &Need{fmt.Sprintf("%s lacks libraries: %s", program, bytes.TrimSpace(out)), "install them, or name a static program"}
	}
	for _, m := range libraryPath.FindAllSubmatch(out, -1) {
		paths = append(paths, string(m[1]))
	}
	return paths, nil
}

// stage makes the layout's tree in dir.
func (l *layout) stage(dir string) error {
	for _, f := range l.folders {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o755); err != nil {
			return err
		}
	}
	place := func(name string) (string, error) {
		path := filepath.Join(dir, name)
		return path, os.MkdirAll(filepath.Dir(path), 0o755)
	}
	for name, to := range l.links {
		path, err := place(name)
		if err == nil {
			err = os.Symlink(to, path)
		}
		if err != nil {
			return err
		}
	}
	for name, text := range l.texts {
		path, err := place(name)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			return err
		}
	}
	for name, from := range l.files {
		path, err := place(name)
		if err == nil {
			err = copyFile(from, path)
		}
		if err != nil {
			return fmt.Errorf("putting %s on a disk: %w", from, err)
		}
	}
	return nil
}

// duplicate makes a new file from another. Only its owner may read it; fill copies what is in it.
func duplicate(from, to string, fill func(out, in *os.File, info fs.FileInfo) error) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return fill(out, in, info)
}

// copyFile copies what a path leads to, with its permissions. A hard link would be
// quicker, but then two names of one file on this computer would be one on the disk.
func copyFile(from, to string) error {
	return duplicate(from, to, func(out, in *os.File, info fs.FileInfo) error {
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
		return out.Chmod(info.Mode().Perm())
	})
}

// treeBytes returns how much room the files below dir take on a disk of 4 KiB blocks.
func treeBytes(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		bytes += (info.Size() + 4095) / 4096 * 4096
		return nil
	})
	return bytes, err
}

// makeBaseDisk writes the tree in dir as a disk without room to spare: nobody writes to
// it, so it has no journal either.
func makeBaseDisk(ctx context.Context, dir, disk string) error {
	size, err := treeBytes(dir)
	if err != nil {
		return err
	}
	const slack = 16 << 20 // for what the file system itself takes
	kib := (size + size/20 + slack) / 1024
	_, err = output(ctx, "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", dir, disk, strconv.FormatInt(kib, 10)+"k")
	if err != nil {
		return fmt.Errorf("making the base disk: %w", err)
	}
	return nil
}

// makeDataDisk writes an empty disk to be written to: sparse, so it takes room only as
// it fills. Images are many small files, hence the inodes.
func makeDataDisk(ctx context.Context, disk string, mib int) error {
	_, err := output(ctx, "mke2fs", "-q", "-t", "ext4", "-m", "0", "-N", "65536", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", disk, strconv.Itoa(mib)+"M")
	if err != nil {
		return fmt.Errorf("making a data disk: %w", err)
	}
	return nil
}

// copySparse copies a file's data and leaves its holes out.
func copySparse(from, to string) error {
	return duplicate(from, to, func(out, in *os.File, info fs.FileInfo) error {
		if err := out.Truncate(info.Size()); err != nil {
			return err
		}
		for at := int64(0); ; {
			start, err := in.Seek(at, unix.SEEK_DATA)
			if errors.Is(err, unix.ENXIO) { // nothing but a hole is left
				return nil
			}
			if err != nil {
				return err
			}
			end, err := in.Seek(start, unix.SEEK_HOLE)
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.NewOffsetWriter(out, start), io.NewSectionReader(in, start, end-start)); err != nil {
				return err
			}
			at = end
		}
	})
}
