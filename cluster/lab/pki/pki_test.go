package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

func TestIssue(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a, err := New("lab-ca", now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := a.Issue(Subject{Name: "system:node:n1", Groups: []string{"system:nodes"}, Hosts: []string{"10.240.1.1", "n1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tls.X509KeyPair(pair.Cert, pair.Key); err != nil {
		t.Errorf("certificate and key don't fit: %v", err)
	}
	b, _ := pem.Decode(pair.Cert)
	cert, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM) {
		t.Fatal("the authority's certificate can't be read")
	}
	for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		for _, host := range []string{"n1", "10.240.1.1"} {
			if _, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{use}}); err != nil {
				t.Errorf("use %v at %s: %v", use, host, err)
			}
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{DNSName: "n2", Roots: roots, CurrentTime: now}); err == nil {
		t.Error("the certificate is good for another host")
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now.Add(valid + time.Hour)}); err == nil {
		t.Error("the certificate never ends")
	}
	if cert.Subject.CommonName != "system:node:n1" || len(cert.Subject.Organization) != 1 || cert.Subject.Organization[0] != "system:nodes" {
		t.Errorf("subject %v", cert.Subject)
	}
}

func TestSigningKey(t *testing.T) {
	private, public, err := SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := pem.Decode(private)
	key, err := x509.ParseECPrivateKey(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	b, _ = pem.Decode(public)
	known, err := x509.ParsePKIXPublicKey(b.Bytes)
	if err != nil || !key.PublicKey.Equal(known) {
		t.Errorf("the halves don't fit: %v", err)
	}
}

func TestKubeconfig(t *testing.T) {
	text, err := Kubeconfig{Name: "lab", Server: "https://127.0.0.1:1", Authority: []byte("ca"), User: Pair{[]byte("c"), []byte("k")}}.Text()
	if err != nil {
		t.Fatal(err)
	}
	got, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.Host != "https://127.0.0.1:1" || string(got.CAData) != "ca" || string(got.CertData) != "c" || string(got.KeyData) != "k" {
		t.Errorf("read back as %+v", got)
	}
}
