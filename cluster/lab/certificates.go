//go:build linux

package lab

import (
	"time"

	"github.com/berthsim/berth/cluster/lab/network"
	"github.com/berthsim/berth/cluster/lab/pki"
)

// makeCertificates writes the certificates and kubeconfigs of all of the lab's programs.
func (l *Lab) makeCertificates() error {
	ca, err := pki.New("berth-"+l.Config.Name, time.Now())
	if err != nil {
		return err
	}
	if err := l.writeFile(ca.PEM, pkiDir, "ca.crt"); err != nil {
		return err
	}
	private, public, err := pki.SigningKey()
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"sa.key": private, "sa.pub": public} {
		if err := l.writeFile(text, pkiDir, name); err != nil {
			return err
		}
	}
	service := network.ServicePrefix.Addr().Next().String() // the first is the API server's own
	for name, subject := range map[string]pki.Subject{
		apiServer: {Name: apiServer, Hosts: []string{
			network.ControlPlaneIP().String(), service, "127.0.0.1", "localhost",
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		"kubelet-client": {Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
	} {
		if _, err := l.issue(ca, name, subject); err != nil {
			return err
		}
	}
	for _, u := range l.users() {
		pair, err := l.issue(ca, u.file, u.subject)
		if err != nil {
			return err
		}
		if err := l.writeKubeconfig(ca, pair, "https://"+apiServerAddress(), pkiDir, u.file+".kubeconfig"); err != nil {
			return err
		}
	}
	admin, err := ca.Issue(pki.Subject{Name: "berth-admin", Groups: []string{"system:masters"}})
	if err != nil {
		return err
	}
	return l.writeKubeconfig(ca, admin, l.Server, kubeconfig)
}

// A user is a program that asks the API server, and the name of its files.
type user struct {
	file    string
	subject pki.Subject
}

// users are the lab's programs that ask the API server. Each has its own identity and rights, as
// in any cluster; only KWOK's controller, whose deployment has a role of its own, is an administrator.
func (l *Lab) users() []user {
	users := []user{
		{kubeControllers, pki.Subject{Name: "system:kube-controller-manager"}},
		{kubeScheduler, pki.Subject{Name: "system:kube-scheduler"}},
		{kwok, pki.Subject{Name: "kwok-controller", Groups: []string{"system:masters"}}},
	}
	for _, n := range l.nodes() {
		users = append(users, user{n.Name, kubeletSubject(n.Name, n.IP.String(), n.Name)})
	}
	for i := range l.Config.Hollow {
		users = append(users, user{hollow(i + 1), kubeletSubject(hollow(i + 1))})
	}
	return users
}

// kubeletSubject is the identity of a node's kubelet, as the Node authorizer knows it.
func kubeletSubject(node string, hosts ...string) pki.Subject {
	return pki.Subject{Name: "system:node:" + node, Groups: []string{"system:nodes"}, Hosts: hosts}
}

// issue makes a certificate and writes it and its key.
func (l *Lab) issue(ca *pki.Authority, name string, s pki.Subject) (pki.Pair, error) {
	pair, err := ca.Issue(s)
	if err != nil {
		return pki.Pair{}, err
	}
	if err := l.writeFile(pair.Cert, pkiDir, name+".crt"); err != nil {
		return pki.Pair{}, err
	}
	return pair, l.writeFile(pair.Key, pkiDir, name+".key")
}

func (l *Lab) writeKubeconfig(ca *pki.Authority, user pki.Pair, server string, names ...string) error {
	text, err := pki.Kubeconfig{Name: "berth-" + l.Config.Name, Server: server, Authority: ca.PEM, User: user}.Text()
	if err != nil {
		return err
	}
	return l.writeFile(text, names...)
}
