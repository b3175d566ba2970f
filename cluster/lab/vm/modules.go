//go:build linux

package vm

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// modulesNeeded are the drivers of the machine's devices and what containers use.
var modulesNeeded = []string{"virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "overlay", "bridge", "veth", "br_netfilter"}

// A moduleTree knows the modules of one kernel by name, with _ for -, since files and
// dependencies differ in that.
type moduleTree struct {
	dir     string
	files   map[string]string // paths
	builtin map[string]bool
}

// readModuleTree lists a folder lib/modules/VERSION.
func readModuleTree(dir string) (*moduleTree, error) {
	t := &moduleTree{dir: dir, files: map[string]string{}, builtin: map[string]bool{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if base, _, is := strings.Cut(d.Name(), ".ko"); is {
				t.files[moduleName(base)] = path
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing what the kernel has built in: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		t.builtin[moduleName(strings.TrimSuffix(filepath.Base(lines.Text()), ".ko"))] = true
	}
	return t, nil
}

func moduleName(s string) string { return strings.ReplaceAll(s, "-", "_") }

// order returns the files of modules and of all that they depend on, each behind what it
// needs. What the kernel has built in is left out.
func (t *moduleTree) order(names []string) (paths []string, err error) {
	const underway, done = 1, 2
	state := map[string]int{}
	var visit func(name, wantedBy string) error
	visit = func(name, wantedBy string) error {
		name = moduleName(name)
		switch {
		case state[name] == underway:
			return fmt.Errorf("module %s in %s depends on itself", name, t.dir)
		case state[name] == done || t.builtin[name]:
			return nil
		case t.files[name] == "":
			return &Need{fmt.Sprintf("%s has no module %s%s", t.dir, name, wantedBy), "name a kernel that has it"}
		}
		state[name] = underway
		needs, err := moduleNeeds(t.files[name])
		if err != nil {
			return err
		}
		for _, n := range needs {
			if err := visit(n, ", which "+name+" depends on"); err != nil {
				return err
			}
		}
		state[name] = done
		paths = append(paths, t.files[name])
		return nil
	}
	for _, name := range names {
		if err := visit(name, ""); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// moduleNeeds reads of a module which others it depends on. depmod writes the same into
// modules.dep, but only where a kernel is installed.
func moduleNeeds(path string) ([]string, error) {
	f, err := elf.Open(path)
	if err != nil {
		if bad := (*elf.FormatError)(nil); errors.As(err, &bad) || errors.Is(err, io.EOF) {
			return nil, &Need{path + " is no plain module (compressed, perhaps)", "name a kernel whose modules aren't compressed, or unpack them"}
		}
		return nil, err
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, &Need{path + " says nothing of itself", "name a folder of kernel modules"}
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	for entry := range bytes.SplitSeq(info, []byte{0}) {
		if list, is := bytes.CutPrefix(entry, []byte("depends=")); is && len(list) > 0 {
			return strings.Split(string(list), ","), nil
		}
	}
	return nil, nil
}
