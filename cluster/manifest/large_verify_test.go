//go:build verify && unix

package manifest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Limits on reading what kubectl get -o json prints of a large cluster.
const (
	largeNodes, largePods = 2000, 60000
	maxLoad               = 10 * time.Second
	maxMemory             = 2 << 30
)

// TestVerifyLargeCluster reads a large cluster in a process of its own, and looks
// at what that took. Time is processor time, which other processes don't lengthen;
// reading takes one processor, and the rest of it is the collection of garbage.
func TestVerifyLargeCluster(t *testing.T) {
	const env = "BERTH_TEST_MANIFEST"
	if path := os.Getenv(env); path != "" {
		c, err := ReadPath(path)
		if err != nil || len(c.Nodes) != largeNodes || len(c.Pods) != largePods || len(c.Warnings) > 0 {
			t.Errorf("read %+v, %v", c, err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "large.json")
	size := writeLarge(t, path) // not in memory: the child's peak would begin with it
	cmd := exec.Command(os.Args[0], "-test.run", "^TestVerifyLargeCluster$")
	cmd.Env = append(os.Environ(), env+"="+path)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wall := time.Since(begin)
	took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	memory := int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "linux" {
		memory *= 1024
	}
	what := fmt.Sprintf("%d nodes and %d pods, %d MB: %.1f s of processor time (%.1f s in all), %d MiB",
		largeNodes, largePods, size/1e6, took.Seconds(), wall.Seconds(), memory>>20)
	if took > maxLoad || memory > maxMemory {
		t.Errorf("%s; at most %v and %d MiB are allowed", what, maxLoad, maxMemory>>20)
	}
	t.Log(what)
}

func writeLarge(t *testing.T, path string) (size int64) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	writeKubectlJSON(w, largeNodes, largePods)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
