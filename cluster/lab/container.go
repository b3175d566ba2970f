//go:build linux

package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster/lab/agent"
	"github.com/berthsim/berth/cluster/lab/build"
	"golang.org/x/sys/unix"
)

// container is the Runtime of node containers: each is a set of namespaces and a cgroup in every
// hierarchy, with a disk of its own, that has the machine's root file system for its programs.
type container struct{}

// Needs is Runtime's.
func (container) Needs(*Config) Needs { return surroundings().missingContainers() }

// Build is Runtime's. A container has the machine's own programs.
func (container) Build(context.Context, *Lab, Node) error { return nil }

// Ask is Runtime's.
func (container) Ask(ctx context.Context, _ *Lab, n Node, command string) (string, error) {
	return agent.Ask(ctx, filepath.Join(n.Dir, "log"), command)
}

// Start is Runtime's.
func (c container) Start(ctx context.Context, l *Lab, n Node) error {
	conf, log := filepath.Join(n.Dir, "conf"), filepath.Join(n.Dir, "log")
	if err := os.MkdirAll(log, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", n.Name, err)
	}
	disk := filepath.Join(n.Dir, "disk.img")
	if _, err := os.Stat(disk); errors.Is(err, os.ErrNotExist) { // switched on for the first time
		if err := c.configure(ctx, l, n, conf); err != nil {
			return fmt.Errorf("making %s: %w", n.Name, err)
		}
		if err := makeDisk(ctx, disk, n.Disk); err != nil {
			return fmt.Errorf("making %s: %w", n.Name, err)
		}
	}
	if err := n.Place.Group.Create(); err != nil {
		return err
	}
	if err := n.Place.Group.LimitMemory(n.Memory); err != nil {
		return err
	}
	machine, err := os.ReadFile(filepath.Join(conf, "machine-id"))
	if err != nil {
		return fmt.Errorf("making %s: %w", n.Name, err)
	}
	boot := randomHex(16)
	spec := filepath.Join(n.Dir, "node.json")
	err = agent.Write(spec, agent.Node{
		Place: n.Place, Name: n.Name, Conf: conf, Log: log, Program: l.Bin.Components["kubelet"], CNI: l.Bin.CNI, Disk: disk,
		Memory: n.Memory, MachineID: string(machine),
		BootID:  strings.Join([]string{boot[:8], boot[8:12], boot[12:16], boot[16:20], boot[20:]}, "-"),
		Kubelet: n.KubeletArgs(l, agent.ConfDir), PATH: searchPath(),
	})
	if err != nil {
		return err
	}
	return l.launch(n.Name, "node", spec, nil)
}

// configure writes what the node's programs read.
func (container) configure(ctx context.Context, l *Lab, n Node, conf string) error {
	kubelet := n.KubeletConfig(agent.ConfDir, agent.Socket)
	for field, value := range unprivileged() {
		if _, said := n.Kubelet[field]; !said {
			kubelet[field] = value
		}
	}
	text, err := json.MarshalIndent(kubelet, "", "  ") // which is YAML, too
	if err != nil {
		return fmt.Errorf("writing the kubelet's configuration: %w", err)
	}
	version, err := containerdVersion(ctx)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"kubelet.yaml":          text,
		"containerd.toml":       []byte(containerdConfig(version, lacksResources())),
		"cni/10-berth.conflist": []byte(fmt.Sprintf(cniConfig, n.Pods)),
		"machine-id":            []byte(randomHex(16)),
	}
	for name, from := range map[string]string{"ca.crt": n.CA, "kubelet.crt": n.Cert, "kubelet.key": n.Key, "kubeconfig": n.Kubeconf} {
		if files[name], err = os.ReadFile(from); err != nil {
			return fmt.Errorf("copying %s: %w", from, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(conf, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := replaceFile(file, files[name], 0o600); err != nil {
			return err
		}
	}
	images := filepath.Join(conf, "images")
	if err := os.MkdirAll(images, 0o755); err != nil {
		return err
	}
	for i, image := range l.Bin.Images {
		if err := linkOrCopy(image, filepath.Join(images, fmt.Sprintf("%02d-%s", i, filepath.Base(image)))); err != nil {
			return err
		}
	}
	return nil
}

// cniConfig puts a node's pods on a bridge. The node forwards what is for others to its gateway.
const cniConfig = `{"cniVersion": "1.0.0", "name": "berth", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
`

// lacksResources reports whether the lab's programs may not raise their limits, as root in a
// container or a sandbox often may not.
func lacksResources() bool { return capabilities()&(1<<unix.CAP_SYS_RESOURCE) == 0 }

// unprivileged is what a kubelet's configuration must say where it may not raise its limits.
func unprivileged() map[string]any {
	if !lacksResources() {
		return nil
	}
	config := map[string]any{"oomScoreAdj": 0}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil && files.Max < 1000000 { // the kubelet's default
		config["maxOpenFiles"] = files.Max
	}
	return config
}

// containerdVersion is the major version of the machine's containerd.
func containerdVersion(ctx context.Context) (int, error) {
	text, err := exec.CommandContext(ctx, "containerd", "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("asking containerd for its version: %w", err)
	}
	for _, word := range strings.Fields(string(text)) { // "containerd containerd.io v2.1.0 …", "containerd github.com/containerd/containerd 1.6.20~ds1 …"
		var major int
		if n, err := fmt.Sscanf(strings.TrimPrefix(word, "v"), "%d.", &major); err == nil && n == 1 {
			return major, nil
		}
	}
	return 0, fmt.Errorf("containerd doesn't say its version, but %.100q", text)
}

// containerdConfig is containerd's configuration for the interface of its major version.
func containerdConfig(major int, keepScores bool) string {
	criVersion, runtime, sandbox := 2, "io.containerd.grpc.v1.cri", fmt.Sprintf("[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = %q\n", build.PauseImage)
	cni, bin := "io.containerd.grpc.v1.cri", fmt.Sprintf("bin_dir = %q", agent.CNIDir)
	if major >= 2 {
		criVersion, runtime, cni, bin = 3, "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.runtime", fmt.Sprintf("bin_dirs = [%q]", agent.CNIDir)
		sandbox = fmt.Sprintf("[plugins.\"io.containerd.cri.v1.images\".pinned_images]\n  sandbox = %q\n[plugins.%q]\n", build.PauseImage, runtime)
	}
	return fmt.Sprintf(`version = %d
disabled_plugins = ["io.containerd.internal.v1.opt"]
%s  restrict_oom_score_adj = %t
  disable_apparmor = true
[plugins.%q.cni]
  %s
  conf_dir = %q
[plugins.%q.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins.%q.containerd.runtimes.runc.options]
    SystemdCgroup = false
`, criVersion, sandbox, keepScores, cni, bin, agent.ConfDir+"/cni", runtime, runtime)
}

// makeDisk makes an empty file system in a file, which takes room only as it is written.
func makeDisk(ctx context.Context, file string, bytes int64) error {
	aside := file + ".new"
	f, err := os.Create(aside)
	if err != nil {
		return fmt.Errorf("making a disk: %w", err)
	}
	if err := errors.Join(f.Truncate(bytes), f.Close()); err != nil {
		return fmt.Errorf("making a disk: %w", err)
	}
	mke2fs, err := exec.LookPath("mke2fs")
	if err != nil {
		mke2fs = "/sbin/mke2fs"
	}
	out, err := exec.CommandContext(ctx, mke2fs, "-q", "-F", "-t", "ext4", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", aside).CombinedOutput()
	if err != nil {
		return fmt.Errorf("making a disk: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.Rename(aside, file)
}

// linkOrCopy makes a file the same as another, sharing its bytes where the file system can.
func linkOrCopy(from, to string) error {
	if err := os.Link(from, to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copying an image: %w", err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("copying an image: %w", err)
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return fmt.Errorf("copying an image: %w", err)
	}
	return out.Close()
}

// randomHex returns so many random bytes as hexadecimal digits.
func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
