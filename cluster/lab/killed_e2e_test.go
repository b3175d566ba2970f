//go:build linux && e2e

package lab

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDownAfterUpWasKilled kills up with SIGKILL at random moments, and expects down to leave
// nothing, whatever there was.
func TestDownAfterUpWasKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	draw := rand.New(rand.NewPCG(seed, 0))
	for range 12 {
		dir := filepath.Join(t.TempDir(), "lab")
		// Most of what up makes is made in its first seconds: half of the kills are in the first.
		after := time.Duration(draw.Float64() * draw.Float64() * float64(12*time.Second))
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), upOnly+"=killed="+dir)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		if err := cmd.Process.Signal(unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed, as it should be
		entries, _ := os.ReadDir(dir)
		t.Logf("killed after %v, with %d entries in its folder", after.Round(time.Millisecond), len(entries))
		if len(entries) > 0 {
			if err := Down(context.Background(), dir); err != nil {
				t.Fatalf("after %v: %v; up said:\n%s", after, err, out.String())
			}
		}
		nothingLeft(t, "killed", filepath.Dir(dir)+"/lab")
		if t.Failed() {
			return
		}
	}
}
