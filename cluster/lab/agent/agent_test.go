//go:build linux

package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMeminfo(t *testing.T) {
	got := meminfo("MemTotal:       24682960 kB\nMemFree: 1 kB\nBuffers: 5 kB\nSwapTotal: 9 kB\nHugePages_Total:       0\n", 1<<30)
	if want := "MemTotal: 1048576 kB\nMemFree: 1048576 kB\nBuffers: 5 kB\nSwapTotal: 0 kB\nHugePages_Total:       0\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// serve serves a machine whose kubelet is a program that sleeps.
func serve(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ended := make(chan unix.WaitStatus)
	m := &machine{kubelet: &service{name: "kubelet", wake: make(chan struct{}, 1)}}
	// The process is one that isn't there, so that killing it does nothing; its end is told by hand.
	m.kubelet.start = func() (int, <-chan unix.WaitStatus, error) { return 1 << 30, ended, nil }
	m.kubelet.set(true)
	go m.kubelet.keep()
	go m.listen(dir)
	t.Cleanup(func() { m.kubelet.set(false); ended <- 0 })
	return dir
}

func TestAsk(t *testing.T) {
	dir := serve(t)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		answer, err := Ask(t.Context(), dir, "kubelet")
		if err == nil && answer == "1073741824 1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("answer %q, %v", answer, err)
		}
	}
	if _, err := Ask(t.Context(), dir, "start kubelet"); err != nil {
		t.Errorf("starting what runs: %v", err)
	}
	for _, bad := range []string{"sing", "fill disk much", "fill nothing"} {
		if _, err := Ask(t.Context(), dir, bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
	long := filepath.Join(dir, strings.Repeat("x", 100), strings.Repeat("y", 100))
	if err := os.MkdirAll(filepath.Dir(long), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, long); err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(t.Context(), long, "kubelet"); err != nil {
		t.Errorf("by a path that is too long for a socket: %v", err)
	}
}

func TestFigure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "memory.stat")
	if err := os.WriteFile(file, []byte("inactive_file 5\ntotal_inactive_file 7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{"inactive_file": 5, "total_inactive_file": 7} {
		if got, err := figure(file, key); err != nil || got != want {
			t.Errorf("%s is %d, %v", key, got, err)
		}
	}
	if _, err := figure(file, "total"); err == nil {
		t.Error("half a key is found")
	}
}
