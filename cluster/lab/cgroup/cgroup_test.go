//go:build linux

package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const mountsHybrid = `24 1 0:22 / /sys rw - sysfs sysfs rw
25 24 0:23 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
26 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct
27 25 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
29 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
30 1 8:1 / /a\040b rw - cgroup cgroup rw,cpuset
`

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		name, own, mounts string
		want              Host
		err               string
	}{
		{"hybrid", "5:cpuset:/\n4:cpu,cpuacct:/\n3:memory:/x\n2:pids:/\n1:name=systemd:/\n0::/\n", mountsHybrid, Host{Trees: []Hierarchy{
			{"/a b", "cpuset"}, {"/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"}, {"/sys/fs/cgroup/memory", "memory"},
			{"/sys/fs/cgroup/systemd", "none,name=systemd"},
		}}, ""},
		{"version 2", "0::/user.slice\n", "29 25 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
			Host{Unified: true, Trees: []Hierarchy{{Mount: "/sys/fs/cgroup"}}}, ""},
		{"none", "0::/\n", "25 24 0:23 / / rw - ext4 /dev/sda rw\n", Host{}, "no cgroup hierarchy is mounted"},
	} {
		got, err := read(strings.NewReader(tt.own), strings.NewReader(tt.mounts))
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// fake makes a hierarchy of plain files, as the kernel's root group has them.
func fake(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestCreateFillsCPUSetsOfVersion1(t *testing.T) {
	sets := fake(t, map[string]string{"cpuset.cpus": "0-1\n", "cpuset.mems": "0\n"})
	memory := fake(t, nil)
	g := Group{Host: Host{Trees: []Hierarchy{{sets, "cpuset"}, {memory, "memory"}}}, Name: "lab/n1"}
	if err := g.Create(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"lab/cpuset.cpus", "lab/n1/cpuset.cpus"} {
		if got := text(t, filepath.Join(sets, file)); got != "0-1\n" {
			t.Errorf("%s holds %q", file, got)
		}
	}
	if err := g.LimitMemory(1 << 30); err != nil {
		t.Fatal(err)
	}
	if got := text(t, filepath.Join(memory, "lab/n1/memory.limit_in_bytes")); got != "1073741824" {
		t.Errorf("limit %q", got)
	}
}

func TestCreateHandsControllersDownInVersion2(t *testing.T) {
	dir := fake(t, map[string]string{"cgroup.controllers": "memory\n", "lab/cgroup.controllers": "memory\n", "lab/n1/x": ""})
	g := Group{Host: Host{Unified: true, Trees: []Hierarchy{{Mount: dir}}}, Name: "lab/n1"}
	if err := g.Create(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"cgroup.subtree_control", "lab/cgroup.subtree_control"} {
		if got := text(t, filepath.Join(dir, file)); got != "+memory" {
			t.Errorf("%s holds %q", file, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "lab/n1/cgroup.subtree_control")); err == nil {
		t.Error("controllers were handed down below the group, which then can't hold processes itself")
	}
	if err := g.LimitMemory(5); err != nil {
		t.Fatal(err)
	}
	if got := text(t, filepath.Join(dir, "lab/n1/memory.max")); got != "5" {
		t.Errorf("limit %q", got)
	}
}

func TestUseAndPids(t *testing.T) {
	dir := fake(t, map[string]string{
		"lab/cgroup.procs": "12\n0\n", "lab/n1/cgroup.procs": "7\n12\n", "other/cgroup.procs": "99\n",
		"lab/memory.current": "1000\n", "lab/memory.stat": "anon 5\ninactive_file 300\n", "lab/cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
	})
	g := Group{Host: Host{Unified: true, Trees: []Hierarchy{{Mount: dir}}}, Name: "lab"}
	if pids, err := g.Pids(); err != nil || !cmp.Equal(pids, []int{7, 12}) {
		t.Errorf("processes %v, %v", pids, err)
	}
	if got, want := g.Use(), (Use{Processes: 2, Memory: 700, CPU: 2500 * time.Millisecond}); got != want {
		t.Errorf("use %+v, want %+v", got, want)
	}
	gone := Group{Host: g.Host, Name: "gone"}
	if pids, err := gone.Pids(); err != nil || len(pids) != 0 {
		t.Errorf("a group that isn't there has %v, %v", pids, err)
	}
	if err := gone.Remove(t.Context()); err != nil {
		t.Errorf("removing what isn't there: %v", err)
	}
}
