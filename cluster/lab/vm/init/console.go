//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

var console = struct {
	sync.Mutex
	port *os.File
}{port: os.Stderr}

// openConsole writes marks to the first serial port, whatever else is a console.
func openConsole() {
	if port, err := os.OpenFile(guest.ConsolePort, os.O_WRONLY|unix.O_NOCTTY, 0); err == nil {
		console.port = port
	}
}

// mark says on the console how far the machine has come.
func mark(what string) { fmt.Fprintln(lockedConsole{}, guest.Mark{Uptime: uptime(), What: what}) }

// A lockedConsole writes each line whole: marks come from several goroutines.
type lockedConsole struct{}

func (lockedConsole) Write(p []byte) (int, error) {
	console.Lock()
	defer console.Unlock()
	return console.port.Write(p)
}

// uptime returns the time since the kernel started, or 0 before /proc is mounted.
func uptime() time.Duration {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(text, []byte(" "))
	seconds, err := strconv.ParseFloat(string(first), 64)
	if err != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// showLogs writes the end of each service's log to the console, for whoever asks why a
// machine that has no other way to tell has failed.
func showLogs() {
	logs, err := filepath.Glob(filepath.Join(logDir, "*.log"))
	if err != nil {
		return // only a bad pattern is an error
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			continue
		}
		fmt.Fprintf(lockedConsole{}, "== the end of %s\n%s\n", log, text[max(0, len(text)-4096):])
	}
}
