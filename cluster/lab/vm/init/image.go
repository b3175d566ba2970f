//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// imported is on the data disk once all images are.
const imported = dataDir + "/imported"

// importLimit is how long one image may take; emulated, it is about a second.
const importLimit = 5 * time.Minute

// importImages gives containerd the base disk's images, unless the data disk has them.
func importImages() error {
	if _, err := os.Stat(imported); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	images, err := filepath.Glob(filepath.Join(guest.ImagesDir, "*.tar"))
	if err != nil {
		return err
	}
	for _, image := range images {
		out, err := run(importLimit, "ctr", "--namespace", "k8s.io", "images", "import", image)
		if err != nil {
			return fmt.Errorf("importing %s: %w: %s", image, err, bytes.TrimSpace(out))
		}
	}
	if err := os.WriteFile(imported, nil, 0o644); err != nil {
		return err
	}
	mark(guest.ImagesImported)
	return nil
}

// run runs a program to its end and returns the beginning of its output, of
// guest.MaxOutput bytes at most.
func run(limit time.Duration, argv ...string) ([]byte, error) {
	out, err := os.CreateTemp("", "output-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	p, err := startProcess(out, "", argv...)
	if err != nil {
		return nil, err
	}
	err = p.wait(limit)
	info, statErr := out.Stat()
	if statErr != nil {
		return nil, errors.Join(err, statErr)
	}
	text := make([]byte, min(info.Size(), guest.MaxOutput))
	_, readErr := out.ReadAt(text, 0)
	return text, errors.Join(err, readErr)
}
