//go:build linux

package agent

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// step is how much memory is taken at a time, and pace how long after the time before.
const (
	step = 8 << 20
	pace = 50 * time.Millisecond
)

// taken is the memory that FillHere has.
var taken [][]byte

// FillHere takes the memory of the node that it runs on, but for so many bytes, and keeps it
// until it is killed.
func FillHere(args []string) error {
	text, err := one(args)
	if err != nil {
		return err
	}
	leave, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no number of bytes", text)
	}
	for {
		free, err := available()
		if err != nil {
			return err
		}
		if free-leave < step {
			time.Sleep(time.Hour) // pods that are evicted leave room that isn't taken again
			continue
		}
		b := make([]byte, step)
		for i := 0; i < len(b); i += os.Getpagesize() {
			b[i] = 1
		}
		taken = append(taken, b)
		time.Sleep(pace)
	}
}

// available is what the node's group may still use, page cache that isn't in use included: what
// a kubelet calls memory.available.
func available() (int64, error) {
	for _, v := range []struct{ dir, limit, usage, inactive string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"},
		{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
	} {
		text, err := os.ReadFile(v.dir + "/" + v.limit)
		if err != nil { // the other version
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || limit > 1<<60 { // "max", or version 1's largest number
			return 0, errors.New("the node has no limit of memory: its memory is the machine's, which is not the lab's to fill")
		}
		usage, err := figure(v.dir+"/"+v.usage, "")
		if err != nil {
			return 0, err
		}
		inactive, err := figure(v.dir+"/memory.stat", v.inactive)
		if err != nil {
			return 0, err
		}
		return limit - (usage - inactive), nil
	}
	return 0, errors.New("the node has no cgroup controller for memory")
}

// figure reads the number behind a key at a line's beginning; behind "" is the whole file.
func figure(file, key string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("measuring memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, key)
		if ok && (key == "" || strings.HasPrefix(rest, " ")) {
			n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("measuring memory: %s: %w", file, err)
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("measuring memory: %s says nothing of %s", file, key)
}
