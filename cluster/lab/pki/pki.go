// Package pki makes the certificates of a lab's cluster: one authority, and certificates that
// serve and identify its programs, each valid for a year. They are for a cluster that no other
// machine can reach; the authority's key is thrown away once all are made.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// valid is how long certificates are; a lab that lives longer has to be made anew.
const valid = 365 * 24 * time.Hour

// An Authority signs certificates.
type Authority struct {
	PEM []byte // its own certificate

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A Pair is a certificate and its private key, in PEM.
type Pair struct{ Cert, Key []byte }

// New makes an authority called name, valid from an hour before now, since the clocks of virtual
// machines lag.
func New(name string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	t, err := template(pkix.Name{CommonName: name}, now)
	if err != nil {
		return nil, err
	}
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making a certificate authority: %w", err)
	}
	return &Authority{PEM: block("CERTIFICATE", der), cert: cert, key: key}, nil
}

// A Subject is whom a certificate is for. Kubernetes takes the name for the user and the groups
// for the user's groups.
type Subject struct {
	Name   string
	Groups []string
	Hosts  []string // host names and IP addresses at which it serves
}

// Issue makes a key and a certificate for it, good for serving and for asking.
func (a *Authority) Issue(s Subject) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("making a certificate for %s: %w", s.Name, err)
	}
	t, err := template(pkix.Name{CommonName: s.Name, Organization: s.Groups}, a.cert.NotBefore)
	if err != nil {
		return Pair{}, err
	}
	t.NotBefore, t.NotAfter = a.cert.NotBefore, a.cert.NotAfter
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range s.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("making a certificate for %s: %w", s.Name, err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("making a certificate for %s: %w", s.Name, err)
	}
	return Pair{Cert: block("CERTIFICATE", der), Key: block("EC PRIVATE KEY", secret)}, nil
}

// SigningKey makes a key that signs the tokens of service accounts, and its public half.
func SigningKey() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the key of service accounts: %w", err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("making the key of service accounts: %w", err)
	}
	known, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("making the key of service accounts: %w", err)
	}
	return block("EC PRIVATE KEY", secret), block("PUBLIC KEY", known), nil
}

// template is what all certificates have.
func template(subject pkix.Name, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("making a certificate's number: %w", err)
	}
	return &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(valid)}, nil
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
