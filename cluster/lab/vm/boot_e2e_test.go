//go:build linux && e2e

package vm

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// patience is how long a test waits for what should take seconds: the computer may be
// busy, or stand still for a while.
const patience = 10 * time.Minute

func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// cache is where the parts are kept from one run to the next.
func cache(t *testing.T) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "berth", "vm")
}

// built builds parts, and logs how long each takes.
func built(t *testing.T, c *Config) Parts {
	t.Helper()
	c.Cache = cache(t)
	c.Programs.Find(os.Getenv("BERTH_LAB_BIN"))
	start := time.Now()
	c.Progress = func(what string) { t.Logf("%6.1f s: %s", time.Since(start).Seconds(), what) }
	parts, err := Build(inTime(t), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%6.1f s: all parts made; machines run on %s", time.Since(start).Seconds(), parts.Accel)
	return *parts
}

// started starts a machine that is gone after the test.
func started(t *testing.T, s Spec) *Machine {
	t.Helper()
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Kill(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			console, _ := m.console()
			t.Logf("the console of %s:\n%s", s.Name, tail(console))
		}
	})
	if err := m.Start(inTime(t)); err != nil {
		t.Fatal(err)
	}
	return m
}

// reached waits for a mark, and logs when it came.
func reached(t *testing.T, m *Machine, start time.Time, what string) {
	t.Helper()
	mark, err := m.Wait(inTime(t), what)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %5.2f s and %5.2f s of processors after QEMU's start: %s", m.Spec.Name, time.Since(start).Seconds(), processors(t, m).Seconds(), mark.What)
}

// processors returns the time that QEMU has spent on processors: unlike the time on the
// wall, it says little of what else the computer does.
func processors(t *testing.T, m *Machine) time.Duration {
	t.Helper()
	pid, err := m.PID()
	if err != nil || pid == 0 {
		t.Fatal(pid, err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	var ticks time.Duration
	for _, field := range strings.Fields(rest)[11:13] { // user, system
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += time.Duration(n)
	}
	return ticks * (time.Second / 100) // Linux counts in hundredths, whatever its clock
}

func control(t *testing.T, m *Machine, command string) string {
	t.Helper()
	out, err := m.Control(inTime(t), command)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMachineWithoutKubelet(t *testing.T) {
	parts := built(t, &Config{})
	net := joinedNamespaces(t)
	start := time.Now()
	m := started(t, Spec{
		Name: "vm1", Dir: filepath.Join(t.TempDir(), "vm1"), Parts: parts,
		NetNS: net.node, Tap: "tap0", Address: netip.MustParsePrefix(nodeIP + "/24"), Gateway: netip.MustParseAddr(serverIP),
	})
	for _, what := range []string{guest.Started, guest.ModulesLoaded, guest.RootMounted, guest.ControlOpen, guest.ContainerdReady} {
		reached(t, m, start, what)
	}
	if out := control(t, m, "status"); !strings.Contains(out, "containerd runs") {
		t.Errorf("status: %q", out)
	}
	if out := control(t, m, "sh hostname || cat /proc/sys/kernel/hostname"); strings.TrimSpace(out) != "vm1" {
		t.Errorf("the host's name is %q", out)
	}
	control(t, m, "kill containerd")
	if out := control(t, m, "status"); !strings.Contains(out, "containerd is off") {
		t.Errorf("killed, and status says %q", out)
	}
	control(t, m, "start containerd")
	control(t, m, "sh for i in $(seq 600); do ctr version >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1")
	if _, err := m.Control(inTime(t), "stop nobody"); err == nil || !strings.Contains(err.Error(), "no service") {
		t.Errorf("stopping what isn't there: %v", err)
	}
	if _, err := m.Control(inTime(t), "sh echo out; exit 3"); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("a failing command: %v", err)
	}
	testCable(t, m)
	testFill(t, m)
	testPowerLoss(t, m)
	testPause(t, m)
	testReset(t, m)
	if err := m.Stop(inTime(t)); err != nil {
		t.Fatal(err)
	}
	if pid, err := m.PID(); pid != 0 || err != nil {
		t.Errorf("stopped, and process %d runs (%v)", pid, err)
	}
	console, _ := m.console()
	if strings.Contains(string(console), guest.Failed) {
		t.Errorf("not stopped in order:\n%s", tail(console))
	}
	testCrash(t, m)
}

// testCrash has a machine that was stopped in order boot again, and crash.
func testCrash(t *testing.T, m *Machine) {
	t.Helper()
	start := time.Now()
	if err := m.Start(inTime(t)); err != nil {
		t.Fatal(err)
	}
	reached(t, m, start, guest.ControlOpen)
	if _, err := m.Control(inTime(t), "crash"); err == nil {
		t.Error("a machine answers that it has crashed")
	}
	stopped := (*StoppedError)(nil)
	if _, err := m.Wait(inTime(t), "nothing of the kind"); !errors.As(err, &stopped) {
		t.Errorf("waiting for a machine that crashed: %v", err)
	}
}

// testCable pulls the network cable, and plugs it in again.
func testCable(t *testing.T, m *Machine) {
	t.Helper()
	reaches := func() bool {
		_, err := m.Control(inTime(t), "sh ping -c 1 -W 5 "+serverIP)
		return err == nil
	}
	waitFor(t, "the machine reaches its gateway", reaches)
	if err := m.SetLink(inTime(t), false); err != nil {
		t.Fatal(err)
	}
	if reaches() {
		t.Error("without a cable the machine reaches its gateway")
	}
	if err := m.SetLink(inTime(t), true); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "with a cable again, the machine reaches its gateway", reaches)
}

// testFill takes disk and memory, and gives them back.
func testFill(t *testing.T, m *Machine) {
	t.Helper()
	const left = 200 << 20
	available := func(command string) int64 {
		kib, err := strconv.ParseInt(strings.TrimSpace(control(t, m, "sh "+command)), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return kib * 1024
	}
	disk := func() int64 { return available(`df -k /data | awk 'END { print $4 }'`) }
	memory := func() int64 {
		return available(`awk '/^MemFree:|^Inactive.file.:/ { n += $2 } END { print n }' /proc/meminfo`)
	}
	diskBefore, memoryBefore := disk(), memory()
	if diskBefore < 2*left || memoryBefore < 2*left {
		t.Fatalf("at first %d bytes of disk and %d of memory", diskBefore, memoryBefore)
	}
	control(t, m, fmt.Sprintf("fill disk %d", left))
	if n := disk(); n > left+left/4 {
		t.Errorf("the disk is full but for %d bytes", n)
	}
	control(t, m, fmt.Sprintf("fill memory %d", left))
	waitFor(t, "the memory is full", func() bool { return memory() < left+left/4 })
	control(t, m, "release")
	if n := disk(); n < diskBefore-left/4 {
		t.Errorf("released, and the disk has %d bytes of %d", n, diskBefore)
	}
	waitFor(t, "memory is given back", func() bool { return memory() > 2*left })
}

// waitFor polls until something is so.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}

// testPowerLoss pulls the plug and boots again: what was synced is there.
func testPowerLoss(t *testing.T, m *Machine) {
	t.Helper()
	id := control(t, m, "sh cat /etc/machine-id")
	boot := control(t, m, "sh cat /proc/sys/kernel/random/boot_id")
	control(t, m, "sh echo kept >/root/kept; sync")
	if err := m.Kill(inTime(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Control(inTime(t), "status"); err == nil {
		t.Error("a machine without power answers")
	}
	start := time.Now()
	if err := m.Start(inTime(t)); err != nil {
		t.Fatal(err)
	}
	reached(t, m, start, guest.ContainerdReady)
	if got := control(t, m, "sh cat /root/kept"); got != "kept\n" {
		t.Errorf("after a power loss, a synced file says %q", got)
	}
	if got := control(t, m, "sh cat /etc/machine-id"); got != id || len(got) != 33 {
		t.Errorf("the machine's id is %q and was %q", got, id)
	}
	if got := control(t, m, "sh cat /proc/sys/kernel/random/boot_id"); got == boot {
		t.Errorf("the boot's id is still %q", got)
	}
	if err := m.Start(inTime(t)); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("starting it twice: %v", err)
	}
}

// testPause freezes the machine: its clock falls behind, and can be set.
func testPause(t *testing.T, m *Machine) {
	t.Helper()
	now := func() time.Time {
		at, err := time.Parse("2006-01-02 15:04:05\n", control(t, m, "sh date -u '+%Y-%m-%d %H:%M:%S'"))
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if err := m.Pause(inTime(t)); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if _, err := m.Control(short, "status"); err == nil {
		t.Error("a paused machine answers")
	}
	if err := m.Resume(inTime(t)); err != nil {
		t.Fatal(err)
	}
	control(t, m, "status") // the answer to the one before is passed over
	want := time.Now().Add(1000 * time.Hour)
	if err := m.SetClock(inTime(t), want); err != nil {
		t.Fatal(err)
	}
	if off := now().Sub(want).Abs(); off > patience {
		t.Errorf("the clock is %v off", off)
	}
}

// testReset reboots the machine, and cuts what was running.
func testReset(t *testing.T, m *Machine) {
	t.Helper()
	start := time.Now()
	if err := m.Reset(inTime(t)); err != nil {
		t.Fatal(err)
	}
	reached(t, m, start, guest.ContainerdReady)
	if out := control(t, m, "status"); !strings.Contains(out, "containerd runs") {
		t.Errorf("after a reset: %q", out)
	}
	if old, err := os.ReadFile(m.path(oldConsoleFile)); err != nil || guest.Boots(old) != 1 {
		t.Errorf("the console of the start before shows %d boots (%v)", guest.Boots(old), err)
	}
}
