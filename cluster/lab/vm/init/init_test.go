//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

func TestAvailable(t *testing.T) {
	got, err := available([]byte("MemTotal: 768 kB\nMemFree:   100 kB\nInactive:  7 kB\nInactive(file):  20 kB\nHugePages_Total:       0\n"))
	if err != nil || got != 120*1024 {
		t.Errorf("%d bytes (%v)", got, err)
	}
	for _, text := range []string{"", "MemFree: 1 kB\n", "MemFree: x kB\nInactive(file): 1 kB\n"} {
		if got, err := available([]byte(text)); err == nil {
			t.Errorf("%q: %d bytes", text, got)
		}
	}
	own, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := available(own); err != nil || got <= 0 {
		t.Errorf("of this computer: %d bytes (%v)", got, err)
	}
}

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"boot.json": "{}", "net.d/a": "x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string][]byte{"boot.json": []byte("{}"), "net.d/a": []byte("x")}, got); d != "" {
		t.Error(d)
	}
	if _, err := readConfig(filepath.Join(dir, "none")); err == nil {
		t.Error("an initramfs that says nothing was read")
	}
}

func TestHoldsData(t *testing.T) {
	for target, want := range map[string]bool{
		"/": false, "/run": false, "/run/berth": false, "/proc": false, "/var/lib/cni": false,
		"/var/lib/kubelet/pods/x/volumes": true, "/run/containerd/io.containerd.runtime.v2.task/x/rootfs": true, "/data/x": true,
	} {
		if got := holdsData("tmpfs", target); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
	if !holdsData(guest.DataDisk, "/var/log") {
		t.Error("the data disk holds no data")
	}
}

// TestCommandsThatCannotBe asks a machine that has not booted.
func TestCommandsThatCannotBe(t *testing.T) {
	m := newMachine(&guest.Boot{Task: guest.Node})
	for command, want := range map[string]string{
		"":              "no command",
		"dance":         "no command",
		"stop kubelet":  "no service", // a machine without a kubeconfig has none
		"kubelet":       "no kubelet",
		"fill disk x":   "no number of bytes",
		"fill disk -1":  "no number of bytes",
		"fill bucket 1": "can't be filled",
		"clock noon":    "cannot parse",
	} {
		if out, err := m.carryOut(command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", command, out, err, want)
		}
	}
	out, err := m.carryOut(" status ")
	if err != nil || out != "containerd is off, started 0 times\n" {
		t.Errorf("status: %q, %v", out, err)
	}
	for range 2 {
		if _, err := m.carryOut("poweroff"); err != nil {
			t.Error(err)
		}
	}
	if len(m.off) != 1 {
		t.Error("told to power off, and it doesn't know")
	}
	m.containerd.stop(unix.SIGTERM) // what is off stays off
}
