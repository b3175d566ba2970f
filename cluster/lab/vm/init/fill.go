//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// How memory is taken: slowly enough for a kubelet to see it go.
const (
	fillStep = 8 << 20
	fillPace = 50 * time.Millisecond
)

// filler is the file that takes the disk.
const filler = dataDir + "/filler"

// fillVerb has this program, run by PID 1, take memory: another process, since the
// kernel may choose to kill it.
const fillVerb = "fill-memory"

// fill takes memory or disk, but for so many bytes.
func (m *machine) fill(what, leave string) error {
	keep, err := strconv.ParseInt(leave, 10, 64)
	if err != nil || keep < 0 {
		return fmt.Errorf("%q is no number of bytes to leave", leave)
	}
	switch what {
	case "disk":
		return fillDisk(keep)
	case "memory":
		if err := m.releaseMemory(); err != nil {
			return err
		}
		m.hog, err = startProcess(console.port, "", "/proc/self/exe", fillVerb, leave)
		return err
	}
	return fmt.Errorf("%q can't be filled: memory or disk can", what)
}

// release gives back what fill took.
func (m *machine) release() error {
	err := os.Remove(filler)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, m.releaseMemory())
}

func (m *machine) releaseMemory() error {
	if m.hog == nil {
		return nil
	}
	err := unix.Kill(m.hog.pid, unix.SIGKILL)
	if errors.Is(err, unix.ESRCH) {
		err = nil
	}
	<-m.hog.end
	m.hog = nil
	return err
}

func fillDisk(keep int64) error {
	var room unix.Statfs_t
	if err := unix.Statfs(dataDir, &room); err != nil {
		return fmt.Errorf("measuring the disk: %w", err)
	}
	size := int64(room.Bavail)*room.Bsize - keep
	if size <= 0 {
		return nil
	}
	f, err := os.Create(filler)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return fmt.Errorf("filling the disk: %w", err)
	}
	return nil
}

// fillMemory takes memory until so many bytes are left, and keeps it until it is killed.
func fillMemory(leave string) error {
	keep, err := strconv.ParseInt(leave, 10, 64)
	if err != nil {
		return err
	}
	var kept [][]byte
	for {
		text, err := os.ReadFile("/proc/meminfo")
		if err != nil {
			return err
		}
		left, err := available(text)
		if err != nil {
			return err
		}
		if left-keep < fillStep {
			break
		}
		b := make([]byte, fillStep)
		for i := 0; i < len(b); i += os.Getpagesize() {
			b[i] = 1
		}
		kept = append(kept, b)
		time.Sleep(fillPace)
	}
	for {
		time.Sleep(time.Hour) // what is freed by evicting pods isn't taken again
		_ = kept[:0]
	}
}

// available returns what a kubelet calls memory.available, in bytes: what isn't in use,
// and page cache that hasn't been of late.
func available(meminfo []byte) (bytesLeft int64, err error) {
	want := map[string]bool{"MemFree:": true, "Inactive(file):": true}
	for lines := bufio.NewScanner(bytes.NewReader(meminfo)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || !want[fields[0]] || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading /proc/meminfo: %w", err)
		}
		bytesLeft += kib * 1024
		delete(want, fields[0])
	}
	if len(want) > 0 {
		return 0, errors.New("/proc/meminfo doesn't say how much memory is free")
	}
	return bytesLeft, nil
}
