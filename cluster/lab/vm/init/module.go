//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// loadModules loads the initramfs' modules in the order it gives, which has each behind
// those that it needs, and frees the memory that their files took.
func loadModules() error {
	order := filepath.Join("/", guest.InitramfsOrder)
	text, err := os.ReadFile(order)
	if err != nil {
		return fmt.Errorf("loading modules: %w", err)
	}
	dir := filepath.Dir(order)
	for _, name := range strings.Fields(string(text)) {
		if err := loadModule(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("loading %s: %w", name, err)
		}
	}
	return os.RemoveAll(dir)
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}
