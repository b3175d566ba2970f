//go:build linux

package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A Kernel is a bootable kernel and the folder of its modules, lib/modules/VERSION.
type Kernel struct {
	Image   string
	Modules string
}

// kernelPackage depends on the newest kernel for machines in clouds: small, with virtio
// and all that containers need.
const kernelPackage = "linux-image-cloud-amd64"

// fetchKernel unpacks the newest of Debian's cloud kernels that apt knows of into a
// folder below dir, once for each version. Nothing is installed.
func fetchKernel(ctx context.Context, dir string) (Kernel, error) {
	name, version, err := newestKernel(ctx)
	if err != nil {
		return Kernel{}, err
	}
	place := filepath.Join(dir, name+"_"+strings.ReplaceAll(version, ":", "%3a"))
	if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) {
		err = unpackKernel(ctx, name+"="+version, place)
		if err != nil {
			return Kernel{}, err
		}
	} else if err != nil {
		return Kernel{}, err
	}
	return kernelIn(place)
}

const aptRemedy = "run apt-get update, or name a kernel and its modules"

var (
	dependsLine = regexp.MustCompile(`(?m)^\s*Depends: (linux-image-\S+)$`)
	versionLine = regexp.MustCompile(`(?m)^Version: (\S+)$`)
)

// newestKernel asks apt's own lists, so nothing is asked of the network.
func newestKernel(ctx context.Context) (name, version string, err error) {
	depends, err := output(ctx, "apt-cache", "depends", kernelPackage)
	if err != nil {
		return "", "", &Need{"apt doesn't know " + kernelPackage + ": " + err.Error(), aptRemedy}
	}
	m := dependsLine.FindSubmatch(depends)
	if m == nil {
		return "", "", &Need{kernelPackage + " depends on no kernel, says apt", aptRemedy}
	}
	name = string(m[1])
	show, err := output(ctx, "apt-cache", "show", "--no-all-versions", name)
	if err != nil {
		return "", "", &Need{"apt doesn't know " + name + ": " + err.Error(), aptRemedy}
	}
	if m = versionLine.FindSubmatch(show); m == nil {
		return "", "", &Need{"apt knows no version of " + name, aptRemedy}
	}
	return name, string(m[1]), nil
}

// unpackKernel downloads a package and unpacks it aside, so that place is whole if it is
// there.
func unpackKernel(ctx context.Context, pkg, place string) error {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(filepath.Dir(place), asidePrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	download := exec.CommandContext(ctx, "apt-get", "download", "-q", pkg)
	download.Dir = aside // apt writes to where it is
	if out, err := download.CombinedOutput(); err != nil {
		return &Need{fmt.Sprintf("%s can't be downloaded: %v: %s", pkg, err, bytes.TrimSpace(out)), aptRemedy}
	}
	debs, err := filepath.Glob(filepath.Join(aside, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("apt-get download %s left %d packages, not one (%w)", pkg, len(debs), err)
	}
	tree := filepath.Join(aside, "tree")
	if _, err := output(ctx, "dpkg-deb", "--extract", debs[0], tree); err != nil {
		return fmt.Errorf("unpacking %s: %w", filepath.Base(debs[0]), err)
	}
	return os.Rename(tree, place)
}

// kernelIn finds the kernel in an unpacked package.
func kernelIn(tree string) (Kernel, error) {
	images, err := filepath.Glob(filepath.Join(tree, "boot/vmlinuz-*"))
	if err != nil {
		return Kernel{}, err
	}
	modules, err := filepath.Glob(filepath.Join(tree, "lib/modules/*"))
	if err != nil {
		return Kernel{}, err
	}
	if len(images) != 1 || len(modules) != 1 {
		return Kernel{}, &Need{fmt.Sprintf("%s holds %d kernels and %d folders of modules, not one of each", tree, len(images), len(modules)), "remove it, and it is unpacked anew"}
	}
	return Kernel{images[0], modules[0]}, nil
}

// output runs a program and returns what it prints; the error says what it complained of.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // what is read is English
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}
