//go:build linux

package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeRuntime is a Runtime that makes nothing.
type fakeRuntime struct {
	needs Needs
	asked *[]string
}

func (f fakeRuntime) Needs(*Config) Needs                     { return f.needs }
func (f fakeRuntime) Build(context.Context, *Lab, Node) error { return nil }
func (f fakeRuntime) Start(context.Context, *Lab, Node) error { return nil }
func (f fakeRuntime) Ask(_ context.Context, _ *Lab, _ Node, command string) (string, error) {
	*f.asked = append(*f.asked, command)
	return "", nil
}

func TestConfigIsCompleted(t *testing.T) {
	c := Config{Nodes: append(Nodes(2, NodeSpec{Memory: 1 << 30}), NodeSpec{}, NodeSpec{Name: "vm1", Runtime: "fake"}), Extra: map[string]Runtime{"fake": fakeRuntime{}}}
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range c.Nodes {
		got = append(got, n.Name+"/"+n.Runtime)
	}
	if want := "node1/container node2/container node3/container vm1/fake"; strings.Join(got, " ") != want {
		t.Errorf("nodes %v, want %s", got, want)
	}
	if c.Name != "lab" || !filepath.IsAbs(c.Dir) || c.Nodes[0].Memory != 1<<30 || c.Nodes[2].Memory != DefaultMemory || c.Nodes[2].Disk != DefaultDisk {
		t.Errorf("completed to %+v", c)
	}
}

func TestConfigsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Name: "My Lab"}, "can't be called"},
		{Config{Name: "a-lab-with-a-name-that-is-too-long"}, "can't be called"},
		{Config{Nodes: Nodes(251, NodeSpec{})}, "too many"},
		{Config{Nodes: []NodeSpec{{Name: "a"}, {Name: "a"}}}, "two nodes are called a"},
		{Config{Nodes: []NodeSpec{{Name: "A"}}}, "a node can't be called"},
		{Config{Nodes: []NodeSpec{{Memory: 1 << 20}}}, "give it 128Mi or more"},
		{Config{Nodes: []NodeSpec{{Disk: 1 << 20}}}, "give it 64Mi or more"},
		{Config{Nodes: []NodeSpec{{Runtime: "docker"}}}, "choose one of container"},
		{Config{Nodes: []NodeSpec{{Taints: []string{"a:Now"}}}}, "no taint"},
		{Config{KWOK: -1}, "negative"},
		{Config{Args: map[string][]string{"kubectl": {"--x"}}}, `no arguments for "kubectl"`},
	} {
		_, err := Up(t.Context(), tt.c)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want %q", tt.c, err, tt.want)
		}
	}
}

func TestNeedsAreToldAllAtOnce(t *testing.T) {
	has := surrounding{
		root: true, caps: 1<<41 - 1, systems: "nodev\toverlay\n\text4\n", cniDir: "/usr/lib/cni",
		exists: func(string) bool { return true }, writable: func(string) bool { return true }, program: func(string) bool { return true },
	}
	if n := append(has.missing(), has.missingContainers()...); len(n) > 0 {
		t.Errorf("a machine that has all lacks %v", n)
	}
	lacks := surrounding{
		exists: func(string) bool { return false }, writable: func(string) bool { return false }, program: func(p string) bool { return p == "mount" },
	}
	text := append(lacks.missing(), lacks.missingContainers()...).Error()
	for _, want := range []string{
		"not root (run it with sudo)", "/sys/fs/cgroup can't be written to", "network namespaces", "overlayfs (modprobe overlay)", "ext4", "loop devices (modprobe loop)",
		"there is no containerd, ctr, containerd-shim-runc-v2, runc, mke2fs, iptables, the CNI plugins", "apt-get install containerd containernetworking-plugins e2fsprogs iptables runc",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q isn't in %s", want, text)
		}
	}
	rootless := has
	rootless.caps = 0
	if text := rootless.missing().Error(); !strings.Contains(text, "CAP_SYS_ADMIN") || !strings.Contains(text, "CAP_NET_ADMIN") {
		t.Errorf("root without capabilities lacks %s", text)
	}
}

func TestContainerdConfig(t *testing.T) {
	v2, v3 := containerdConfig(1, true), containerdConfig(2, false)
	for text, parts := range map[string][]string{
		v2: {"version = 2\n", `sandbox_image = "registry.local/pause:1"`, "restrict_oom_score_adj = true", `bin_dir = "/run/berth/cni"`, `"io.containerd.grpc.v1.cri".containerd.runtimes.runc.options`},
		v3: {"version = 3\n", "pinned_images]\n  sandbox = \"registry.local/pause:1\"", "restrict_oom_score_adj = false", `bin_dirs = ["/run/berth/cni"]`, `"io.containerd.cri.v1.runtime".containerd.runtimes.runc.options`},
	} {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s isn't in\n%s", part, text)
			}
		}
	}
}

func TestReadKubeletConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubelet.yaml")
	if err := os.WriteFile(file, []byte("maxPods: 20\nevictionHard: {memory.available: 300Mi}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fields, err := ReadKubeletConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	n := Node{NodeSpec: NodeSpec{Kubelet: fields, Taints: []string{"gpu=yes:NoSchedule", "old:NoExecute"}}}
	config := n.KubeletConfig("/conf", "/c.sock")
	if config["maxPods"] != float64(20) && config["maxPods"] != int64(20) || config["containerRuntimeEndpoint"] != "unix:///c.sock" {
		t.Errorf("configuration %v", config)
	}
	if got := config["registerWithTaints"].([]map[string]string); got[0]["value"] != "yes" || got[1]["key"] != "old" || got[1]["effect"] != "NoExecute" {
		t.Errorf("taints %v", got)
	}
	if err := os.WriteFile(file, []byte("- a list\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKubeletConfig(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a list is taken: %v", err)
	}
}

func TestParseBytes(t *testing.T) {
	if got, err := ParseBytes("2Gi"); err != nil || got != 2<<30 {
		t.Errorf("%d, %v", got, err)
	}
	for _, bad := range []string{"", "2 Gi", "-1Mi", "many"} {
		if _, err := ParseBytes(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
