package extender

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/berthsim/berth/cluster/manifest"
)

// transport returns how an extender is reached. As kube-scheduler has it, a server is
// not verified if enableHTTPS is said and no CA is given.
func transport(config *manifest.Extender) (*http.Transport, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
	}
	said := config.TLS
	if said == nil {
		said = &manifest.ExtenderTLS{}
	}
	ca, err := dataOrFile("CA", said.CAData, said.CAFile)
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig = &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: said.ServerName,
		InsecureSkipVerify: said.Insecure || config.EnableHTTPS && len(ca) == 0,
	}
	if len(ca) > 0 {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("the CA holds no certificate in PEM; give one")
		}
	}
	cert, err := dataOrFile("certificate", said.CertData, said.CertFile)
	if err != nil {
		return nil, err
	}
	key, err := dataOrFile("key", said.KeyData, said.KeyFile)
	if err != nil || len(cert) == 0 || len(key) == 0 {
		return t, err // as there, one without the other is nothing
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("certificate and key: %w", err)
	}
	t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	return t, nil
}

// dataOrFile returns the data, or else what is in the file, if one is named.
func dataOrFile(what string, data []byte, file string) ([]byte, error) {
	if len(data) > 0 || file == "" {
		return data, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w; name a file that can be read", what, err)
	}
	return data, nil
}
