//go:build linux

package vm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// Where a machine's kubelet finds its files, for whoever writes a kubeconfig or a
// KubeletConfiguration.
const (
	CAPath     = guest.ConfigDir + "/" + guest.CAFile
	CertPath   = guest.ConfigDir + "/" + guest.CertFile
	KeyPath    = guest.ConfigDir + "/" + guest.KeyFile
	CRIAddress = "unix://" + guest.ContainerdSocket
)

// DefaultKubeletConfig is a KubeletConfiguration that works in machines, for those that
// have none of their own: times as kubeadm leaves them, and a short way back from
// pressure.
func DefaultKubeletConfig() []byte {
	return fmt.Appendf(nil, `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
containerRuntimeEndpoint: %s
failSwapOn: false
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %s}}
authorization: {mode: Webhook}
tlsCertFile: %s
tlsPrivateKeyFile: %s
volumePluginDir: /var/lib/kubelet/volume-plugins
nodeStatusUpdateFrequency: 10s
nodeStatusReportFrequency: 1m
nodeLeaseDurationSeconds: 40
resolvConf: ""
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
evictionPressureTransitionPeriod: 30s
`, CRIAddress, CAPath, CertPath, KeyPath)
}

// containerdConfig returns containerd's settings: what machines have no kernel modules
// or programs for is off.
func containerdConfig(sandbox string) []byte {
	if sandbox != "" {
		sandbox = fmt.Sprintf("  sandbox_image = %q\n", sandbox)
	}
	return fmt.Appendf(nil, `version = 2
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
]
[plugins."io.containerd.grpc.v1.cri"]
%s  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = %q
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`, sandbox, guest.NetworksDir)
}

// networkConfig returns what CNI plugins are called with: pods on a bridge, addresses
// from the node's range, the rest of the world by the node.
func networkConfig(pods netip.Prefix) ([]byte, error) {
	type object = map[string]any
	return json.Marshal(object{
		"cniVersion": "1.0.0",
		"name":       "lab",
		"plugins": []object{{
			"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
			"ipam": object{
				"type":   "host-local",
				"ranges": [][]object{{{"subnet": pods}}},
				"routes": []object{{"dst": "0.0.0.0/0"}},
			},
		}},
	})
}

// config returns all that the machine is told at a start.
func (m *Machine) config() (map[string][]byte, error) {
	s := &m.Spec
	boot := &guest.Boot{Task: guest.Node, Name: s.Name, Address: s.Address, Gateway: s.Gateway, Routes: s.Routes}
	config := map[string][]byte{
		guest.MachineIDFile:  []byte(s.machineID() + "\n"),
		guest.ContainerdFile: containerdConfig(s.SandboxImage),
	}
	if s.PodCIDR.IsValid() {
		network, err := networkConfig(s.PodCIDR)
		if err != nil {
			return nil, err
		}
		config[guest.NetworkFile] = network
	}
	if len(s.Kubeconfig) > 0 {
		boot.Kubelet = append([]string{
			"--config", filepath.Join(guest.ConfigDir, guest.KubeletFile),
			"--kubeconfig", filepath.Join(guest.ConfigDir, guest.KubeconfigFile),
			"--hostname-override", s.Name,
			"--node-ip", s.Address.Addr().String(),
		}, s.KubeletArgs...)
		config[guest.KubeconfigFile] = s.Kubeconfig
		config[guest.CAFile], config[guest.CertFile], config[guest.KeyFile] = s.CA, s.Cert, s.Key
		config[guest.KubeletFile] = s.KubeletConfig
		if len(s.KubeletConfig) == 0 {
			config[guest.KubeletFile] = DefaultKubeletConfig()
		}
	}
	text, err := json.Marshal(boot)
	config[guest.BootFile] = text
	return config, err
}

// machineID returns an id that stays the same across boots and differs between machines.
func (s *Spec) machineID() string {
	sum := sha256.Sum256([]byte(s.Dir + "\x00" + s.Name))
	return hex.EncodeToString(sum[:16])
}

// maxSocket is how long the path of a unix socket may be, in bytes.
const maxSocket = 107

// check says what is wrong with a Spec.
func (s *Spec) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Name == "" {
		wrong("a machine has no name; give it its node's")
	}
	if !filepath.IsAbs(s.Dir) {
		wrong("machine %s: %q is no absolute path; give one, since QEMU outlives whoever starts it", s.Name, s.Dir)
	} else if n := len(filepath.Join(s.Dir, monitorSocket)); n > maxSocket {
		wrong("machine %s: sockets in %s have paths of %d bytes, and at most %d work; choose a shorter folder", s.Name, s.Dir, n, maxSocket)
	}
	if s.Tap != "" && !s.Address.IsValid() {
		wrong("machine %s has a tap and no address; give both", s.Name)
	}
	if s.Tap == "" && s.Address.IsValid() {
		wrong("machine %s has an address and no tap; give both", s.Name)
	}
	if len(s.Kubeconfig) > 0 && (len(s.CA) == 0 || len(s.Cert) == 0 || len(s.Key) == 0 || !s.Address.IsValid()) {
		wrong("machine %s has a kubeconfig; its kubelet needs CA, Cert, Key and Address, too", s.Name)
	}
	if s.MemoryMiB < 0 || s.CPUs < 0 {
		wrong("machine %s: %d MiB and %d processors; give positive numbers, or 0 for the default", s.Name, s.MemoryMiB, s.CPUs)
	}
	return errors.Join(errs...)
}
