//go:build linux && e2e

package vm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A pair is a certificate and its key, in PEM.
type pair struct{ cert, key []byte }

// An authority signs the certificates of one test's cluster.
type authority struct {
	pair
	parent *x509.Certificate
	signer *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{}
	a.pair = a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "lab"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// sign makes a certificate; the first one is the authority's own.
func (a *authority) sign(t *testing.T, c *x509.Certificate) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if c.KeyUsage == 0 {
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if a.parent == nil {
		a.parent, a.signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.parent, &key.PublicKey, a.signer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})}
}

func (a *authority) issue(t *testing.T, name, group string, addresses ...string) pair {
	t.Helper()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
	if group != "" {
		c.Subject.Organization = []string{group}
	}
	for _, addr := range addresses {
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(addr))
	}
	return a.sign(t, c)
}

// A controlPlane is etcd and an API server in one of two namespaces.
type controlPlane struct {
	namespaces
	dir     string
	ca      *authority
	client  *http.Client
	program string // all components in one
	ended   chan string
}

// Addresses of the test's cluster.
const (
	serverIP = "10.241.0.1"
	nodeIP   = "10.241.0.11"
	uplink   = "eth0"
)

func startControlPlane(t *testing.T, program string) *controlPlane {
	t.Helper()
	c := &controlPlane{namespaces: joinedNamespaces(t), dir: t.TempDir(), ca: newAuthority(t), program: program, ended: make(chan string, 2)}
	put := func(name string, text []byte) string {
		t.Helper()
		path := filepath.Join(c.dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server := c.ca.issue(t, "kube-apiserver", "", "127.0.0.1", "10.96.0.1", serverIP)
	ca, cert, key := put("ca.crt", c.ca.cert), put("server.crt", server.cert), put("server.key", server.key)
	c.run(t, "etcd", "--data-dir", filepath.Join(c.dir, "etcd"), "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
		"--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380", "--initial-cluster", "default=http://127.0.0.1:2380",
		"--unsafe-no-fsync", "--log-level", "warn")
	c.run(t, "kube-apiserver", "--etcd-servers", "http://127.0.0.1:2379", "--bind-address", "0.0.0.0", "--advertise-address", serverIP, "--secure-port", "6443",
		"--service-cluster-ip-range", "10.96.0.0/16", "--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction", "--disable-admission-plugins", "ServiceAccount",
		"--client-ca-file", ca, "--tls-cert-file", cert, "--tls-private-key-file", key,
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", cert, "--service-account-signing-key-file", key, "--profiling=false")
	c.connect(t)
	return c
}

// namespaces are two network namespaces with a cable between them.
type namespaces struct {
	space string // the control plane's, or whoever has serverIP
	node  string // where a machine's tap is
}

// joinedNamespaces makes the two for one test, with a tap in the second.
func joinedNamespaces(t *testing.T) namespaces {
	t.Helper()
	prefix := fmt.Sprintf("berth-vm-%d-", os.Getpid())
	c := namespaces{prefix + "cp", prefix + "node"}
	c.join(t)
	for range 2 { // the second time nothing is left to do
		if err := Attach(c.node, uplink, "tap0"); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// join makes the namespaces and the pair of links between them.
func (c *namespaces) join(t *testing.T) {
	t.Helper()
	for _, name := range []string{c.space, c.node} {
		if err := makeNetNS(name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := netns.DeleteNamed(name); err != nil {
				t.Error(err)
			}
		})
	}
	other, err := netns.GetFromName(c.node)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = inNetNS(c.space, func() error {
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes(uplink), PeerName: uplink, PeerNamespace: netlink.NsFd(other)}); err != nil {
			return err
		}
		for name, addr := range map[string]string{uplink: serverIP + "/24", "lo": ""} {
			link, err := netlink.LinkByName(name)
			if err != nil {
				return err
			}
			if addr != "" {
				a, err := netlink.ParseAddr(addr)
				if err != nil {
					return err
				}
				if err := netlink.AddrAdd(link, a); err != nil {
					return err
				}
			}
			if err := netlink.LinkSetUp(link); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// makeNetNS makes a named namespace without leaving this one.
func makeNetNS(name string) error {
	return inNetNS("/proc/self/ns/net", func() error {
		h, err := netns.NewNamed(name)
		if err != nil {
			return err
		}
		return h.Close()
	})
}

// run starts a component, which is killed after the test, the last one first.
func (c *controlPlane) run(t *testing.T, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(c.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := &exec.Cmd{Path: c.program, Args: append([]string{name}, args...), Stdout: log, Stderr: log, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if err := inNetNS(c.space, cmd.Start); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		c.ended <- fmt.Sprintf("%s ended: %v", name, cmd.Wait())
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the end of %s:\n%s", log.Name(), tail(text))
		}
	})
}

// connect waits until the API server is ready.
func (c *controlPlane) connect(t *testing.T) {
	t.Helper()
	admin := c.ca.issue(t, "admin", "system:masters")
	cert, err := tls.X509KeyPair(admin.cert, admin.key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.ca.cert)
	dial := func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		err = inNetNS(c.space, func() error {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
	c.client = &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: roots}},
	}
	start := time.Now()
	waitFor(t, "the API server is ready", func() bool {
		select {
		case what := <-c.ended:
			t.Fatal(what)
		default:
		}
		return c.ask("GET", "/readyz", nil, nil) == nil
	})
	waitFor(t, "namespace default is there", func() bool { return c.ask("GET", "/api/v1/namespaces/default", nil, nil) == nil })
	t.Logf("control plane ready after %.1f s", time.Since(start).Seconds())
}

// ask sends one request; what comes back is decoded into answer, if there is one.
func (c *controlPlane) ask(method, path string, body, answer any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, "https://127.0.0.1:6443"+path, in)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// kubeconfig returns a node's, with paths as in the machine.
func (c *controlPlane) kubeconfig() []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://%s:6443", certificate-authority: %s}}]
users: [{name: u, user: {client-certificate: %s, client-key: %s}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, serverIP, CAPath, CertPath, KeyPath)
}
