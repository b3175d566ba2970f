//go:build linux

package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

func node(dir string) Spec {
	return Spec{
		Name: "vm1", Dir: dir, Tap: "tap0",
		Address: netip.MustParsePrefix("10.241.0.11/24"), Gateway: netip.MustParseAddr("10.241.0.1"), PodCIDR: netip.MustParsePrefix("10.245.1.0/24"),
		Routes:     []Route{{To: netip.MustParsePrefix("10.245.2.0/24"), Via: netip.MustParseAddr("10.241.0.12")}},
		Kubeconfig: []byte("k"), CA: []byte("ca"), Cert: []byte("cert"), Key: []byte("key"),
		KubeletArgs: []string{"--v=2"}, SandboxImage: "registry.local/pause:1",
	}
}

func TestSpecsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		want   string
		change func(*Spec)
	}{
		{"no name", func(s *Spec) { s.Name = "" }},
		{"no absolute path", func(s *Spec) { s.Dir = "here" }},
		{"choose a shorter folder", func(s *Spec) { s.Dir = "/" + strings.Repeat("x", 100) }},
		{"tap and no address", func(s *Spec) { s.Address = netip.Prefix{} }},
		{"address and no tap", func(s *Spec) { s.Tap = "" }},
		{"needs CA, Cert, Key", func(s *Spec) { s.Key = nil }},
		{"-1 MiB", func(s *Spec) { s.MemoryMiB = -1 }},
	} {
		s := node("/vm")
		tt.change(&s)
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	m, err := New(node("/vm"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Spec.MemoryMiB == 0 || m.Spec.CPUs == 0 {
		t.Errorf("no defaults: %+v", m.Spec)
	}
}

func TestWhatAMachineIsTold(t *testing.T) {
	m, err := New(node("/vm"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := m.config()
	if err != nil {
		t.Fatal(err)
	}
	boot, err := guest.ReadBoot(config[guest.BootFile])
	if err != nil {
		t.Fatal(err)
	}
	if boot.Name != "vm1" || boot.Address != m.Spec.Address || len(boot.Routes) != 1 || !slices.Contains(boot.Kubelet, "10.241.0.11") || !slices.Contains(boot.Kubelet, "--v=2") {
		t.Errorf("told %+v", boot)
	}
	for name, want := range map[string]string{
		guest.KubeletFile: KeyPath, guest.ContainerdFile: `sandbox_image = "registry.local/pause:1"`,
		guest.NetworkFile: `"subnet":"10.245.1.0/24"`, guest.KeyFile: "key",
	} {
		if !strings.Contains(string(config[name]), want) {
			t.Errorf("%s lacks %s:\n%s", name, want, config[name])
		}
	}
	other := node("/vm2")
	if m.Spec.machineID() == other.machineID() {
		t.Error("two machines have one id")
	}
	plain := Machine{Spec: Spec{Name: "vm1", Dir: "/vm"}}
	if config, err = plain.config(); err != nil {
		t.Fatal(err)
	}
	if boot, err = guest.ReadBoot(config[guest.BootFile]); err != nil || len(boot.Kubelet) != 0 || config[guest.KubeletFile] != nil {
		t.Errorf("a machine without a kubeconfig has a kubelet: %+v (%v)", boot, err)
	}
}

func TestHardware(t *testing.T) {
	h := &hardware{dir: "/a,b", name: "vm1", parts: Parts{Accel: TCG}, data: "/d,e", tap: "tap0", mac: macOf(netip.MustParseAddr("10.241.0.11"))}
	args := strings.Join(h.args(), " ")
	for _, want := range []string{"-pidfile /a,b/qemu.pid", "file:/a,,b/console.log", "file=/d,,e", "mac=52:54:00:f1:00:0b", "tcg,thread=multi", "clocksource=tsc"} {
		if !strings.Contains(args, want) {
			t.Errorf("%s is not in %s", want, args)
		}
	}
	h = &hardware{dir: "/a", parts: Parts{Accel: KVM}}
	args = strings.Join(h.args(), " ")
	for _, not := range []string{"tcg", "clocksource", "virtio-blk", "netdev", "control"} {
		if strings.Contains(args, not) {
			t.Errorf("%s is in %s", not, args)
		}
	}
}

func TestNeedsNameEachRemedy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	c := &Config{Images: []string{filepath.Join(dir, "none.tar")}, Programs: Programs{Kubelet: filepath.Join(dir, "none")}}
	all := ""
	for _, n := range Needs(c) {
		if n.Remedy == "" || strings.Contains(n.Error(), "\n") {
			t.Errorf("%q has no remedy, or more than a line", n)
		}
		all += n.Error() + "\n"
	}
	for _, want := range []string{
		"qemu-system-x86", "e2fsprogs", "dpkg-deb", "install Go", "containernetworking-plugins", "busybox-static",
		"apt-get install runc", "apt-get install containerd", "the kubelet can't be used", "an image can't be used",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no word of %s in\n%s", want, all)
		}
	}
	before := strings.Count(all, "\n")
	c = &Config{Programs: programFiles(t), Kernel: Kernel{Image: "k"}}
	c.Programs.Init = "i"
	if after := Needs(c); len(after) >= before-10 {
		t.Errorf("with programs and a kernel named there are still %d needs: %v", len(after), after)
	}
	if _, err := Build(context.Background(), &Config{Cache: dir}); err == nil || !strings.Contains(err.Error(), "e2fsprogs") {
		t.Errorf("building without anything: %v", err)
	}
}

func TestFindLooksInTheFolderFirst(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"runc": 0o755, "kubelet": 0o755, "ctr": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
	}
	p := Programs{Shim: "mine"}
	p.Find(dir)
	if p.Runc != filepath.Join(dir, "runc") || p.Kubelet != filepath.Join(dir, "kubelet") || p.Shim != "mine" {
		t.Errorf("found %+v", p)
	}
	if strings.HasPrefix(p.Ctr, dir) {
		t.Errorf("%s can't be run", p.Ctr)
	}
}

// TestPIDIsTheMachinesOwn has a process that looks like QEMU, and others that don't.
func TestPIDIsTheMachinesOwn(t *testing.T) {
	dir := t.TempDir()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	m := &Machine{Spec: Spec{Name: "vm1", Dir: dir}}
	pretend := func(arg0, pidFile string) *exec.Cmd {
		t.Helper()
		cmd := &exec.Cmd{Path: "/bin/sh", Args: []string{arg0, "-c", sleep + " 600; true", "x", "-pidfile", pidFile, "-end"}}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	expect := func(what string, want int) {
		t.Helper()
		if got, err := m.PID(); got != want || err != nil {
			t.Errorf("%s: process %d (%v), want %d", what, got, err, want)
		}
	}
	pretend(qemu, m.path(pidFile)+"2")
	pretend("sh", m.path(pidFile))
	expect("nobody runs", 0)
	cmd := pretend("/usr/bin/"+qemu, m.path(pidFile))
	expect("without a pid file", cmd.Process.Pid)
	if err := os.WriteFile(m.path(pidFile), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("the pid file names another", 0)
	if err := os.Remove(m.path(pidFile)); err != nil {
		t.Fatal(err)
	}
	if err := m.Kill(context.Background()); err != nil {
		t.Fatal(err)
	}
	expect("killed", 0)
	if err := m.Kill(context.Background()); err != nil {
		t.Errorf("killing what doesn't run: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if stopped := (*StoppedError)(nil); true {
		if _, err := m.Wait(ctx, guest.ContainerdReady); !errors.As(err, &stopped) {
			t.Errorf("waiting for a machine that doesn't run: %v", err)
		}
	}
}

// TestMonitor talks to something that answers as QEMU does.
func TestMonitor(t *testing.T) {
	m := &Machine{Spec: Spec{Name: "vm1", Dir: t.TempDir()}}
	l, err := net.Listen("unix", m.path(monitorSocket))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answerAsQEMU(conn, asked)
		}
	}()
	ctx := context.Background()
	if err := m.SetLink(ctx, false); err != nil {
		t.Fatal(err)
	}
	if err := m.Pause(ctx); err != nil {
		t.Fatal(err)
	}
	if err := m.Resume(ctx); err == nil || !strings.Contains(err.Error(), "cont: no way") {
		t.Errorf("resuming: %v", err)
	}
	for _, want := range []string{"qmp_capabilities", `set_link {"name":"net0","up":false}`, "qmp_capabilities", "stop", "qmp_capabilities", "cont"} {
		if got := <-asked; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := m.Pause(ended); err == nil {
		t.Error("paused after the end of its context")
	}
}

// answerAsQEMU greets, tells news between answers, and refuses cont.
func answerAsQEMU(conn net.Conn, asked chan<- string) {
	defer conn.Close()
	say := func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) }
	say(`{"QMP": {"version": {}, "capabilities": []}}`)
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		var request struct {
			Execute   string
			Arguments json.RawMessage
		}
		if json.Unmarshal(lines.Bytes(), &request) != nil {
			continue
		}
		asked <- strings.TrimSpace(request.Execute + " " + string(request.Arguments))
		say(`{"event": "NEWS", "data": {}}`)
		if request.Execute == "cont" {
			say(`{"error": {"class": "GenericError", "desc": "no way"}}`)
			continue
		}
		say(`{"return": {}}`)
	}
}
