//go:build linux

package lab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster/lab/agent"
	"github.com/berthsim/berth/cluster/lab/network"
)

// The names of a control plane's programs, which are those of their cgroups and logs.
const (
	etcd            = "etcd"
	apiServer       = "kube-apiserver"
	kubeControllers = "kube-controller-manager"
	kubeScheduler   = "kube-scheduler"
	proxy           = "proxy"
	kwok            = "kwok"
)

// apiServerPort is where the API server listens in the control plane's namespace, as everywhere.
const apiServerPort = 6443

// apiServerAddress is host and port of the API server, for programs on the lab's network.
func apiServerAddress() string {
	return net.JoinHostPort(network.ControlPlaneIP().String(), strconv.Itoa(apiServerPort))
}

// start starts a component with arguments, and those that the user gave last, which win.
func (l *Lab) start(name string, args ...string) error {
	return l.Launch(name, agent.Process{
		Place: l.place(name),
		Path:  l.Bin.Components[name],
		Args:  append(append([]string{name}, args...), l.Config.Args[name]...),
		Env:   []string{"PATH=" + searchPath(), "HOME=" + l.Config.Dir},
	})
}

// startEtcd starts etcd, which needn't care about power cuts: it lives as long as the lab.
func (l *Lab) startEtcd() error {
	return l.start(etcd,
		"--data-dir="+l.path("etcd"),
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380",
		"--unsafe-no-fsync", "--log-level=warn")
}

// startAPIServer starts kube-apiserver. The admission of service accounts is off: nobody makes
// accounts where no controller manager runs, and pods should be the same with it and without.
func (l *Lab) startAPIServer() error {
	pki := func(name string) string { return l.path(pkiDir, name) }
	return l.start(apiServer,
		"--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=0.0.0.0", "--secure-port="+strconv.Itoa(apiServerPort),
		"--advertise-address="+network.ControlPlaneIP().String(),
		"--service-cluster-ip-range="+network.ServicePrefix.String(),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction", "--disable-admission-plugins=ServiceAccount",
		"--client-ca-file="+pki("ca.crt"),
		"--tls-cert-file="+pki("kube-apiserver.crt"), "--tls-private-key-file="+pki("kube-apiserver.key"),
		"--kubelet-certificate-authority="+pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate="+pki("kubelet-client.crt"), "--kubelet-client-key="+pki("kubelet-client.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki("sa.pub"), "--service-account-signing-key-file="+pki("sa.key"),
		"--profiling=true")
}

// startProxy opens a port on the machine's loopback, and starts what carries its connections to
// the API server.
func (l *Lab) startProxy() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening a port for the API server: %w", err)
	}
	defer listener.Close()
	f, err := listener.(*net.TCPListener).File()
	if err != nil {
		return fmt.Errorf("opening a port for the API server: %w", err)
	}
	defer f.Close()
	p := agent.Process{Place: l.place(proxy), Path: l.Bin.Agent, Args: []string{"agent", "proxy", apiServerAddress()}, Dir: l.Config.Dir}
	if err := p.Group.Create(); err != nil {
		return err
	}
	spec := l.path(proxy + ".json")
	if err := agent.Write(spec, p); err != nil {
		return err
	}
	l.Server = "https://" + listener.Addr().String()
	return l.launch(proxy, "run", spec, f)
}

// startControllers starts what may be left out of a control plane. Nobody else elects a leader,
// and a machine that stalls for seconds makes leaders lose: so there is no election.
func (l *Lab) startControllers() error {
	if l.Config.Controllers {
		err := l.start(kubeControllers,
			"--kubeconfig="+l.path(pkiDir, kubeControllers+".kubeconfig"),
			"--use-service-account-credentials=true", "--leader-elect=false", "--bind-address=127.0.0.1",
			"--service-account-private-key-file="+l.path(pkiDir, "sa.key"), "--root-ca-file="+l.path(pkiDir, "ca.crt"))
		if err != nil {
			return err
		}
	}
	if l.Config.Scheduler {
		return l.start(kubeScheduler, "--kubeconfig="+l.path(pkiDir, kubeScheduler+".kubeconfig"), "--leader-elect=false", "--bind-address=127.0.0.1")
	}
	return nil
}

// startSimulated starts what plays KWOK's and hollow nodes. KWOK's are objects, which follow.
func (l *Lab) startSimulated() error {
	if l.Config.KWOK > 0 {
		args := []string{kwok, "--kubeconfig=" + l.path(pkiDir, kwok+".kubeconfig"), "--config=" + l.Bin.Stages,
			"--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=" + kwokAnnotation + "=fake",
			"--node-lease-duration-seconds=40", "--enable-crds="}
		err := l.Launch(kwok, agent.Process{
			Place: l.place(kwok), Path: l.Bin.KWOK, Args: append(args, l.Config.Args[kwok]...),
			Env: []string{"PATH=" + searchPath(), "HOME=" + l.path(kwok)},
		})
		if err != nil {
			return err
		}
	}
	for i := range l.Config.Hollow {
		if err := l.startHollow(i + 1); err != nil {
			return err
		}
	}
	return nil
}

// hollow is the name of the i-th hollow node.
func hollow(i int) string { return fmt.Sprintf("hollow%d", i) }

// startHollow starts one of kubemark's nodes. It keeps its things in /tmp, which is a folder of
// its own, and is therefore given what it reads by paths from its working directory.
func (l *Lab) startHollow(i int) error {
	name := hollow(i)
	args := []string{"kubemark", "--morph=kubelet", "--name=" + name, "--kubeconfig=" + name + ".kubeconfig",
		"--kubelet-port=" + strconv.Itoa(20000+2*i), "--kubelet-read-only-port=" + strconv.Itoa(20001+2*i),
		"--use-host-image-service=false"}
	return l.Launch(name, agent.Process{
		Place: l.place(name), Path: l.Bin.Components["kubemark"], Args: append(args, l.Config.Args["kubemark"]...),
		Env: []string{"PATH=" + searchPath(), "HOME=/tmp", "TMPDIR=/tmp"},
		Dir: l.path(pkiDir), Private: []string{"/tmp"}, Temp: l.path("hollow", name),
	})
}

// components are the programs of the lab's control plane, in the order in which they start.
func (l *Lab) components() []string {
	names := []string{etcd, apiServer, proxy}
	for _, c := range []struct {
		name string
		runs bool
	}{{kubeControllers, l.Config.Controllers}, {kubeScheduler, l.Config.Scheduler}, {kwok, l.Config.KWOK > 0}} {
		if c.runs {
			names = append(names, c.name)
		}
	}
	return names
}

// writeFile writes a file for programs of the lab.
func (l *Lab) writeFile(text []byte, names ...string) error {
	file := l.path(names...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making the lab's folders: %w", err)
	}
	mode := os.FileMode(0o644)
	if strings.HasSuffix(file, ".key") || strings.HasSuffix(file, kubeconfig) {
		mode = 0o600
	}
	return replaceFile(file, text, mode)
}
