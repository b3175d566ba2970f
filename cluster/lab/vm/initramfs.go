//go:build linux

package vm

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cavaliergopher/cpio"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// A file goes into an initramfs.
type file struct {
	name string // slash-separated, without one in front
	mode cpio.FileMode
	text []byte
}

// writeInitramfs writes an archive in the only form that kernels take, cpio's newc, with
// the folders that files need. Kernels take several archives one behind another; the end
// of each lies at a multiple of 4 bytes, where the next one has to begin.
func writeInitramfs(w io.Writer, folders []string, files []file) error {
	for _, f := range files {
		for dir := path.Dir(f.name); dir != "."; dir = path.Dir(dir) {
			folders = append(folders, dir)
		}
	}
	folders = slices.Compact(slices.Sorted(slices.Values(folders))) // parents first
	archive := cpio.NewWriter(w)
	for _, dir := range folders {
		if err := archive.WriteHeader(&cpio.Header{Name: dir, Mode: cpio.TypeDir | 0o755, Links: 2}); err != nil {
			return fmt.Errorf("writing an initramfs: %w", err)
		}
	}
	for _, f := range files {
		if err := archive.WriteHeader(&cpio.Header{Name: f.name, Mode: cpio.TypeReg | f.mode, Size: int64(len(f.text))}); err != nil {
			return fmt.Errorf("writing an initramfs: %w", err)
		}
		if _, err := archive.Write(f.text); err != nil {
			return fmt.Errorf("writing an initramfs: %w", err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("writing an initramfs: %w", err)
	}
	return nil
}

// initramfs writes what all machines boot: PID 1 and the modules that it loads.
func initramfs(w io.Writer, init string, modules []string) error {
	program, err := os.ReadFile(init)
	if err != nil {
		return err
	}
	files := []file{{"init", 0o755, program}}
	var order strings.Builder
	dir := path.Dir(guest.InitramfsOrder)
	for _, module := range modules {
		text, err := os.ReadFile(module)
		if err != nil {
			return err
		}
		name := filepath.Base(module)
		files = append(files, file{path.Join(dir, name), 0o644, text})
		fmt.Fprintln(&order, name)
	}
	files = append(files, file{guest.InitramfsOrder, 0o644, []byte(order.String())})
	return writeInitramfs(w, []string{"dev", "new", "proc", "sys"}, files)
}

// configArchive writes what one machine is told at one start; it goes behind the
// archive that all share.
func configArchive(w io.Writer, config map[string][]byte) error {
	var files []file
	for name, text := range config {
		files = append(files, file{path.Join(guest.InitramfsConfig, name), 0o600, text})
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return writeInitramfs(w, nil, files)
}
